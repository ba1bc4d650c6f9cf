//! Parked calls, conferences and voicemail boxes.

use hashbrown::HashMap;

use crate::{
    ami::{Answer, ReadAction, Row},
    collect::{Answers, Directory, Owner},
    normalize::{
        channels::{CallIds, device, escaped_text},
        fields::{count, flag, text},
    },
    snapshot::{Conference, ConferenceMember, Mailbox, ParkedCall, natural},
};

/// The parked calls by lot and space; `None` where ParkedCalls was not answered.
#[must_use]
pub(crate) fn parking(answers: &Answers, calls: &CallIds<'_>) -> Option<Vec<ParkedCall>> {
    let rows = answers.answer(ReadAction::ParkedCalls)?.rows();
    let mut parked: Vec<ParkedCall> = rows.map(|row| parked_call(row, calls)).collect();
    let key = |call: &ParkedCall| {
        let part = |text: &Option<String>| text.clone().unwrap_or_default();
        [part(&call.lot), part(&call.space), part(&call.channel)]
    };
    parked.sort_by(|a, b| {
        let pairs = key(a).into_iter().zip(key(b));
        pairs.fold(std::cmp::Ordering::Equal, |so_far, (a, b)| so_far.then(natural(&a, &b)))
    });
    Some(parked)
}

/// One row; the second name of each header is that of Asterisk 11 and earlier.
fn parked_call(row: Row<'_>, calls: &CallIds<'_>) -> ParkedCall {
    let either = |key: &str, old: &str| text(row, key).or_else(|| text(row, old));
    let name = || text(row, "CallerIDName");
    ParkedCall {
        lot: text(row, "Parkinglot"),
        space: either("ParkingSpace", "Exten"),
        number: either("ParkeeCallerIDNum", "CallerIDNum"),
        name: escaped_text(row, "ParkeeCallerIDName").or_else(name),
        parked_by: either("ParkerDialString", "From"),
        parked_seconds: count(row, "ParkingDuration").or_else(|| count(row, "Duration")),
        timeout_seconds: remaining(row, "ParkingTimeout").or_else(|| remaining(row, "Timeout")),
        channel: either("ParkeeChannel", "Channel"),
        call_id: calls
            .find(row, "ParkeeUniqueid", "ParkeeChannel")
            .or_else(|| calls.find(row, "Uniqueid", "Channel")),
    }
}

/// Seconds left. Asterisk prints the difference of two times as an unsigned number, so that an
/// overdue call has some 1.8e19 seconds left; older releases print a negative one.
fn remaining(row: Row<'_>, key: &str) -> Option<u64> {
    let seconds = row.get(key)?.parse::<i128>().ok()?;
    let overdue = seconds < 0 || seconds > i128::from(i64::MAX);
    if overdue { Some(0) } else { seconds.try_into().ok() }
}

/// The conferences with somebody in them, in the natural order of their names; `None` where
/// ConfbridgeListRooms was not answered. A conference's members are `None` where its own
/// ConfbridgeList was not.
#[must_use]
pub(crate) fn conferences(
    answers: &Answers,
    directory: &Directory<'_>,
    calls: &CallIds<'_>,
) -> Option<Vec<Conference>> {
    let rooms = answers.answer(ReadAction::ConfbridgeListRooms)?;
    let lists: HashMap<&str, &Answer> = answers
        .answers_of(ReadAction::ConfbridgeList)
        .filter_map(|(action, answer)| Some((action.argument("Conference")?, answer)))
        .collect();
    let mut conferences: Vec<Conference> = rooms
        .rows()
        .filter_map(|row| {
            let list = lists.get(row.get("Conference")?);
            Some(Conference {
                name: text(row, "Conference")?,
                participants: count(row, "Parties"),
                marked: count(row, "Marked"),
                locked: flag(row, "Locked"),
                muted: flag(row, "Muted"),
                members: list.map(|list| members(list, directory, calls)),
            })
        })
        .collect();
    conferences.sort_by(|a, b| natural(&a.name, &b.name));
    Some(conferences)
}

/// The participants in the natural order of their channels.
fn members(list: &Answer, directory: &Directory<'_>, calls: &CallIds<'_>) -> Vec<ConferenceMember> {
    let read = list.rows().filter_map(|row| {
        let channel = text(row, "Channel")?;
        Some(ConferenceMember {
            number: text(row, "CallerIDNum"),
            name: escaped_text(row, "CallerIDName"),
            extension: extension(&channel, directory),
            admin: flag(row, "Admin"),
            marked: flag(row, "MarkedUser"),
            muted: flag(row, "Muted"),
            waiting: flag(row, "Waiting"),
            talking: flag(row, "Talking"),
            answered_seconds: count(row, "AnsweredTime"),
            call_id: calls.find(row, "Uniqueid", "Channel"),
            channel,
        })
    });
    let mut members: Vec<ConferenceMember> = read.collect();
    members.sort_by(|a, b| natural(&a.channel, &b.channel));
    members
}

/// The extension whose device the channel is.
fn extension(channel: &str, directory: &Directory<'_>) -> Option<String> {
    match directory.device(device(channel))?.owner {
        Owner::Extension(extension) => Some(extension.to_owned()),
        Owner::Trunk(_) | Owner::Special => None,
    }
}

