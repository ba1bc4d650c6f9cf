//! CoreSettings and CoreStatus: the server itself.

use std::time::Duration;

use super::{
    Context,
    fields::{count, decimal, flag, text},
};
use crate::{
    ami::{ReadAction, Row},
    collect::{Answers, Collected, boot},
    snapshot::{SystemInfo, Timestamp},
};

/// What is known of the server; `None` when it answered neither action.
///
/// On the collector's own machine its time zone stands in for a server that does not tell its own.
pub(crate) fn system_info(
    answers: &Answers,
    context: &Context,
    collected: &Collected,
    calls_active: Option<u64>,
) -> Option<SystemInfo> {
    let collected_at = context.collected_at;
    let settings = answers.answer(ReadAction::CoreSettings).map(|answer| answer.response());
    let status = answers.answer(ReadAction::CoreStatus).map(|answer| answer.response());
    if settings.is_none() && status.is_none() {
        return None;
    }
    let settings = settings.unwrap_or(Row::new(""));
    let status = status.unwrap_or(Row::new(""));
    let now = boot::server_time(answers).unwrap_or(collected_at.utc());
    let offset =
        boot::utc_offset(answers).or_else(|| collected.same_machine.then(|| boot::own_offset(now)));
    let local = |date, time| boot::local_time(status, date, time);
    let started = local("CoreStartupDate", "CoreStartupTime");
    let utc = |local| boot::to_utc(local, offset?, now).map(Timestamp::new);
    let started_at = started.and_then(utc);
    let limit = |key| count(settings, key).filter(|limit| *limit > 0);
    Some(SystemInfo {
        version: text(settings, "AsteriskVersion"),
        ami_version: text(settings, "AMIversion"),
        system_name: text(settings, "SystemName"),
        uptime_seconds: started_at.map(|start| Timestamp::new(now).seconds_since(start)),
        started_at,
        reloaded_at: local("CoreReloadDate", "CoreReloadTime").and_then(utc),
        started_at_local: started.map(|time| time.to_string()),
        utc_offset_seconds: offset.map(|offset| offset.local_minus_utc()),
        clock_skew_ms: clock_skew(answers, collected_at, collected.pong_after),
        calls_active,
        channels_active: count(status, "CoreCurrentCalls"),
        calls_processed: count(status, "CoreProcessedCalls"),
        max_calls: limit("CoreMaxCalls"),
        max_load_average: decimal(settings, "CoreMaxLoadAvg").filter(|limit| *limit > 0.0),
        max_file_handles: limit("CoreMaxFilehandles"),
        run_user: text(settings, "CoreRunUser"),
        run_group: text(settings, "CoreRunGroup"),
        realtime_enabled: flag(settings, "CoreRealTimeEnabled"),
        cdr_enabled: flag(settings, "CoreCDRenabled"),
        http_enabled: flag(settings, "CoreHTTPenabled"),
    })
}

