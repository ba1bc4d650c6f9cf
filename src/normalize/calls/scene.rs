//! One call: who acts, who is reached, and where it stands.

use hashbrown::HashMap;

use super::{
    dialled,
    evidence::{Evidence, first_argument},
    leg::{BUSY, Leg, RING, RINGING},
};
use crate::{collect::Directory, snapshot::CallState};

/// The legs of one call and their roles.
#[derive(Debug)]
pub(super) struct Scene<'a> {
    /// All of them, oldest first.
    pub(super) legs: Vec<Leg<'a>>,
    /// Who calls; `None` where the PBX itself rings somebody and nobody is on the line yet.
    pub(super) caller: Option<Leg<'a>>,
    /// The other legs that carry a party, oldest first.
    pub(super) others: Vec<Leg<'a>>,
    /// The numbers that `Dial` sent to each device, from all legs that run it.
    pub(super) sent: HashMap<String, Vec<&'a str>>,
    pub(super) evidence: &'a Evidence<'a>,
    pub(super) directory: &'a Directory<'a>,
}

impl<'a> Scene<'a> {
    /// Casts the roles. Legs of the same age keep their order.
    pub(super) fn new(
        mut legs: Vec<Leg<'a>>,
        evidence: &'a Evidence<'a>,
        directory: &'a Directory<'a>,
    ) -> Self {
        legs.sort_by_key(|leg| leg.age);
        let caller = caller(&legs);
        let is_caller =
            |leg: &Leg<'_>| caller.is_some_and(|c| std::ptr::eq(c.channel, leg.channel));
        let others = legs.iter().filter(|leg| !leg.is_local && !is_caller(leg)).copied().collect();
        let sent = sent(&legs);
        Self { legs, caller, others, sent, evidence, directory }
    }

