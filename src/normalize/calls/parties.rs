//! Who calls whom, and which way.

use super::{
    dialled::{self, Target},
    evidence::first_argument,
    leg::{Leg, Side},
    scene::Scene,
};
use crate::{
    collect::Owner,
    snapshot::{Direction, Party},
};

impl<'a> Scene<'a> {
    /// The party on a leg.
    ///
    /// For one of ours the extension is the number: what the channel shows may be rewritten (an
    /// outbound route's caller ID), and `Call.caller_id` keeps it.
    pub(super) fn party(&self, leg: &Leg<'a>) -> Party {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        let number = leg.channel.caller_id_num.as_deref().and_then(dialled::shown);
        match leg.side {
            Side::Extension(extension) => Party {
                number: owned(Some(extension)),
                name: owned(self.name_of(leg, extension)),
                extension: owned(Some(extension)),
                trunk: None,
            },
            Side::Trunk(trunk) => Party {
                number: if leg.is_called { self.outside_number(leg) } else { owned(number) },
                name: owned(shown_name(leg)),
                extension: None,
                trunk: owned(Some(trunk)),
            },
            Side::Unknown => {
                Party { number: owned(number), name: owned(shown_name(leg)), ..Party::default() }
            }
        }
    }

    /// Name of an extension: the channel's, unless the channel shows another identity.
    fn name_of(&self, leg: &Leg<'a>, extension: &str) -> Option<&'a str> {
        let device = leg.channel.device.split_once('/').map(|(_, name)| name);
        let own = leg.channel.caller_id_num.as_deref();
        let own = own.is_none_or(|number| number == extension || Some(number) == device);
        let listed = self.directory.name(extension);
        let shown = shown_name(leg);
        if own { shown.or(listed) } else { listed.or(shown) }
    }

    /// The number that a called trunk leg reaches.
    ///
    /// `Dial`'s own data is the only source that holds in every dialplan: the leg itself shows the
    /// number with the route's prefix where macros dial, `s` where subroutines do (FreePBX 17),
    /// and a trunk's own caller ID where one is configured.
    fn outside_number(&self, leg: &Leg<'a>) -> Option<String> {
        let channel = leg.channel;
        let other = channel.connected_line_num.as_deref();
        let shown = channel.caller_id_num.as_deref().and_then(dialled::shown);
        let shown = shown.filter(|number| Some(*number) != other);
        let sent = self.sent.get(&channel.device).map(Vec::as_slice).unwrap_or_default();
        let agreeing = || sent.iter().find(|sent| shown.is_some_and(|s| s.ends_with(*sent)));
        let number = match sent {
            [only] => Some(*only),
            [] => shown.or_else(|| self.connected_number()).or_else(|| exten(leg)),
            _ => agreeing().copied().or(shown),
        };
        number.map(str::to_owned)
    }

    /// The number that the caller is connected to, as the caller's channel says.
    fn connected_number(&self) -> Option<&'a str> {
        let channel = self.caller?.channel;
        let number = channel.connected_line_num.as_deref().and_then(dialled::shown)?;
        (Some(number) != channel.caller_id_num.as_deref()).then_some(number)
    }

    /// Who calls.
    pub(super) fn from(&self) -> Party {
        match self.caller {
            Some(caller) => self.party(&caller),
            // Only the PBX calls so far; the phone shows who it will be connected with.
            None => {
                let shown = self.reached().next().and_then(|leg| {
                    let number = leg.channel.connected_line_num.as_deref()?;
                    let own = leg.channel.caller_id_num.as_deref();
                    dialled::shown(number).filter(|number| Some(*number) != own)
                });
                Party { number: shown.map(str::to_owned), ..Party::default() }
            }
        }
    }

