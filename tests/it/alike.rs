//! Whether two snapshots are the same up to the replacements of a sanitized capture.

use std::collections::BTreeMap;

use serde_json::Value;

/// What stands for what.
pub struct Replaced {
    /// By the original in lower case.
    pairs: BTreeMap<String, String>,
}

/// What depends on when and how a snapshot was taken, and not on the PBX.
const OF_THE_RUN: [&str; 5] =
    ["collected_at", "stale_after", "duration_ms", "source", "clock_skew_ms"];

impl Replaced {
    pub fn new(pairs: Vec<(String, String)>) -> Self {
        let pairs = pairs.into_iter().map(|(token, given)| (token.to_lowercase(), plain(&given)));
        Self { pairs: pairs.collect() }
    }

    /// Fails where `other` is not `original` with its tokens replaced.
    pub fn assert_same(&self, original: &Value, other: &Value) {
        let (Some(one), Some(two)) = (original.as_object(), other.as_object()) else {
            panic!("no snapshots")
        };
        assert_eq!(one.keys().collect::<Vec<_>>(), two.keys().collect::<Vec<_>>());
        for (key, value) in one {
            if OF_THE_RUN.contains(&key.as_str()) {
                continue;
            }
            if let Some(where_not) = self.difference(key, value, &two[key]) {
                panic!("{where_not}");
            }
        }
    }

    /// Where two values differ; `None` where they do not.
    fn difference(&self, at: &str, one: &Value, other: &Value) -> Option<String> {
        match (one, other) {
            (Value::Object(one), Value::Object(other)) => {
                if one.len() != other.len() {
                    return Some(format!("{at} has other keys"));
                }
                one.iter().filter(|(key, _)| !OF_THE_RUN.contains(&key.as_str())).find_map(
                    |(key, value)| {
                        let found = other.get(key).unwrap_or(&Value::Null);
                        self.difference(&format!("{at}.{key}"), value, found)
                    },
                )
            }
            // As many as have room: with longer names others, or fewer.
            (Value::Array(one), Value::Array(other))
                if at.ends_with(".attention") && one.len() != other.len() =>
            {
                let mut pairs = one.iter().zip(other);
                let differs = pairs.any(|(one, other)| one["severity"] != other["severity"]);
                differs.then(|| format!("{at}: other severities"))
            }
            // Sorted by names, which are others now: each item has its own partner somewhere.
            (Value::Array(one), Value::Array(other)) => {
                if one.len() != other.len() {
                    return Some(format!("{at} has {} items and {}", one.len(), other.len()));
                }
                let mut left: Vec<&Value> = other.iter().collect();
                one.iter().find_map(|item| {
                    let is_it = |it: &&Value| self.difference(at, item, it).is_none();
                    match left.iter().position(is_it) {
                        Some(partner) => {
                            left.remove(partner);
                            None
                        }
                        None => {
                            let nearest =
                                left.iter().filter_map(|it| self.difference(at, item, it));
                            Some(format!(
                                "{item} has no partner: {:?}",
                                nearest.max_by_key(String::len)
                            ))
                        }
                    }
                })
            }
            // Prose lists names in their order.
            (Value::String(one), Value::String(other)) if at.ends_with(".text") => {
                let (one, mut other) = (words(&whole(one)), words(&whole(other)));
                let lacks = one.iter().any(|word| {
                    let at = other.iter().position(|it| self.fits(word, it));
                    at.map(|at| other.remove(at)).is_none()
                });
                (lacks || !other.is_empty()).then(|| format!("{at}: {one:?} and {other:?}"))
            }
            (Value::String(one), Value::String(two)) => {
                let fits = self.fits(&one.to_lowercase(), &two.to_lowercase());
                (!fits).then(|| format!("{at}: {one:?} and {two:?}"))
            }
            (one, other) => (one != other).then(|| format!("{at}: {one} and {other}")),
        }
    }

    /// Whether a text is another one with some of its tokens replaced.
    fn fits(&self, one: &str, other: &str) -> bool {
        let Some(c) = one.chars().next() else { return other.is_empty() };
        let is_part = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | ':');
        if c.is_alphanumeric() || c == ':' {
            let reach = one.find(|c| !is_part(c)).unwrap_or(one.len());
            let ends = (1..=reach).rev().filter(|end| one.is_char_boundary(*end));
            for end in ends {
                let (token, rest) = one.split_at(end);
                if rest.starts_with(char::is_alphanumeric) {
                    continue;
                }
                let zeros = token.len() - token.trim_start_matches('0').len();
                for kept in [0, zeros] {
                    let (before, token) = token.split_at(kept);
                    let left = other.strip_prefix(before);
                    let given = self.pairs.get(token).and_then(|given| after(left?, given));
                    if given.is_some_and(|left| self.fits(rest, left)) {
                        return true;
                    }
                }
            }
            let word = one.find(|c: char| !c.is_alphanumeric()).unwrap_or(one.len()).max(1);
            let (word, rest) = one.split_at(word);
            return other.strip_prefix(word).is_some_and(|left| self.fits(rest, left));
        }
        let length = c.len_utf8();
        other.starts_with(c) && self.fits(&one[length..], &other[length..])
    }
}

/// Prose without the lists that were cut: which names come first depends on the names.
fn whole(text: &str) -> String {
    let text = text.replace("; ", ". ");
    let sentences = text.split(". ").map(|sentence| match sentence.rsplit_once(" and ") {
        Some((list, more)) if more.trim_end_matches('.').ends_with(" more") => {
            format!("{} {more}", list.split(": ").next().unwrap_or_default())
        }
        _ => sentence.to_owned(),
    });
    sentences.collect::<Vec<_>>().join(". ")
}

fn words(text: &str) -> Vec<String> {
    text.split_whitespace()
        .map(|word| word.trim_matches([',', '.', ':', ';']).to_lowercase())
        .collect()
}

/// What stands behind a replacement that a text begins with, accents aside.
fn after<'a>(text: &'a str, given: &str) -> Option<&'a str> {
    let end = text.char_indices().nth(given.chars().count()).map_or(text.len(), |(at, _)| at);
    (plain(&text[..end]) == given).then(|| &text[end..])
}

/// In lower case, without the accents that replacements have in the place of others.
fn plain(text: &str) -> String {
    let bare = |c| match c {
        'ä' => 'a',
        'é' => 'e',
        'í' => 'i',
        'ö' => 'o',
        'ü' => 'u',
        c => c,
    };
    text.to_lowercase().chars().map(bare).collect()
}

#[test]
fn what_is_not_the_same_is_noticed() {
    let replaced = Replaced::new(vec![
        ("trunk-main".to_owned(), "bakero".to_owned()),
        ("zoë".to_owned(), "tulofi".to_owned()),
        ("30555".to_owned(), "55511".to_owned()),
    ]);
    for (one, other) in [
        ("PJSIP/trunk-main-0000002a", "PJSIP/bakero-0000002a"),
        ("Zoë (030555)", "Tülofi (055511)"),
        ("up", "up"),
        ("Élodie 東京", "élodie 東京"),
    ] {
        assert!(replaced.fits(&one.to_lowercase(), &other.to_lowercase()), "{one}");
    }
    for (one, other) in [("trunk-main", "bakera"), ("up", "down"), ("zoë", "tulofi2"), ("a", "")] {
        assert!(!replaced.fits(&one.to_lowercase(), &other.to_lowercase()), "{one}");
    }
}
