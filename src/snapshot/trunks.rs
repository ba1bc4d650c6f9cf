//! Lines to the outside.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{KindSource, Timestamp};

/// A line to the outside: endpoint or peer, registration and contact joined.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Trunk {
    /// The trunk's name. A registration without a peer or endpoint is named `username@host`.
    pub name: String,
    /// Technology: `PJSIP`, `SIP`, `IAX2`, ...
    pub tech: String,
    /// Host or address of the other side.
    pub host: Option<String>,
    /// Port of the other side.
    pub port: Option<u16>,
    /// User name at the other side.
    pub username: Option<String>,
    /// The verdict over registration and reachability. A trunk that registers is judged by its
    /// registration, any other by its reachability.
    pub state: TrunkState,
    /// Asterisk's own word for the state, where it says more.
    pub state_raw: Option<String>,
    /// Outbound registration; `null` for a trunk that does not register.
    pub registration: Option<Registration>,
    /// Whether the other side answers OPTIONS (qualify); `null` when not asked or not known.
    pub reachable: Option<bool>,
    /// Round trip time in milliseconds.
    pub latency_ms: Option<f64>,
    /// Calls in progress over this trunk, in and out. `null` when channels could not be read.
    pub active_calls: Option<u64>,
    /// Asterisk's own word for the device state, such as `Not in use`.
    pub device_state: Option<String>,
    /// How it was judged to be a trunk and not an extension.
    pub kind_source: KindSource,
}

/// The verdict over a trunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum TrunkState {
    /// Registered at the other side.
    Registered,
    /// Not registered: not tried yet, stopped, or being tried.
    Unregistered,
    /// The other side refused, or (PJSIP prints the same word) never answered.
    Rejected,
    /// Registration failed or timed out.
    Failed,
    /// Does not register; the other side answers.
    Reachable,
    /// Does not register; the other side does not answer.
    Unreachable,
    /// Does not register and is not watched (qualify off), so nobody knows.
    Unmonitored,
    /// Not known.
    Unknown,
}

impl TrunkState {
    /// The word in the snapshot.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Registered => "Registered",
            Self::Unregistered => "Unregistered",
            Self::Rejected => "Rejected",
            Self::Failed => "Failed",
            Self::Reachable => "Reachable",
            Self::Unreachable => "Unreachable",
            Self::Unmonitored => "Unmonitored",
            Self::Unknown => "Unknown",
        }
    }

    /// True for the states in which calls cannot be expected to go through.
    #[must_use]
    pub fn is_down(self) -> bool {
        matches!(self, Self::Unregistered | Self::Rejected | Self::Failed | Self::Unreachable)
    }
}

/// An outbound registration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Registration {
    /// Server registered at: SIP URI, or `host:port` for chan_sip and IAX2.
    pub server: Option<String>,
    /// Own identity there: SIP URI, or the user name.
    pub client: Option<String>,
    /// Asterisk's own word: PJSIP `Registered`, `Unregistered`, `Rejected`; chan_sip and IAX2
    /// also `Request Sent`, `Auth. Sent`, `Failed`, `Timeout`, `No Authentication`.
    pub state: Option<String>,
    /// Last success (chan_sip `RegistrationTime`); PJSIP and IAX2 do not tell.
    pub last_registered_at: Option<Timestamp>,
    /// When the next attempt is due, where Asterisk tells it.
    pub next_attempt_at: Option<Timestamp>,
    /// Seconds between attempts: chan_sip and IAX2 `Refresh`, PJSIP `Expiration`.
    pub refresh_seconds: Option<u64>,
}