    /// Who is called.
    pub(super) fn to(&self) -> Party {
        if self.caller.is_some_and(|c| c.is_joined || c.is_left_alone)
            && let Some(leg) = self.joined().find(|leg| leg.is_called).or(self.joined().next())
        {
            return self.party(leg);
        }
        if let [party] = self.reached_parties().as_slice() {
            return party.clone();
        }
        if let Some(queue) = self.queue() {
            return numbered(queue);
        }
        if self.reached().next().is_some() {
            return self.dialled_group();
        }
        self.dialled_target()
            .or_else(|| self.mailbox())
            .or_else(|| self.far_end())
            .or_else(|| self.caller.as_ref().and_then(exten).map(numbered))
            .unwrap_or_default()
    }

    /// The parties being reached, each once however many phones or contacts it has.
    pub(super) fn reached_parties(&self) -> Vec<Party> {
        let mut parties: Vec<Party> = Vec::new();
        let mut seen = hashbrown::HashSet::new();
        for leg in self.reached() {
            let party = self.party(leg);
            let device = match leg.side {
                Side::Extension(extension) => extension,
                Side::Trunk(_) | Side::Unknown => leg.channel.device.as_str(),
            };
            if seen.insert((device, party.number.clone())) {
                parties.push(party);
            }
        }
        parties
    }

    /// What was dialled where several parties ring.
    ///
    /// A called leg takes over the extension at which its `Dial` ran, or the one that called the
    /// macro in which it ran. Subroutines (FreePBX 17) leave `s` there, and then nothing in any
    /// list tells which ring group was dialled.
    fn dialled_group(&self) -> Party {
        let halves = self.legs.iter().filter(|leg| leg.is_local && leg.is_called);
        let halves: Vec<Option<&str>> = halves.map(exten).collect();
        let extens = if halves.is_empty() { self.reached().map(exten).collect() } else { halves };
        let agreed = match extens.split_first() {
            Some((first, rest)) if rest.iter().all(|other| other == first) => *first,
            _ => None,
        };
        let followed = || {
            let follow_me = |leg: &&Leg<'_>| leg.channel.device.starts_with("Local/FMPR-");
            let leg = self.legs.iter().find(follow_me)?;
            dialled::local(&leg.channel.device)
        };
        let number = agreed.or_else(|| self.caller.as_ref().and_then(exten)).or_else(followed);
        let extension = number.and_then(|number| self.directory.extension(number));
        Party {
            number: number.map(str::to_owned),
            name: extension.and_then(|e| self.directory.name(e)).map(str::to_owned),
            extension: extension.map(str::to_owned),
            trunk: None,
        }
    }

    /// Whom the caller's `Dial` tries to reach, while it has no leg yet.
    fn dialled_target(&self) -> Option<Party> {
        let caller = self.caller.filter(|caller| caller.runs("Dial") && !caller.is_joined)?;
        if caller.is_left_alone {
            return None;
        }
        let data = caller.channel.application_data.as_deref()?;
        let mut targets: Vec<Target<'_>> = dialled::targets(data).collect();
        targets.dedup_by(|a, b| a.device == b.device);
        let [target] = targets.as_slice() else { return None };
        match self.directory.device(&target.device).map(|entry| &entry.owner) {
            Some(Owner::Extension(extension)) => Some(self.extension(extension)),
            Some(Owner::Trunk(trunk)) => Some(Party {
                number: target.number.map(str::to_owned),
                trunk: Some((*trunk).to_owned()),
                ..Party::default()
            }),
            _ => Some(self.numbered(target.number?)),
        }
    }

    /// Whose mailbox the caller leaves a message in: `VoiceMail(101@default,u)`.
    fn mailbox(&self) -> Option<Party> {
        let caller = self.caller.filter(|caller| caller.runs("VoiceMail"))?;
        let number = first_argument(caller.channel)?.split('@').next()?;
        dialled::number(number).map(|number| self.numbered(number))
    }

    /// What the caller is connected to where no other leg carries a party: the far half of a
    /// Local channel, or a partner that is no longer listed.
    fn far_end(&self) -> Option<Party> {
        let far = self.legs.iter().find(|leg| leg.channel.channel.ends_with(";2"));
        if let Some(number) = far.and_then(exten) {
            return Some(self.numbered(number));
        }
        let caller = self.caller.filter(|caller| caller.is_joined || caller.is_left_alone)?;
        let number = self.connected_number()?;
        let name = caller.channel.connected_line_name.clone().filter(|name| !is_cid_note(name));
        let party = self.numbered(number);
        Some(Party { name: name.or(party.name), ..party })
    }

