//! A call in one plain sentence.

use crate::snapshot::{Call, CallState, Party};

/// Longest name or number in a sentence, in characters.
const LONGEST: usize = 40;

/// What a sentence needs besides the call.
#[derive(Debug, Default)]
pub(super) struct Detail {
    /// Parties who talk besides `from` and `to`.
    pub(super) also: Vec<Party>,
    /// Parties being reached.
    pub(super) reached: Vec<Party>,
    /// How long the call has been where it is: parked, queued, in a conference.
    pub(super) stayed: Option<u64>,
    /// Others in the same conference.
    pub(super) companions: usize,
    /// Application that the caller is connected to.
    pub(super) application: Option<String>,
    /// Whether somebody waits alone while others of the call talk.
    pub(super) waits: bool,
    /// Whether nobody calls but the PBX.
    pub(super) callerless: bool,
}

/// Describes a call. Names and numbers are cut to a bounded length, control characters dropped.
pub(super) fn describe(call: &Call, detail: &Detail) -> String {
    let from = label(&call.from).unwrap_or_else(|| "An unknown caller".to_owned());
    let to = label(&call.to);
    let stayed = lasting("for", detail.stayed);
    let whom = to.clone().unwrap_or_else(|| "an unknown party".to_owned());
    match call.state {
        CallState::Conference => {
            let room = call.to.number.as_deref().map(|room| format!(" {}", clean(room)));
            let company = match detail.companions {
                0 => ", alone".to_owned(),
                1 => ", with 1 other".to_owned(),
                others => format!(", with {others} others"),
            };
            format!("{from} has been in conference{}{stayed}{company}", room.unwrap_or_default())
        }
        CallState::Parked => {
            let space = call.to.number.as_deref().map(|space| format!(" on {}", clean(space)));
            format!("{from} has been parked{}{stayed}", space.unwrap_or_default())
        }
        CallState::Queued => {
            let queue = call
                .queue
                .as_deref()
                .map_or_else(|| "a queue".into(), |queue| format!("queue {}", clean(queue)));
            let rings = list(&detail.reached).map(|who| format!(", {who} now being rung"));
            format!("{from} has been waiting in {queue}{stayed}{}", rings.unwrap_or_default())
        }
        CallState::OnHold if detail.waits => {
            let busy =
                list(&detail.also).map_or(" is busy".into(), |who| format!(" talks to {who}"));
            format!("{from} is on hold while {whom}{busy}")
        }
        CallState::OnHold => {
            let time = lasting("for about", call.talk_seconds.or(call.duration_seconds));
            format!("{from} and {whom} have been connected{time}, one side on hold")
        }
        CallState::Up => up(call, detail, &from, to),
        CallState::Ringing | CallState::Dialing => reaching(call, detail, &from, to),
        CallState::Busy => format!("{from} is calling {whom}, which is busy"),
        CallState::Unknown => match to {
            Some(to) => format!("{from} has a call with {to} in an unknown state"),
            None => format!("{from} has a call in an unknown state"),
        },
    }
}

/// An answered call: a talk, or somebody connected to a service of the PBX.
fn up(call: &Call, detail: &Detail, from: &str, to: Option<String>) -> String {
    if call.talk_seconds.is_some() || !detail.also.is_empty() {
        let also = list(&detail.also).map(|who| format!(" and {who}")).unwrap_or_default();
        let queue = call.queue.as_deref().map(|queue| format!(" through queue {}", clean(queue)));
        let time = lasting("for about", call.talk_seconds);
        let whom = to.unwrap_or_else(|| "an unknown party".to_owned());
        return format!(
            "{from} has been talking to {whom}{also}{}{time}",
            queue.unwrap_or_default()
        );
    }
    let time = lasting("for", call.duration_seconds);
    let application = detail.application.as_deref().map(clean).filter(|name| !name.is_empty());
    let known = application.as_deref().and_then(service);
    match (known, application, to) {
        (Some(service), _, Some(to)) => format!("{from} has been {service} ({to}){time}"),
        (Some(service), _, None) => format!("{from} has been {service}{time}"),
        (None, Some(application), Some(to))
            if application != "AppDial" && application != "Dial" =>
        {
            format!("{from} has been connected to {to} ({application}){time}")
        }
        (None, _, Some(to)) => format!("{from} has been connected to {to}{time}"),
        (None, Some(application), None) => {
            format!("{from} has been connected to {application}{time}")
        }
        (None, None, None) => format!("{from} has been connected{time}"),
    }
}

/// A call that nobody has answered yet.
fn reaching(call: &Call, detail: &Detail, from: &str, to: Option<String>) -> String {
    let everybody = list(&detail.reached);
    let several = detail.reached.len() > 1;
    let rings = call.state == CallState::Ringing;
    if detail.callerless {
        let whom = everybody.or(to).unwrap_or_else(|| "An unknown party".to_owned());
        let verb = if several { "are" } else { "is" };
        return match label(&call.from) {
            Some(from) => format!("{whom} {verb} being rung for {from}"),
            None => format!("{whom} {verb} being rung"),
        };
    }
    let whom = match (to, everybody) {
        (Some(to), Some(everybody)) if several => Some(format!("{to}: {everybody}")),
        (to, everybody) => to.or(everybody),
    };
    match (whom, rings) {
        (Some(whom), true) => format!("{from} is ringing {whom}"),
        (Some(whom), false) => format!("{from} is calling {whom}"),
        (None, true) => format!("{from} is ringing"),
        (None, false) => format!("{from} is making a call"),
    }
}

