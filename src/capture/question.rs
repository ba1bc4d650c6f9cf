//! What an action asks for: its name and arguments, without what changes from one time to the next.

use std::collections::BTreeMap;

use crate::ami::Row;

/// An action's name and arguments; two actions with equal ones ask the same.
///
/// Names compare without case, values with it, as they do in Asterisk; a header without a value is
/// as good as none.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Question {
    action: String,
    /// By their names in lower case, in the order of the names.
    arguments: BTreeMap<String, String>,
}

impl Question {
    /// Reads an action as it came over the wire.
    #[must_use]
    pub fn of(request: Row<'_>) -> Self {
        let action = request.get("Action").unwrap_or_default().to_ascii_lowercase();
        let mut arguments = BTreeMap::new();
        for (key, value) in request.headers() {
            let key = key.to_ascii_lowercase();
            if !matches!(key.as_str(), "action" | "actionid") && !value.is_empty() {
                // The first of a name counts.
                arguments.entry(key).or_insert_with(|| value.to_owned());
            }
        }
        Self { action, arguments }
    }

    /// The action's name in lower case; empty where there is none.
    #[must_use]
    pub fn action(&self) -> &str {
        &self.action
    }

    /// Whether it is about the session itself, so that a capture has no answer of its own to it.
    #[must_use]
    pub fn is_of_the_session(&self) -> bool {
        matches!(self.action(), "challenge" | "login" | "logoff")
    }

    /// The value of an argument, named in lower case.
    #[must_use]
    pub fn argument(&self, key: &str) -> Option<&str> {
        self.arguments.get(key).map(String::as_str)
    }

    /// The arguments' names, in lower case.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.arguments.keys().map(String::as_str)
    }

    /// Whether another action asks the same, as far as these arguments go: Asterisk ignores headers
    /// that an action does not know.
    #[must_use]
    pub fn equals<'a>(&self, other: &Self, mut keys: impl Iterator<Item = &'a str>) -> bool {
        self.action == other.action && keys.all(|key| self.argument(key) == other.argument(key))
    }
}

/// What the files of an action are named by: the action and its arguments, without what a file's
/// name cannot hold everywhere.
#[must_use]
pub(super) fn file_name(request: Row<'_>) -> String {
    const LONGEST: usize = 100;
    let is_argument =
        |key: &str| !["Action", "ActionID"].iter().any(|k| k.eq_ignore_ascii_case(key));
    let arguments = request.headers().filter(|(key, _)| is_argument(key)).map(|(_, value)| value);
    let mut name = String::new();
    for part in request.get("Action").into_iter().chain(arguments) {
        for piece in part.split(|c: char| !c.is_ascii_alphanumeric() && c != '_') {
            if !piece.is_empty() && name.len() < LONGEST {
                if !name.is_empty() {
                    name.push('-');
                }
                name.extend(piece.chars().take(LONGEST));
            }
        }
    }
    if name.is_empty() { "unnamed".to_owned() } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question(text: &str) -> Question {
        Question::of(Row::new(text))
    }

    #[test]
    fn case_of_names_and_ids_make_no_difference_and_values_do() {
        let plain = question("Action: DBGet\r\nActionID: 1\r\nFamily: DND\r\nKey: 100\r\n");
        let same =
            question("ACTION: dbget\r\nkey: 100\r\nFAMILY: DND\r\nExtra: x\r\nVariable:\r\n");
        assert!(plain.equals(&same, ["family", "key"].into_iter()));
        let other = question("Action: DBGet\r\nFamily: dnd\r\nKey: 100\r\n");
        assert!(!plain.equals(&other, ["family", "key"].into_iter()));
    }

    #[test]
    fn a_name_fits_every_file_system() {
        let name = |text| file_name(Row::new(text));
        assert_eq!(name("Action: Ping\r\n"), "Ping");
        assert_eq!(
            name("Action: DBGetTree\r\nFamily: AMPUSER\r\nKey: %/cidname\r\n"),
            "DBGetTree-AMPUSER-cidname"
        );
        assert_eq!(name("Action: X\r\nEndpoint: ../../etc/\u{e9}\r\n"), "X-etc");
        assert_eq!(name(""), "unnamed");
        let long = format!("Action: X\r\nKey: {}\r\n", "y".repeat(900));
        assert!(file_name(Row::new(&long)).len() < 210);
    }
}
