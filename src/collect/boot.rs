//! Whether Asterisk is still starting, and when it started.
//!
//! While Asterisk starts, it accepts logins before its modules have registered their actions:
//! what is unknown now will be known a moment later. With events off nothing announces the end of
//! that, so that it is judged by the start time and by what is missing.

use chrono::{DateTime, FixedOffset, Local, NaiveDateTime, Offset as _, TimeZone as _, Utc};

use super::Answers;
use crate::ami::{ReadAction, Row};

/// Younger than this, a server may still be loading modules.
const YOUNG: i64 = 60;

/// Whether the server started so recently, and lacks so much, that its modules are still loading.
///
/// Every FreePBX has a SIP channel driver and queues; their absence alone proves nothing, and
/// neither does a recent start.
pub(crate) fn is_booting(answers: &Answers) -> bool {
    let lacks = |kind| answers.is_unsupported(kind);
    let incomplete = lacks(ReadAction::QueueStatus)
        || lacks(ReadAction::ConfbridgeListRooms)
        || (lacks(ReadAction::PjsipShowEndpoints) && lacks(ReadAction::SipPeers));
    incomplete && uptime(answers).is_none_or(|seconds| seconds < YOUNG) && started(answers)
}

/// Whether the server tells a start time at all; without one nothing can be judged.
fn started(answers: &Answers) -> bool {
    answers.answer(ReadAction::CoreStatus).is_some()
}

/// Seconds since the start, by the server's own clock.
fn uptime(answers: &Answers) -> Option<i64> {
    let status = answers.answer(ReadAction::CoreStatus)?.response();
    let local = local_time(status, "CoreStartupDate", "CoreStartupTime")?;
    let now = server_time(answers)?;
    let start = utc_offset(answers)?.from_local_datetime(&local).earliest()?;
    Some((now - start.with_timezone(&Utc)).num_seconds())
}

/// The server's clock when it answered Ping.
pub(crate) fn server_time(answers: &Answers) -> Option<DateTime<Utc>> {
    let pong = answers.answer(ReadAction::Ping)?.response();
    let (seconds, fraction) = pong.get("Timestamp")?.split_once('.')?;
    let micros: u32 = fraction.get(..6)?.parse().ok()?;
    DateTime::from_timestamp(seconds.parse().ok()?, micros.checked_mul(1_000)?)
}

/// The server's present offset from UTC, as it told it.
pub(crate) fn utc_offset(answers: &Answers) -> Option<FixedOffset> {
    let text = answers.answer(ReadAction::UtcOffset)?.response().get("Value")?;
    let (sign, digits) = match text.split_at_checked(1)? {
        ("+", digits) => (1, digits),
        ("-", digits) => (-1, digits),
        _ => return None,
    };
    let hours: i32 = digits.get(..2)?.parse().ok()?;
    let minutes: i32 = digits.get(2..4)?.parse().ok()?;
    FixedOffset::east_opt(sign * (hours * 3_600 + minutes * 60))
}

/// The collector's own offset from UTC.
pub(crate) fn own_offset(now: DateTime<Utc>) -> FixedOffset {
    now.with_timezone(&Local).offset().fix()
}

/// A date and a time header as the server's local time.
pub(crate) fn local_time(row: Row<'_>, date: &str, time: &str) -> Option<NaiveDateTime> {
    let text = format!("{} {}", row.get(date)?, row.get(time)?);
    NaiveDateTime::parse_from_str(&text, "%Y-%m-%d %H:%M:%S").ok()
}

