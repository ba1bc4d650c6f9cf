//! Channels to calls: which channels belong together, who calls whom, and where it stands.
//!
//! Asterisk knows channels and bridges; a call is a judgement. It is made in four steps, each in a
//! file of its own: [`grouping`] puts every channel into one group, [`scene`] finds who acts and
//! where the call stands, [`parties`] who the parties are and which way the call goes, and
//! [`describe`] says it in a sentence. [`evidence`] gathers what the other lists say; none of them
//! is needed.

mod describe;
mod dialled;
mod evidence;
mod grouping;
mod leg;
mod parties;
mod scene;
#[cfg(test)]
mod tests;

use hashbrown::HashSet;

pub(crate) use self::dialled::local as local_extension;
use self::{
    describe::{Detail, describe},
    evidence::Evidence,
    leg::Leg,
    scene::Scene,
};
use crate::{
    collect::{Answers, Directory},
    snapshot::{Call, CallState, Channel, Party, TalkSource, Timestamp, natural},
};

/// The calls that these channels are, in the natural order of their `call_id`, which begins with
/// the time of their start on every PBX with one system name. Fills in `call_id` of every channel.
pub(crate) fn calls(
    answers: &Answers,
    channels: &mut [Channel],
    directory: &Directory<'_>,
    collected_at: Timestamp,
) -> Vec<Call> {
    let (calls, ids) = assemble(answers, channels, directory, collected_at);
    for (channel, id) in channels.iter_mut().zip(ids) {
        channel.call_id = id;
    }
    calls
}