/// The voicemail boxes by context and number; `None` where VoicemailUsersList was not answered.
#[must_use]
pub(crate) fn mailboxes(answers: &Answers) -> Option<Vec<Mailbox>> {
    let rows = answers.answer(ReadAction::VoicemailUsersList)?.rows();
    let mut boxes: Vec<Mailbox> = rows
        .filter_map(|row| {
            Some(Mailbox {
                mailbox: text(row, "VoiceMailbox")?,
                context: text(row, "VMContext"),
                name: text(row, "Fullname"),
                new_messages: count(row, "NewMessageCount"),
                old_messages: count(row, "OldMessageCount"),
            })
        })
        .collect();
    boxes.sort_by(|a, b| {
        let context = |mailbox: &Mailbox| mailbox.context.clone().unwrap_or_default();
        natural(&context(a), &context(b)).then_with(|| natural(&a.mailbox, &b.mailbox))
    });
    Some(boxes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        ami::Action,
        normalize::testing::{answers, recorded},
    };

    fn parked(rows: &str) -> Vec<ParkedCall> {
        let answers = answers(&[(Action::new(ReadAction::ParkedCalls), rows)]);
        parking(&answers, &CallIds::default()).unwrap()
    }

    #[test]
    fn unanswered_differs_from_none() {
        let (nothing, calls) = (Answers::default(), CallIds::default());
        assert_eq!(parking(&nothing, &calls), None);
        assert_eq!(conferences(&nothing, &Directory::default(), &calls), None);
        assert_eq!(mailboxes(&nothing), None);
        let idle = recorded("22.10.1/idle");
        assert_eq!(parking(&idle, &calls), Some(Vec::new()));
        assert_eq!(conferences(&idle, &Directory::default(), &calls), Some(Vec::new()));
        // Debian's 16.28 has no app_voicemail.
        assert_eq!(mailboxes(&recorded("16.28.0/busy")), None);
    }

    #[test]
    fn a_recorded_parked_call_is_read_whole_and_tied_to_its_call() {
        let answers = recorded("22.10.1/busy");
        let mut channels = crate::normalize::channels::channels(&answers).unwrap();
        for channel in &mut channels {
            channel.call_id = Some(format!("call of {}", channel.channel));
        }
        let parked = parking(&answers, &CallIds::of(&channels)).unwrap();
        let expected = ParkedCall {
            lot: Some("default".to_owned()),
            space: Some("71".to_owned()),
            number: Some("107".to_owned()),
            name: Some("Doe, Jane".to_owned()),
            parked_by: Some("PJSIP/107".to_owned()),
            parked_seconds: Some(74),
            timeout_seconds: Some(35_926),
            channel: Some("PJSIP/107-00000008".to_owned()),
            call_id: Some("call of PJSIP/107-00000008".to_owned()),
        };
        assert_eq!(parked, [expected]);
    }

    #[test]
    fn an_overdue_call_has_no_time_left_and_names_lose_their_escapes() {
        let rows = "Event: ParkedCall\nParkeeChannel: PJSIP/1-1\nParkeeCallerIDName: O\\'Brien\n\
                    ParkeeLinkedid: 1.1\nParkingTimeout: 18446744073709551590\nParkingSpace: 100\n\
                    \nEvent: ParkedCall\nChannel: SIP/2-2\nExten: 72\nFrom: SIP/3\nTimeout: -5\n\
                    CallerIDName: Old\\'s\nDuration: 7\n";
        let parked = parked(rows);
        let (old, new) = (&parked[0], &parked[1]);
        assert_eq!((old.space.as_deref(), new.space.as_deref()), (Some("72"), Some("100")));
        assert_eq!((old.timeout_seconds, new.timeout_seconds), (Some(0), Some(0)));
        assert_eq!((old.parked_seconds, old.parked_by.as_deref()), (Some(7), Some("SIP/3")));
        assert_eq!(old.name.as_deref(), Some("Old\\'s"));
        assert_eq!(new.name.as_deref(), Some("O'Brien"));
    }

    #[test]
    fn recorded_conferences_have_the_members_that_were_read() {
        let directory = Directory::of(&[("PJSIP", "108", Owner::Extension("108"))], &[]);
        for folder in ["16.28.0/busy", "22.10.1/busy"] {
            let answers = recorded(folder);
            let rooms = conferences(&answers, &directory, &CallIds::default()).unwrap();
            let [first, second] = rooms.as_slice() else { panic!("{rooms:?}") };
            assert_eq!((first.name.as_str(), first.participants), ("600", Some(3)));
            assert_eq!((first.locked, first.marked), (Some(false), Some(0)));
            assert_eq!((second.name.as_str(), second.marked), ("601", Some(1)));
            // Only the list of 600 was asked for.
            assert_eq!(second.members, None);
            let members = first.members.as_ref().unwrap();
            let channels: Vec<_> = members.iter().map(|m| m.channel.as_str()).collect();
            assert_eq!(
                channels,
                ["Local/600@lab-00000007;2", "PJSIP/108-00000009", "PJSIP/118-0000000a"]
            );
            assert_eq!(members[1].extension.as_deref(), Some("108"));
            assert_eq!(members[1].name.as_deref(), Some("Semi; Colon"));
            assert_eq!((members[1].admin, members[1].talking), (Some(false), Some(false)));
            assert_eq!((&members[0].extension, &members[2].extension), (&None, &None));
            assert!(members.iter().all(|m| m.answered_seconds >= Some(67)));
        }
    }

    #[test]
    fn recorded_mailboxes_are_counted_and_carry_no_address() {
        let boxes = mailboxes(&recorded("22.10.1/busy")).unwrap();
        assert_eq!(boxes.len(), 20);
        let first = &boxes[0];
        assert_eq!((first.mailbox.as_str(), first.context.as_deref()), ("100", Some("default")));
        assert_eq!((first.new_messages, first.old_messages), (Some(2), Some(1)));
        assert_eq!(boxes[9].name, None);
        assert!(!serde_json::to_string(&boxes).unwrap().contains("@example.com"));
    }
}
