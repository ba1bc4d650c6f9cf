//! Places where calls or messages stay: parking lots, conferences, voicemail boxes.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A call that is parked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ParkedCall {
    /// Parking lot; FreePBX's own is `default`.
    pub lot: Option<String>,
    /// Number to dial to pick the call up.
    pub space: Option<String>,
    /// Number of the parked party. Caller-supplied.
    pub number: Option<String>,
    /// Name of the parked party. Caller-supplied.
    pub name: Option<String>,
    /// Device that parked the call, such as `PJSIP/201`.
    pub parked_by: Option<String>,
    /// How long the call has been parked.
    pub parked_seconds: Option<u64>,
    /// Time left until the call comes back; 0 when overdue.
    pub timeout_seconds: Option<u64>,
    /// The parked channel.
    pub channel: Option<String>,
    /// `call_id` of the call, `null` when its channel was not listed any more.
    pub call_id: Option<String>,
}

/// A conference with somebody in it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Conference {
    /// Name; FreePBX uses the conference's number.
    pub name: String,
    /// Participants.
    pub participants: Option<u64>,
    /// Participants marked as leaders.
    pub marked: Option<u64>,
    /// Whether the conference is locked.
    pub locked: Option<bool>,
    /// Whether the conference is muted.
    pub muted: Option<bool>,
    /// The participants. `null` when they could not be read.
    pub members: Option<Vec<ConferenceMember>>,
}

/// A participant of a conference.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ConferenceMember {
    /// Number. Caller-supplied.
    pub number: Option<String>,
    /// Name. Caller-supplied.
    pub name: Option<String>,
    /// Extension, where the participant is one of ours.
    pub extension: Option<String>,
    /// The participant's channel.
    pub channel: String,
    /// Whether the participant is an administrator of the conference.
    pub admin: Option<bool>,
    /// Whether the participant is marked as a leader.
    pub marked: Option<bool>,
    /// Whether the participant is muted.
    pub muted: Option<bool>,
    /// Whether the participant waits for a leader.
    pub waiting: Option<bool>,
    /// Whether the participant talks, where talker detection is on.
    pub talking: Option<bool>,
    /// Time since the participant joined.
    pub answered_seconds: Option<u64>,
    /// `call_id` of the call, `null` when its channel was not listed any more.
    pub call_id: Option<String>,
}

/// A voicemail box.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Mailbox {
    /// Number of the box.
    pub mailbox: String,
    /// Context, such as `default`.
    pub context: Option<String>,
    /// Full name of its owner.
    pub name: Option<String>,
    /// New messages.
    pub new_messages: Option<u64>,
    /// Old messages.
    pub old_messages: Option<u64>,
}