/// What somebody does who is connected to an application of the PBX.
fn service(application: &str) -> Option<&'static str> {
    const SERVICES: [(&str, &str); 13] = [
        ("VoiceMailMain", "listening to voicemail"),
        ("VoiceMail", "leaving a voicemail message"),
        ("Background", "in a menu"),
        ("BackgroundDetect", "in a menu"),
        ("WaitExten", "in a menu"),
        ("Read", "in a menu"),
        ("Playback", "listening to an announcement"),
        ("Echo", "in the echo test"),
        ("MusicOnHold", "listening to music"),
        ("Record", "recording a message"),
        ("Directory", "in the dial-by-name directory"),
        ("ChanSpy", "monitoring calls"),
        ("DISA", "at the direct inward dialling prompt"),
    ];
    let known = SERVICES.iter().find(|(name, _)| name.eq_ignore_ascii_case(application));
    known.map(|(_, phrase)| *phrase)
}

/// `101 Bob Builder`, `+15551234 (trunk main)`; `None` where nothing is known.
///
/// A name that holds the number already says nothing more.
fn label(party: &Party) -> Option<String> {
    let part = |text: &Option<String>| text.as_deref().map(clean).filter(|text| !text.is_empty());
    let (number, name) = (part(&party.number), part(&party.name));
    let who = match (number, name) {
        (Some(number), Some(name)) if !name.contains(&number) => Some(format!("{number} {name}")),
        (Some(number), _) => Some(number),
        (None, name) => name,
    };
    match (who, part(&party.trunk)) {
        (Some(who), Some(trunk)) => Some(format!("{who} (trunk {trunk})")),
        (None, Some(trunk)) => Some(format!("somebody on trunk {trunk}")),
        (who, None) => who,
    }
}

/// `a`, `a and b`, `a, b and c`, `a, b, c and 2 more`.
fn list(parties: &[Party]) -> Option<String> {
    const NAMED: usize = 3;
    let mut labels: Vec<String> = parties.iter().filter_map(label).take(NAMED).collect();
    let rest = parties.len() - labels.len();
    if rest > 0 && !labels.is_empty() {
        labels.push(format!("{rest} more"));
    }
    let last = labels.pop()?;
    Some(if labels.is_empty() { last } else { format!("{} and {last}", labels.join(", ")) })
}

/// Text of a caller's choice made fit for a sentence: one line, no control characters, no marks
/// that turn the direction of what follows, bounded.
fn clean(text: &str) -> String {
    let unwanted = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let spaced: String = text.chars().map(|c| if unwanted(c) { ' ' } else { c }).collect();
    let words = spaced.split_whitespace().collect::<Vec<_>>().join(" ");
    match words.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", words.get(..end).unwrap_or_default()),
        None => words,
    }
}

/// ` for 45 seconds`, ` for 2 minutes`, ` for 26 hours 5 minutes`; empty where not known.
fn lasting(word: &str, seconds: Option<u64>) -> String {
    let Some(seconds) = seconds else { return String::new() };
    let unit =
        |count: u64, unit: &str| format!("{count} {unit}{}", if count == 1 { "" } else { "s" });
    let (hours, minutes) = (seconds / 3_600, seconds % 3_600 / 60);
    let text = match (hours, minutes) {
        (0, 0 | 1) => unit(seconds, "second"),
        (0, minutes) => unit(minutes, "minute"),
        (hours, 0) => unit(hours, "hour"),
        (hours, minutes) => format!("{} {}", unit(hours, "hour"), unit(minutes, "minute")),
    };
    format!(" {word} {text}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn party(number: &str, name: &str) -> Party {
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        Party { number: some(number), name: some(name), ..Party::default() }
    }

    #[test]
    fn durations_read_like_speech() {
        for (seconds, text) in [
            (0, " for 0 seconds"),
            (1, " for 1 second"),
            (119, " for 119 seconds"),
            (120, " for 2 minutes"),
            (3_599, " for 59 minutes"),
            (3_600, " for 1 hour"),
            (93_900, " for 26 hours 5 minutes"),
        ] {
            assert_eq!(lasting("for", Some(seconds)), text);
        }
        assert_eq!(lasting("for", None), "");
    }

    #[test]
    fn a_name_that_holds_the_number_is_not_repeated() {
        assert_eq!(label(&party("101", "Bob")).unwrap(), "101 Bob");
        assert_eq!(label(&party("+1555", "PSTN +1555")).unwrap(), "+1555");
        assert_eq!(label(&party("", "Bob")).unwrap(), "Bob");
        assert_eq!(label(&party("", "")), None);
        let trunk = Party { trunk: Some("main".to_owned()), ..Party::default() };
        assert_eq!(label(&trunk).unwrap(), "somebody on trunk main");
    }

    #[test]
    fn a_callers_text_stays_one_bounded_line() {
        assert_eq!(clean("a\r\nb\u{202e}c\u{1b}[31m  d"), "a b c [31m d");
        assert_eq!(clean(&"é".repeat(100)).chars().count(), LONGEST + 1);
    }

    #[test]
    fn long_lists_are_counted() {
        let many: Vec<Party> = (1..=5).map(|n| party(&n.to_string(), "")).collect();
        assert_eq!(list(&many).unwrap(), "1, 2, 3 and 2 more");
        assert_eq!(list(&many[..2]).unwrap(), "1 and 2");
        assert_eq!(list(&[]), None);
    }
}