/// The server's clock minus the collector's, when Ping was answered.
fn clock_skew(
    answers: &Answers,
    collected_at: Timestamp,
    pong_after: Option<Duration>,
) -> Option<i64> {
    let own = collected_at
        .utc()
        .timestamp_millis()
        .checked_add(pong_after?.as_millis().try_into().ok()?)?;
    Some(boot::server_time(answers)?.timestamp_millis() - own)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        ami::Action,
        normalize::testing::{answers, collected, context, denied, nothing},
    };

    const PONG: &str = "Ping: Pong\nTimestamp: 1795248000.250000";

    /// What a server tells that started at this local time, in a zone of this offset.
    fn started(date: &str, time: &str, offset: &str) -> SystemInfo {
        let status = format!("CoreStartupDate: {date}\nCoreStartupTime: {time}");
        let offset = format!("Value: {offset}");
        info(&answers(&[
            (ReadAction::CoreStatus.into(), &status),
            (ReadAction::UtcOffset.into(), &offset),
            (ReadAction::Ping.into(), PONG),
        ]))
    }

    fn info(answers: &Answers) -> SystemInfo {
        system_info(answers, &context(), &collected(answers), Some(0)).unwrap()
    }

    fn said(time: Option<Timestamp>) -> Option<String> {
        time.map(|time| time.to_string())
    }

    #[test]
    fn a_start_is_told_in_utc_whatever_the_servers_zone() {
        for (time, offset, seconds) in [
            ("12:30:00", "+0530", 19_800),
            ("03:00:00", "-0400", -14_400),
            ("07:00:00", "+0000", 0),
        ] {
            let info = started("2026-11-21", time, offset);
            assert_eq!(said(info.started_at).as_deref(), Some("2026-11-21T07:00:00Z"), "{offset}");
            assert_eq!(info.uptime_seconds, Some(3_600), "{offset}");
            assert_eq!(info.utc_offset_seconds, Some(seconds));
            assert_eq!(info.started_at_local.as_deref(), Some(&*format!("2026-11-21 {time}")));
        }
    }

    #[test]
    fn a_start_before_the_clocks_changed_is_right_where_the_zone_is_our_own() {
        use chrono::{Local, NaiveDate, TimeZone as _, Utc};
        let now = context().collected_at.utc();
        let offset = boot::own_offset(now).to_string().replace(':', "");
        // Summer in one half of the world, winter in the other: one of both has another offset now
        // wherever clocks are changed.
        for (date, month) in [("2026-01-15", 1), ("2026-07-15", 7)] {
            let info = started(date, "12:00:00", &offset);
            let local = NaiveDate::from_ymd_opt(2026, month, 15).unwrap().and_hms_opt(12, 0, 0);
            let expected = Local.from_local_datetime(&local.unwrap()).unwrap().with_timezone(&Utc);
            assert_eq!(info.started_at, Some(Timestamp::new(expected)));
        }
    }

    #[test]
    fn without_a_zone_nothing_is_guessed_unless_the_pbx_is_this_machine() {
        let answers = answers(&[
            (
                ReadAction::CoreStatus.into(),
                "CoreStartupDate: 2026-11-21\nCoreStartupTime: 07:00:00",
            ),
            (ReadAction::Ping.into(), PONG),
        ]);
        let far = info(&answers);
        assert_eq!(
            (far.started_at, far.uptime_seconds, far.utc_offset_seconds),
            (None, None, None)
        );
        assert_eq!(far.started_at_local.as_deref(), Some("2026-11-21 07:00:00"));
        let mut here = collected(&answers);
        here.same_machine = true;
        let here = system_info(&answers, &context(), &here, None).unwrap();
        assert!(here.started_at.is_some() && here.utc_offset_seconds.is_some());
    }

    #[test]
    fn a_start_in_the_future_is_no_time_up() {
        assert_eq!(started("2026-11-21", "08:00:05", "+0000").uptime_seconds, Some(0));
    }

    #[test]
    fn skew_is_the_servers_clock_minus_ours_when_ping_was_answered() {
        let answers = answers(&[
            (ReadAction::CoreStatus.into(), "CoreCurrentCalls: 3"),
            (ReadAction::Ping.into(), PONG),
        ]);
        let mut run = collected(&answers);
        let skew = |run: &Collected| {
            system_info(&answers, &context(), run, None).and_then(|info| info.clock_skew_ms)
        };
        // The pong says 250 ms after the start of the collection and came after 100 ms.
        assert_eq!(skew(&run), Some(150));
        run.pong_after = Some(Duration::from_secs(10));
        assert_eq!(skew(&run), Some(-9_750));
        run.pong_after = None;
        assert_eq!(skew(&run), None);
    }

    #[test]
    fn a_limit_of_zero_is_no_limit() {
        let settings = "CoreMaxCalls: 0\nCoreMaxLoadAvg: 0.000000\nCoreMaxFilehandles: 65000\n\
                        CoreCDRenabled: Yes\nCoreRealTimeEnabled: No\nCoreRunUser: asterisk\n\
                        SystemName: ";
        let info = info(&answers(&[(ReadAction::CoreSettings.into(), settings)]));
        assert_eq!((info.max_calls, info.max_load_average), (None, None));
        assert_eq!(info.max_file_handles, Some(65_000));
        assert_eq!((info.cdr_enabled, info.realtime_enabled), (Some(true), Some(false)));
        assert_eq!(info.run_user.as_deref(), Some("asterisk"));
        assert_eq!((info.system_name, info.uptime_seconds), (None, None));
        let settings = "CoreMaxCalls: 50\nCoreMaxLoadAvg: 2.500000";
        let limited = self::info(&answers(&[(ReadAction::CoreSettings.into(), settings)]));
        assert_eq!((limited.max_calls, limited.max_load_average), (Some(50), Some(2.5)));
    }

    #[test]
    fn one_of_the_two_actions_is_enough_and_none_is_nothing() {
        assert!(system_info(&nothing(), &context(), &collected(&nothing()), None).is_some());
        let status = (Action::new(ReadAction::CoreStatus), "CoreCurrentCalls: 3");
        assert_eq!(info(&answers(&[status])).channels_active, Some(3));
        assert_eq!(system_info(&denied(), &context(), &collected(&denied()), None), None);
    }
}
