//! Which section needs which actions, and what to ask when the first answers are in.

use std::collections::BTreeSet;

use super::{Answers, AstDb, Directory, Family, Outcome};
use crate::{
    ami::{Action, ActionError, Answer, ReadAction},
    config::KindRules,
    snapshot::{ActionOutcome, Baseline, Section},
};

/// How much a section depends on an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The section's substance: one of these must be answered for the section to exist.
    Core,
    /// Adds facts. Without it the section is partial, unless the server has no such action.
    Extra,
}

/// The actions that a section is read from.
#[must_use]
pub fn sources(section: Section) -> Vec<(Action, Role)> {
    use ReadAction as R;
    use Role::{Core, Extra};
    let plain = |list: &[(ReadAction, Role)]| {
        list.iter().map(|(kind, role)| (Action::new(*kind), *role)).collect::<Vec<_>>()
    };
    match section {
        Section::SystemInfo => {
            plain(&[(R::CoreSettings, Core), (R::CoreStatus, Core), (R::UtcOffset, Extra)])
        }
        Section::Trunks => {
            let mut actions = plain(&[
                (R::PjsipShowEndpoints, Core),
                (R::SipPeers, Core),
                (R::IaxPeerList, Core),
                (R::PjsipShowRegistrationsOutbound, Core),
                (R::SipShowRegistry, Core),
                (R::IaxRegistry, Core),
            ]);
            actions.push((Family::DeviceUser.tree(), Extra));
            actions
        }
        Section::Queues => plain(&[(R::QueueStatus, Core), (R::QueueSummary, Core)]),
        Section::ActiveCalls => plain(&[(R::CoreShowChannels, Core), (R::BridgeList, Extra)]),
        Section::Channels => plain(&[(R::CoreShowChannels, Core)]),
        Section::Extensions => {
            let mut actions = plain(&[
                (R::PjsipShowEndpoints, Core),
                (R::SipPeers, Core),
                (R::IaxPeerList, Core),
                (R::PjsipShowRegistrationInboundContactStatuses, Extra),
            ]);
            actions.extend(Family::ALWAYS.map(|family| (family.tree(), Extra)));
            actions
        }
        Section::Parking => plain(&[(R::ParkedCalls, Core)]),
        Section::Conferences => plain(&[(R::ConfbridgeListRooms, Core)]),
        Section::Voicemail => plain(&[(R::VoicemailUsersList, Core)]),
    }
}

/// What a run asks for.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Sections that the configuration leaves out.
    pub skip: BTreeSet<Section>,
    /// The administrator's word on trunks and extensions.
    pub kinds: KindRules,
}

impl Default for Plan {
    /// Everything but voicemail, which makes the server count files.
    fn default() -> Self {
        Self { skip: [Section::Voicemail].into(), kinds: KindRules::default() }
    }
}

impl Plan {
    /// What to ask at once, each action once, cheap ones first: when a slow one runs out of time,
    /// the others have been answered.
    #[must_use]
    pub fn first(&self) -> Vec<Action> {
        let mut actions = vec![Action::new(ReadAction::ListCommands)];
        for section in Section::ALL.into_iter().filter(|section| !self.skip.contains(section)) {
            for (action, _) in sources(section) {
                if !actions.contains(&action) {
                    actions.push(action);
                }
            }
        }
        actions.sort_by_key(|action| cost(action.kind()));
        actions
    }

    /// What the answers will probably make it worth to ask, judged by the snapshot before: asked at
    /// once, it saves a round trip. Where it turns out not to be worth it, the answer is dropped.
    #[must_use]
    pub fn foreseen(&self, previous: &Baseline) -> Vec<Action> {
        let mut actions = Vec::new();
        if self.wants(Section::Extensions) {
            let lists: [Action; 3] = [
                ReadAction::DeviceStateList.into(),
                ReadAction::ExtensionStateList.into(),
                Family::UserDevice.tree(),
            ];
            let asked = &previous.sections.extensions.actions;
            let was_answered = |action: &Action| {
                let name = action.to_string();
                asked.iter().any(|it| it.name == name && it.outcome == ActionOutcome::Ok)
            };
            actions.extend(lists.into_iter().filter(was_answered));
        }
        if self.wants(Section::Trunks) {
            let trunks = previous.trunks.iter().flatten().filter(|trunk| trunk.tech == "PJSIP");
            actions.extend(trunk_details(trunks.map(|trunk| trunk.name.as_str())));
        }
        if self.wants(Section::Conferences) {
            let rooms = previous.conferences.iter().flatten();
            actions.extend(conferences(rooms.map(|room| room.name.as_str())));
        }
        actions
    }

