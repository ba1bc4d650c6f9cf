//! Plain English for people and language models.

/// A length of time as people say it, in its two largest units: `45 seconds`,
/// `2 minutes 5 seconds`, `26 hours 5 minutes`, `3 days 4 hours`.
#[must_use]
pub(crate) fn duration(seconds: u64) -> String {
    const UNITS: [(&str, u64); 4] =
        [("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1)];
    // Up to two days, hours say more than days.
    let units = if seconds < 2 * 86_400 { &UNITS[1..] } else { &UNITS[..] };
    let mut left = seconds;
    let mut parts = Vec::new();
    for (unit, size) in units {
        let amount = left / size;
        left %= size;
        if amount > 0 {
            parts.push(count(amount, unit));
        } else if !parts.is_empty() {
            break;
        }
        if parts.len() == 2 {
            break;
        }
    }
    if parts.is_empty() { "0 seconds".to_owned() } else { parts.join(" ") }
}

/// A number with its noun: `1 call`, `3 calls`.
#[must_use]
pub(crate) fn count(number: u64, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

/// Names as a sentence lists them, the first `most` of them: `a, b and 3 more`.
#[must_use]
pub(crate) fn listed<S: AsRef<str>>(names: &[S], most: usize) -> String {
    let shown: Vec<&str> = names.iter().take(most).map(AsRef::as_ref).collect();
    let text = shown.join(", ");
    match names.len().checked_sub(most) {
        Some(more) if more > 0 => format!("{text} and {more} more"),
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_of_time_has_two_units_at_most() {
        for (seconds, said) in [
            (0, "0 seconds"),
            (1, "1 second"),
            (125, "2 minutes 5 seconds"),
            (3_600, "1 hour"),
            (3_605, "1 hour"),
            (93_900, "26 hours 5 minutes"),
            (172_800, "2 days"),
            (273_600, "3 days 4 hours"),
        ] {
            assert_eq!(duration(seconds), said);
        }
    }

    #[test]
    fn long_lists_are_cut_and_say_so() {
        assert_eq!(listed(&["a", "b", "c"], 2), "a, b and 1 more");
        assert_eq!(listed(&["a", "b"], 2), "a, b");
    }
}
