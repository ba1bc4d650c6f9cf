//! AstDB, Asterisk's own database, as far as FreePBX's part of it was read.
//!
//! FreePBX keeps its users, devices and their switches there. `DBGetTree` gives a family at once;
//! servers before 16.28, 18.14, 19.6 and 20 lack it and are asked entry by entry with `DBGet`.

use std::collections::BTreeMap;

use super::Answers;
use crate::ami::{Action, Answer, ReadAction};

/// An AstDB family of FreePBX, or the part of one, that a run asks for.
///
/// `DBGetTree` matches with SQL's `LIKE` (`main/db.c`, every version), so that `%` in its key
/// stands for any name: `AMPUSER` + `%/cidname` brings every user's name and nothing else. That
/// keeps users' PINs, which stand in the same family, off the wire, and the answer short.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Family {
    /// `AMPUSER/<extension>/cidname`: display names.
    UserName,
    /// `AMPUSER/<extension>/device`: devices of a user, joined with `&`. Asked for where
    /// [`Family::DeviceUser`] leaves open whose a device is, or a user without one.
    UserDevice,
    /// `AMPUSER/<extension>/voicemail`: voicemail context, or `novm`.
    UserVoicemail,
    /// `DEVICE/<device>/user`: the user of a device.
    DeviceUser,
    /// `DEVICE/<device>/dial`: the device as channel names spell it, such as `PJSIP/101`.
    DeviceDial,
    /// `DND/<extension>`: do not disturb.
    DoNotDisturb,
    /// `CF/<extension>`: forward all calls.
    Forward,
    /// `CFB/<extension>`: forward when busy.
    ForwardBusy,
    /// `CFU/<extension>`: forward when unavailable.
    ForwardUnavailable,
    /// `registrar/contact/<aor>;@<hash>`: PJSIP contacts as JSON. Asterisk keeps them there over a
    /// restart; the way to them for an account without class `system`.
    Contact,
}

impl Family {
    /// What every run asks for.
    pub const ALWAYS: [Self; 7] = [
        Self::UserName,
        Self::UserVoicemail,
        Self::DeviceUser,
        Self::DoNotDisturb,
        Self::Forward,
        Self::ForwardBusy,
        Self::ForwardUnavailable,
    ];

    /// What stands in for the PJSIP lists where the account lacks `system`; `reporting` is enough
    /// to read it.
    pub const WITHOUT_SYSTEM: [Self; 2] = [Self::DeviceDial, Self::Contact];

    /// All of them.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        Self::ALWAYS.into_iter().chain([Self::UserDevice]).chain(Self::WITHOUT_SYSTEM)
    }

    /// The family's name, and the entry below each of its keys where it has such.
    const fn path(self) -> (&'static str, Option<&'static str>) {
        match self {
            Self::UserName => ("AMPUSER", Some("cidname")),
            Self::UserDevice => ("AMPUSER", Some("device")),
            Self::UserVoicemail => ("AMPUSER", Some("voicemail")),
            Self::DeviceUser => ("DEVICE", Some("user")),
            Self::DeviceDial => ("DEVICE", Some("dial")),
            Self::DoNotDisturb => ("DND", None),
            Self::Forward => ("CF", None),
            Self::ForwardBusy => ("CFB", None),
            Self::ForwardUnavailable => ("CFU", None),
            Self::Contact => ("registrar/contact", None),
        }
    }

    /// The one action that reads it whole.
    #[must_use]
    pub fn tree(self) -> Action {
        let (family, entry) = self.path();
        let arguments =
            [Some(("Family", family.to_owned())), entry.map(|e| ("Key", format!("%/{e}")))];
        build(ReadAction::DbGetTree, arguments.into_iter().flatten())
    }

    /// The action that reads the entry of one extension or device; `None` where the name cannot
    /// be sent.
    #[must_use]
    pub fn entry(self, name: &str) -> Option<Action> {
        let (family, entry) = self.path();
        let key = entry.map_or_else(|| name.to_owned(), |entry| format!("{name}/{entry}"));
        Action::new(ReadAction::DbGet).with("Family", family).ok()?.with("Key", key).ok()
    }

    /// The name in a path such as `/AMPUSER/100/cidname`, where the path is of this family.
    fn name_in(self, path: &str) -> Option<&str> {
        let (family, entry) = self.path();
        let rest = path.strip_prefix('/')?.strip_prefix(family)?.strip_prefix('/')?;
        let name = match entry {
            Some(entry) => rest.strip_suffix(entry)?.strip_suffix('/')?,
            None => rest,
        };
        (!name.is_empty() && !name.contains('/')).then_some(name)
    }
}