    /// What the answers so far make it worth to ask, and was not asked yet.
    #[must_use]
    pub fn then(&self, answers: &Answers) -> Vec<Action> {
        let mut actions = Vec::new();
        if answers.is_unsupported(ReadAction::PjsipShowRegistrationInboundContactStatuses) {
            actions.push(Action::new(ReadAction::PjsipShowContacts));
        }
        if self.wants(Section::Conferences) {
            let listed = answers.answer(ReadAction::ConfbridgeListRooms).into_iter();
            let rooms = listed.flat_map(Answer::rows).filter_map(|row| row.get("Conference"));
            actions.extend(conferences(rooms));
        }
        if self.wants(Section::Extensions) || self.wants(Section::Trunks) {
            actions.extend(self.about_devices(answers));
        }
        actions.retain(|action| answers.outcome(action).is_none());
        actions
    }

    /// Whether nothing more can be worth asking once what [`Plan::then`] gives is answered.
    ///
    /// Without `DBGetTree` one more round is needed: devices are asked about one by one, and hints
    /// name some of them.
    #[must_use]
    pub fn is_last(&self, answers: &Answers) -> bool {
        let hints = Action::new(ReadAction::ExtensionStateList);
        !self.wants(Section::Extensions)
            || !lacks_trees(answers)
            || answers.outcome(&hints).is_some()
    }

    /// What lists leave open about devices.
    fn about_devices(&self, answers: &Answers) -> Vec<Action> {
        let mut actions = Vec::new();
        if is_denied(answers, ReadAction::PjsipShowEndpoints) {
            actions.extend(Family::WITHOUT_SYSTEM.map(Family::tree));
        }
        let astdb = AstDb::read(answers);
        let open = Directory::open(answers, &astdb, &self.kinds);
        if self.wants(Section::Extensions) {
            actions.extend(open.states.then_some(ReadAction::DeviceStateList.into()));
            actions.extend(open.hints.then_some(ReadAction::ExtensionStateList.into()));
            actions.extend(open.users.then(|| Family::UserDevice.tree()));
        }
        if lacks_trees(answers) && self.is_last(answers) {
            actions.extend(self.astdb_entries(answers));
        }
        if self.wants(Section::Trunks) {
            actions.extend(trunk_details(open.pjsip_trunks.iter().copied()));
        }
        actions
    }

    fn wants(&self, section: Section) -> bool {
        !self.skip.contains(&section)
    }

    /// AstDB entry by entry, on servers that cannot list a family.
    fn astdb_entries(&self, answers: &Answers) -> Vec<Action> {
        /// Objects asked about; eight small answers each.
        const MOST: usize = 1_000;
        let directory = Directory::read(answers, &AstDb::default(), &self.kinds);
        let devices: BTreeSet<&str> =
            directory.devices().map(|device| device.name).take(MOST).collect();
        let families = || Family::ALWAYS.into_iter().chain([Family::UserDevice]);
        let entries =
            devices.iter().flat_map(|name| families().filter_map(move |family| family.entry(name)));
        entries.collect()
    }
}

/// Details of the PJSIP trunks: no list shows whether their permanent contacts answer.
fn trunk_details<'a>(names: impl Iterator<Item = &'a str>) -> impl Iterator<Item = Action> {
    /// Trunks asked about; one has about 150 headers.
    const MOST: usize = 200;
    names
        .take(MOST)
        .filter_map(|name| Action::new(ReadAction::PjsipShowEndpoint).with("Endpoint", name).ok())
}

/// Participants of conferences.
fn conferences<'a>(rooms: impl Iterator<Item = &'a str>) -> impl Iterator<Item = Action> {
    /// Conferences asked about.
    const MOST: usize = 200;
    rooms
        .take(MOST)
        .filter_map(|room| Action::new(ReadAction::ConfbridgeList).with("Conference", room).ok())
}

/// Whether the server is one without `DBGetTree`.
fn lacks_trees(answers: &Answers) -> bool {
    let unsupported = |family: Family| {
        let outcome = answers.outcome(&family.tree());
        matches!(outcome, Some(Outcome::Failed(ActionError::Unsupported { .. })))
    };
    Family::ALWAYS.into_iter().any(unsupported)
}

fn is_denied(answers: &Answers, kind: ReadAction) -> bool {
    let outcome = answers.outcome(&Action::new(kind));
    matches!(outcome, Some(Outcome::Failed(ActionError::Denied { .. })))
}

