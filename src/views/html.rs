//! The snapshot as one self-contained page: what needs attention first, then everything else.
//!
//! The page loads nothing: style and script stand in it, and its content security policy permits
//! exactly those two texts and no connection. It is right without the script, which only counts the
//! age on and marks the page as stale when its time has come. All text goes through `Text`.

use std::fmt::{self, Write as _};

use chrono::{DateTime, Utc};
use sha2::{Digest as _, Sha256};

use super::Freshness;
use crate::{
    snapshot::{Section, SectionStatus, Severity, Snapshot, Timestamp},
    terminal::clean,
};

mod parts;

const STYLE: &str = include_str!("html/page.css");
const SCRIPT: &str = include_str!("html/page.js");

/// The whole page.
#[must_use]
pub fn render(snapshot: &Snapshot, now: DateTime<Utc>) -> String {
    let freshness = Freshness::of(snapshot, now);
    let mut page = String::new();
    // Writing to a String cannot fail.
    let _ = head(&mut page, snapshot, freshness);
    let _ = body(&mut page, snapshot, freshness);
    page
}

fn head(page: &mut String, snapshot: &Snapshot, freshness: Freshness) -> fmt::Result {
    let (style, script) = (digest(STYLE), digest(SCRIPT));
    let verdict = Verdict::of(snapshot);
    let (name, text) = (Text(name(snapshot)), Text(&verdict.text));
    let stale = if freshness.is_stale { " class=\"stale\"" } else { "" };
    let (at, until) = (snapshot.collected_at, snapshot.stale_after);
    write!(
        page,
        "<!DOCTYPE html>\n<html lang=\"en\"{stale} data-at=\"{at}\" data-until=\"{until}\">\n\
         <head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; \
         style-src 'sha256-{style}'; script-src 'sha256-{script}'; img-src data:; \
         base-uri 'none'; form-action 'none'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"referrer\" content=\"no-referrer\">\n\
         <meta name=\"robots\" content=\"noindex, nofollow\">\n\
         <link rel=\"icon\" href=\"data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' \
         viewBox='0 0 16 16'%3E%3Ccircle cx='8' cy='8' r='7' fill='%23{}'/%3E%3C/svg%3E\">\n\
         <noscript><meta http-equiv=\"refresh\" content=\"60\"></noscript>\n\
         <title>{name}: {text}</title>\n<style>{STYLE}</style>\n</head>\n",
        verdict.colour
    )
}

fn body(page: &mut String, snapshot: &Snapshot, freshness: Freshness) -> fmt::Result {
    page.push_str("<body>\n");
    top(page, snapshot, freshness)?;
    writeln!(
        page,
        "<main>\n<p class=\"old\" role=\"alert\">Out of date: this was collected at {} and was good \
         until {}. What it shows may not be so any more.</p>\n<div class=\"now\">",
        moment(snapshot.collected_at),
        moment(snapshot.stale_after)
    )?;
    attention(page, snapshot)?;
    parts::tiles(page, &snapshot.summary)?;
    parts::trunks(page, snapshot)?;
    parts::queues(page, snapshot)?;
    parts::calls(page, snapshot)?;
    parts::extensions(page, snapshot)?;
    parts::rooms(page, snapshot)?;
    parts::changes(page, snapshot)?;
    page.push_str("</div>\n</main>\n");
    foot(page, snapshot)?;
    write!(page, "<script>{SCRIPT}</script>\n</body>\n</html>\n")
}

fn top(page: &mut String, snapshot: &Snapshot, freshness: Freshness) -> fmt::Result {
    let source = &snapshot.source;
    let version = source.asterisk_version.as_deref().unwrap_or("version not known");
    write!(
        page,
        "<header>\n<div>\n<h1>{}</h1>\n<p class=\"dim\">Asterisk {} at {}",
        Text(name(snapshot)),
        Text(version),
        Text(&source.host)
    )?;
    if let Some(uptime) = snapshot.system_info.as_ref().and_then(|system| system.uptime_seconds) {
        write!(page, ", up for {}", words(uptime))?;
    }
    if source.demo {
        page.push_str(" <span class=\"pill info\">Demonstration</span>");
    }
    writeln!(
        page,
        "</p>\n</div>\n<div class=\"when\">\n<p>Collected <span class=\"age\" id=\"age\">{} before \
         this page was written</span></p>\n<p class=\"dim num\">at {}, good until {}</p>\n</div>\n\
         </header>",
        words(freshness.age_seconds),
        time_tag(snapshot.collected_at),
        time_tag(snapshot.stale_after),
    )
}

