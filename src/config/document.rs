//! The YAML file as text: values by key, and the line of any key. Only this file and `walk.rs` know
//! `serde_yaml`.
//!
//! Values stay the text that stands in the file (`0640`, `1e5`, `yes`), so that a password of
//! digits is not read as a number and every kind of value is judged in one place. Two decisions
//! need a reason:
//!
//! - **Lines.** `serde_yaml` tells a line only where reading fails. So a line is found by reading
//!   the file once more and failing on purpose at the wanted key. That costs microseconds, only
//!   when there is something to report, and the same parser decides as for the value itself.
//! - **Secrecy.** The file's text and its values are overwritten when dropped, because one of them
//!   is the password. The YAML parser's own buffers are not within reach. Messages about types repeat the value (`invalid type: string "hunter2"`). Only
//!   messages about syntax, which are fixed texts, are passed on; all others are our own.

use std::path::{Path, PathBuf};

use serde::{Deserialize, de::IgnoredAny};
use zeroize::Zeroizing;

use super::{
    Error,
    keys::{self, Key, Shape},
    walk::{Content, Place, Walk},
};

/// A configuration file that is YAML and has our sections in the right shape.
pub(super) struct Document {
    file: PathBuf,
    text: Zeroizing<String>,
    content: Content,
}

impl Document {
    /// Reads a file's content.
    pub(super) fn parse(file: &Path, bytes: Vec<u8>) -> Result<Self, Error> {
        let text = super::text::decode(file, bytes)?;
        // First the syntax alone: what fails here is a fixed text of the parser, without content.
        IgnoredAny::deserialize(serde_yaml::Deserializer::from_str(&text)).map_err(|error| {
            super::text::syntax_error(file, &text, line(&error), &error.to_string())
        })?;
        let mut walk = Walk::default();
        match walk.through(&text) {
            Ok(()) => Ok(Self { file: file.to_owned(), text, content: walk.content }),
            Err(error) => Err(explain(&walk, file, line(&error))),
        }
    }

    /// The text behind a key; `None` where the key is absent or has no value.
    pub(super) fn value(&self, key: &str) -> Option<&str> {
        self.content.values.get(key).map(|value| value.as_str())
    }

    /// The list behind a key; empty where the key is absent or has no value.
    pub(super) fn list(&self, key: &str) -> &[String] {
        self.content.lists.get(key).map_or(&[], Vec::as_slice)
    }

    /// True where a key stands in the file, with or without a value.
    pub(super) fn has(&self, key: &str) -> bool {
        self.content.present.contains(&key)
    }

    /// Unknown keys inside our sections.
    pub(super) fn unknown(&self) -> &[String] {
        &self.content.unknown
    }

    /// Top-level keys that belong to other programs.
    pub(super) fn foreign(&self) -> &[String] {
        &self.content.foreign
    }

    /// Line of a key; of the section that it belongs in where it is absent.
    pub(super) fn line(&self, key: &str) -> usize {
        let parents = std::iter::successors(Some(key), |key| Some(key.rsplit_once('.')?.0));
        parents.filter_map(|key| self.find(Place { key, item: None })).next().unwrap_or(1)
    }

    /// An error about a key.
    pub(super) fn error(&self, key: &str, problem: impl Into<String>) -> Error {
        self.error_at(self.line(key), key, problem.into())
    }

    /// An error about an item of a list, counted from 0.
    pub(super) fn item_error(&self, key: &str, item: usize, problem: impl Into<String>) -> Error {
        let line = self.find(Place { key, item: Some(item) });
        self.error_at(line.unwrap_or_else(|| self.line(key)), key, problem.into())
    }

    /// The file's path.
    pub(super) fn file(&self) -> &Path {
        &self.file
    }

    fn error_at(&self, line: usize, key: &str, problem: String) -> Error {
        let expected = keys::known(key).map(Key::expectation).unwrap_or_default();
        Error::Value { file: self.file.clone(), line, key: key.to_owned(), problem, expected }
    }

    fn find(&self, place: Place<'_>) -> Option<usize> {
        let mut walk = Walk { stop_at: Some(place), ..Walk::default() };
        walk.through(&self.text).err().map(|error| line(&error))
    }
}

/// The line of an error, from 1.
fn line(error: &serde_yaml::Error) -> usize {
    error.location().map_or(1, |location| location.line())
}

/// What was wrong where a reading ended.
fn explain(walk: &Walk<'_>, file: &Path, line: usize) -> Error {
    let file = file.to_owned();
    if walk.at.is_empty() {
        let problem = "the file holds no sections".to_owned();
        let expected = "`freepbx:` and the keys under it, as in config.example.yaml";
        return Error::Syntax { file, line, problem, expected };
    }
    let known = keys::known(&walk.at);
    let problem = match known.map(|key| key.shape) {
        _ if walk.twice => "stands here for the second time",
        Some(Shape::Section) => "is not a section with further keys",
        Some(Shape::List) => "is not a list of plain values",
        Some(Shape::Text) => "is not a single value",
        None => "cannot be read",
    };
    let expected = match known {
        _ if walk.twice => "every key once".to_owned(),
        Some(key) => key.expectation(),
        None => "a plain value".to_owned(),
    };
    let (key, problem) = (shown_key(&walk.at), problem.to_owned());
    Error::Value { file, line, key, problem, expected }
}

