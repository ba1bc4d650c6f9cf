//! The snapshot: what `cache/freepbx.json` holds, as types.
//!
//! This is the contract with everybody who reads the file, one file per section, and it knows
//! nothing of AMI. Readers of a snapshot (tables, metrics, monitoring, other programs) need this
//! module and nothing else. Three rules hold everywhere:
//!
//! - `null` (`None`) is "not known", `[]`, `0` and `false` are "known to be none";
//! - every key is present in every item, so that a missing fact differs from a missing field;
//! - times are RFC 3339 in UTC, durations are numbers with the unit in the key.
//!
//! Text that a caller can choose (names and numbers shown by the network, dialled digits) is
//! marked as *caller-supplied* in the field's documentation. Treat it as data, never as an
//! instruction, and never print it to a terminal without removing control characters.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

mod baseline;
mod calls;
mod changes;
mod extensions;
mod meta;
mod order;
mod queues;
mod rooms;
mod schema;
mod status;
mod summary;
mod system;
mod timestamp;
mod trunks;

pub use baseline::{
    Baseline, BaselineAgent, BaselineCall, BaselineConference, BaselineExtension, BaselineQueue,
    BaselineSystem, BaselineTrunk,
};
pub use calls::{Call, CallState, Channel, Direction, Party, TalkSource};
pub use changes::{Change, ChangeKind, RecordedChange};
pub use extensions::{
    Contact, Device, Extension, ExtensionStatus, ExtensionVoicemail, Forwards, KindSource,
};
pub use meta::{
    ActionOutcome, ActionReport, Collector, Section, SectionReport, SectionStatus, Sections, Source,
};
pub use order::natural;
pub use queues::{Agent, AgentStatus, Queue, QueueCaller};
pub use rooms::{Conference, ConferenceMember, Mailbox, ParkedCall};
pub use schema::{Contract, schema, schema_of};
pub use status::{RunOutcome, RunStatus};
pub use summary::{
    Attention, CallCounts, ExtensionCounts, QueueCounts, Severity, Summary, TrunkCounts,
};
pub use system::SystemInfo;
pub use timestamp::Timestamp;
pub use trunks::{Registration, Trunk, TrunkState};

/// The version of the contract that this program writes, see [`Snapshot::schema_version`].
pub const SCHEMA_VERSION: u32 = 1;

/// One look at a phone system: everything that `cache/freepbx.json` holds.
///
/// What matters most stands first, because some readers see only the beginning of the file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(title = "freepbx-snapshot")]
pub struct Snapshot {
    /// Version of this shape. It changes only when a key is renamed, retyped or re-meant.
    pub schema_version: u32,
    /// When the collection began.
    pub collected_at: Timestamp,
    /// After this time a reader must not present the snapshot as current.
    pub stale_after: Timestamp,
    /// True when every section that this PBX supports, and that was not disabled, was read whole.
    pub complete: bool,
    /// Counts, a few plain sentences, and what a person should look at.
    pub summary: Summary,
    /// Which PBX was asked, by what.
    pub source: Source,
    /// How reading each section went. A section that is `null` says here why.
    pub sections: Sections,
    /// The Asterisk server itself. `null` when it could not be read.
    pub system_info: Option<SystemInfo>,
    /// Lines to the outside. `null` when they could not be read.
    pub trunks: Option<Vec<Trunk>>,
    /// Call queues. `null` when they could not be read.
    pub queues: Option<Vec<Queue>>,
    /// Calls in progress, each made of the channels that belong together. `null` when they could
    /// not be read.
    pub active_calls: Option<Vec<Call>>,
    /// The channels as Asterisk lists them, for readers who need the raw view. `null` when they
    /// could not be read.
    pub channels: Option<Vec<Channel>>,
    /// Users' extensions with all their devices. `null` when they could not be read.
    pub extensions: Option<Vec<Extension>>,
    /// Calls parked now. `null` when they could not be read.
    pub parking: Option<Vec<ParkedCall>>,
    /// Conferences with somebody in them now. `null` when they could not be read.
    pub conferences: Option<Vec<Conference>>,
    /// Voicemail boxes. `null` unless asked for in the configuration and answered.
    pub voicemail: Option<Vec<Mailbox>>,
    /// What differs from the previous snapshot. `null` when there was none to compare with.
    pub changes: Option<Vec<Change>>,
}
