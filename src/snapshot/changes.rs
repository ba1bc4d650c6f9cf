//! What differs from the previous snapshot.

use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Timestamp;

/// One difference from the previous snapshot.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Change {
    /// What happened.
    pub kind: ChangeKind,
    /// What it happened to: extension, trunk, call id, queue, or the PBX's name.
    pub id: String,
    /// State before; `null` where it did not exist or was not known.
    pub from: Option<String>,
    /// State now; `null` where it does not exist any more.
    pub to: Option<String>,
    /// The earliest moment at which it can have happened: exact where Asterisk tells it (a call's
    /// begin, a restart), else the time of the snapshot that still showed the state before.
    pub since: Timestamp,
    /// One plain sentence.
    pub message: String,
}

/// A change as `history.ndjson` keeps it beside the snapshot: one JSON object a line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RecordedChange {
    /// When it was noticed: `collected_at` of the snapshot that showed it first. It happened
    /// between `since` and this.
    pub at: Timestamp,
    /// The change.
    #[serde(flatten)]
    pub change: Change,
}

impl RecordedChange {
    /// The history that belongs to a snapshot file.
    #[must_use]
    pub fn history_beside(snapshot: &Path) -> PathBuf {
        snapshot.with_file_name("history.ndjson")
    }

    /// The generation before: what a history is renamed to when it has grown too large.
    #[must_use]
    pub fn generation_before(history: &Path) -> PathBuf {
        let mut name = history.as_os_str().to_owned();
        name.push(".1");
        PathBuf::from(name)
    }
}

/// What kind of change it is.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// Asterisk was restarted.
    PbxRestarted,
    /// A trunk that worked does not work any more.
    TrunkLost,
    /// A trunk that did not work works again.
    TrunkRegained,
    /// A trunk is new.
    TrunkAdded,
    /// A trunk is gone.
    TrunkRemoved,
    /// No phone of the extension is reachable any more.
    ExtensionOffline,
    /// A phone of the extension is reachable again.
    ExtensionOnline,
    /// An extension is new.
    ExtensionAdded,
    /// An extension is gone.
    ExtensionRemoved,
    /// A member joined a queue.
    QueueMemberJoined,
    /// A member left a queue.
    QueueMemberLeft,
    /// A queue's member was paused.
    QueueMemberPaused,
    /// A queue's member is no longer paused.
    QueueMemberUnpaused,
    /// A call began.
    CallBegun,
    /// A call ended.
    CallEnded,
}

impl ChangeKind {
    /// The word in the snapshot.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PbxRestarted => "pbx_restarted",
            Self::TrunkLost => "trunk_lost",
            Self::TrunkRegained => "trunk_regained",
            Self::TrunkAdded => "trunk_added",
            Self::TrunkRemoved => "trunk_removed",
            Self::ExtensionOffline => "extension_offline",
            Self::ExtensionOnline => "extension_online",
            Self::ExtensionAdded => "extension_added",
            Self::ExtensionRemoved => "extension_removed",
            Self::QueueMemberJoined => "queue_member_joined",
            Self::QueueMemberLeft => "queue_member_left",
            Self::QueueMemberPaused => "queue_member_paused",
            Self::QueueMemberUnpaused => "queue_member_unpaused",
            Self::CallBegun => "call_begun",
            Self::CallEnded => "call_ended",
        }
    }
}