/// An action whose arguments are this program's own words, which always fit.
fn build(kind: ReadAction, arguments: impl Iterator<Item = (&'static str, String)>) -> Action {
    arguments.fold(Action::new(kind), |action, (key, value)| {
        action.clone().with(key, value).unwrap_or(action)
    })
}

/// FreePBX's part of AstDB.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AstDb<'a> {
    /// Names and values, sorted by name.
    families: BTreeMap<Family, Vec<(&'a str, &'a str)>>,
}

impl<'a> AstDb<'a> {
    /// Reads what was answered.
    #[must_use]
    pub fn read(answers: &'a Answers) -> Self {
        let mut astdb = Self::default();
        for family in Family::all() {
            if let Some(answer) = answers.answer_to(&family.tree()) {
                let known = astdb.families.entry(family).or_default();
                known.extend(
                    entries(answer)
                        .filter_map(|(path, value)| Some((family.name_in(path)?, value))),
                );
            }
        }
        for (action, answer) in answers.answers_of(ReadAction::DbGet) {
            let family = action.argument("Family").unwrap_or_default();
            let key = action.argument("Key").unwrap_or_default();
            for of in Family::all().filter(|f| f.path().0 == family) {
                let name = match of.path().1 {
                    Some(entry) => key.strip_suffix(entry).and_then(|k| k.strip_suffix('/')),
                    None => Some(key),
                };
                // An entry that is not there makes the family known all the same.
                let Some(name) = name else { continue };
                let known = astdb.families.entry(of).or_default();
                known.extend(answer.rows().filter_map(|row| Some((name, row.get("Val")?))));
            }
        }
        for entries in astdb.families.values_mut() {
            // The sort is stable, and what was told last is right.
            entries.sort_by_key(|(name, _)| *name);
            entries.dedup_by(|later, kept| {
                let same = later.0 == kept.0;
                if same {
                    *kept = *later;
                }
                same
            });
        }
        astdb
    }

    /// The entry of one extension or device; `None` where it does not exist or the family was not
    /// read, see [`AstDb::knows`].
    #[must_use]
    pub fn get(&self, family: Family, name: &str) -> Option<&'a str> {
        self.entry(family, name).filter(|value| !value.is_empty())
    }

    /// The same, where an entry without a value counts.
    pub(crate) fn entry(&self, family: Family, name: &str) -> Option<&'a str> {
        let entries = self.families.get(&family)?;
        let at = entries.binary_search_by_key(&name, |(name, _)| *name).ok()?;
        entries.get(at).map(|(_, value)| *value)
    }

    /// Whether the family was read, so that a missing entry is known to be missing.
    #[must_use]
    pub fn knows(&self, family: Family) -> bool {
        self.families.contains_key(&family)
    }

    /// All entries of a family, by name.
    pub fn entries(
        &self,
        family: Family,
    ) -> impl ExactSizeIterator<Item = (&'a str, &'a str)> + '_ {
        self.families.get(&family).map(Vec::as_slice).unwrap_or_default().iter().copied()
    }

    /// Whether this is a FreePBX: its device table is there and not empty.
    #[must_use]
    pub fn has_devices(&self) -> bool {
        self.families.get(&Family::DeviceUser).is_some_and(|devices| !devices.is_empty())
    }
}

/// Paths and values of a tree's rows.
fn entries(answer: &Answer) -> impl Iterator<Item = (&str, &str)> {
    answer.rows().filter_map(|row| match row.columns(["Key", "Val"]) {
        [Some(key), Some(value)] => Some((key, value)),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_gives_its_name_only_to_its_own_family() {
        assert_eq!(Family::UserName.name_in("/AMPUSER/100/cidname"), Some("100"));
        assert_eq!(Family::UserName.name_in("/AMPUSER/100/x/cidname"), None);
        assert_eq!(Family::Forward.name_in("/CF/100"), Some("100"));
        assert_eq!(Family::Forward.name_in("/CFB/100"), None);
        assert_eq!(Family::Forward.name_in("/CF/100/x"), None);
        assert_eq!(Family::Contact.name_in("/registrar/contact/100;@ab"), Some("100;@ab"));
    }

    #[test]
    fn a_tree_asks_for_nothing_but_what_is_needed() {
        assert_eq!(Family::UserName.tree().to_string(), "DBGetTree(AMPUSER/%/cidname)");
        assert_eq!(Family::DoNotDisturb.tree().to_string(), "DBGetTree(DND)");
        assert_eq!(Family::Contact.tree().to_string(), "DBGetTree(registrar/contact)");
    }
}
