//! The snapshot as Prometheus metrics, for node_exporter's textfile collector.
//!
//! What is not known has no sample: absent, never 0. Of a stale snapshot only what says so is
//! printed, because a gauge carries no age and a rule would take it for current.
//!
//! The number of series is bounded. Each item has at most [`MOST_EXTENSIONS`] or [`MOST_ITEMS`]
//! series per metric, and `freepbx_series_omitted` counts what was left out. Labels hold names that
//! the administrator chose (extension, trunk, queue), never those of callers, and on every series
//! `pbx`, the configured `host:port`.

use std::{collections::BTreeSet, fmt::Write as _};

use chrono::{DateTime, Utc};

use super::{Freshness, status::unattended};
use crate::{
    snapshot::{
        CallState, Direction, ExtensionStatus, Queue, SectionReport, SectionStatus, Snapshot,
        Timestamp, Trunk, TrunkState,
    },
    terminal::clean,
};

/// Most series of a metric that has one for each extension.
pub const MOST_EXTENSIONS: usize = 5_000;
/// Most series of a metric that has one for each trunk or queue.
pub const MOST_ITEMS: usize = 500;

/// The metrics in Prometheus' text format, version 0.0.4.
#[must_use]
pub fn render(snapshot: &Snapshot, now: DateTime<Utc>) -> String {
    let mut metrics = Exposition::of(snapshot);
    about(&mut metrics, snapshot);
    if Freshness::of(snapshot, now).is_stale {
        metrics.text.push_str("# The snapshot is stale, so it says nothing about now.\n");
        return metrics.text;
    }
    server(&mut metrics, snapshot);
    calls(&mut metrics, snapshot);
    if let Some(trunks) = &snapshot.trunks {
        trunk_metrics(&mut metrics, trunks);
    }
    if let Some(queues) = &snapshot.queues {
        queue_metrics(&mut metrics, queues);
    }
    extensions(&mut metrics, snapshot);
    rooms(&mut metrics, snapshot);
    let omitted: Vec<Sample> = std::mem::take(&mut metrics.omitted)
        .into_iter()
        .map(|(name, count)| (vec![("metric", name.to_owned())], Some(number(count))))
        .collect();
    metrics.gauge("freepbx_series_omitted", "Series left out to bound their number.", omitted);
    metrics.text
}

/// Where the numbers come from and how good they are; true of a stale snapshot, too.
fn about(metrics: &mut Exposition, snapshot: &Snapshot) {
    let source = &snapshot.source;
    metrics.one(
        "freepbx_snapshot_timestamp_seconds",
        "When the collection began.",
        Some(epoch(snapshot.collected_at)),
    );
    metrics.one(
        "freepbx_snapshot_stale_after_timestamp_seconds",
        "When these numbers must no longer be taken for current.",
        Some(epoch(snapshot.stale_after)),
    );
    metrics.one(
        "freepbx_snapshot_complete",
        "1 when every section that the PBX supports was read whole.",
        Some(flag(snapshot.complete)),
    );
    metrics.one(
        "freepbx_snapshot_duration_seconds",
        "Time that the collection took.",
        Some(seconds(source.duration_ms)),
    );
    let known = |text: &Option<String>| text.clone().unwrap_or_default();
    let labels = vec![
        ("pbx_name", known(&source.pbx_name)),
        ("asterisk_version", known(&source.asterisk_version)),
        ("collector_version", source.collector.version.clone()),
        ("demo", source.demo.to_string()),
    ];
    metrics.gauge(
        "freepbx_pbx_info",
        "The PBX that was asked, always 1.",
        vec![(labels, Some(1.0))],
    );
    let section = |name: &'static str| vec![("section", name.to_owned())];
    let success = snapshot
        .sections
        .iter()
        .map(|(name, report)| (section(name.as_str()), success(report.status).map(flag)));
    metrics.gauge(
        "freepbx_section_success",
        "1 when the section was read whole, 0 when not; absent when disabled or unsupported.",
        success,
    );
    let duration =
        snapshot.sections.iter().map(|(name, report)| (section(name.as_str()), duration(report)));
    metrics.gauge(
        "freepbx_section_duration_seconds",
        "Time that the PBX took for the section's actions, those shared by sections in each.",
        duration,
    );
}