    /// The party of a number that may be one of our extensions.
    fn numbered(&self, number: &str) -> Party {
        self.directory.extension(number).map_or_else(|| numbered(number), |e| self.extension(e))
    }

    fn extension(&self, extension: &str) -> Party {
        Party {
            number: Some(extension.to_owned()),
            name: self.directory.name(extension).map(str::to_owned),
            extension: Some(extension.to_owned()),
            trunk: None,
        }
    }

    /// Which way the call goes.
    ///
    /// A call from a trunk that leaves by a trunk again (a forward to a mobile) is inbound: that
    /// is how it came to this PBX, and `to.trunk` names the other line. A trunk's leg that runs
    /// dialplan, but belongs to an older call, may have been called before it was transferred, and
    /// its direction is unknown. A call that AMI's Originate set up is told from a dialled one
    /// only while its first phone rings; afterwards it reads like a call from that phone.
    pub(super) fn direction(&self) -> Direction {
        let sides = self.other_sides();
        let outside = |side: &Side<'_>| matches!(side, Side::Trunk(_));
        let to_trunk = !sides.is_empty() && sides.iter().all(outside);
        let to_extension = sides.iter().any(|side| matches!(side, Side::Extension(_)));
        let Some(caller) = self.caller else {
            return if to_trunk { Direction::Outbound } else { Direction::Unknown };
        };
        match caller.side {
            Side::Trunk(_) if caller.is_called => Direction::Outbound,
            Side::Trunk(_) if !caller.began() || self.is_originated() => Direction::Unknown,
            Side::Trunk(_) => Direction::Inbound,
            _ if to_trunk => Direction::Outbound,
            Side::Extension(_) if to_extension => Direction::Internal,
            Side::Extension(_) if caller.is_called || self.is_originated() => Direction::Unknown,
            Side::Extension(_) => Direction::Internal,
            Side::Unknown => Direction::Unknown,
        }
    }

    /// Whose legs are at the other end: those who talk, else those being reached, else the target
    /// of `Dial`.
    fn other_sides(&self) -> Vec<Side<'_>> {
        let talking: Vec<_> = self.joined().map(|leg| leg.side).collect();
        if !talking.is_empty() {
            return talking;
        }
        let reached: Vec<_> = self.reached().map(|leg| leg.side).collect();
        if !reached.is_empty() {
            return reached;
        }
        let side = |device: &String| match &self.directory.device(device)?.owner {
            Owner::Extension(extension) => Some(Side::Extension(extension)),
            Owner::Trunk(trunk) => Some(Side::Trunk(trunk)),
            Owner::Special => None,
        };
        self.sent.keys().filter_map(side).collect()
    }
}

fn numbered(number: &str) -> Party {
    Party { number: Some(number.to_owned()), ..Party::default() }
}

/// The dialled extension that a leg is at; menus run at digits that are no number.
fn exten<'a>(leg: &Leg<'a>) -> Option<&'a str> {
    let menu = leg.channel.context.as_deref().is_some_and(|context| context.starts_with("ivr-"));
    leg.channel.exten.as_deref().and_then(dialled::number).filter(|_| !menu)
}

/// The name on a leg, where it is the name of the party there.
///
/// A called leg without a name of its own may show a copy of the caller's.
fn shown_name<'a>(leg: &Leg<'a>) -> Option<&'a str> {
    let name = leg.channel.caller_id_name.as_deref()?;
    let copied = leg.is_called && leg.channel.connected_line_name.as_deref() == Some(name);
    (!copied && !is_cid_note(name)).then_some(name)
}

/// `CID:+15551234`: FreePBX shows an outbound caller the caller ID that was sent, as a name.
fn is_cid_note(name: &str) -> bool {
    name.starts_with("CID:")
}