/// The state of the whole PBX.
struct Verdict {
    class: &'static str,
    /// Of the icon, as in `#12703f`, without the `#`.
    colour: &'static str,
    text: String,
}

impl Verdict {
    fn of(snapshot: &Snapshot) -> Self {
        let attention = &snapshot.summary.attention;
        let worst = attention.iter().map(|item| item.severity).min();
        let number = |severity| attention.iter().filter(|item| item.severity == severity).count();
        let told = |severity, one: &str, many: &str| match number(severity) {
            0 => None,
            1 => Some(format!("1 {one}")),
            count => Some(format!("{count} {many}")),
        };
        let look = told(Severity::Warning, "needs a look", "need a look");
        let (class, colour, text) = match worst {
            Some(Severity::Critical) => {
                let now = told(
                    Severity::Critical,
                    "thing needs attention now",
                    "things need attention now",
                );
                let both: Vec<String> = now.into_iter().chain(look).collect();
                ("bad", "b3261e", both.join(", "))
            }
            Some(Severity::Warning) => {
                let look = told(Severity::Warning, "thing needs a look", "things need a look");
                ("fair", "d98a00", look.unwrap_or_default())
            }
            _ if !snapshot.complete => {
                ("blind", "6a7280", "Nothing wrong in what could be read".to_owned())
            }
            _ => ("good", "12703f", "All is well".to_owned()),
        };
        Self { class, colour, text }
    }
}

fn attention(page: &mut String, snapshot: &Snapshot) -> fmt::Result {
    const MOST: usize = 8;
    let Verdict { class, text, .. } = Verdict::of(snapshot);
    let summary = &snapshot.summary;
    write!(page, "<section class=\"card verdict {class}\">\n<h2>{}</h2>\n", Text(&text))?;
    let (first, more) = summary.attention.split_at(summary.attention.len().min(MOST));
    let item = |page: &mut String, item: &crate::snapshot::Attention| {
        let (class, word) = match item.severity {
            Severity::Critical => ("use", "Critical"),
            Severity::Warning => ("ring", "Warning"),
            Severity::Info => ("info", "Info"),
        };
        writeln!(
            page,
            "<li><span class=\"pill {class}\">{word}</span><span>{}</span></li>",
            Text(&item.message)
        )
    };
    if !first.is_empty() {
        page.push_str("<ul>\n");
        first.iter().try_for_each(|it| item(page, it))?;
        page.push_str("</ul>\n");
    }
    if !more.is_empty() {
        write!(page, "<details><summary>{} more</summary>\n<ul>\n", more.len())?;
        more.iter().try_for_each(|it| item(page, it))?;
        page.push_str("</ul>\n</details>\n");
    }
    let cut = summary.attention_total.saturating_sub(summary.attention.len() as u64);
    if cut > 0 {
        writeln!(page, "<p class=\"dim\">And {cut} that the snapshot does not list.</p>")?;
    }
    if !summary.text.is_empty() {
        let text = Text(&summary.text);
        writeln!(page, "<details><summary>In words</summary><p>{text}</p></details>")?;
    }
    page.push_str("</section>\n");
    Ok(())
}

fn foot(page: &mut String, snapshot: &Snapshot) -> fmt::Result {
    page.push_str("<footer>\n");
    for (section, report) in snapshot.sections.iter() {
        let word = match report.status {
            SectionStatus::Ok => continue,
            SectionStatus::Partial => "read only in part",
            _ => "not read",
        };
        writeln!(
            page,
            "<p>{} ({}): {word}: {}</p>",
            Text(title(section)),
            section.as_str(),
            Text(report.message.as_deref().unwrap_or(reason(report.status)))
        )?;
    }
    let source = &snapshot.source;
    writeln!(
        page,
        "<p>Collected by {} {} in {} ms. All times are UTC. Calls and names are those of the moment \
         of collection.</p>\n</footer>",
        Text(&source.collector.name),
        Text(&source.collector.version),
        source.duration_ms
    )
}

