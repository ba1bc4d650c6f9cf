//! Users' extensions with their devices and contacts.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Timestamp;

/// A user's extension with all its devices.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Extension {
    /// The extension's number, such as `201`.
    pub extension: String,
    /// Display name: AstDB `AMPUSER/<ext>/cidname`, else the peer's description.
    pub name: Option<String>,
    /// Technology of the main device: `PJSIP`, `SIP`, `IAX2`, ...; joined with `+` when devices
    /// of several technologies belong to the extension.
    pub tech: String,
    /// State of the extension over all its devices.
    pub status: ExtensionStatus,
    /// True when a phone is registered or reachable, false when none is, `null` when not known.
    pub online: Option<bool>,
    /// Asterisk's own word for the device state, such as `Not in use` or `NOT_INUSE`.
    pub device_state: Option<String>,
    /// Address of the first reachable phone.
    pub ip: Option<String>,
    /// Port of the first reachable phone.
    pub port: Option<u16>,
    /// Make and version that the first reachable phone tells of itself. Caller-supplied.
    pub user_agent: Option<String>,
    /// Round trip time of the first reachable phone, in milliseconds.
    pub latency_ms: Option<f64>,
    /// All registered or configured addresses of all devices. `null` when they could not be read.
    pub contacts: Option<Vec<Contact>>,
    /// Calls that a device of this extension takes part in. `null` when channels could not be
    /// read.
    pub active_calls: Option<u64>,
    /// Names of the queues that it is a member of. `null` when queues could not be read.
    pub queues: Option<Vec<String>>,
    /// Voicemail box; `null` when there is none or it is not known.
    pub voicemail: Option<ExtensionVoicemail>,
    /// Do not disturb (AstDB `DND/<ext>`). `null` when AstDB could not be read.
    pub dnd: Option<bool>,
    /// Call forwarding (AstDB `CF`, `CFB`, `CFU`). `null` when AstDB could not be read.
    pub forwards: Option<Forwards>,
    /// The devices behind the extension.
    pub devices: Vec<Device>,
    /// How it was judged to be an extension and not a trunk.
    pub kind_source: KindSource,
}

/// State of an extension.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum ExtensionStatus {
    /// Online and idle.
    Available,
    /// In a call.
    #[serde(rename = "In use")]
    InUse,
    /// A phone rings.
    Ringing,
    /// In a call and takes no other.
    Busy,
    /// The call is on hold.
    #[serde(rename = "On hold")]
    OnHold,
    /// No phone is registered or reachable.
    Unavailable,
    /// Not known.
    Unknown,
}

impl ExtensionStatus {
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
            Self::Unknown => "Unknown",
        }
    }

    /// Whether somebody is on the phone or it rings. What all readers mean by a busy extension.
    #[must_use]
    pub fn is_busy(self) -> bool {
        matches!(self, Self::InUse | Self::Ringing | Self::Busy | Self::OnHold)
    }
}

/// One device of an extension: a PJSIP endpoint, a chan_sip or IAX2 peer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Device {
    /// Device name with its technology, such as `PJSIP/201`.
    pub device: String,
    /// Technology: `PJSIP`, `SIP`, `IAX2`, ...
    pub tech: String,
    /// True when registered or reachable, `null` when not known.
    pub online: Option<bool>,
    /// Asterisk's own word for its state.
    pub device_state: Option<String>,
}

/// One address at which a device can be reached.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Contact {
    /// Device that it belongs to, such as `PJSIP/201`.
    pub device: String,
    /// SIP URI; `null` for chan_sip and IAX2, which tell only address and port. Caller-supplied.
    pub uri: Option<String>,
    /// IP address or host.
    pub ip: Option<String>,
    /// Port.
    pub port: Option<u16>,
    /// Transport as the URI names it: `udp`, `tcp`, `tls`, `ws`, `wss`; `null` when it does not.
    pub transport: Option<String>,
    /// Make and version that the phone tells of itself. Caller-supplied.
    pub user_agent: Option<String>,
    /// Asterisk's word: PJSIP `Reachable`, `Unreachable`, `Unknown`, `NonQualified` (`Created` on
    /// Asterisk 13); chan_sip and IAX2 `OK`, `LAGGED`, `UNREACHABLE`, `UNKNOWN`, `Unmonitored`.
    pub status: Option<String>,
    /// Round trip time in milliseconds.
    pub latency_ms: Option<f64>,
    /// When the registration runs out.
    pub expires_at: Option<Timestamp>,
}

/// Call forwarding of an extension.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Forwards {
    /// Target of all calls (AstDB `CF`), `null` when not set.
    pub all: Option<String>,
    /// Target when busy (AstDB `CFB`), `null` when not set.
    pub busy: Option<String>,
    /// Target when unavailable (AstDB `CFU`), `null` when not set.
    pub unavailable: Option<String>,
}

/// Voicemail of an extension.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ExtensionVoicemail {
    /// Voicemail context, such as `default`.
    pub context: Option<String>,
    /// New messages; `null` unless voicemail counts are asked for in the configuration.
    pub new_messages: Option<u64>,
    /// Old messages, like `new_messages`.
    pub old_messages: Option<u64>,
}

/// How a device was judged to be a trunk or an extension, best first.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum KindSource {
    /// The configuration says so.
    Config,
    /// FreePBX keeps (or, for a trunk, lacks) the device in AstDB family `DEVICE`.
    Astdb,
    /// An outbound registration names it: a trunk.
    Registration,
    /// The name of its auth object follows FreePBX's convention.
    Auth,
    /// A permanent contact is configured: a trunk.
    StaticContact,
    /// Its dialplan context, such as `from-internal` or `from-pstn`.
    Context,
    /// A hint in `ext-local` names it: an extension.
    Hint,
    /// A chan_sip or IAX2 peer with a fixed address: probably a trunk.
    FixedAddress,
    /// Only its name speaks for it: digits are an extension, all else a trunk. A guess.
    Name,
    /// FreePBX knows the user, but no device of it was seen.
    User,
}
