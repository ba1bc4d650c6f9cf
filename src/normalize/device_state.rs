//! Asterisk's words for the state of a device, and the one state of several devices.

use crate::snapshot::{Channel, ExtensionStatus};
use hashbrown::{HashMap, HashSet};

/// State of a device, as Asterisk's core tells them apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DeviceState {
    /// Nobody knows.
    Unknown,
    /// Online and idle.
    NotInUse,
    /// In a call.
    InUse,
    /// In a call and takes no other.
    Busy,
    /// There is no such device.
    Invalid,
    /// Not registered or not reachable.
    Unavailable,
    /// Rings.
    Ringing,
    /// In a call while another one rings.
    RingInUse,
    /// Its call is on hold.
    OnHold,
}

impl DeviceState {
    /// Reads either spelling: `NOT_INUSE` of DeviceStateList, `Not in use` of PJSIPShowEndpoints.
    /// They differ only in case and in what stands between the letters.
    pub(crate) fn parse(word: &str) -> Option<Self> {
        const WORDS: [(&str, DeviceState); 9] = [
            ("unknown", DeviceState::Unknown),
            ("notinuse", DeviceState::NotInUse),
            ("inuse", DeviceState::InUse),
            ("busy", DeviceState::Busy),
            ("invalid", DeviceState::Invalid),
            ("unavailable", DeviceState::Unavailable),
            ("ringing", DeviceState::Ringing),
            ("ringinuse", DeviceState::RingInUse),
            ("onhold", DeviceState::OnHold),
        ];
        let letters =
            || word.bytes().filter(u8::is_ascii_alphabetic).map(|b| b.to_ascii_lowercase());
        WORDS.into_iter().find(|(known, _)| known.bytes().eq(letters())).map(|(_, state)| state)
    }

    /// The word of the snapshot. A phone that rings during a call counts as in use: the talk is
    /// what a caller will notice.
    pub(crate) fn status(self) -> ExtensionStatus {
        match self {
            Self::Unknown => ExtensionStatus::Unknown,
            Self::NotInUse => ExtensionStatus::Available,
            Self::InUse | Self::RingInUse => ExtensionStatus::InUse,
            Self::Busy => ExtensionStatus::Busy,
            Self::Invalid | Self::Unavailable => ExtensionStatus::Unavailable,
            Self::Ringing => ExtensionStatus::Ringing,
            Self::OnHold => ExtensionStatus::OnHold,
        }
    }

    /// Whether a phone is there; `None` where the state does not tell.
    pub(crate) fn online(self) -> Option<bool> {
        match self {
            Self::Unknown => None,
            Self::Invalid | Self::Unavailable => Some(false),
            Self::NotInUse
            | Self::InUse
            | Self::Busy
            | Self::Ringing
            | Self::RingInUse
            | Self::OnHold => Some(true),
        }
    }
}

/// How much a state says about a person with several phones: the most active one wins, and a dead
/// phone hides nothing.
pub(crate) fn activity(status: ExtensionStatus) -> u8 {
    match status {
        ExtensionStatus::InUse => 6,
        ExtensionStatus::Ringing => 5,
        ExtensionStatus::Busy => 4,
        ExtensionStatus::OnHold => 3,
        ExtensionStatus::Available => 2,
        ExtensionStatus::Unknown => 1,
        ExtensionStatus::Unavailable => 0,
    }
}

/// What the channels say about devices.
#[derive(Debug, Default)]
pub(crate) struct Activity<'a> {
    devices: HashMap<&'a str, (HashSet<&'a str>, ExtensionStatus)>,
}

impl<'a> Activity<'a> {
    /// Reads the channels.
    pub(crate) fn read(channels: &'a [Channel]) -> Self {
        const RINGING: Option<u32> = Some(5);
        let mut devices = HashMap::new();
        for channel in channels {
            let status = match channel.channel_state {
                RINGING => ExtensionStatus::Ringing,
                _ => ExtensionStatus::InUse,
            };
            let known = devices
                .entry(channel.device.as_str())
                .or_insert_with(|| (HashSet::new(), ExtensionStatus::Unavailable));
            known.0.insert(channel.call_id.as_deref().unwrap_or(&channel.uniqueid));
            if activity(status) > activity(known.1) {
                known.1 = status;
            }
        }
        Self { devices }
    }

    /// Number of calls that any of the devices takes part in.
    pub(crate) fn calls<'d>(&self, devices: impl Iterator<Item = &'d str>) -> u64 {
        let calls =
            devices.filter_map(|device| self.devices.get(device)).flat_map(|(calls, _)| calls);
        calls.collect::<HashSet<_>>().len() as u64
    }

    /// What a device does; `None` when it has no channel.
    ///
    /// chan_sip counts calls only for peers with `callcounter=yes` or a call limit; for others
    /// `DeviceStateList` says `NOT_INUSE` in the middle of a call (seen on 16.28).
    pub(crate) fn status(&self, device: &str) -> Option<ExtensionStatus> {
        self.devices.get(device).map(|(_, status)| *status)
    }
}

#[cfg(test)]
pub(crate) fn channel(name: &str, state: u32, call: &str) -> Channel {
    Channel {
        channel: name.to_owned(),
        device: name.rsplit_once('-').unwrap().0.to_owned(),
        call_id: Some(call.to_owned()),
        channel_state: Some(state),
        channel_state_desc: None,
        caller_id_num: None,
        caller_id_name: None,
        connected_line_num: None,
        connected_line_name: None,
        language: None,
        account_code: None,
        context: None,
        exten: None,
        priority: None,
        uniqueid: name.to_owned(),
        linkedid: None,
        bridge_id: None,
        application: None,
        application_data: None,
        duration_seconds: None,
        tenant_id: None,
        variables: std::collections::BTreeMap::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_spellings_are_read() {
        for (display, token, state) in [
            ("Not in use", "NOT_INUSE", DeviceState::NotInUse),
            ("In use", "INUSE", DeviceState::InUse),
            ("On Hold", "ONHOLD", DeviceState::OnHold),
            ("Ring+Inuse", "RINGINUSE", DeviceState::RingInUse),
            ("Unavailable", "UNAVAILABLE", DeviceState::Unavailable),
        ] {
            assert_eq!(DeviceState::parse(display), Some(state));
            assert_eq!(DeviceState::parse(token), Some(state));
        }
        assert_eq!(DeviceState::parse("Idle"), None);
    }

    #[test]
    fn calls_are_counted_once_for_all_devices_of_an_extension() {
        let channels =
            [channel("SIP/1-a", 6, "x"), channel("PJSIP/1-b", 5, "x"), channel("SIP/1-c", 5, "y")];
        let activity = Activity::read(&channels);
        assert_eq!(activity.calls(["SIP/1", "PJSIP/1"].into_iter()), 2);
        assert_eq!(activity.calls(["SIP/2"].into_iter()), 0);
        assert_eq!(activity.status("SIP/1"), Some(ExtensionStatus::InUse));
        assert_eq!(activity.status("PJSIP/1"), Some(ExtensionStatus::Ringing));
    }
}