/// What a person calls a section.
fn title(section: Section) -> &'static str {
    match section {
        Section::SystemInfo => "System",
        Section::Trunks => "Trunks",
        Section::Queues => "Queues",
        Section::ActiveCalls => "Calls",
        Section::Channels => "Channels",
        Section::Extensions => "Extensions",
        Section::Parking => "Parking",
        Section::Conferences => "Conferences",
        Section::Voicemail => "Voicemail",
    }
}

fn reason(status: SectionStatus) -> &'static str {
    match status {
        SectionStatus::Ok => "",
        SectionStatus::Partial => "something is missing",
        SectionStatus::Unsupported => "this PBX has no such thing",
        SectionStatus::Denied => "the AMI user may not read it",
        SectionStatus::Timeout => "no answer in time",
        SectionStatus::Error => "an error",
        SectionStatus::Disabled => "left out by the configuration",
    }
}

/// What the PBX is called.
fn name(snapshot: &Snapshot) -> &str {
    snapshot.source.pbx_name.as_deref().unwrap_or(&snapshot.source.host)
}

/// Text from anywhere, safe in an element and in a quoted attribute.
struct Text<'a>(&'a str);

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in clean(self.0).chars() {
            match c {
                '&' => f.write_str("&amp;"),
                '<' => f.write_str("&lt;"),
                '>' => f.write_str("&gt;"),
                '"' => f.write_str("&quot;"),
                '\'' => f.write_str("&#39;"),
                c => f.write_char(c),
            }?;
        }
        Ok(())
    }
}

fn moment(time: Timestamp) -> String {
    time.utc().format("%Y-%m-%d %H:%M:%S UTC").to_string()
}

fn time_tag(time: Timestamp) -> String {
    format!("<time datetime=\"{time}\">{}</time>", moment(time))
}

/// A length of time in words: `45 seconds`, `3 minutes`, `2 hours`, `5 days`.
fn words(seconds: u64) -> String {
    match seconds {
        1 => "1 second".to_owned(),
        0..120 => format!("{seconds} seconds"),
        120..7_200 => format!("{} minutes", seconds / 60),
        7_200..172_800 => format!("{} hours", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}

/// A length of time as a clock shows it: `0:45`, `3:12`, `1:02:03`.
fn clock(seconds: u64) -> String {
    let (hours, minutes, seconds) = (seconds / 3_600, seconds % 3_600 / 60, seconds % 60);
    match hours {
        0 => format!("{minutes}:{seconds:02}"),
        _ => format!("{hours}:{minutes:02}:{seconds:02}"),
    }
}

/// The SHA-256 of a text in base64, as a content security policy names it.
fn digest(text: &str) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut base64 = String::new();
    for chunk in Sha256::digest(text.as_bytes()).chunks(3) {
        let byte = |index| u32::from(chunk.get(index).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for index in 0..4 {
            let digit = (bits >> (18 - 6 * index)) & 63;
            let digit = DIGITS.get(digit as usize).copied().unwrap_or(b'=');
            base64.push(if index > chunk.len() { '=' } else { char::from(digit) });
        }
    }
    base64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_leaves_its_place() {
        let text = Text("<script>\"&'\u{202e}\u{1b}[2J").to_string();
        assert_eq!(text, "&lt;script&gt;&quot;&amp;&#39;?[2J");
    }

    #[test]
    fn a_digest_is_base64() {
        assert_eq!(digest(""), "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
        assert_eq!(digest("abc"), "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=");
    }

    #[test]
    fn style_and_script_cannot_end_their_elements() {
        for text in [STYLE, SCRIPT] {
            assert!(!text.contains("</") && !text.contains("<!--"));
        }
        assert!(!STYLE.contains("url(") && !STYLE.contains("@import"));
    }

    #[test]
    fn times_are_for_people() {
        assert_eq!(
            (clock(5), clock(192), clock(3_723)),
            ("0:05".into(), "3:12".into(), "1:02:03".into())
        );
        assert_eq!((words(1), words(600)), ("1 second".into(), "10 minutes".into()));
    }
}
