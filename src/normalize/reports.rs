//! How reading each section went, from what came of its actions.

use std::{collections::BTreeSet, time::Duration};

use crate::{
    ami::{Action, ActionError, Answer, ReadAction},
    collect::{Answers, Family, Outcome, Role, sources},
    snapshot::{ActionOutcome, ActionReport, Section, SectionReport, SectionStatus},
};

/// Reports on a section. `has_data`: whether anything of it could be made.
pub(crate) fn report(
    section: Section,
    answers: &Answers,
    skip: &BTreeSet<Section>,
    has_data: bool,
) -> SectionReport {
    if skip.contains(&section) {
        let message = Some(match section {
            Section::Voicemail => "left out: it is costly for the PBX; see voicemail_counts",
            _ => "left out by the configuration",
        });
        return SectionReport {
            status: SectionStatus::Disabled,
            message: message.map(str::to_owned),
            actions: Vec::new(),
        };
    }
    let direct = sources(section);
    let mut actions: Vec<(Role, ActionReport)> =
        direct.iter().map(|(action, role)| (*role, one(action, answers))).collect();
    if section == Section::Extensions {
        let families = Family::WITHOUT_SYSTEM.into_iter().chain([Family::UserDevice]);
        let trees = families.map(Family::tree).filter(|tree| answers.outcome(tree).is_some());
        actions.extend(trees.map(|tree| (Role::Extra, one(&tree, answers))));
    }
    actions.extend(
        follow_ups(section).iter().filter_map(|kind| Some((Role::Extra, many(*kind, answers)?))),
    );
    let status = status(&actions, has_data);
    let actions: Vec<_> = actions.into_iter().map(|(_, report)| report).collect();
    SectionReport { status, message: message(status, &actions), actions }
}

/// The kinds of actions that a section may call for when the first answers are in.
fn follow_ups(section: Section) -> &'static [ReadAction] {
    match section {
        Section::Trunks => &[ReadAction::PjsipShowEndpoint],
        Section::Extensions => &[
            ReadAction::PjsipShowContacts,
            ReadAction::DeviceStateList,
            ReadAction::ExtensionStateList,
            ReadAction::DbGet,
        ],
        Section::Conferences => &[ReadAction::ConfbridgeList],
        _ => &[],
    }
}

/// The section's status from those of its actions.
///
/// An action that this server does not have is no loss while another gave the substance: a PBX
/// without chan_sip is whole.
fn status(actions: &[(Role, ActionReport)], has_data: bool) -> SectionStatus {
    use ActionOutcome as O;
    let any = |outcomes: &[ActionOutcome], core: bool| {
        actions.iter().any(|(role, report)| {
            (!core || *role == Role::Core) && outcomes.contains(&report.outcome)
        })
    };
    if has_data {
        let lossy = any(&[O::Partial, O::Denied, O::Timeout, O::Error], false);
        return if lossy { SectionStatus::Partial } else { SectionStatus::Ok };
    }
    if any(&[O::Timeout], true) {
        SectionStatus::Timeout
    } else if any(&[O::Error, O::Partial], true) {
        SectionStatus::Error
    } else if any(&[O::Denied], true) {
        SectionStatus::Denied
    } else if any(&[O::Ok, O::Skipped], true) {
        SectionStatus::Error
    } else {
        SectionStatus::Unsupported
    }
}

/// What went wrong, and what to do about it.
fn message(status: SectionStatus, actions: &[ActionReport]) -> Option<String> {
    if status == SectionStatus::Ok {
        return None;
    }
    let wanted = |report: &&ActionReport| match status {
        SectionStatus::Unsupported => true,
        _ => !matches!(report.outcome, ActionOutcome::Ok | ActionOutcome::Unsupported),
    };
    let mut messages: Vec<&str> =
        actions.iter().filter(wanted).filter_map(|report| report.message.as_deref()).collect();
    messages.dedup();
    if messages.is_empty() {
        return None;
    }
    let more = messages.len().saturating_sub(3);
    messages.truncate(3);
    let text = messages.join("; ");
    Some(if more > 0 { format!("{text}; and {more} more") } else { text })
}

/// Reports on one action.
fn one(action: &Action, answers: &Answers) -> ActionReport {
    let found = answers.of(action.kind()).find(|(of, _, _)| *of == action);
    let (outcome, items, message) = match found {
        Some((_, outcome, _)) => judge(outcome),
        None => (ActionOutcome::Skipped, None, None),
    };
    let duration_ms = found.and_then(|(_, _, elapsed)| elapsed).map(millis);
    ActionReport { name: action.to_string(), outcome, items, duration_ms, message }
}

