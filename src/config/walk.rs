//! One reading of the YAML file, whole or up to a place.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use zeroize::Zeroizing;

use super::keys::{self, Shape};

/// What stands in the file.
#[derive(Default)]
pub(super) struct Content {
    pub(super) values: BTreeMap<&'static str, Zeroizing<String>>,
    pub(super) lists: BTreeMap<&'static str, Vec<String>>,
    /// All known keys that are there, also those without a value.
    pub(super) present: Vec<&'static str>,
    /// Unknown keys inside our sections.
    pub(super) unknown: Vec<String>,
    /// Top-level keys that are not ours.
    pub(super) foreign: Vec<String>,
}

/// A key, or an item of the list behind it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Place<'a> {
    pub(super) key: &'a str,
    pub(super) item: Option<usize>,
}

/// One reading of the file, whole or up to a place.
#[derive(Default)]
pub(super) struct Walk<'a> {
    pub(super) content: Content,
    /// Where to fail on purpose.
    pub(super) stop_at: Option<Place<'a>>,
    /// The key being read.
    pub(super) at: String,
    /// True when that key stands in its section for the second time.
    pub(super) twice: bool,
}

impl Walk<'_> {
    /// Reads the file's text.
    pub(super) fn through(&mut self, text: &str) -> Result<(), serde_yaml::Error> {
        Section { walk: self, path: "" }.deserialize(serde_yaml::Deserializer::from_str(text))
    }

    fn stops_at(&self, key: &str, item: Option<usize>) -> bool {
        self.stop_at == Some(Place { key, item })
    }
}

/// Reads a section: the file itself (empty path), `freepbx`, `cache`, `freepbx.timeouts`.
struct Section<'w, 'a> {
    walk: &'w mut Walk<'a>,
    path: &'w str,
}

impl<'de> DeserializeSeed<'de> for Section<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_option(self)
    }
}

impl<'de> Visitor<'de> for Section<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a section")
    }

    fn visit_none<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<(), M::Error> {
        let Self { walk, path } = self;
        let mut seen = BTreeSet::new();
        loop {
            path.clone_into(&mut walk.at);
            let Some(key) = map.next_key_seed(Name { walk, path, seen: &mut seen })? else {
                return Ok(());
            };
            walk.at.clone_from(&key);
            let Some(known) = keys::known(&key) else {
                map.next_value::<IgnoredAny>()?;
                let all = if path.is_empty() {
                    &mut walk.content.foreign
                } else {
                    &mut walk.content.unknown
                };
                all.push(key);
                continue;
            };
            walk.content.present.push(known.path);
            match known.shape {
                Shape::Section => map.next_value_seed(Section { walk, path: known.path })?,
                Shape::Text => {
                    if let Some(text) = map.next_value_seed(Text)? {
                        walk.content.values.insert(known.path, text);
                    }
                }
                Shape::List => {
                    let list = map.next_value_seed(List { walk, key: known.path })?;
                    walk.content.lists.insert(known.path, list);
                }
            }
        }
    }
}

/// Reads a key and returns its path.
struct Name<'w, 'a> {
    walk: &'w mut Walk<'a>,
    path: &'w str,
    seen: &'w mut BTreeSet<String>,
}

impl<'de> DeserializeSeed<'de> for Name<'_, '_> {
    type Value = String;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<String, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Name<'_, '_> {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    // An error that is made here carries the line of the key, one made later that of the section.
    fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<String, E> {
        // A name with a dot in it must not look like a key inside a section.
        let name = name.replace('.', ":");
        let key = match self.path {
            "" => name,
            path => format!("{path}.{name}"),
        };
        if self.walk.stops_at(&key, None) {
            return Err(E::custom("found"));
        }
        let ours = !self.path.is_empty() || keys::known(&key).is_some();
        if !self.seen.insert(key.clone()) && ours {
            self.walk.at = key;
            self.walk.twice = true;
            return Err(E::custom("twice"));
        }
        Ok(key)
    }
}

/// Reads one value as it stands in the file.
struct Text;

impl<'de> DeserializeSeed<'de> for Text {
    type Value = Option<Zeroizing<String>>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_option(self)
    }
}

impl<'de> Visitor<'de> for Text {
    type Value = Option<Zeroizing<String>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a single value")
    }

    fn visit_none<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Some(Zeroizing::new(text.to_owned())))
    }
}

/// Reads a list of values as they stand in the file.
struct List<'w, 'a> {
    walk: &'w Walk<'a>,
    key: &'static str,
}

impl<'de> DeserializeSeed<'de> for List<'_, '_> {
    type Value = Vec<String>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_option(self)
    }
}

impl<'de> Visitor<'de> for List<'_, '_> {
    type Value = Vec<String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_none<E>(self) -> Result<Self::Value, E> {
        Ok(Vec::new())
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_seq(self)
    }

    fn visit_seq<S: SeqAccess<'de>>(self, mut items: S) -> Result<Self::Value, S::Error> {
        let mut list = Vec::new();
        while let Some(item) = items
            .next_element_seed(Item { found: self.walk.stops_at(self.key, Some(list.len())) })?
        {
            list.push(item);
        }
        Ok(list)
    }
}

/// Reads an item of a list, or fails at it on purpose.
struct Item {
    found: bool,
}

impl<'de> DeserializeSeed<'de> for Item {
    type Value = String;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<String, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Item {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a single value")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<String, E> {
        if self.found { Err(E::custom("found")) } else { Ok(text.to_owned()) }
    }
}