fn success(status: SectionStatus) -> Option<bool> {
    match status {
        SectionStatus::Ok => Some(true),
        SectionStatus::Partial
        | SectionStatus::Denied
        | SectionStatus::Timeout
        | SectionStatus::Error => Some(false),
        SectionStatus::Unsupported | SectionStatus::Disabled => None,
    }
}

fn duration(report: &SectionReport) -> Option<f64> {
    let times = report.actions.iter().filter_map(|action| action.duration_ms);
    times.reduce(u64::saturating_add).map(seconds)
}

fn server(metrics: &mut Exposition, snapshot: &Snapshot) {
    let Some(system) = &snapshot.system_info else {
        return;
    };
    metrics.one(
        "freepbx_pbx_start_time_seconds",
        "When Asterisk started.",
        system.started_at.map(epoch),
    );
    metrics.one(
        "freepbx_pbx_reload_time_seconds",
        "When Asterisk's configuration was last reloaded.",
        system.reloaded_at.map(epoch),
    );
    metrics.one("freepbx_calls_limit", "Limit on calls.", system.max_calls.map(number));
    metrics.counter(
        "freepbx_calls_processed_total",
        "Calls since Asterisk started.",
        vec![(Vec::new(), system.calls_processed.map(number))],
    );
}

fn calls(metrics: &mut Exposition, snapshot: &Snapshot) {
    metrics.one("freepbx_channels", "Channels in use.", snapshot.summary.channels.map(number));
    let Some(calls) = &snapshot.active_calls else {
        return;
    };
    let mut counts = Vec::new();
    for direction in DIRECTIONS {
        for state in CALL_STATES {
            let alike = calls.iter().filter(|it| it.direction == direction && it.state == state);
            let labels =
                vec![("direction", word(direction).to_owned()), ("state", slug(state.as_str()))];
            counts.push((labels, Some(count(alike))));
        }
    }
    metrics.gauge("freepbx_calls", "Calls in progress.", counts);
    // One call of unknown age may be the longest.
    let ages: Option<Vec<u64>> = calls.iter().map(|call| call.duration_seconds).collect();
    metrics.one(
        "freepbx_call_longest_duration_seconds",
        "Age of the oldest call in progress, 0 when there is none.",
        ages.map(|ages| number(ages.into_iter().max().unwrap_or(0))),
    );
}

const DIRECTIONS: [Direction; 4] =
    [Direction::Internal, Direction::Inbound, Direction::Outbound, Direction::Unknown];

const CALL_STATES: [CallState; 9] = [
    CallState::Dialing,
    CallState::Ringing,
    CallState::Up,
    CallState::OnHold,
    CallState::Queued,
    CallState::Parked,
    CallState::Conference,
    CallState::Busy,
    CallState::Unknown,
];

fn word(direction: Direction) -> &'static str {
    match direction {
        Direction::Internal => "internal",
        Direction::Inbound => "inbound",
        Direction::Outbound => "outbound",
        Direction::Unknown => "unknown",
    }
}

