//! What differs from the previous snapshot.

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
