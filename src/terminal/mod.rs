//! Text from a PBX on a terminal: names and numbers that a caller chose must not move the cursor,
//! change colours, or turn the reading direction. And tables of it that fit.

use std::borrow::Cow;

pub(crate) mod page;
pub(crate) mod table;

pub use page::Page;

/// The text without characters that a terminal obeys: control characters (escape sequences among
/// them) become `?`, invisible marks of direction and width vanish.
#[must_use]
pub fn clean(text: &str) -> Cow<'_, str> {
    if !text.chars().any(|c| c.is_control() || is_invisible(c)) {
        return Cow::Borrowed(text);
    }
    let shown = |c: char| if c.is_control() { '?' } else { c };
    Cow::Owned(text.chars().filter(|c| !is_invisible(*c)).map(shown).collect())
}

/// Bidirectional controls, zero-width marks, separators and tags.
fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{61c}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_obeys_is_taken_out() {
        assert_eq!(clean("\u{1b}[31mred\u{7}\r\n"), "?[31mred???");
        assert_eq!(clean("abc\u{202e}fed\u{200b}"), "abcfed");
        assert_eq!(clean("\u{9b}2J"), "?2J");
        assert!(matches!(clean("Zoë Müller 東京"), Cow::Borrowed(_)));
    }
}
