//! The first thing a reader sees.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Counts, a few plain sentences, and what a person should look at.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Summary {
    /// The state of the phone system in a few plain sentences.
    pub text: String,
    /// What a person should look at, worst first. Cut to a bounded size; see `attention_total`.
    pub attention: Vec<Attention>,
    /// How many there were before `attention` was cut.
    pub attention_total: u64,
    /// Extensions; `null` when they could not be read.
    pub extensions: Option<ExtensionCounts>,
    /// Trunks; `null` when they could not be read.
    pub trunks: Option<TrunkCounts>,
    /// Calls; `null` when they could not be read.
    pub active_calls: Option<CallCounts>,
    /// Number of channels; `null` when they could not be read.
    pub channels: Option<u64>,
    /// Queues; `null` when they could not be read.
    pub queues: Option<QueueCounts>,
    /// Number of parked calls; `null` when they could not be read.
    pub parked_calls: Option<u64>,
    /// Number of conferences; `null` when they could not be read.
    pub conferences: Option<u64>,
    /// New voicemail messages in all boxes; `null` when not asked for or not readable.
    pub new_voicemail_messages: Option<u64>,
}

/// One thing that a person should look at.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Attention {
    /// How bad it is.
    pub severity: Severity,
    /// What it is, in a fixed word: `trunk_down`, `trunk_unreachable`, `queue_no_agents`,
    /// `queue_long_wait`, `queue_service_level`, `extension_offline`, `section_failed`,
    /// `pbx_restarted`, `reload_pending`.
    pub kind: String,
    /// What it is about: the trunk's name, the queue's name, the extension, the section.
    pub id: String,
    /// One plain sentence.
    pub message: String,
}

/// How bad something is.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Calls are being lost.
    Critical,
    /// Something does not work as configured.
    Warning,
    /// Good to know.
    Info,
}

/// Extensions by state.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ExtensionCounts {
    /// All.
    pub total: u64,
    /// A phone is registered or reachable.
    pub online: u64,
    /// No phone is registered or reachable.
    pub offline: u64,
    /// Not known whether a phone is reachable.
    pub unknown: u64,
    /// In use, busy or on hold.
    pub in_use: u64,
    /// Ringing.
    pub ringing: u64,
    /// Do not disturb is set.
    pub dnd: u64,
}

/// Trunks by state.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TrunkCounts {
    /// All.
    pub total: u64,
    /// Registered, or reachable without registration.
    pub up: u64,
    /// Unregistered, rejected, failed or unreachable.
    pub down: u64,
    /// Unmonitored or unknown.
    pub unknown: u64,
    /// Exactly `Registered`.
    pub registered: u64,
}

/// Calls by state and direction.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CallCounts {
    /// All.
    pub total: u64,
    /// Answered and talking, in conferences too.
    pub up: u64,
    /// Dialing or ringing.
    pub ringing: u64,
    /// On hold.
    pub on_hold: u64,
    /// In a queue.
    pub queued: u64,
    /// Parked.
    pub parked: u64,
    /// Between extensions.
    pub internal: u64,
    /// From a trunk.
    pub inbound: u64,
    /// To a trunk.
    pub outbound: u64,
}

/// Queues and their callers.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct QueueCounts {
    /// All.
    pub total: u64,
    /// Queues with waiting callers.
    pub with_callers: u64,
    /// Callers waiting in all queues.
    pub callers: u64,
    /// Longest wait in any queue; 0 when nobody waits.
    pub longest_wait_seconds: u64,
}
