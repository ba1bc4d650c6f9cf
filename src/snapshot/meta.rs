//! Where a snapshot came from and how reading each section went.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Which PBX was asked, by what.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Source {
    /// Host name or address from the configuration.
    pub host: String,
    /// TCP port of the Asterisk Manager Interface.
    pub port: u16,
    /// True when the connection was encrypted.
    pub tls: bool,
    /// `SystemName` from CoreSettings (`systemname` in asterisk.conf), `null` when unset.
    pub pbx_name: Option<String>,
    /// `AsteriskVersion` from CoreSettings.
    pub asterisk_version: Option<String>,
    /// Version of the manager interface, from its banner.
    pub ami_version: Option<String>,
    /// The program that wrote this snapshot.
    pub collector: Collector,
    /// Time from the start of the collection to the last answer, in milliseconds.
    pub duration_ms: u64,
    /// True only for the embedded demonstration PBX.
    pub demo: bool,
}

/// Name and version of the program that wrote a snapshot.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Collector {
    /// Always `freepbx-snapshot` for this program.
    pub name: String,
    /// Its version.
    pub version: String,
}

impl Collector {
    /// This program.
    #[must_use]
    pub fn this() -> Self {
        Self {
            name: env!("CARGO_PKG_NAME").to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }
}

/// How reading each section went, in the order of the snapshot's keys.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Sections {
    /// Report of `system_info`.
    pub system_info: SectionReport,
    /// Report of `trunks`.
    pub trunks: SectionReport,
    /// Report of `queues`.
    pub queues: SectionReport,
    /// Report of `active_calls`.
    pub active_calls: SectionReport,
    /// Report of `channels`.
    pub channels: SectionReport,
    /// Report of `extensions`.
    pub extensions: SectionReport,
    /// Report of `parking`.
    pub parking: SectionReport,
    /// Report of `conferences`.
    pub conferences: SectionReport,
    /// Report of `voicemail`.
    pub voicemail: SectionReport,
}

impl Sections {
    /// The report of one section.
    #[must_use]
    pub fn get(&self, section: Section) -> &SectionReport {
        match section {
            Section::SystemInfo => &self.system_info,
            Section::Trunks => &self.trunks,
            Section::Queues => &self.queues,
            Section::ActiveCalls => &self.active_calls,
            Section::Channels => &self.channels,
            Section::Extensions => &self.extensions,
            Section::Parking => &self.parking,
            Section::Conferences => &self.conferences,
            Section::Voicemail => &self.voicemail,
        }
    }

    /// All reports, in the order of the snapshot's keys.
    pub fn iter(&self) -> impl Iterator<Item = (Section, &SectionReport)> {
        Section::ALL.into_iter().map(|section| (section, self.get(section)))
    }
}

/// A part of the snapshot that is read, reported and skipped as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Section {
    /// `system_info`
    SystemInfo,
    /// `trunks`
    Trunks,
    /// `queues`
    Queues,
    /// `active_calls`
    ActiveCalls,
    /// `channels`
    Channels,
    /// `extensions`
    Extensions,
    /// `parking`
    Parking,
    /// `conferences`
    Conferences,
    /// `voicemail`
    Voicemail,
}

impl Section {
    /// All of them, in the order of the snapshot's keys.
    pub const ALL: [Self; 9] = [
        Self::SystemInfo,
        Self::Trunks,
        Self::Queues,
        Self::ActiveCalls,
        Self::Channels,
        Self::Extensions,
        Self::Parking,
        Self::Conferences,
        Self::Voicemail,
    ];

    /// The section's key in the snapshot.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SystemInfo => "system_info",
            Self::Trunks => "trunks",
            Self::Queues => "queues",
            Self::ActiveCalls => "active_calls",
            Self::Channels => "channels",
            Self::Extensions => "extensions",
            Self::Parking => "parking",
            Self::Conferences => "conferences",
            Self::Voicemail => "voicemail",
        }
    }
}

/// How reading one section went.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SectionReport {
    /// The outcome in one word.
    pub status: SectionStatus,
    /// What went wrong and what to do about it; `null` when there is nothing to say.
    pub message: Option<String>,
    /// The actions that this section was read from. Actions shared by sections stand in each.
    pub actions: Vec<ActionReport>,
}

/// The outcome of a section.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SectionStatus {
    /// Read whole.
    Ok,
    /// Read, but something is missing; `message` says what.
    Partial,
    /// This PBX has no such thing (its module is not loaded).
    Unsupported,
    /// The AMI user lacks the class that this section needs.
    Denied,
    /// No answer in time.
    Timeout,
    /// Anything else; `message` says what.
    Error,
    /// Left out by the configuration.
    Disabled,
}

/// The outcome of one AMI action.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ActionReport {
    /// The action's name, with its argument where one action is asked several times.
    pub name: String,
    /// What came of it.
    pub outcome: ActionOutcome,
    /// Rows received; `null` when there was no answer.
    pub items: Option<u64>,
    /// Time from when the server could begin with it to its last byte, in milliseconds; `null`
    /// when it was not asked.
    pub duration_ms: Option<u64>,
    /// Asterisk's own words, or what was wrong with the answer; `null` when all went well.
    pub message: Option<String>,
}

/// What came of one AMI action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ActionOutcome {
    /// Answered whole; also when the answer is that there is nothing.
    Ok,
    /// Answered, but rows are missing or damaged.
    Partial,
    /// Unknown to this server: the module is not loaded, or the version lacks it.
    Unsupported,
    /// `Permission denied`: the AMI user lacks the class.
    Denied,
    /// No whole answer in time.
    Timeout,
    /// Anything else.
    Error,
    /// Not asked: left out by the configuration, or another action answered the question.
    Skipped,
}