fn trunk_metrics(metrics: &mut Exposition, trunks: &[Trunk]) {
    let shown = metrics.bounded("freepbx_trunk", trunks, MOST_ITEMS);
    let mut each = |name, help, value: &dyn Fn(&Trunk) -> Option<f64>| {
        let labels =
            |trunk: &Trunk| vec![("trunk", trunk.name.clone()), ("tech", trunk.tech.clone())];
        metrics.gauge(name, help, shown.iter().map(|trunk| (labels(trunk), value(trunk))));
    };
    each(
        "freepbx_trunk_up",
        "1 when calls can be expected to go through, 0 when not; absent when nobody knows.",
        &|trunk| is_up(trunk).map(flag),
    );
    each(
        "freepbx_trunk_registered",
        "1 when registered at the other side; absent for a trunk that does not register.",
        &|trunk| match (&trunk.registration, trunk.state) {
            (None, _) | (_, TrunkState::Unknown) => None,
            (_, state) => Some(flag(state == TrunkState::Registered)),
        },
    );
    each("freepbx_trunk_calls", "Calls in progress over the trunk, in and out.", &|trunk| {
        trunk.active_calls.map(number)
    });
    each("freepbx_trunk_latency_seconds", "Round trip time to the other side.", &|trunk| {
        trunk.latency_ms.map(latency)
    });
    let info = shown.iter().map(|trunk| {
        let state = slug(trunk.state.as_str());
        let labels =
            vec![("trunk", trunk.name.clone()), ("tech", trunk.tech.clone()), ("state", state)];
        (labels, Some(1.0))
    });
    metrics.gauge("freepbx_trunk_info", "The state that the trunk is in, always 1.", info);
}

/// Whether a trunk works; `None` for one that is not monitored.
fn is_up(trunk: &Trunk) -> Option<bool> {
    match trunk.state {
        TrunkState::Registered | TrunkState::Reachable => Some(true),
        TrunkState::Unmonitored | TrunkState::Unknown => None,
        TrunkState::Unregistered
        | TrunkState::Rejected
        | TrunkState::Failed
        | TrunkState::Unreachable => Some(false),
    }
}

fn queue_metrics(metrics: &mut Exposition, queues: &[Queue]) {
    let shown = metrics.bounded("freepbx_queue", queues, MOST_ITEMS);
    let samples = |value: Value<'_>| -> Vec<Sample> {
        shown.iter().map(|queue| (vec![("queue", queue.name.clone())], value(queue))).collect()
    };
    let gauges: [(&str, &str, Value<'_>); 11] = [
        ("freepbx_queue_callers", "Callers waiting.", &|it| it.calls.map(number)),
        (
            "freepbx_queue_longest_wait_seconds",
            "Wait of the caller who waits longest, 0 when nobody waits.",
            &|it| it.longest_wait_seconds.map(number),
        ),
        (
            "freepbx_queue_unattended_callers",
            "Callers waiting while all members are paused or offline.",
            &|it| unattended(it).map(number),
        ),
        ("freepbx_queue_members", "Members, whatever their state.", &|it| it.members.map(number)),
        ("freepbx_queue_members_available", "Members who could take a call now.", &|it| {
            it.available.map(number)
        }),
        ("freepbx_queue_members_paused", "Members who are paused.", &|it| it.paused.map(number)),
        ("freepbx_queue_members_in_call", "Members in a call of the queue.", &|it| {
            it.in_call.map(number)
        }),
        ("freepbx_queue_members_logged_in", "Members whose phone is reachable.", &|it| {
            it.logged_in.map(number)
        }),
        ("freepbx_queue_hold_average_seconds", "Average wait, as Asterisk keeps it.", &|it| {
            it.average_hold_seconds.map(number)
        }),
        ("freepbx_queue_talk_average_seconds", "Average talk, as Asterisk keeps it.", &|it| {
            it.average_talk_seconds.map(number)
        }),
        (
            "freepbx_queue_service_level_ratio",
            "Share of calls answered within the queue's goal, 0 to 1.",
            &|it| it.service_level_percent.map(|percent| percent / 100.0),
        ),
    ];
    for (name, help, value) in gauges {
        metrics.gauge(name, help, samples(value));
    }
    metrics.counter(
        "freepbx_queue_completed_total",
        "Calls answered by a member since Asterisk's counters were reset.",
        samples(&|queue| queue.completed.map(number)),
    );
    metrics.counter(
        "freepbx_queue_abandoned_total",
        "Calls abandoned by the caller since Asterisk's counters were reset.",
        samples(&|queue| queue.abandoned.map(number)),
    );
}

