//! Which channels belong together.

use std::collections::BTreeMap;

use hashbrown::{HashMap, HashSet};

use super::evidence::Evidence;
use crate::snapshot::Channel;

/// Puts every channel, by its index, into exactly one group.
///
/// Channels belong together that share a `Linkedid`, that hear each other in a bridge, or that are
/// the two halves of a Local channel. Bridges of conferences and parking lots join nobody: their
/// members keep their own calls.
///
/// `Linkedid`s merge when their channels meet and are never taken apart again, so that after
/// transfers and redirections strangers may share one. Where a `Linkedid` holds several separate
/// conversations, they stay separate, and what takes part in none of them is a call of its own.
///
/// Asterisk 11 and earlier have neither `Linkedid` nor bridge ids. There `BridgedUniqueID` joins
/// who talks; a ringing leg cannot be tied to its caller and remains a call of one party.
///
/// The cost is linear in the number of channels.
pub(super) fn group(channels: &[Channel], evidence: &Evidence<'_>) -> Vec<Vec<usize>> {
    let mut sets = Sets::new(channels.len());
    let talking = join_who_hears(&mut sets, channels, evidence);
    let conversations: HashSet<usize> = talking.iter().map(|at| sets.root(*at)).collect();
    let heard: Vec<usize> = (0..channels.len()).map(|at| sets.root(at)).collect();

    let mut linked: HashMap<&str, Vec<(usize, usize)>> = HashMap::new();
    for ((at, channel), root) in channels.iter().enumerate().zip(heard) {
        if let Some(id) = channel.linkedid.as_deref() {
            linked.entry(id).or_default().push((at, root));
        }
    }
    for members in linked.into_values() {
        let apart: HashSet<usize> =
            members.iter().map(|(_, root)| *root).filter(|r| conversations.contains(r)).collect();
        let several = apart.len() > 1;
        sets.join(members.into_iter().filter(|(_, r)| !several || !apart.contains(r)).map(|m| m.0));
    }

    let mut groups: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for at in 0..channels.len() {
        groups.entry(sets.root(at)).or_default().push(at);
    }
    groups.into_values().collect()
}

/// Joins the channels that hear each other; returns one of each conversation.
fn join_who_hears(sets: &mut Sets, channels: &[Channel], evidence: &Evidence<'_>) -> Vec<usize> {
    let mut bridges: HashMap<&str, Vec<usize>> = HashMap::new();
    let mut pairs: HashMap<&str, Vec<usize>> = HashMap::new();
    let mut by_uniqueid: HashMap<&str, usize> = HashMap::new();
    for (at, channel) in channels.iter().enumerate() {
        if let Some(bridge) = evidence.talk(channel) {
            bridges.entry(bridge).or_default().push(at);
        }
        if let Some(pair) = local_pair(&channel.channel) {
            pairs.entry(pair).or_default().push(at);
        }
        if !channel.uniqueid.is_empty() {
            by_uniqueid.insert(&channel.uniqueid, at);
        }
    }
    let partners = evidence
        .partners
        .iter()
        .filter_map(|(one, other)| Some(vec![*by_uniqueid.get(one)?, *by_uniqueid.get(other)?]));
    let talks = bridges.into_values().chain(partners).filter(|members| members.len() > 1);
    let mut conversations = Vec::new();
    for members in talks {
        conversations.extend(members.first());
        sets.join(members.into_iter());
    }
    for halves in pairs.into_values() {
        sets.join(halves.into_iter());
    }
    conversations
}

/// What the two halves of a Local channel have in common: the name up to `;1` or `;2`.
fn local_pair(channel: &str) -> Option<&str> {
    let pair = channel.strip_suffix(";1").or_else(|| channel.strip_suffix(";2"))?;
    pair.starts_with("Local/").then_some(pair)
}

/// Disjoint sets of the numbers from 0 (union-find with path halving); the root of a set is its
/// smallest number.
#[derive(Debug)]
struct Sets {
    parents: Vec<usize>,
}

impl Sets {
    fn new(count: usize) -> Self {
        Self { parents: (0..count).collect() }
    }

    fn parent(&self, of: usize) -> usize {
        self.parents.get(of).copied().unwrap_or(of)
    }

    fn root(&mut self, mut of: usize) -> usize {
        loop {
            let parent = self.parent(of);
            if parent == of {
                return of;
            }
            let grandparent = self.parent(parent);
            if let Some(slot) = self.parents.get_mut(of) {
                *slot = grandparent;
            }
            of = grandparent;
        }
    }

    /// Makes one set of all sets that these are in.
    fn join(&mut self, mut members: impl Iterator<Item = usize>) {
        let Some(first) = members.next() else { return };
        for member in members {
            let (one, other) = (self.root(first), self.root(member));
            if let Some(slot) = self.parents.get_mut(one.max(other)) {
                *slot = one.min(other);
            }
        }
    }
}
