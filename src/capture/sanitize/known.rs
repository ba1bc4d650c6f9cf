//! What a capture tells about itself: which words are names, which numbers are extensions.

use std::{collections::HashSet, net::IpAddr};

use super::{
    headers::{self, Kind},
    rewrite::{Place, json_object, places},
    vocabulary,
};
use crate::capture::Capture;

/// Numbers of more digits are telephone numbers, whatever they name.
pub(super) const LONGEST_EXTENSION: usize = 6;

/// What was found in a capture before anything in it is replaced.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// Everything that stands in it, in lower case.
    pub(super) present: HashSet<String>,
    /// Words of the names of people, in lower case.
    names: HashSet<String>,
    /// Words of the names of objects, in lower case.
    objects: HashSet<String>,
    /// Names of objects that have several words, in lower case.
    pub(super) identifiers: HashSet<String>,
    /// Numbers of extensions, queues, conferences, parking spaces.
    pub(super) extensions: HashSet<String>,
    /// Addresses.
    pub(super) addresses: HashSet<IpAddr>,
}

impl Known {
    /// Reads a capture.
    pub(super) fn of(capture: &Capture) -> Self {
        let mut known = Self::default();
        for recorded in &capture.recorded {
            for bytes in [&recorded.request, &recorded.answer] {
                for place in places(bytes) {
                    known.read(&place);
                }
            }
        }
        known
    }

    fn read(&mut self, place: &Place<'_>) {
        let value = String::from_utf8_lossy(place.value);
        self.value(value.trim(), place.kind);
        if place.is_extension {
            self.number(value.trim());
        }
        if let Some(path) = place.astdb_path.as_deref() {
            // `/AMPUSER/100/cidname`: the object stands second.
            self.number(path.split('/').nth(2).unwrap_or_default());
        }
    }

    fn value(&mut self, value: &str, kind: Kind) {
        self.present.extend(words(value).map(str::to_lowercase));
        let is_host = |c: char| c.is_ascii_alphanumeric() || c == '.' || c == '-';
        let hosts = value.split(|c| !is_host(c)).filter(|text| text.contains('.'));
        self.present.extend(hosts.map(str::to_lowercase));
        if kind == Kind::Text
            && let Some(object) = json_object(value)
        {
            for (key, value) in object {
                self.value(value.as_str().unwrap_or_default(), headers::kind("", &key));
            }
            return;
        }
        if kind != Kind::UserAgent && kind != Kind::Fact {
            let is_address = |c: char| c.is_ascii_hexdigit() || c == '.' || c == ':';
            for text in value.split(|c| !is_address(c)) {
                let host = text.split(':').next().unwrap_or(text);
                let address = if text.contains("::") { text } else { host };
                self.addresses.extend(address.parse::<IpAddr>());
            }
        }
        match kind {
            Kind::Name | Kind::EscapedName => self
                .names
                .extend(words(value).filter(|word| is_telling(word)).map(str::to_lowercase)),
            Kind::Identifier => value.split(',').for_each(|name| self.name(name.trim())),
            Kind::UniqueId => {
                if let Some((system, _)) = value.rsplit_once('-') {
                    self.name(system);
                }
            }
            _ => {}
        }
    }

    /// Keeps the name of an object of the PBX.
    fn name(&mut self, name: &str) {
        let name = vocabulary::without_ending(name);
        let folded = name.to_lowercase();
        let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        self.number(name);
        if !name.chars().all(is_plain) || vocabulary::is_context(&folded) {
            self.objects.extend(words(&folded).filter(|word| is_telling(word)).map(str::to_owned));
        } else if words(name).count() > 1 && name.chars().any(|c| c.is_ascii_alphabetic()) {
            self.present.insert(folded.clone());
            self.identifiers.insert(folded);
        } else if is_telling(&folded) {
            self.objects.insert(folded);
        }
    }

    fn number(&mut self, text: &str) {
        let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if is_number && text.len() <= LONGEST_EXTENSION {
            self.extensions.insert(text.to_owned());
        }
    }

    /// Whether a word must not stay even where words do.
    pub(super) fn is_private(&self, word: &str, kind: Kind) -> bool {
        let folded = word.to_lowercase();
        let is_name = || kind != Kind::Dialplan && self.names.contains(&folded);
        (self.objects.contains(&folded) || is_name()) && !vocabulary::stays(&folded)
    }

    /// The longest identifier that a text begins with.
    pub(super) fn identifier_at<'a>(&self, text: &'a str) -> Option<&'a str> {
        const LONGEST: usize = 200;
        let is_part = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        let reach = text.find(|c| !is_part(c)).unwrap_or(text.len()).min(LONGEST);
        let reach = text.get(..reach)?;
        let ends_here = |end: usize| {
            let after = text.get(end..).and_then(|rest| rest.chars().next());
            after.is_none_or(|c| !c.is_alphanumeric())
        };
        let ends = (1..=reach.len()).rev().filter(|end| ends_here(*end));
        ends.filter_map(|end| reach.get(..end))
            .find(|name| self.identifiers.contains(&name.to_ascii_lowercase()))
    }
}

/// The words of a text, and its numbers.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty())
}

/// Whether a word may tell somebody apart: it is longer than an initial, and no number.
fn is_telling(word: &str) -> bool {
    word.chars().count() > 2 && word.chars().any(char::is_alphabetic)
}