/// Reports on an action that was asked several times with different arguments; `None` when it was
/// not asked at all.
fn many(kind: ReadAction, answers: &Answers) -> Option<ActionReport> {
    let judged: Vec<_> =
        answers.of(kind).map(|(_, outcome, elapsed)| (judge(outcome), elapsed)).collect();
    let ((outcome, _, message), _) =
        judged.iter().max_by_key(|((outcome, _, _), _)| severity(*outcome))?;
    let duration: Duration = judged.iter().filter_map(|(_, elapsed)| *elapsed).sum();
    Some(ActionReport {
        name: match judged.len() {
            1 => kind.to_string(),
            times => format!("{kind} ({times} times)"),
        },
        outcome: *outcome,
        items: judged.iter().filter_map(|((_, items, _), _)| *items).reduce(|a, b| a + b),
        duration_ms: Some(millis(duration)),
        message: message.clone(),
    })
}

fn severity(outcome: ActionOutcome) -> u8 {
    match outcome {
        ActionOutcome::Ok => 0,
        ActionOutcome::Skipped => 1,
        ActionOutcome::Unsupported => 2,
        ActionOutcome::Partial => 3,
        ActionOutcome::Denied => 4,
        ActionOutcome::Error => 5,
        ActionOutcome::Timeout => 6,
    }
}

/// What came of an action, in the snapshot's words.
pub(crate) fn judge(outcome: &Outcome) -> (ActionOutcome, Option<u64>, Option<String>) {
    match outcome {
        Outcome::Answered(answer) => {
            let items = answer.action().is_list().then(|| rows(answer));
            let loss = loss(answer);
            let outcome = if loss.is_some() { ActionOutcome::Partial } else { ActionOutcome::Ok };
            (outcome, items, loss)
        }
        Outcome::Failed(error) => {
            let outcome = match error {
                ActionError::Unsupported { .. } => ActionOutcome::Unsupported,
                ActionError::Denied { .. } => ActionOutcome::Denied,
                ActionError::Timeout { .. } => ActionOutcome::Timeout,
                _ => ActionOutcome::Error,
            };
            (outcome, None, Some(error.to_string()))
        }
        Outcome::Skipped(reason) => (ActionOutcome::Skipped, None, Some(reason.clone())),
    }
}

/// What an answer that came to its end has lost on the way.
fn loss(answer: &Answer) -> Option<String> {
    let (came, damaged) = (rows(answer), answer.damaged());
    let name = answer.action();
    if damaged > 0 {
        return Some(format!("{name}: {damaged} rows were damaged on the wire and left out"));
    }
    let announced = answer.announced().filter(|announced| *announced != came)?;
    Some(format!("{name}: the server announced {announced} rows and {came} came"))
}

