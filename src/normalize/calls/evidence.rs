//! What the other lists say about channels: kinds of bridges, parking, queues, hold.
//!
//! Every list is an instant of its own, and any of them may be missing. Nothing here fails; a
//! question without an answer is answered from the channels themselves.

use hashbrown::{HashMap, HashSet};

use crate::{
    ami::{ReadAction, Row},
    collect::Answers,
    normalize::fields::{count, known},
    snapshot::Channel,
};

/// What a bridge does with its channels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bridge<'a> {
    /// Its channels hear each other and are one call.
    Talk,
    /// A conference, by its name: its channels hear each other and are calls of their own.
    Conference(Option<&'a str>),
    /// A parking lot.
    Parking,
    /// Another holding bridge (`BridgeWait`, `AgentLogin`): its channels wait, each by itself.
    Holding,
}

/// A parked call.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Parked<'a> {
    pub(super) space: Option<&'a str>,
    pub(super) seconds: Option<u64>,
}

/// A member of a conference.
#[derive(Debug, Clone, Copy)]
pub(super) struct Conferee<'a> {
    pub(super) room: Option<&'a str>,
    pub(super) seconds: Option<u64>,
}

/// A caller who waits in a queue.
#[derive(Debug, Clone, Copy)]
pub(super) struct Waiting<'a> {
    pub(super) queue: &'a str,
    pub(super) seconds: Option<u64>,
}

/// What the other lists say, by the unique id of the channel.
#[derive(Debug, Default)]
pub(super) struct Evidence<'a> {
    bridges: HashMap<&'a str, Bridge<'a>>,
    members: HashMap<&'a str, usize>,
    parked: HashMap<&'a str, Parked<'a>>,
    parking_known: bool,
    conferees: HashMap<&'a str, Conferee<'a>>,
    waiting: HashMap<&'a str, Waiting<'a>>,
    held: HashSet<String>,
    paired: HashSet<&'a str>,
    /// Channels that talk with each other, as Asterisk 11 and earlier tell it.
    pub(super) partners: Vec<(&'a str, &'a str)>,
}

impl<'a> Evidence<'a> {
    pub(super) fn read(answers: &'a Answers, channels: &'a [Channel]) -> Self {
        let mut evidence = Self {
            bridges: bridges(answers),
            held: held(answers, channels),
            parking_known: answers.answer(ReadAction::ParkedCalls).is_some(),
            partners: partners(answers),
            ..Self::default()
        };
        evidence.paired = evidence.partners.iter().flat_map(|(a, b)| [*a, *b]).collect();
        evidence.read_places(answers);
        for channel in channels {
            if let Some(bridge) = channel.bridge_id.as_deref() {
                *evidence.members.entry(bridge).or_default() += 1;
                evidence.judge_unlisted(bridge, channel);
            }
        }
        evidence
    }

    /// Where channels stay: parked, in a conference, in a queue.
    fn read_places(&mut self, answers: &'a Answers) {
        for row in rows(answers, ReadAction::ParkedCalls) {
            if let Some(id) = row.get("ParkeeUniqueid").and_then(known) {
                let space = row.get("ParkingSpace").and_then(known);
                let seconds = count(row, "ParkingDuration");
                self.parked.insert(id, Parked { space, seconds });
            }
        }
        let conferences = answers.answers_of(ReadAction::ConfbridgeList);
        for row in conferences.flat_map(|(_, answer)| answer.rows()) {
            if let Some(id) = row.get("Uniqueid").and_then(known) {
                let room = row.get("Conference").and_then(known);
                let seconds = count(row, "AnsweredTime");
                self.conferees.insert(id, Conferee { room, seconds });
            }
        }
        for row in rows(answers, ReadAction::QueueStatus) {
            let [Some("QueueEntry"), Some(queue), Some(id)] =
                row.columns(["Event", "Queue", "Uniqueid"])
            else {
                continue;
            };
            self.waiting.insert(id, Waiting { queue, seconds: count(row, "Wait") });
        }
    }

    /// Judges a bridge that BridgeList did not name, by what its channels run.
    fn judge_unlisted(&mut self, bridge: &'a str, channel: &'a Channel) {
        let id = channel.uniqueid.as_str();
        let runs = |name: &str| {
            channel.application.as_deref().is_some_and(|a| a.eq_ignore_ascii_case(name))
        };
        let kind = if let Some(conferee) = self.conferees.get(id) {
            Bridge::Conference(conferee.room)
        } else if runs("ConfBridge") {
            Bridge::Conference(first_argument(channel))
        } else if self.parked.contains_key(id) || (!self.parking_known && runs("Park")) {
            Bridge::Parking
        } else if runs("AgentLogin") || runs("BridgeWait") {
            Bridge::Holding
        } else {
            return;
        };
        self.bridges.entry(bridge).or_insert(kind);
    }

