//! The paper to print on: how wide it is, whether it takes colours, and what fits on a line.
//!
//! Everything here counts columns of a terminal, not bytes or characters: `東京` takes four.

use std::fmt::Write as _;

use unicode_width::UnicodeWidthStr as _;

use super::clean;

/// Width and colours of what is printed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// Columns; `None` cuts and wraps nothing, for a file or a pipe.
    pub width: Option<usize>,
    /// Whether colours are understood.
    pub color: bool,
}

/// The colour of a text. Colour never carries a meaning alone: the word stands there as well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ink {
    Plain,
    Good,
    Active,
    Bad,
    Faint,
    Strong,
    Alarm,
}

impl Page {
    /// The text in its colour. It is expected to be clean.
    pub(crate) fn paint(self, text: &str, ink: Ink) -> String {
        let code = match ink {
            Ink::Good => "32",
            Ink::Active => "33",
            Ink::Bad => "31",
            Ink::Faint => "2",
            Ink::Strong => "1",
            Ink::Alarm => "1;31",
            Ink::Plain => return text.to_owned(),
        };
        match self.color && !text.is_empty() {
            true => format!("\u{1b}[{code}m{text}\u{1b}[0m"),
            false => text.to_owned(),
        }
    }

    /// A line that must not be overlooked, wrapped.
    #[must_use]
    pub fn notice(self, text: &str) -> String {
        self.paragraph("", text, Ink::Alarm)
    }

    /// A title above a block.
    pub(crate) fn title(self, text: &str) -> String {
        format!("{}\n", self.paint(&clean(text), Ink::Strong))
    }

    /// A paragraph, wrapped at words, that follows a label; further lines begin below its first.
    pub(crate) fn paragraph(self, label: &str, text: &str, ink: Ink) -> String {
        let (label, text) = (clean(label), clean(text));
        // A long label, on a narrow terminal: better a short indent than one word a line.
        let indent = match self.width {
            Some(width) if label.width() * 2 > width => 2,
            _ => label.width(),
        };
        let mut lines = String::new();
        let room = self.width.map_or(usize::MAX, |width| width.saturating_sub(indent).max(8));
        // The first line has less room where the label is longer than the indent.
        let first = room.saturating_sub(label.width() - indent).max(1);
        for (number, line) in wrapped(&text, first, room).iter().enumerate() {
            match number {
                0 => lines.push_str(&label),
                _ => lines.push_str(&" ".repeat(indent)),
            }
            lines.push_str(&self.paint(line, ink));
            lines.push('\n');
        }
        lines
    }
}

/// The columns that a clean text takes.
pub(crate) fn width(text: &str) -> usize {
    text.width()
}

/// As much of a clean text as fits, with `…` for what does not.
pub(crate) fn cut(text: &str, room: usize) -> String {
    if text.width() <= room {
        return text.to_owned();
    }
    let mut kept = longest_prefix(text, room.saturating_sub(1)).to_owned();
    if room > 0 {
        kept.push('…');
    }
    kept
}

/// The longest beginning that fits. It is measured whole, since marks and emoji parts change the
/// width of what stands before them.
fn longest_prefix(text: &str, room: usize) -> &str {
    let ends = text.char_indices().map(|(at, c)| at + c.len_utf8());
    let mut best = "";
    for end in ends {
        let prefix = text.get(..end).unwrap_or(text);
        if prefix.width() <= room {
            best = prefix;
        } else if prefix.width() > room + 2 {
            break;
        }
    }
    best
}

/// Breaks a text between words; a word longer than a line is broken anywhere.
fn wrapped(text: &str, first: usize, room: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        let mut word = word;
        let room_now = |lines: &Vec<String>| if lines.is_empty() { first } else { room };
        if !line.is_empty() && line.width() + 1 + word.width() > room_now(&lines) {
            lines.push(std::mem::take(&mut line));
        }
        while word.width() > room_now(&lines) && line.is_empty() {
            let piece = longest_prefix(word, room_now(&lines));
            // Not even one character fits: it stands there nevertheless.
            let piece = match piece {
                "" => word.get(..word.chars().next().map_or(0, char::len_utf8)).unwrap_or(word),
                piece => piece,
            };
            lines.push(piece.to_owned());
            word = word.get(piece.len()..).unwrap_or_default();
        }
        if !line.is_empty() && !word.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    if !line.is_empty() || lines.is_empty() {
        lines.push(line);
    }
    lines
}

/// A length of time as people say it: `45 seconds`, `2 hours 5 minutes`, `3 days 4 hours`.
pub(crate) fn spoken(seconds: u64) -> String {
    const UNITS: [(&str, u64); 4] =
        [("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1)];
    let mut left = seconds;
    let mut text = String::new();
    let mut parts = 0;
    for (unit, size) in UNITS {
        let amount = left / size;
        left %= size;
        if amount > 0 {
            let space = if parts > 0 { " " } else { "" };
            let _ = write!(text, "{space}{}", counted(amount, unit));
            parts += 1;
        } else if parts > 0 {
            break;
        }
        // Above ten minutes nobody wants seconds.
        if parts == 2 || (size == 60 && seconds >= 600) {
            break;
        }
    }
    if text.is_empty() { "0 seconds".to_owned() } else { text }
}

/// A length of time as clocks show it: `0:45`, `3:12`, `1:03:12`.
pub(crate) fn clock(seconds: u64) -> String {
    let (hours, minutes, seconds) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    match hours {
        0 => format!("{minutes}:{seconds:02}"),
        _ => format!("{hours}:{minutes:02}:{seconds:02}"),
    }
}

/// A number with its noun: `1 call`, `3 calls`.
pub(crate) fn counted(number: u64, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wide_characters_are_cut_by_columns() {
        assert_eq!(cut("Zoë 東京タワー", 9), "Zoë 東京…");
        assert_eq!(cut("Zoë 東京タワー", 10), "Zoë 東京…");
        assert_eq!(width(&cut("東京", 3)), 3);
        assert_eq!(cut("東京", 4), "東京");
        assert_eq!(cut("abc", 0), "");
        assert_eq!(cut("e\u{301}te\u{301}s", 3), "e\u{301}t…");
    }

    #[test]
    fn paragraphs_hang_below_their_label_and_never_pass_the_edge() {
        let page = Page { width: Some(24), color: false };
        let text = page.paragraph(
            "  trunk  ",
            "does not answer averyveryverylongword 東京東京東京",
            Ink::Plain,
        );
        assert!(text.lines().all(|line| width(line) <= 24), "{text}");
        assert!(text.starts_with("  trunk  does not answer\n         averyveryverylo\n"), "{text}");
        let all: String = text.split_whitespace().collect();
        assert_eq!(all, "trunkdoesnotansweraveryveryverylongword東京東京東京");
    }

    #[test]
    fn a_text_that_steers_terminals_does_not() {
        let page = Page { width: None, color: true };
        assert_eq!(page.paragraph("", "\u{1b}[2Jx", Ink::Plain), "?[2Jx\n");
    }

    #[test]
    fn lengths_of_time() {
        assert_eq!(spoken(0), "0 seconds");
        assert_eq!(spoken(61), "1 minute 1 second");
        assert_eq!(spoken(725), "12 minutes");
        assert_eq!(spoken(7_500), "2 hours 5 minutes");
        assert_eq!(spoken(86_400 * 3 + 3_600), "3 days 1 hour");
        assert_eq!(clock(192), "3:12");
        assert_eq!(clock(3_792), "1:03:12");
    }
}
