//! Calls in progress, and the channels they are made of.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Timestamp;

/// A call: all channels that belong together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Call {
    /// Linkedid of the call's oldest channel.
    pub call_id: String,
    /// Where the call stands.
    pub state: CallState,
    /// Which way it goes.
    pub direction: Direction,
    /// Who calls.
    pub from: Party,
    /// Who is called; with several phones ringing, what was dialled.
    pub to: Party,
    /// Queue that the call waits in or came through.
    pub queue: Option<String>,
    /// Trunk that the call came in or goes out by.
    pub trunk: Option<String>,
    /// True once somebody, or something such as a queue or a menu, has answered.
    pub answered: Option<bool>,
    /// When the call's oldest channel was created.
    pub started_at: Option<Timestamp>,
    /// Age of the call's oldest channel, ringing included.
    pub duration_seconds: Option<u64>,
    /// How long the parties have been talking; `null` while nobody talks. See `talk_source`.
    pub talk_seconds: Option<u64>,
    /// How `talk_seconds` is known; `null` together with it.
    pub talk_source: Option<TalkSource>,
    /// The caller's channel.
    pub channel: String,
    /// The caller's number. Caller-supplied.
    pub caller_id: Option<String>,
    /// The caller's name. Caller-supplied.
    pub caller_name: Option<String>,
    /// Names of all channels of the call.
    pub channels: Vec<String>,
    /// The call in one plain sentence. Contains caller-supplied names and numbers.
    pub description: String,
}

/// Where a call stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum CallState {
    /// Being set up: nothing rings yet.
    Dialing,
    /// At least one phone rings.
    Ringing,
    /// Answered.
    Up,
    /// Answered, one side is on hold.
    #[serde(rename = "On hold")]
    OnHold,
    /// Waits in a queue, or rings a queue's member.
    Queued,
    /// Parked.
    Parked,
    /// In a conference room.
    Conference,
    /// The other side is busy.
    Busy,
    /// Not known.
    Unknown,
}

impl CallState {
    /// The word in the snapshot.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Dialing => "Dialing",
            Self::Ringing => "Ringing",
            Self::Up => "Up",
            Self::OnHold => "On hold",
            Self::Queued => "Queued",
            Self::Parked => "Parked",
            Self::Conference => "Conference",
            Self::Busy => "Busy",
            Self::Unknown => "Unknown",
        }
    }
}

/// Which way a call goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Between extensions, or from an extension to a service of the PBX.
    Internal,
    /// From a trunk.
    Inbound,
    /// To a trunk.
    Outbound,
    /// Not known.
    Unknown,
}

/// One side of a call.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Party {
    /// Number. Caller-supplied.
    pub number: Option<String>,
    /// Name. Caller-supplied.
    pub name: Option<String>,
    /// Extension, where this side is one of ours.
    pub extension: Option<String>,
    /// Trunk, where this side is outside.
    pub trunk: Option<String>,
}

/// How the talk time of a call is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TalkSource {
    /// Asterisk told the time since the answer (conferences).
    AnsweredTime,
    /// Age of the called side's channel. An upper bound: it includes the ringing, because no
    /// list of Asterisk tells when a channel was answered.
    ChannelAge,
}

/// A channel as CoreShowChannels lists it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Channel {
    /// Name, such as `PJSIP/201-0000002a`.
    pub channel: String,
    /// Device that the channel belongs to, such as `PJSIP/201`: the name without its suffix.
    pub device: String,
    /// `call_id` of the call that it is part of.
    pub call_id: Option<String>,
    /// State as a number: 0 Down, 1 Rsrvd, 2 OffHook, 3 Dialing, 4 Ring, 5 Ringing, 6 Up, 7 Busy,
    /// 8 Dialing Offhook, 9 Pre-ring.
    pub channel_state: Option<u32>,
    /// State in Asterisk's word.
    pub channel_state_desc: Option<String>,
    /// Number of the party on this channel. Caller-supplied.
    pub caller_id_num: Option<String>,
    /// Name of the party on this channel. Caller-supplied.
    pub caller_id_name: Option<String>,
    /// Number of the party at the other end. Caller-supplied.
    pub connected_line_num: Option<String>,
    /// Name of the party at the other end. Caller-supplied.
    pub connected_line_name: Option<String>,
    /// Language of the channel.
    pub language: Option<String>,
    /// Account code.
    pub account_code: Option<String>,
    /// Dialplan context.
    pub context: Option<String>,
    /// Dialplan extension; not always a number that somebody dialled. Caller-supplied.
    pub exten: Option<String>,
    /// Dialplan priority.
    pub priority: Option<i64>,
    /// Unique id of the channel.
    pub uniqueid: String,
    /// Id shared by the channels of one call attempt.
    pub linkedid: Option<String>,
    /// Bridge that the channel is in, `null` when in none.
    pub bridge_id: Option<String>,
    /// Dialplan application that runs.
    pub application: Option<String>,
    /// Its arguments. Caller-supplied in part.
    pub application_data: Option<String>,
    /// Age of the channel. Not talk time.
    pub duration_seconds: Option<u64>,
    /// Tenant, where set (Asterisk 18.25, 20.10, 21.5, 22 and later).
    pub tenant_id: Option<String>,
    /// Channel variables that `channelvars` in manager.conf asks Asterisk to show.
    pub variables: BTreeMap<String, String>,
}