/// The calls, and the `call_id` of every channel.
fn assemble(
    answers: &Answers,
    channels: &[Channel],
    directory: &Directory<'_>,
    collected_at: Timestamp,
) -> (Vec<Call>, Vec<Option<String>>) {
    let evidence = Evidence::read(answers, channels);
    let mut groups: Vec<(Vec<usize>, Scene<'_>)> = Vec::new();
    for members in grouping::group(channels, &evidence) {
        let listed = members.iter().filter_map(|at| channels.get(*at));
        let legs: Vec<Leg<'_>> =
            listed.map(|channel| Leg::of(channel, &evidence, directory)).collect();
        groups.push((members, Scene::new(legs, &evidence, directory)));
    }
    groups.sort_by_key(|(_, scene)| scene.legs.first().map(|leg| leg.age));
    let mut used = HashSet::new();
    let mut ids = vec![None; channels.len()];
    let mut calls = Vec::with_capacity(groups.len());
    for (members, scene) in groups {
        let Some(call) = call(&scene, &mut used, collected_at) else { continue };
        for at in members {
            if let Some(id) = ids.get_mut(at) {
                *id = Some(call.call_id.clone());
            }
        }
        calls.push(call);
    }
    calls.sort_by(|a, b| natural(&a.call_id, &b.call_id));
    (calls, ids)
}

/// One call; `None` only for no legs at all.
fn call(scene: &Scene<'_>, used: &mut HashSet<String>, collected_at: Timestamp) -> Option<Call> {
    let oldest = scene.legs.first()?;
    let main = scene.caller.as_ref().unwrap_or(oldest).channel;
    let state = scene.state();
    let (from, to) = (scene.from(), destination(scene, state));
    let duration = scene.legs.iter().filter_map(|leg| leg.channel.duration_seconds).max();
    let started_at = oldest.age.epoch().and_then(Timestamp::from_epoch).or_else(|| {
        let seconds = i64::try_from(duration?).ok()?;
        Some(collected_at.plus_seconds(-seconds))
    });
    let (talk_seconds, talk_source) = talk(scene, state).unzip();
    // The lists are instants apart: a conference may tell a second more than its channel.
    let talk_seconds = talk_seconds.map(|talk| duration.map_or(talk, |whole| talk.min(whole)));
    let mut names: Vec<String> = scene.legs.iter().map(|l| l.channel.channel.clone()).collect();
    names.sort_by(|a, b| natural(a, b));
    let mut call = Call {
        call_id: call_id(oldest.channel, used),
        state,
        direction: scene.direction(),
        queue: scene.queue().map(str::to_owned),
        trunk: from.trunk.clone().or_else(|| to.trunk.clone()),
        answered: answered(scene),
        started_at,
        duration_seconds: duration.or_else(|| Some(collected_at.seconds_since(started_at?))),
        talk_seconds,
        talk_source,
        channel: main.channel.clone(),
        caller_id: number_shown(scene).or_else(|| from.number.clone()),
        caller_name: name_shown(scene).or_else(|| from.name.clone()),
        from,
        to,
        channels: names,
        description: String::new(),
    };
    call.description = describe(&call, &detail(scene, &call));
    Some(call)
}

/// The `Linkedid`. Where that is the id of another call already, because strangers share it, the
/// oldest channel's own id.
fn call_id(oldest: &Channel, used: &mut HashSet<String>) -> String {
    let candidates = [oldest.linkedid.as_deref(), Some(&oldest.uniqueid), Some(&oldest.channel)];
    let mut known = candidates.into_iter().flatten().filter(|id| !id.is_empty());
    let id = known.find(|id| !used.contains(*id)).unwrap_or(&oldest.channel).to_owned();
    used.insert(id.clone());
    id
}

/// Who or what is called: the room, the parking space, or the party.
fn destination(scene: &Scene<'_>, state: CallState) -> Party {
    let number = match state {
        CallState::Conference => room(scene),
        CallState::Parked => scene.legs.iter().find_map(|leg| {
            let parked = scene.evidence.parked(leg.channel)?;
            parked.space.map(str::to_owned)
        }),
        _ => return scene.to(),
    };
    Party { number, ..Party::default() }
}

/// The conference's name.
fn room(scene: &Scene<'_>) -> Option<String> {
    scene.legs.iter().filter(|leg| leg.is_conferring).find_map(|leg| {
        let listed = match scene.evidence.bridge(leg.channel) {
            Some(evidence::Bridge::Conference(room)) => room,
            _ => None,
        };
        let named = || scene.evidence.conferee(leg.channel).and_then(|conferee| conferee.room);
        let argument = || evidence::first_argument(leg.channel).filter(|_| !leg.is_called);
        listed.or_else(named).or_else(argument).map(str::to_owned)
    })
}

/// Whether somebody or something has answered the caller.
fn answered(scene: &Scene<'_>) -> Option<bool> {
    let mut legs = match &scene.caller {
        Some(caller) => std::slice::from_ref(caller).iter(),
        None => scene.others.iter(),
    };
    let known = legs.clone().any(|leg| leg.channel.channel_state.is_some());
    known.then(|| legs.any(Leg::is_up))
}

/// How long the parties have been talking, and how that is known.
///
/// They cannot have been talking for longer than the youngest of their channels exists; that is
/// the called side's, and includes its ringing.
fn talk(scene: &Scene<'_>, state: CallState) -> Option<(u64, TalkSource)> {
    match state {
        CallState::Conference => {
            let seconds = conference_seconds(scene)?;
            (companions(scene) > 0).then_some((seconds, TalkSource::AnsweredTime))
        }
        CallState::Up | CallState::OnHold if scene.talks() => {
            let talking = scene.legs.iter().filter(|leg| leg.is_joined && !leg.is_local);
            let youngest = talking.filter_map(|leg| leg.channel.duration_seconds).min()?;
            Some((youngest, TalkSource::ChannelAge))
        }
        _ => None,
    }
}

fn conference_seconds(scene: &Scene<'_>) -> Option<u64> {
    scene.legs.iter().find_map(|leg| scene.evidence.conferee(leg.channel)?.seconds)
}

/// How many listed channels of other calls are in the same conference.
fn companions(scene: &Scene<'_>) -> usize {
    let mut own = scene.legs.iter().filter(|leg| leg.is_conferring);
    let all = own.clone().map(|leg| scene.evidence.members(leg.channel)).max().unwrap_or(0);
    all.saturating_sub(own.by_ref().count())
}

fn number_shown(scene: &Scene<'_>) -> Option<String> {
    let number = scene.caller?.channel.caller_id_num.as_deref().and_then(dialled::shown);
    number.map(str::to_owned)
}

fn name_shown(scene: &Scene<'_>) -> Option<String> {
    scene.caller?.channel.caller_id_name.clone()
}

/// What the sentence needs besides the call.
fn detail(scene: &Scene<'_>, call: &Call) -> Detail {
    let legs = || scene.legs.iter().map(|leg| leg.channel);
    let stayed = match call.state {
        CallState::Conference => conference_seconds(scene),
        CallState::Parked => legs().find_map(|leg| scene.evidence.parked(leg)?.seconds),
        CallState::Queued => {
            legs().find_map(|leg| scene.evidence.waiting(leg)?.seconds).or(call.duration_seconds)
        }
        _ => None,
    };
    let talking = scene.joined().map(|leg| scene.party(leg)).filter(|party| *party != call.to);
    let answering = matches!(call.state, CallState::Up | CallState::OnHold);
    let application = legs()
        .find(|channel| channel.channel.ends_with(";2"))
        .or(scene.caller.map(|caller| caller.channel))
        .and_then(|channel| channel.application.clone());
    Detail {
        also: if answering { talking.collect() } else { Vec::new() },
        reached: scene.reached_parties(),
        stayed,
        companions: companions(scene),
        application,
        waits: scene.waits_for_transfer(),
        callerless: scene.caller.is_none(),
    }
}