/// Rank by what an action costs the server, cheapest first.
fn cost(kind: ReadAction) -> u8 {
    use ReadAction as R;
    match kind {
        R::CoreSettings | R::CoreStatus | R::UtcOffset | R::ListCommands => 0,
        R::CoreShowChannels | R::BridgeList | R::QueueStatus | R::QueueSummary => 1,
        R::ParkedCalls | R::ConfbridgeListRooms => 2,
        R::SipPeers | R::SipShowRegistry | R::IaxPeerList | R::IaxRegistry => 3,
        R::ExtensionStateList | R::DeviceStateList | R::DbGetTree => 4,
        R::PjsipShowEndpoints | R::PjsipShowRegistrationInboundContactStatuses => 5,
        // Waits for the PJSIP task pool, registration by registration.
        R::PjsipShowRegistrationsOutbound => 6,
        // Reads every box from disk.
        R::VoicemailUsersList => 7,
        _ => 5,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::normalize::testing;

    #[test]
    fn every_action_is_asked_once() {
        let actions = Plan::default().first();
        let distinct: BTreeSet<_> = actions.iter().collect();
        assert_eq!(distinct.len(), actions.len());
    }

    #[test]
    fn a_skipped_section_is_not_asked_for() {
        let plan = Plan { skip: [Section::Queues, Section::Voicemail].into(), ..Plan::default() };
        let kinds: Vec<_> = plan.first().iter().map(Action::kind).collect();
        assert!(!kinds.contains(&ReadAction::QueueStatus));
        assert!(!kinds.contains(&ReadAction::VoicemailUsersList));
        assert!(kinds.contains(&ReadAction::SipPeers));
    }

    fn fail(answers: &mut Answers, action: Action, unsupported: bool) {
        let kind = action.kind();
        let error = match unsupported {
            true => ActionError::Unsupported { action: kind },
            false => ActionError::Denied { action: kind },
        };
        answers.insert(action, Outcome::Failed(error), None);
    }

    fn said(actions: &[Action]) -> Vec<String> {
        actions.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn every_section_is_read_from_something_of_substance() {
        for section in Section::ALL {
            let sources = sources(section);
            assert!(sources.iter().any(|(_, role)| *role == Role::Core), "{section:?}");
        }
    }

    #[test]
    fn what_is_cheap_comes_first_and_what_may_hang_comes_last() {
        let plan = Plan { skip: BTreeSet::new(), ..Plan::default() };
        let kinds: Vec<_> = plan.first().iter().map(Action::kind).collect();
        let at = |kind| kinds.iter().position(|k| *k == kind).unwrap();
        assert!(at(ReadAction::CoreStatus) < at(ReadAction::QueueStatus));
        assert!(at(ReadAction::QueueStatus) < at(ReadAction::PjsipShowEndpoints));
        assert!(
            at(ReadAction::PjsipShowEndpoints) < at(ReadAction::PjsipShowRegistrationsOutbound)
        );
        assert_eq!(kinds.last(), Some(&ReadAction::VoicemailUsersList));
    }

    /// What a server without FreePBX is asked, whatever else it is.
    const WITHOUT_TABLE: [&str; 2] = ["DeviceStateList", "ExtensionStateList"];

    #[test]
    fn an_empty_pbx_calls_for_nothing_but_what_may_show_devices() {
        let mut answers = testing::nothing();
        assert_eq!(said(&Plan::default().then(&answers)), WITHOUT_TABLE);
        assert!(Plan::default().is_last(&answers));
        for kind in [ReadAction::DeviceStateList, ReadAction::ExtensionStateList] {
            fail(&mut answers, kind.into(), false);
        }
        assert_eq!(said(&Plan::default().then(&answers)), [""; 0], "what was asked is asked once");
    }

    #[test]
    fn asterisk_13_is_asked_for_contacts_in_its_own_way() {
        let mut answers = testing::nothing();
        let kind = ReadAction::PjsipShowRegistrationInboundContactStatuses;
        fail(&mut answers, kind.into(), true);
        assert_eq!(said(&Plan::default().then(&answers))[0], "PJSIPShowContacts");
        fail(&mut answers, kind.into(), false);
        let asked = said(&Plan::default().then(&answers));
        assert_eq!(asked, WITHOUT_TABLE, "denied here is denied there");
    }

    #[test]
    fn without_class_system_astdb_stands_in_for_the_pjsip_lists() {
        let mut answers = testing::nothing();
        fail(&mut answers, ReadAction::PjsipShowEndpoints.into(), false);
        let expected = ["DBGetTree(DEVICE/%/dial)", "DBGetTree(registrar/contact)"];
        assert_eq!(said(&Plan::default().then(&answers))[..2], expected);
        let skip = [Section::Extensions, Section::Trunks].into();
        let plan = Plan { skip, ..Plan::default() };
        assert_eq!(said(&plan.then(&answers)), [""; 0], "nobody wants to know");
        fail(&mut answers, ReadAction::PjsipShowEndpoints.into(), true);
        let asked = said(&Plan::default().then(&answers));
        assert_eq!(asked, WITHOUT_TABLE, "there is no PJSIP at all");
    }

    #[test]
    fn every_conference_is_asked_for_its_participants() {
        let rooms = "Event: ConfbridgeListRooms\nConference: 600\n\n\
                     Event: ConfbridgeListRooms\nConference: 601";
        let answers = testing::answers(&[(ReadAction::ConfbridgeListRooms.into(), rooms)]);
        let expected = ["ConfbridgeList(600)", "ConfbridgeList(601)"];
        assert_eq!(said(&Plan::default().then(&answers))[..2], expected);
        let plan = Plan { skip: [Section::Conferences].into(), ..Plan::default() };
        assert_eq!(said(&plan.then(&answers)), WITHOUT_TABLE);
    }

    #[test]
    fn pjsip_trunks_are_asked_for_details_and_extensions_are_not() {
        let answers = testing::recorded("22.10.1/busy");
        let asked = said(&Plan::default().then(&answers));
        for trunk in ["SIP_Trunk_IP", "in16", "trunk-main", "trunk-badpw", "trunk-to-16"] {
            assert!(asked.contains(&format!("PJSIPShowEndpoint({trunk})")), "{trunk}: {asked:?}");
        }
        assert!(!asked.contains(&"PJSIPShowEndpoint(100)".to_owned()), "{asked:?}");
        assert!(!asked.iter().any(|action| action.contains("iax")), "no PJSIP: {asked:?}");
        let plan = Plan { skip: [Section::Trunks].into(), ..Plan::default() };
        assert!(!said(&plan.then(&answers)).iter().any(|a| a.starts_with("PJSIPShowEndpoint(")));
    }

    #[test]
    fn what_the_snapshot_before_took_is_foreseen() {
        let answers = testing::recorded("22.10.1/busy");
        let before = testing::snapshot(&answers, &Plan::default());
        let foreseen = Plan::default().foreseen(&Baseline::from(&before));
        let lists = ["DeviceStateList", "ExtensionStateList", "DBGetTree(AMPUSER/%/device)"];
        assert_eq!(said(&foreseen[..3]), lists);
        // The recordings have no details, so that all of them are still to be asked for.
        let mut details = Plan::default().then(&answers);
        details.retain(|action| action.kind() == ReadAction::PjsipShowEndpoint);
        assert!(!details.is_empty());
        assert!(details.iter().all(|action| foreseen.contains(action)), "{:?}", said(&foreseen));
        assert!(said(&foreseen).contains(&"ConfbridgeList(600)".to_owned()));
        let skip = [Section::Extensions, Section::Trunks, Section::Conferences].into();
        let plan = Plan { skip, ..Plan::default() };
        assert_eq!(plan.foreseen(&Baseline::from(&before)), []);
    }

    #[test]
    fn before_dbgettree_every_device_is_asked_about_entry_by_entry() {
        let peers = "Event: PeerEntry\nObjectName: 200\n\nEvent: PeerEntry\nObjectName: out";
        let mut answers = testing::nothing();
        for (action, outcome, _) in testing::answers(&[(ReadAction::SipPeers.into(), peers)]).iter()
        {
            answers.insert(action.clone(), outcome.clone(), None);
        }
        for family in Family::ALWAYS {
            fail(&mut answers, family.tree(), true);
        }
        let plan = Plan::default();
        assert_eq!(said(&plan.then(&answers)), WITHOUT_TABLE, "hints may name more devices");
        assert!(!plan.is_last(&answers));
        let hint = "Event: ExtensionStatus\nExten: 7\nContext: ext-local\nHint: DAHDI/7";
        let hints = Action::new(ReadAction::ExtensionStateList);
        for (action, outcome, _) in testing::answers(&[(hints, hint)]).iter() {
            answers.insert(action.clone(), outcome.clone(), None);
        }
        fail(&mut answers, ReadAction::DeviceStateList.into(), false);
        let asked = said(&plan.then(&answers));
        assert!(plan.is_last(&answers));
        assert_eq!(asked.len(), 3 * (Family::ALWAYS.len() + 1));
        assert_eq!(asked[0], "DBGet(AMPUSER/200/cidname)");
        for expected in ["DBGet(DEVICE/200/user)", "DBGet(DND/7)", "DBGet(AMPUSER/out/device)"] {
            assert!(asked.contains(&expected.to_owned()), "{expected}: {asked:?}");
        }
        // Refused is refused: no single entry would be given either.
        for family in Family::ALWAYS {
            fail(&mut answers, family.tree(), false);
        }
        assert_eq!(said(&Plan::default().then(&answers)), [""; 0]);
    }
}
