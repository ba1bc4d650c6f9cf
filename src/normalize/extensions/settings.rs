//! What FreePBX and the queues keep about a user.

use hashbrown::HashMap;

use super::Sources;
use crate::{
    collect::{AstDb, Family},
    normalize::fields::bounded,
    snapshot::{ExtensionVoicemail, Forwards, Mailbox, Queue, natural},
};

/// Switches, boxes and memberships by extension, ready to be looked up.
pub(super) struct Settings<'a> {
    astdb: &'a AstDb<'a>,
    queues: Option<HashMap<&'a str, Vec<&'a str>>>,
    mailboxes: Option<HashMap<&'a str, Vec<&'a Mailbox>>>,
}

impl<'a> Settings<'a> {
    pub(super) fn read(from: &Sources<'a>) -> Self {
        Self {
            astdb: from.astdb,
            queues: from.queues.map(memberships),
            mailboxes: from.mailboxes.map(boxes),
        }
    }

    /// Names of the queues that the extension is a member of.
    pub(super) fn queues(&self, number: &str) -> Option<Vec<String>> {
        let queues = self.queues.as_ref()?.get(number).map(Vec::as_slice).unwrap_or_default();
        let mut queues: Vec<_> = queues.iter().map(|queue| (*queue).to_owned()).collect();
        queues.sort_by(|a, b| natural(a, b));
        queues.dedup();
        Some(queues)
    }

    /// The box that FreePBX gives the user; where its table was not read, a box of that number.
    pub(super) fn voicemail(&self, number: &str) -> Option<ExtensionVoicemail> {
        let boxes = self.mailboxes.as_ref().and_then(|boxes| boxes.get(number));
        let boxes = boxes.map(Vec::as_slice).unwrap_or_default();
        let (context, found) = if self.astdb.knows(Family::UserVoicemail) {
            let context = self.astdb.get(Family::UserVoicemail, number)?;
            if context == "novm" {
                return None;
            }
            let same = |found: &&&Mailbox| found.context.as_deref() == Some(context);
            (Some(context), boxes.iter().find(same))
        } else {
            let found = boxes.first()?;
            (found.context.as_deref(), Some(found))
        };
        Some(ExtensionVoicemail {
            context: context.map(bounded),
            new_messages: found.and_then(|found| found.new_messages),
            old_messages: found.and_then(|found| found.old_messages),
        })
    }

    /// Do not disturb.
    pub(super) fn dnd(&self, number: &str) -> Option<bool> {
        let astdb = self.astdb;
        let set = || {
            let value = astdb.get(Family::DoNotDisturb, number);
            value.is_some_and(|value| value.eq_ignore_ascii_case("YES"))
        };
        astdb.knows(Family::DoNotDisturb).then(set)
    }

    /// Call forwarding. `None` unless all three families were read: inside, `null` means "not set".
    pub(super) fn forwards(&self, number: &str) -> Option<Forwards> {
        let astdb = self.astdb;
        let families = [Family::Forward, Family::ForwardBusy, Family::ForwardUnavailable];
        if !families.into_iter().all(|family| astdb.knows(family)) {
            return None;
        }
        let [all, busy, unavailable] =
            families.map(|family| astdb.get(family, number).map(bounded));
        Some(Forwards { all, busy, unavailable })
    }
}

/// Names of queues by the extension of their members.
fn memberships(queues: &[Queue]) -> HashMap<&str, Vec<&str>> {
    let mut of: HashMap<_, Vec<_>> = HashMap::new();
    for queue in queues {
        for agent in queue.agents.iter().flatten() {
            if let Some(extension) = agent.extension.as_deref() {
                of.entry(extension).or_default().push(queue.name.as_str());
            }
        }
    }
    of
}

/// Voicemail boxes by number; the same number can exist in several contexts.
fn boxes(mailboxes: &[Mailbox]) -> HashMap<&str, Vec<&Mailbox>> {
    let mut by_number: HashMap<_, Vec<_>> = HashMap::new();
    for mailbox in mailboxes {
        by_number.entry(mailbox.mailbox.as_str()).or_default().push(mailbox);
    }
    by_number
}