    /// The bridge that the channel is in, by what it does; `None` when in none.
    pub(super) fn bridge(&self, channel: &Channel) -> Option<Bridge<'a>> {
        let id = channel.bridge_id.as_deref()?;
        Some(self.bridges.get(id).copied().unwrap_or(Bridge::Talk))
    }

    /// The id of the bridge where the channel hears others of its call.
    pub(super) fn talk<'c>(&self, channel: &'c Channel) -> Option<&'c str> {
        let id = channel.bridge_id.as_deref()?;
        (self.bridge(channel) == Some(Bridge::Talk)).then_some(id)
    }

    /// How many listed channels are in the channel's bridge, itself included.
    pub(super) fn members(&self, channel: &Channel) -> usize {
        let bridge = channel.bridge_id.as_deref();
        bridge.and_then(|id| self.members.get(id)).copied().unwrap_or(0)
    }

    /// How the channel is parked; `None` when it is not.
    ///
    /// What the channel runs is no evidence where a list tells better: a call that was parked by
    /// a transfer still shows its old `Dial`, and one that was picked up again its `Park`.
    pub(super) fn parked(&self, channel: &Channel) -> Option<Parked<'a>> {
        match self.parked.get(channel.uniqueid.as_str()) {
            Some(parked) if self.talk(channel).is_none() => Some(*parked),
            _ => (self.bridge(channel) == Some(Bridge::Parking)).then(Parked::default),
        }
    }

    /// The channel's membership of a conference, with the time since it joined.
    pub(super) fn conferee(&self, channel: &Channel) -> Option<Conferee<'a>> {
        self.conferees.get(channel.uniqueid.as_str()).copied()
    }

    /// The channel's place in a queue.
    pub(super) fn waiting(&self, channel: &Channel) -> Option<Waiting<'a>> {
        self.waiting.get(channel.uniqueid.as_str()).copied()
    }

    /// Whether the channel's device says that its call is on hold.
    pub(super) fn held(&self, channel: &Channel) -> bool {
        self.held.contains(&channel.device)
    }

    /// Whether an Asterisk without bridge ids says that the channel talks with another.
    pub(super) fn has_partner(&self, channel: &Channel) -> bool {
        self.paired.contains(channel.uniqueid.as_str())
    }
}

/// The first argument of the channel's application: a conference's or a queue's name.
pub(super) fn first_argument(channel: &Channel) -> Option<&str> {
    let data = channel.application_data.as_deref()?;
    data.split(',').next().and_then(known)
}

fn rows(answers: &Answers, kind: ReadAction) -> impl Iterator<Item = Row<'_>> {
    answers.answer(kind).into_iter().flat_map(crate::ami::Answer::rows)
}

fn bridges(answers: &Answers) -> HashMap<&str, Bridge<'_>> {
    let listed = rows(answers, ReadAction::BridgeList).filter_map(|row| {
        let [id, technology, creator, name] =
            row.columns(["BridgeUniqueid", "BridgeTechnology", "BridgeCreator", "BridgeName"]);
        let kind = match (creator, technology) {
            (Some("ConfBridge"), _) => Bridge::Conference(name.and_then(known)),
            (Some("Parking"), _) => Bridge::Parking,
            (_, Some("holding_bridge")) => Bridge::Holding,
            _ => Bridge::Talk,
        };
        Some((known(id?)?, kind))
    });
    listed.collect()
}

/// Devices whose call is on hold.
///
/// It shows nowhere but in the device's state, and there on the side that was put on hold
/// (chan_pjsip) or that pressed the key (chan_sip): somebody of the call is on hold, but not who.
/// chan_pjsip says it when all calls of the device are on hold, chan_sip when any is, so that a
/// chan_sip device with several channels tells nothing about one of them.
fn held(answers: &Answers, channels: &[Channel]) -> HashSet<String> {
    let mut counts: HashMap<&str, usize> = HashMap::new();
    for channel in channels {
        *counts.entry(channel.device.as_str()).or_default() += 1;
    }
    let states = rows(answers, ReadAction::DeviceStateList).filter_map(|row| {
        let [device, state] = row.columns(["Device", "State"]);
        (state? == "ONHOLD").then_some(device?.to_owned())
    });
    let endpoints = rows(answers, ReadAction::PjsipShowEndpoints).filter_map(|row| {
        let [name, state] = row.columns(["ObjectName", "DeviceState"]);
        state?.eq_ignore_ascii_case("On Hold").then_some(format!("PJSIP/{}", name?))
    });
    let one_call = |device: &String| {
        device.starts_with("PJSIP/") || counts.get(device.as_str()).is_none_or(|count| *count < 2)
    };
    states.chain(endpoints).filter(one_call).collect()
}

/// Who talks with whom up to Asterisk 11; either side may name the other.
fn partners(answers: &Answers) -> Vec<(&str, &str)> {
    let named = rows(answers, ReadAction::CoreShowChannels).filter_map(|row| {
        let [one, other] = row.columns(["Uniqueid", "BridgedUniqueID"]);
        Some((known(one?)?, known(other?)?))
    });
    named.collect()
}
