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