    /// The others whom somebody of the call hears.
    pub(super) fn joined(&self) -> impl Iterator<Item = &Leg<'a>> {
        self.others.iter().filter(|leg| leg.is_joined)
    }

    /// The others who are being reached.
    pub(super) fn reached(&self) -> impl Iterator<Item = &Leg<'a>> {
        self.others.iter().filter(|leg| leg.is_being_reached())
    }

    /// Whether two or more parties hear each other, the caller among them.
    pub(super) fn talks(&self) -> bool {
        self.caller.is_some_and(|caller| caller.is_joined) && self.joined().next().is_some()
    }

    /// Whether the caller is left alone in a bridge while another party of the call talks: the
    /// middle of an attended transfer.
    pub(super) fn waits_for_transfer(&self) -> bool {
        self.caller.is_some_and(|caller| caller.is_left_alone) && self.joined().next().is_some()
    }

    /// The queue that the call waits in or came through.
    pub(super) fn queue(&self) -> Option<&'a str> {
        let runs = self.legs.iter().filter(|leg| !leg.is_called && leg.runs("Queue"));
        let listed = self.legs.iter().find_map(|leg| self.evidence.waiting(leg.channel));
        runs.filter_map(|leg| first_argument(leg.channel)).next().or(listed.map(|w| w.queue))
    }

    /// Where the call stands.
    ///
    /// Hold is only what a device says of itself. `MusicOnHold` as an application is a service
    /// that somebody listens to, and tells nothing about hold.
    pub(super) fn state(&self) -> CallState {
        let any = |test: fn(&Leg<'_>) -> bool| self.legs.iter().any(test);
        if any(|leg| leg.is_conferring) {
            return CallState::Conference;
        }
        if any(|leg| leg.is_parked) {
            return CallState::Parked;
        }
        let Some(caller) = self.caller else { return self.state_without_caller() };
        if self.waits_for_transfer() || (caller.is_joined && self.is_held()) {
            return CallState::OnHold;
        }
        // A caller who came by a Local channel is joined to its far half, and waits all the same.
        let waits = self.legs.iter().any(|leg| self.evidence.waiting(leg.channel).is_some());
        if waits && !self.talks() {
            return CallState::Queued;
        }
        if caller.is_joined {
            return CallState::Up;
        }
        if caller.runs("Queue") && !caller.is_left_alone {
            return CallState::Queued;
        }
        if any(|leg| leg.is(RINGING)) {
            return CallState::Ringing;
        }
        if any(|leg| leg.is(BUSY)) || caller.runs("Busy") || caller.runs("Congestion") {
            return CallState::Busy;
        }
        let reaches = caller.runs("Dial") && !caller.is_left_alone;
        match caller.channel.channel_state {
            None => CallState::Unknown,
            Some(_) if !caller.is_up() || reaches => CallState::Dialing,
            Some(_) => CallState::Up,
        }
    }

    fn state_without_caller(&self) -> CallState {
        let any = |test: fn(&Leg<'_>) -> bool| self.legs.iter().any(test);
        if any(|leg| leg.is(RINGING)) {
            CallState::Ringing
        } else if any(|leg| leg.is(BUSY)) {
            CallState::Busy
        } else if any(|leg| leg.channel.channel_state.is_some()) {
            CallState::Dialing
        } else {
            CallState::Unknown
        }
    }

    fn is_held(&self) -> bool {
        let mut talking = self.legs.iter().filter(|leg| leg.is_joined && !leg.is_local);
        talking.any(|leg| self.evidence.held(leg.channel))
    }

    /// Whether something began this lone leg that is no caller: AMI's Originate, a call file.
    ///
    /// Originate writes the caller ID that it was given into both identities of the channel. A
    /// caller in a menu has no connected line.
    pub(super) fn is_originated(&self) -> bool {
        let [leg] = self.legs.as_slice() else { return false };
        let (own, other) = (&leg.channel.caller_id_num, &leg.channel.connected_line_num);
        own.is_some() && own == other && leg.channel.bridge_id.is_none()
    }
}

/// The numbers that `Dial` sent to each device.
fn sent<'a>(legs: &[Leg<'a>]) -> HashMap<String, Vec<&'a str>> {
    let dialling = legs.iter().filter(|leg| leg.runs("Dial"));
    let data = dialling.filter_map(|leg| leg.channel.application_data.as_deref());
    let mut sent: HashMap<String, Vec<&str>> = HashMap::new();
    for target in data.flat_map(dialled::targets) {
        let numbers = sent.entry(target.device).or_default();
        numbers.extend(target.number.filter(|number| numbers.last() != Some(number)));
    }
    sent
}

/// Who calls, of legs in the order of their age.
fn caller<'a>(legs: &[Leg<'a>]) -> Option<Leg<'a>> {
    if let Some(parked) = legs.iter().find(|leg| leg.is_parked && !leg.is_local) {
        return Some(*parked);
    }
    let real: Vec<Leg<'a>> = legs.iter().filter(|leg| !leg.is_local).copied().collect();
    if real.is_empty() {
        return legs.iter().find(|leg| leg.began()).or(legs.first()).copied();
    }
    let first = pick(&real);
    // After a redirection, whoever began the call may have no part in the conversation.
    let talking: Vec<Leg<'a>> = real.iter().filter(|leg| leg.is_joined).copied().collect();
    let takes_part =
        |leg: Leg<'_>| leg.is_joined || leg.is_left_alone || leg.is_conferring || leg.runs("Queue");
    if talking.len() > 1 && !first.is_some_and(takes_part) { pick(&talking) } else { first }
}

/// The caller's leg: the one that began the call, else one that waits for an answer, else the
/// oldest that runs dialplan of its own. Where the PBX created all of them (Originate; or the
/// caller left after a transfer), the oldest that answered.
fn pick<'a>(real: &[Leg<'a>]) -> Option<Leg<'a>> {
    let acting = || real.iter().filter(|leg| !leg.is_called);
    acting()
        .find(|leg| leg.began())
        .or_else(|| acting().find(|leg| leg.is(RING)))
        .or_else(|| acting().next())
        .or_else(|| real.iter().find(|leg| leg.is_up()))
        .copied()
}