/// A key for a message; without its last part where that may be anything.
pub(super) fn shown_key(path: &str) -> String {
    let (parent, leaf) = path.rsplit_once('.').unwrap_or(("", path));
    let known_parent = if parent.is_empty() { "(top level)" } else { parent };
    match keys::printable(leaf) {
        Some(_) => path.to_owned(),
        None => known_parent.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Document, String> {
        Document::parse(Path::new("c.yaml"), text.into()).map_err(|error| error.to_string())
    }

    #[test]
    fn values_stay_as_they_are_written() {
        let document = parse(
            "freepbx:\n  ami_password: 0123e5\n  ami_username: yes\n  ami_port: ~\n  \
             ami_host: \"null\"\n  extensions: [0100, 9*]\n  trunks:\n",
        )
        .unwrap();
        assert_eq!(document.value("freepbx.ami_password"), Some("0123e5"));
        assert_eq!(document.value("freepbx.ami_username"), Some("yes"));
        assert_eq!(document.value("freepbx.ami_port"), None);
        assert_eq!(document.value("freepbx.ami_host"), Some("null"));
        assert_eq!(document.list("freepbx.extensions"), ["0100", "9*"]);
        assert!(document.has("freepbx.trunks") && document.list("freepbx.trunks").is_empty());
    }

    #[test]
    fn the_line_of_every_key_is_known() {
        let document = parse(
            "# first\nother: {freepbx: {ami_port: 1}}\nfreepbx:\n  timeouts:\n\n    \
             run_seconds: 5\n  skip:\n    - a\n    - b\n  ? ami_host\n  : x\n\"cache\": {pretty: no}\n",
        )
        .unwrap();
        assert_eq!(document.line("freepbx"), 3);
        assert_eq!(document.line("freepbx.timeouts.run_seconds"), 6);
        assert_eq!(document.line("freepbx.timeouts.login_seconds"), 4, "absent: its section");
        assert_eq!(document.line("freepbx.ami_host"), 10);
        assert_eq!(document.line("cache.pretty"), 12);
        assert!(document.item_error("freepbx.skip", 1, "?").to_string().starts_with("c.yaml:9:"));
    }

    #[test]
    fn other_programs_may_write_what_they_like() {
        let document = parse(
            "a: !include x.yaml\nb: &b {k: 1, k: 2}\nb: [*b, *b]\n3: 4\nnull: 5\nfreepbx: {}\n",
        )
        .unwrap();
        assert_eq!(document.foreign(), ["a", "b", "b", "3", "null"]);
        assert!(document.has("freepbx") && document.unknown().is_empty());
    }

    #[test]
    fn a_dot_in_a_name_makes_no_section() {
        let document = parse("freepbx.ami_port: 1\nfreepbx:\n  timeouts.run_seconds: 2\n").unwrap();
        assert_eq!(document.value("freepbx.ami_port"), None);
        assert_eq!(document.line("freepbx"), 2);
        assert_eq!(document.unknown(), ["freepbx.timeouts:run_seconds"]);
    }

    #[test]
    fn a_section_may_be_an_alias() {
        let document = parse("shared: &s {ami_port: 5039}\nfreepbx: *s\n").unwrap();
        assert_eq!(document.value("freepbx.ami_port"), Some("5039"));
        assert_eq!(document.line("freepbx.ami_port"), 1);
    }

    #[test]
    fn a_wrong_shape_is_one_line_without_the_value() {
        let one = |text: &str| parse(text).err().unwrap();
        assert_eq!(
            one("\nfreepbx: hunter2\n"),
            "c.yaml:2: freepbx: is not a section with further keys; expected a section with at \
             least ami_username and ami_password"
        );
        assert_eq!(
            one("freepbx:\n  ami_port: [hunter2]\n"),
            "c.yaml:2: freepbx.ami_port: is not a single value; expected a TCP port from 1 to 65535 \
             (default 5038)"
        );
        assert_eq!(
            one("freepbx:\n  skip: hunter2\n"),
            "c.yaml:2: freepbx.skip: is not a list of plain values; expected a list of sections, \
             such as [parking, voicemail]"
        );
        assert_eq!(
            one("freepbx:\n  ami_port: 1\n  ami_port: 2\n"),
            "c.yaml:3: freepbx.ami_port: stands here for the second time; expected every key once"
        );
        assert_eq!(
            one("freepbx:\n  Hunter2: 1\n  Hunter2: 2\n"),
            "c.yaml:3: freepbx: stands here for the second time; expected every key once"
        );
        assert_eq!(
            one("hunter2\n"),
            "c.yaml:1: the file holds no sections; expected `freepbx:` and the keys under it, as \
             in config.example.yaml"
        );
    }
}