fn rows(answer: &Answer) -> u64 {
    u64::try_from(answer.rows().len()).unwrap_or(u64::MAX)
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(answers: &mut Answers, kind: ReadAction, error: ActionError) {
        answers.insert(Action::new(kind), Outcome::Failed(error), None);
    }

    fn status_of(section: Section, answers: &Answers, has_data: bool) -> SectionStatus {
        report(section, answers, &BTreeSet::new(), has_data).status
    }

    #[test]
    fn a_server_without_chan_sip_is_whole() {
        let mut answers = crate::normalize::testing::recorded("22.10.1/busy");
        assert_eq!(status_of(Section::Extensions, &answers, true), SectionStatus::Ok);
        let action = ReadAction::PjsipShowEndpoints;
        failed(&mut answers, action, ActionError::Denied { action });
        let report = report(Section::Extensions, &answers, &BTreeSet::new(), true);
        assert_eq!(report.status, SectionStatus::Partial);
        assert!(report.message.unwrap().contains("write = system"));
    }

    #[test]
    fn what_only_extensions_call_for_stands_in_their_report_alone() {
        let mut answers = crate::normalize::testing::recorded("22.10.1/busy");
        let action = ReadAction::PjsipShowContacts;
        failed(&mut answers, action, ActionError::Denied { action });
        let extra = [action.to_string(), Family::Contact.tree().to_string()];
        for section in Section::ALL {
            let report = report(section, &answers, &BTreeSet::new(), true);
            let named = |name: &String| report.actions.iter().any(|it| it.name == *name);
            let own = section == Section::Extensions;
            assert_eq!(extra.each_ref().map(named), [own; 2], "{section:?}");
            assert_eq!(report.status == SectionStatus::Partial, own, "{section:?}");
        }
    }

    #[test]
    fn a_report_says_why_a_section_is_left_out_or_cannot_be() {
        let mut answers = crate::normalize::testing::recorded("22.10.1/busy");
        let said = |answers: &Answers, section, skip: &[Section]| {
            report(section, answers, &skip.iter().copied().collect(), false).message
        };
        let skip = [Section::Voicemail, Section::Queues];
        let voicemail = said(&answers, Section::Voicemail, &skip).unwrap();
        assert!(voicemail.contains("voicemail_counts"), "{voicemail}");
        let queues = said(&answers, Section::Queues, &skip).unwrap();
        assert_eq!(queues, "left out by the configuration");
        let action = ReadAction::ParkedCalls;
        failed(&mut answers, action, ActionError::Unsupported { action });
        let parking = said(&answers, Section::Parking, &[]).unwrap();
        assert!(parking.contains("ParkedCalls is unknown to this server"), "{parking}");
        let action = ReadAction::PjsipShowEndpoint;
        failed(&mut answers, action, ActionError::Denied { action });
        let report = report(Section::Trunks, &answers, &BTreeSet::new(), true);
        assert_eq!(report.status, SectionStatus::Partial, "a trunk's details are its own");
    }

    #[test]
    fn without_data_the_reason_is_told_apart() {
        let kind = ReadAction::ParkedCalls;
        for (error, expected) in [
            (ActionError::Denied { action: kind }, SectionStatus::Denied),
            (ActionError::Unsupported { action: kind }, SectionStatus::Unsupported),
            (ActionError::CutOff { action: kind, rows: 3 }, SectionStatus::Error),
            (
                ActionError::Timeout { action: kind, rows: 0, after: Duration::from_secs(1) },
                SectionStatus::Timeout,
            ),
        ] {
            let mut answers = Answers::default();
            failed(&mut answers, kind, error);
            assert_eq!(status_of(Section::Parking, &answers, false), expected);
        }
    }

    /// What came over the wire for ParkedCalls.
    fn parked(wire: &str) -> Answers {
        let action = Action::new(ReadAction::ParkedCalls);
        let limits = crate::ami::Limits::default();
        let answer =
            crate::ami::decode_recording(action.clone(), "t", wire.as_bytes(), limits).unwrap();
        let mut answers = Answers::default();
        answers.insert(action, Outcome::Answered(answer), None);
        answers
    }

    #[test]
    fn a_row_that_is_missing_makes_the_section_partial() {
        let wire = "Response: Success\nActionID: t\nEventList: start\n\n\
                    Event: ParkedCall\nActionID: t\nParkeeChannel: A\n\n\
                    Event: ParkedCallsComplete\nActionID: t\nEventList: Complete\nListItems: 2\n\n";
        let report = report(Section::Parking, &parked(wire), &BTreeSet::new(), true);
        assert_eq!(report.status, SectionStatus::Partial);
        assert_eq!(
            report.message.as_deref(),
            Some("ParkedCalls: the server announced 2 rows and 1 came")
        );
    }

    #[test]
    fn damaged_rows_are_counted_for_whoever_reads_the_report() {
        let wire = "Response: Success\nActionID: t\nEventList: start\n\n\
                    Event: ParkedCall\nActionID: t\nParkeeCha\n\n\
                    Event: ParkedCall\nActionID: t\nParkeeChannel: A\n\n\
                    Event: ParkedCallsComplete\nActionID: t\nEventList: Complete\nListItems: 2\n\n";
        assert_eq!(
            report(Section::Parking, &parked(wire), &BTreeSet::new(), true).message.as_deref(),
            Some("ParkedCalls: 1 rows were damaged on the wire and left out")
        );
    }

    #[test]
    fn of_many_messages_the_first_three_are_told_and_the_others_counted() {
        use ReadAction as R;
        let refused = [R::PjsipShowEndpoints, R::SipPeers, R::IaxPeerList, R::DeviceStateList];
        for count in 1..=refused.len() {
            let mut answers = Answers::default();
            for kind in refused.into_iter().take(count) {
                failed(
                    &mut answers,
                    kind,
                    ActionError::CutOff { action: kind, rows: count as u64 },
                );
            }
            let report = report(Section::Extensions, &answers, &BTreeSet::new(), false);
            let message = report.message.unwrap();
            assert_eq!(message.matches("; ").count(), count - 1, "{message}");
            assert_eq!(message.ends_with("; and 1 more"), count == 4, "{message}");
        }
    }

    #[test]
    fn an_action_that_was_asked_several_times_is_one_line_with_its_worst_outcome() {
        let kind = ReadAction::ConfbridgeList;
        let room = |name: &str| Action::new(kind).with("Conference", name).unwrap();
        let mut answers = Answers::default();
        failed(
            &mut answers,
            ReadAction::ConfbridgeListRooms,
            ActionError::CutOff { action: ReadAction::ConfbridgeListRooms, rows: 1 },
        );
        let refused = ActionError::Denied { action: kind };
        let elapsed = Some(Duration::from_millis(4));
        answers.insert(room("600"), Outcome::Failed(refused), elapsed);
        answers.insert(room("601"), Outcome::Skipped("no time".to_owned()), elapsed);
        let report = report(Section::Conferences, &answers, &BTreeSet::new(), true);
        let line = report.actions.iter().find(|it| it.name.starts_with("ConfbridgeList ")).unwrap();
        assert_eq!(line.name, "ConfbridgeList (2 times)");
        assert_eq!((line.outcome, line.duration_ms), (ActionOutcome::Denied, Some(8)));
    }
}
