//! What somebody looks up: a number or a part of a name.

/// A number or a part of a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Needle {
    /// In lower case; a number without its `+`.
    text: String,
    is_number: bool,
}

impl Needle {
    pub(super) fn new(text: &str) -> Self {
        let text = text.trim().to_lowercase();
        let digits = text.strip_prefix('+').unwrap_or(&text);
        let is_number = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
        Self { text: if is_number { digits.to_owned() } else { text }, is_number }
    }

    /// True where the text says it.
    ///
    /// A number has to be a whole one, since `10` is not `100`; only a long one, such as an
    /// outside number without its country code, may be a part. Of a name, any part will do.
    pub(super) fn is_in(&self, text: &str) -> bool {
        const LONG: usize = 6;
        if !self.is_number || self.text.len() >= LONG {
            return text.to_lowercase().contains(&self.text);
        }
        text.split(|c: char| !c.is_ascii_digit()).any(|number| number == self.text)
    }

    /// True where one of the texts says it.
    pub(super) fn is_in_any<'a>(&self, texts: impl IntoIterator<Item = Option<&'a str>>) -> bool {
        texts.into_iter().flatten().any(|text| self.is_in(text))
    }
}

/// A word of a fixed set in the form in which people compare: `On hold`, `on-hold` and `ONHOLD`
/// are one.
pub(super) fn plain(word: &str) -> String {
    word.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_whole_and_names_are_parts() {
        assert!(Needle::new("10").is_in("PJSIP/10-00000001"));
        assert!(!Needle::new("10").is_in("100"));
        assert!(Needle::new("+4930555001").is_in("4930555001"));
        assert!(Needle::new("30555001").is_in("+4930555001"));
        assert!(Needle::new("ÄRGER").is_in("Frau Ärgerlich"));
        assert!(!Needle::new("bob").is_in("Alice"));
        assert_eq!(plain("On hold"), plain("ON-HOLD"));
    }
}