fn extensions(metrics: &mut Exposition, snapshot: &Snapshot) {
    let Some(extensions) = &snapshot.extensions else {
        return;
    };
    let by_status = EXTENSION_STATUSES.map(|status| {
        let alike = extensions.iter().filter(|extension| extension.status == status);
        (vec![("status", slug(status.as_str()))], Some(count(alike)))
    });
    metrics.gauge("freepbx_extensions", "Extensions by state.", by_status);
    let shown = metrics.bounded("freepbx_extension", extensions, MOST_EXTENSIONS);
    let labels = |number: &str, tech: &str| {
        vec![("extension", number.to_owned()), ("tech", tech.to_owned())]
    };
    let online = shown.iter().map(|it| (labels(&it.extension, &it.tech), it.online.map(flag)));
    metrics.gauge(
        "freepbx_extension_online",
        "1 when a phone is registered or reachable, 0 when none is; absent when not known.",
        online,
    );
    let busy = shown.iter().map(|it| {
        let known = it.status != ExtensionStatus::Unknown;
        (labels(&it.extension, &it.tech), known.then(|| flag(it.status.is_busy())))
    });
    metrics.gauge(
        "freepbx_extension_busy",
        "1 when somebody is on the phone or it rings, 0 when not; absent when not known.",
        busy,
    );
    let latency = shown.iter().map(|extension| {
        let value = extension.latency_ms.map(latency);
        (labels(&extension.extension, &extension.tech), value)
    });
    metrics.gauge(
        "freepbx_extension_latency_seconds",
        "Round trip time of the first reachable phone.",
        latency,
    );
}

const EXTENSION_STATUSES: [ExtensionStatus; 7] = [
    ExtensionStatus::Available,
    ExtensionStatus::InUse,
    ExtensionStatus::Ringing,
    ExtensionStatus::Busy,
    ExtensionStatus::OnHold,
    ExtensionStatus::Unavailable,
    ExtensionStatus::Unknown,
];

fn rooms(metrics: &mut Exposition, snapshot: &Snapshot) {
    let summary = &snapshot.summary;
    metrics.one("freepbx_parked_calls", "Calls parked.", summary.parked_calls.map(number));
    metrics.one(
        "freepbx_conferences",
        "Conferences with somebody in them.",
        summary.conferences.map(number),
    );
    metrics.one(
        "freepbx_voicemail_new_messages",
        "New messages in all voicemail boxes.",
        summary.new_voicemail_messages.map(number),
    );
    metrics.one(
        "freepbx_attention_items",
        "Things that a person should look at.",
        Some(number(summary.attention_total)),
    );
}

/// What a queue's metric reads.
type Value<'a> = &'a dyn Fn(&Queue) -> Option<f64>;

