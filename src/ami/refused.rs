//! Why an action cannot be asked: it changes something, shows secrets, or nobody knows it.
//!
//! What may be asked is decided by [`ReadAction`] alone. This list, taken from what `ListCommands`
//! of Asterisk 16 and 22 tells and from the source of what they had not loaded, only gives the
//! refusal its reason.

use std::fmt;

use super::ReadAction;

/// A name that is on no allow-list.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name} {why}")]
#[non_exhaustive]
pub struct NotReadable {
    /// The name that was given.
    pub name: String,
    /// Why it cannot be asked.
    pub why: WhyNot,
}

/// Why an action cannot be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum WhyNot {
    /// It changes the PBX, or makes it do something.
    Changes,
    /// It shows passwords.
    Secrets,
    /// The client sees to it itself: login, logoff, events.
    Session,
    /// It only reads, but nothing here needs it.
    NotNeeded,
    /// Asterisk has no such action; the one of the allow-list that is nearest to it.
    Unknown(Option<ReadAction>),
}

impl fmt::Display for WhyNot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Changes => f.write_str("changes the PBX: not in the read allow-list"),
            Self::Secrets => f.write_str("shows passwords: not in the read allow-list"),
            Self::Session => {
                f.write_str("belongs to the session, which the client sees to: not for asking")
            }
            Self::NotNeeded => f.write_str("reads, but is not in the read allow-list"),
            Self::Unknown(Some(near)) => write!(f, "is no known action; did you mean {near}?"),
            Self::Unknown(None) => f.write_str("is no known action"),
        }
    }
}

impl ReadAction {
    /// The action of that name, whatever its case, or why it cannot be asked.
    ///
    /// # Errors
    ///
    /// [`NotReadable`] for every name that is not on the allow-list.
    pub fn named(name: &str) -> Result<Self, NotReadable> {
        let is_among = |names: &[&str]| names.iter().any(|known| known.eq_ignore_ascii_case(name));
        if let Some(action) = Self::from_name(name) {
            return Ok(action);
        }
        let why = if is_among(CHANGING) {
            WhyNot::Changes
        } else if is_among(SHOWING_SECRETS) {
            WhyNot::Secrets
        } else if is_among(OF_THE_SESSION) {
            WhyNot::Session
        } else if is_among(READING) {
            WhyNot::NotNeeded
        } else {
            WhyNot::Unknown(nearest(name))
        };
        Err(NotReadable { name: name.chars().take(60).collect(), why })
    }
}

/// The name that was perhaps meant.
fn nearest(name: &str) -> Option<ReadAction> {
    const ALIKE: f64 = 0.85;
    // A longer one is no slip of the fingers.
    const LONGEST: usize = 60;
    if name.len() > LONGEST {
        return None;
    }
    let name = name.to_ascii_lowercase();
    let alike = |action: ReadAction| {
        (strsim::jaro_winkler(&action.name().to_ascii_lowercase(), &name), action)
    };
    let best =
        ReadAction::ALL.into_iter().map(alike).max_by(|one, other| one.0.total_cmp(&other.0));
    best.filter(|(likeness, _)| *likeness >= ALIKE).map(|(_, action)| action)
}

