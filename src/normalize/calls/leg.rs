//! One channel of a call, judged: whose it is, who created it, where it is.

use super::evidence::{Bridge, Evidence};
use crate::{
    collect::{Directory, Owner},
    snapshot::Channel,
};

/// Whose channel it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Side<'a> {
    /// An extension's, by its number.
    Extension(&'a str),
    /// A trunk's, by its name.
    Trunk(&'a str),
    /// A Local channel's half, a guest's, or a device that nobody knows.
    Unknown,
}

/// Age of a channel, older first: the creation second and the sequence number in its unique id,
/// `[systemname-]<epoch>.<sequence>`. Ids of another shape (AMI's Originate can choose one) sort
/// last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Age {
    epoch: i64,
    sequence: u64,
}

impl Age {
    /// Before 2001 there was no Asterisk; a smaller number is not a time.
    const EARLIEST: i64 = 1_000_000_000;

    pub(super) fn of(uniqueid: &str) -> Self {
        let parse = || {
            let (left, sequence) = uniqueid.rsplit_once('.')?;
            let epoch = left.rsplit('-').next()?.parse().ok()?;
            let sequence = sequence.parse().ok()?;
            (epoch >= Self::EARLIEST).then_some(Self { epoch, sequence })
        };
        parse().unwrap_or(Self { epoch: i64::MAX, sequence: u64::MAX })
    }

    /// The second in which the channel was created.
    pub(super) fn epoch(self) -> Option<i64> {
        (self.epoch != i64::MAX).then_some(self.epoch)
    }
}

/// One channel of a call.
#[derive(Debug, Clone, Copy)]
pub(super) struct Leg<'a> {
    pub(super) channel: &'a Channel,
    pub(super) side: Side<'a>,
    pub(super) age: Age,
    /// A half of a Local channel: plumbing that carries no party of its own.
    pub(super) is_local: bool,
    /// Created by the PBX to reach somebody, and still in the hands of who created it.
    ///
    /// `AppDial` and `AppQueue` stand on the legs of Dial and Queue in every version, `AppDial2`
    /// on those of Originate until they answer and run an application of their own.
    pub(super) is_called: bool,
    /// Hears another listed channel in a bridge that is no conference.
    pub(super) is_joined: bool,
    /// In such a bridge with no other: its partner is gone, or talks elsewhere for a moment.
    pub(super) is_left_alone: bool,
    pub(super) is_parked: bool,
    pub(super) is_conferring: bool,
}

impl<'a> Leg<'a> {
    pub(super) fn of(
        channel: &'a Channel,
        evidence: &Evidence<'a>,
        directory: &'a Directory<'a>,
    ) -> Self {
        let runs = |names: &[&str]| {
            let application = channel.application.as_deref().unwrap_or_default();
            names.iter().any(|name| name.eq_ignore_ascii_case(application))
        };
        let bridge = evidence.bridge(channel);
        let is_parked = evidence.parked(channel).is_some();
        let talks = bridge == Some(Bridge::Talk);
        let alone = evidence.members(channel) < 2;
        Self {
            channel,
            side: side(channel, directory),
            age: Age::of(&channel.uniqueid),
            is_local: channel.channel.starts_with("Local/"),
            is_called: runs(&["AppDial", "AppQueue", "AppDial2"]),
            is_joined: (talks && !alone) || evidence.has_partner(channel),
            is_left_alone: talks && alone,
            is_parked,
            is_conferring: matches!(bridge, Some(Bridge::Conference(_)))
                || (!talks && !is_parked && runs(&["ConfBridge", "MeetMe"])),
        }
    }

    /// Whether the channel is in this state, see [`Channel::channel_state`].
    pub(super) fn is(&self, state: u32) -> bool {
        self.channel.channel_state == Some(state)
    }

    pub(super) fn is_up(&self) -> bool {
        self.is(UP)
    }

    /// Whether somebody is being reached on this leg: it rings, or does not even ring yet.
    pub(super) fn is_being_reached(&self) -> bool {
        self.is(RINGING) || (self.is_called && !self.is_up() && !self.is(BUSY))
    }

    /// Whether the channel runs this application.
    pub(super) fn runs(&self, application: &str) -> bool {
        let running = self.channel.application.as_deref();
        running.is_some_and(|name| name.eq_ignore_ascii_case(application))
    }

    /// Whether the channel began the call that it is part of, as far as ids tell.
    pub(super) fn began(&self) -> bool {
        self.channel.linkedid.as_deref().is_none_or(|id| id == self.channel.uniqueid)
    }
}

pub(super) const RING: u32 = 4;
pub(super) const RINGING: u32 = 5;
pub(super) const UP: u32 = 6;
pub(super) const BUSY: u32 = 7;

/// Whose channel it is: the directory's word, and for a device that the directory does not know
/// (its list was denied; DAHDI and custom trunks are in none) the channel's own name and context.
fn side<'a>(channel: &'a Channel, directory: &'a Directory<'a>) -> Side<'a> {
    match directory.device(&channel.device).map(|entry| &entry.owner) {
        Some(Owner::Extension(number)) => return Side::Extension(number),
        Some(Owner::Trunk(name)) => return Side::Trunk(name),
        Some(Owner::Special) => return Side::Unknown,
        None => {}
    }
    let Some((technology, name)) = channel.device.split_once('/') else { return Side::Unknown };
    if technology == "Local" {
        return Side::Unknown;
    }
    if let Some(number) = directory.extension(name) {
        return Side::Extension(number);
    }
    // FreePBX's contexts for calls from outside. A called leg shows its own device's context.
    const OUTSIDE: [&str; 5] =
        ["from-pstn", "from-trunk", "from-digital", "from-analog", "from-dahdi"];
    let context = channel.context.as_deref().unwrap_or_default();
    if OUTSIDE.iter().any(|outside| context.starts_with(outside)) {
        return Side::Trunk(if technology == "DAHDI" { &channel.device } else { name });
    }
    Side::Unknown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_is_read_behind_any_system_name() {
        assert_eq!(Age::of("pbx-1.example.com-1795245676.7").epoch(), Some(1_795_245_676));
        assert_eq!(Age::of("1795245676.10").epoch(), Some(1_795_245_676));
        for odd in ["", "my-own-id", "12.5", "1795245676", "1795245676.x"] {
            assert_eq!(Age::of(odd).epoch(), None, "{odd}");
        }
        assert!(Age::of("a-1795245676.9") < Age::of("a-1795245676.10"));
        assert!(Age::of("a-1795245676.9") < Age::of("chosen"));
    }
}
