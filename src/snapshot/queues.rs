//! Call queues with their members and waiting callers.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Timestamp;

/// A call queue.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Queue {
    /// Name; FreePBX uses the queue's number.
    pub name: String,
    /// Ring strategy, such as `ringall` or `rrmemory`.
    pub strategy: Option<String>,
    /// Callers waiting now.
    pub calls: Option<u64>,
    /// How long the caller who waits longest has been waiting; 0 when nobody waits.
    pub longest_wait_seconds: Option<u64>,
    /// Members, whatever their state.
    pub members: Option<u64>,
    /// Members who could take a call now: reachable, idle and not paused.
    pub available: Option<u64>,
    /// Members who are paused.
    pub paused: Option<u64>,
    /// Members in a call of this queue.
    pub in_call: Option<u64>,
    /// Members whose phone is reachable (device state neither Unavailable nor Invalid).
    pub logged_in: Option<u64>,
    /// Average time that callers waited.
    pub average_hold_seconds: Option<u64>,
    /// Average time of the talks.
    pub average_talk_seconds: Option<u64>,
    /// Calls answered by a member since Asterisk's counters were reset.
    pub completed: Option<u64>,
    /// Calls abandoned by the caller since Asterisk's counters were reset.
    pub abandoned: Option<u64>,
    /// Goal: callers should be answered within this time; 0 when none is set.
    pub service_level_seconds: Option<u64>,
    /// Share of calls answered within the goal, in percent.
    pub service_level_percent: Option<f64>,
    /// Callers who wait, first in line first. `null` when not known.
    pub callers: Option<Vec<QueueCaller>>,
    /// Members. `null` when not known.
    pub agents: Option<Vec<Agent>>,
    /// Largest number of waiting callers, `null` when unlimited.
    pub max_callers: Option<u64>,
    /// Weight against other queues that share members.
    pub weight: Option<u64>,
}

/// A caller who waits in a queue.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct QueueCaller {
    /// Place in line, from 1.
    pub position: Option<u64>,
    /// Number. Caller-supplied.
    pub number: Option<String>,
    /// Name. Caller-supplied.
    pub name: Option<String>,
    /// How long the caller has been waiting.
    pub wait_seconds: Option<u64>,
    /// The caller's channel.
    pub channel: Option<String>,
    /// `call_id` of the call, `null` when its channel was not listed any more.
    pub call_id: Option<String>,
}

/// A member of a queue.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Agent {
    /// Display name; the interface where none is set.
    pub name: Option<String>,
    /// Extension of the member, where the interface names one.
    pub extension: Option<String>,
    /// Interface that is rung, such as `Local/201@from-queue/n`.
    pub interface: String,
    /// `static` or `dynamic`, as Asterisk says.
    pub membership: Option<String>,
    /// State of the member's device.
    pub status: AgentStatus,
    /// Whether the member is paused.
    pub paused: Option<bool>,
    /// Why the member is paused.
    pub paused_reason: Option<String>,
    /// Whether the member is in a call of this queue; `null` before Asterisk 13.8.
    pub in_call: Option<bool>,
    /// Calls taken since the counters were reset.
    pub calls_taken: Option<u64>,
    /// End of the last call, `null` when there was none.
    pub last_call_at: Option<Timestamp>,
    /// Penalty: members with a lower one are rung first.
    pub penalty: Option<u64>,
    /// When the member logged in (Asterisk 16.23, 18.9 and later).
    pub logged_in_at: Option<Timestamp>,
}

/// State of a queue member's device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum AgentStatus {
    /// Idle.
    Available,
    /// In a call.
    #[serde(rename = "In use")]
    InUse,
    /// Rings.
    Ringing,
    /// In a call and takes no other.
    Busy,
    /// Its call is on hold.
    #[serde(rename = "On hold")]
    OnHold,
    /// Its phone is not registered or not reachable.
    Unavailable,
    /// There is no such device.
    Invalid,
    /// Not known.
    Unknown,
}

impl AgentStatus {
    /// The word in the snapshot.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Available => "Available",
            Self::InUse => "In use",
            Self::Ringing => "Ringing",
            Self::Busy => "Busy",
            Self::OnHold => "On hold",
            Self::Unavailable => "Unavailable",
            Self::Invalid => "Invalid",
            Self::Unknown => "Unknown",
        }
    }
}