/// A server's local time in UTC.
///
/// The server tells its present offset only. Where the collector's own zone has that offset now,
/// it is the same machine or the same zone, and its rules give the right offset for a start before
/// the last clock change, too.
pub(crate) fn to_utc(
    local: NaiveDateTime,
    offset: FixedOffset,
    now: DateTime<Utc>,
) -> Option<DateTime<Utc>> {
    let time = if own_offset(now) == offset {
        Local.from_local_datetime(&local).earliest().map(|time| time.with_timezone(&Utc))
    } else {
        None
    };
    time.or_else(|| Some(offset.from_local_datetime(&local).earliest()?.with_timezone(&Utc)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ami::Action, normalize::testing};

    fn answers(start: &str, offset: &str) -> Answers {
        let status = format!("CoreStartupDate: 2026-11-21\nCoreStartupTime: {start}");
        let offset = format!("Variable: STRFTIME(,,%z)\nValue: {offset}");
        testing::answers(&[
            (Action::new(ReadAction::CoreStatus), &status),
            (Action::new(ReadAction::UtcOffset), &offset),
            // 2026-11-21 08:00:00 UTC.
            (Action::new(ReadAction::Ping), "Ping: Pong\nTimestamp: 1795248000.250000"),
        ])
    }

    #[test]
    fn the_start_is_read_in_the_servers_own_zone() {
        assert_eq!(uptime(&answers("08:59:30", "+0100")), Some(30));
        assert_eq!(uptime(&answers("02:30:00", "-0530")), Some(0));
        assert_eq!(uptime(&answers("07:00:00", "")), None);
    }

    #[test]
    fn a_young_server_without_queues_is_booting_and_an_old_one_is_not() {
        let unknown = |answers: &mut Answers| {
            let action = ReadAction::QueueStatus;
            let error = crate::ami::ActionError::Unsupported { action };
            answers.insert(Action::new(action), super::super::Outcome::Failed(error), None);
        };
        let mut young = answers("08:59:30", "+0100");
        assert!(!is_booting(&young), "nothing is missing");
        unknown(&mut young);
        assert!(is_booting(&young));
        let mut old = answers("07:00:00", "+0100");
        unknown(&mut old);
        assert!(!is_booting(&old));
    }

    fn missing(answers: &mut Answers, kinds: &[ReadAction]) {
        for action in kinds {
            let error = crate::ami::ActionError::Unsupported { action: *action };
            let outcome = super::super::Outcome::Failed(error);
            answers.insert(Action::new(*action), outcome, None);
        }
    }

    #[test]
    fn one_channel_driver_is_enough_to_be_up() {
        let mut answers = answers("08:59:30", "+0100");
        missing(&mut answers, &[ReadAction::SipPeers]);
        assert!(!is_booting(&answers), "Asterisk 22 has no chan_sip");
        missing(&mut answers, &[ReadAction::PjsipShowEndpoints]);
        assert!(is_booting(&answers));
    }

    #[test]
    fn without_a_start_time_nothing_is_judged_and_without_a_zone_patience_wins() {
        let lacks = |mut answers: Answers| {
            missing(&mut answers, &[ReadAction::QueueStatus]);
            is_booting(&answers)
        };
        assert!(!lacks(Answers::default()), "not permitted, or no answer");
        assert!(lacks(answers("07:00:00", "")), "the zone is not known: the start may be recent");
    }

    #[test]
    fn the_servers_offset_is_read_in_its_own_spelling() {
        let offset = |text: &str| {
            let told = format!("Value: {text}");
            utc_offset(&testing::answers(&[(ReadAction::UtcOffset.into(), &told)]))
                .map(|offset| offset.local_minus_utc())
        };
        assert_eq!(offset("+0100"), Some(3_600));
        assert_eq!(offset("-0330"), Some(-12_600));
        assert_eq!(offset("+0000"), Some(0));
        for wrong in ["", "UTC", "+1", "0100", "+99:9", "+9900", "é100"] {
            assert_eq!(offset(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn a_time_is_read_in_the_servers_offset_where_its_zone_is_not_ours() {
        let now = DateTime::from_timestamp(1_795_248_000, 0).unwrap();
        let local = NaiveDateTime::parse_from_str("2026-07-01 12:00:00", "%Y-%m-%d %H:%M:%S");
        // No zone on earth has this one.
        let strange = FixedOffset::east_opt(3_723).unwrap();
        let utc = to_utc(local.unwrap(), strange, now).unwrap();
        assert_eq!(utc.to_rfc3339(), "2026-07-01T10:57:57+00:00");
    }

    #[test]
    fn dates_that_are_none_are_no_time() {
        for text in ["CoreStartupDate: \nCoreStartupTime: ", "CoreStartupDate: 21.11.2026", ""] {
            let answers = testing::answers(&[(ReadAction::CoreStatus.into(), text)]);
            let row = answers.answer(ReadAction::CoreStatus).unwrap().response();
            assert_eq!(local_time(row, "CoreStartupDate", "CoreStartupTime"), None, "{text:?}");
        }
    }
}