#[rustfmt::skip]
const CHANGING: &[&str] = &[
    "AbsoluteTimeout", "AgentLogoff", "AGI", "AOCMessage", "Atxfer", "BlindTransfer", "Bridge",
    "BridgeDestroy", "BridgeKick", "BridgeTechnologySuspend", "BridgeTechnologyUnsuspend",
    "CancelAtxfer", "ChangeMonitor", "Command", "ConfbridgeKick", "ConfbridgeLock",
    "ConfbridgeMute", "ConfbridgeSetSingleVideoSrc", "ConfbridgeStartRecord",
    "ConfbridgeStopRecord", "ConfbridgeUnlock", "ConfbridgeUnmute", "ControlPlayback",
    "CreateConfig", "DAHDIDialOffhook", "DAHDIDNDoff", "DAHDIDNDon", "DAHDIHangup",
    "DAHDIRestart", "DAHDITransfer", "DBDel", "DBDelTree", "DBPut", "DialplanExtensionAdd",
    "DialplanExtensionRemove", "Hangup", "JabberSend", "LocalOptimizeAway", "LoggerRotate",
    "MeetmeMute", "MeetmeUnmute", "MessageSend", "MixMonitor", "MixMonitorMute", "ModuleLoad",
    "Monitor", "MuteAudio", "MWIDelete", "MWIUpdate", "Originate", "Park", "PauseMonitor",
    "PJSIPHangup", "PJSIPNotify", "PJSIPQualify", "PJSIPRegister", "PJSIPSetMaintenance",
    "PJSIPUnregister", "PlayDTMF", "PlayMF", "PRIDebugFileSet", "PRIDebugFileUnset",
    "PRIDebugSet", "QueueAdd", "QueueChangePriorityCaller", "QueueLog", "QueueMemberRingInUse",
    "QueuePause", "QueuePenalty", "QueueReload", "QueueRemove", "QueueReset",
    "QueueWithdrawCaller", "Redirect", "Reload", "SendFlash", "SendText", "Setvar", "SIPnotify",
    "SIPqualifypeer", "SorceryMemoryCacheExpire", "SorceryMemoryCacheExpireObject",
    "SorceryMemoryCachePopulate", "SorceryMemoryCacheStale", "SorceryMemoryCacheStaleObject",
    "StopMixMonitor", "StopMonitor", "UnpauseMonitor", "UpdateConfig", "UserEvent",
    "VoicemailForward", "VoicemailMove", "VoicemailRefresh", "VoicemailRemove",
];

const SHOWING_SECRETS: &[&str] = &["GetConfig", "GetConfigJSON", "PJSIPShowAuths"];

const OF_THE_SESSION: &[&str] = &["Challenge", "Events", "Filter", "Login", "Logoff", "WaitEvent"];

#[rustfmt::skip]
const READING: &[&str] = &[
    "Agents", "BridgeTechnologyList", "CoreShowChannelMap", "DAHDIShowStatus", "ExtensionState",
    "FAXSession", "FAXSessions", "FAXStats", "IAXnetstats", "ListCategories", "MailboxCount",
    "MailboxStatus", "MeetmeList", "MeetmeListRooms", "ModuleCheck", "MWIGet",
    "PJSIPShowMaintenance", "PJSIPShowRegistrationsInbound", "PJSIPShowResourceLists",
    "PJSIPShowSubscriptionsInbound", "PJSIPShowSubscriptionsOutbound", "PresenceState",
    "PRIShowSpans", "QueueRule", "ShowDialPlan", "SIPpeerstatus", "VoicemailBoxSummary",
    "VoicemailUserStatus",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_refusal_has_its_reason() {
        for (name, expected) in [
            ("Originate", "Originate changes the PBX: not in the read allow-list"),
            ("dbput", "dbput changes the PBX: not in the read allow-list"),
            ("PJSIPShowAuths", "PJSIPShowAuths shows passwords: not in the read allow-list"),
            ("MailboxCount", "MailboxCount reads, but is not in the read allow-list"),
            ("QueueStaus", "QueueStaus is no known action; did you mean QueueStatus?"),
            ("sippeer", "sippeer is no known action; did you mean SIPpeers?"),
            ("Nosuch", "Nosuch is no known action"),
            ("", " is no known action"),
        ] {
            assert_eq!(ReadAction::named(name).unwrap_err().to_string(), expected);
        }
        assert_eq!(ReadAction::named("pjsipshowendpoints"), Ok(ReadAction::PjsipShowEndpoints));
    }

    /// Every action that real servers offer is on exactly one list.
    #[test]
    fn nothing_that_a_real_server_offers_is_unknown() {
        let lists = [CHANGING, SHOWING_SECRETS, OF_THE_SESSION, READING];
        let mut names: Vec<_> = lists.iter().flat_map(|list| list.iter().copied()).collect();
        names.extend(ReadAction::ALL.map(ReadAction::name));
        names.sort_unstable();
        let count = names.len();
        names.dedup();
        assert_eq!(names.len(), count);
        for version in ["16.28.0", "22.10.1"] {
            let path = format!("tests/fixtures/{version}/busy/ListCommands.ami");
            let recorded = std::fs::read_to_string(path).unwrap();
            let offered = recorded.lines().filter(|line| line.contains("(Priv: "));
            for name in offered.filter_map(|line| line.split(':').next()) {
                assert!(names.contains(&name), "{version} has {name}");
            }
        }
    }
}