/// Labels and value of a series; without a value it is left out.
type Sample = (Vec<(&'static str, String)>, Option<f64>);

/// Metrics in the order in which they are printed.
#[derive(Default)]
struct Exposition {
    /// Label of every series: one collector may write the files of several PBXs, and node_exporter
    /// fails as a whole when two files have the same series. From the configuration, so it stays
    /// the same whatever the PBX answers.
    pbx: String,
    text: String,
    omitted: Vec<(&'static str, u64)>,
}

impl Exposition {
    fn of(snapshot: &Snapshot) -> Self {
        let source = &snapshot.source;
        Self { pbx: format!("{}:{}", source.host, source.port), ..Self::default() }
    }

    /// A gauge without labels.
    fn one(&mut self, name: &'static str, help: &str, value: Option<f64>) {
        self.gauge(name, help, [(Vec::new(), value)]);
    }

    fn gauge(&mut self, name: &str, help: &str, samples: impl IntoIterator<Item = Sample>) {
        self.family(name, "gauge", help, samples);
    }

    fn counter(&mut self, name: &str, help: &str, samples: impl IntoIterator<Item = Sample>) {
        self.family(name, "counter", help, samples);
    }

    /// A metric with its series; nothing at all where none has a value.
    fn family(
        &mut self,
        name: &str,
        kind: &str,
        help: &str,
        samples: impl IntoIterator<Item = Sample>,
    ) {
        let (mut lines, mut seen) = (String::new(), BTreeSet::new());
        for (labels, value) in samples {
            let Some(value) = value.filter(|value| value.is_finite()) else {
                continue;
            };
            let labels = self.labels(&labels);
            // node_exporter refuses a whole file for one series that stands in it twice, and
            // cleaning may make two names one.
            if seen.insert(labels.clone()) {
                let _ = writeln!(lines, "{name}{labels} {value}");
            }
        }
        if !lines.is_empty() {
            let _ = write!(self.text, "# HELP {name} {help}\n# TYPE {name} {kind}\n{lines}");
        }
    }

    fn labels(&self, labels: &[(&'static str, String)]) -> String {
        let pair = |(name, value): (&str, &String)| format!("{name}=\"{}\"", escaped(value));
        let labels = labels.iter().map(|(name, value)| (*name, value));
        let all = std::iter::once(("pbx", &self.pbx)).chain(labels);
        format!("{{{}}}", all.map(pair).collect::<Vec<_>>().join(","))
    }

    /// The first so many items; the others are counted as omitted.
    fn bounded<'a, T>(&mut self, metric: &'static str, items: &'a [T], most: usize) -> &'a [T] {
        let shown = items.get(..most).unwrap_or(items);
        self.omitted.push((metric, (items.len() - shown.len()) as u64));
        shown
    }
}

/// The value of a label: without what a terminal obeys, of bounded length, escaped.
fn escaped(value: &str) -> String {
    const LONGEST: usize = 128;
    let cut: String = clean(value).chars().take(LONGEST).collect();
    cut.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

/// `On hold` as `on_hold`.
fn slug(word: &str) -> String {
    word.to_lowercase().replace(' ', "_")
}

fn flag(value: bool) -> f64 {
    f64::from(u8::from(value))
}

fn count<T>(items: impl Iterator<Item = T>) -> f64 {
    number(items.count() as u64)
}

/// A count as a sample. Exact up to 2⁵³, which no count of a PBX comes near.
fn number(count: u64) -> f64 {
    count as f64
}

fn seconds(milliseconds: u64) -> f64 {
    number(milliseconds) / 1e3
}

/// Milliseconds as seconds, in whole microseconds.
fn latency(milliseconds: f64) -> f64 {
    (milliseconds * 1e3).round() / 1e6
}

fn epoch(time: Timestamp) -> f64 {
    time.utc().timestamp() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_cannot_break_its_line() {
        assert_eq!(escaped("a\"b\\c\nd"), "a\\\"b\\\\c?d");
        assert_eq!(escaped(&"ü".repeat(500)).chars().count(), 128);
    }

    #[test]
    fn a_metric_without_values_is_absent_and_a_series_stands_once() {
        let mut metrics = Exposition { pbx: "a:5038".to_owned(), ..Exposition::default() };
        metrics.one("freepbx_nothing", "Nothing.", None);
        assert_eq!(metrics.text, "");
        let twice = || (vec![("trunk", "a\u{200b}".to_owned())], Some(1.0));
        metrics.gauge("freepbx_x", "X.", [twice(), (vec![("trunk", "a".to_owned())], Some(0.0))]);
        assert_eq!(
            metrics.text,
            "# HELP freepbx_x X.\n# TYPE freepbx_x gauge\nfreepbx_x{pbx=\"a:5038\",trunk=\"a\"} 1\n"
        );
    }

    #[test]
    fn what_is_over_the_bound_is_counted() {
        let mut metrics = Exposition::default();
        assert_eq!(metrics.bounded("freepbx_x", &[1, 2, 3], 2), [1, 2]);
        assert_eq!(metrics.omitted, [("freepbx_x", 1)]);
    }
}
