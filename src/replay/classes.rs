//! Classes: what an account may run.
//!
//! Asterisk runs an action when it needs no class, or when the account's `write` setting has one of
//! those it needs (`main/manager.c`, every version).

use std::{collections::BTreeSet, str::FromStr};

use crate::ami::ReadAction;

/// Asterisk's classes (`perms` in `main/manager.c`). `all` grants every one of them.
const KNOWN: [&str; 19] = [
    "system",
    "call",
    "log",
    "verbose",
    "command",
    "agent",
    "user",
    "config",
    "dtmf",
    "reporting",
    "cdr",
    "dialplan",
    "originate",
    "agi",
    "cc",
    "aoc",
    "test",
    "security",
    "message",
];
const ALL: &str = "all";
const NONE: &str = "none";

/// The classes of an account's `write` setting, as manager.conf spells it: `system,reporting`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Classes(BTreeSet<String>);

/// A word that is no class.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no class of AMI; classes are {all}, all and none", all = KNOWN.join(", "))]
pub struct UnknownClass(String);

impl FromStr for Classes {
    type Err = UnknownClass;

    fn from_str(text: &str) -> Result<Self, UnknownClass> {
        let mut classes = BTreeSet::new();
        for word in text.split(',').map(str::trim).filter(|word| !word.is_empty() && *word != NONE)
        {
            if word != ALL && !KNOWN.contains(&word) {
                return Err(UnknownClass(word.to_owned()));
            }
            classes.insert(word.to_owned());
        }
        Ok(Self(classes))
    }
}

impl Classes {
    /// Whether an action that any one of these classes permits may run; none are needed where there
    /// are none.
    fn permit<'a>(&self, mut needed: impl Iterator<Item = &'a str>) -> bool {
        let mut any = false;
        let granted = needed.any(|class| {
            any = true;
            self.0.contains(ALL) || self.0.contains(class)
        });
        granted || !any
    }

    /// Whether the account may run an action that a line of `ListCommands` describes, such as
    /// `List active channels.  (Priv: system,reporting,all)`.
    pub(super) fn permit_listed(&self, synopsis: &str) -> bool {
        let needed = synopsis.rsplit_once("(Priv: ").map_or("", |(_, rest)| rest);
        let needed = needed.trim_end_matches(')').split(',').map(str::trim);
        self.permit(needed.filter(|class| !class.is_empty() && *class != "<none>"))
    }

    /// Whether the account may run an action of the collector's that `ListCommands` did not list.
    pub(super) fn permit_action(&self, action: ReadAction) -> bool {
        self.permit(action.classes().iter().copied())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_class_of_those_that_would_do_is_enough() {
        let classes: Classes = "reporting, call".parse().unwrap();
        assert!(classes.permit_listed("List.  (Priv: system,reporting,all)"));
        assert!(classes.permit_listed("Ping.  (Priv: <none>)"));
        assert!(classes.permit_listed("No word on classes"));
        assert!(!classes.permit_listed("Reload (now).  (Priv: system,config,all)"));
        assert!(classes.permit_action(ReadAction::ParkedCalls));
        assert!(!classes.permit_action(ReadAction::PjsipShowEndpoints));
    }

    #[test]
    fn all_grants_everything_and_none_nothing() {
        let of = |text: &str| text.parse::<Classes>().unwrap();
        assert!(of("all").permit_action(ReadAction::PjsipShowEndpoints));
        assert!(!of("none").permit_action(ReadAction::CoreStatus));
        assert!(of("").permit_action(ReadAction::QueueStatus));
        assert_eq!("reporting,admin".parse::<Classes>(), Err(UnknownClass("admin".to_owned())));
    }
}
