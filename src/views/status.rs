//! The snapshot as the answer of a monitoring plugin (Nagios, Icinga, Checkmk, Zabbix): one line
//! with performance data, and one of four verdicts.
//!
//! What is not known is [`Verdict::Unknown`] for its check and never [`Verdict::Ok`]. A check that
//! nobody asked for is left out where the PBX has no such thing or the configuration does not
//! collect it. Of a stale snapshot only its age is judged: the rest says nothing about now.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::Freshness;
use crate::{
    snapshot::{
        Agent, AgentStatus, Call, Extension, Queue, Section, SectionStatus, Snapshot, Timestamp,
        Trunk, TrunkState,
    },
    terminal::clean,
};

mod levels;
mod line;

pub use levels::{Levels, Range, Rule};
use line::Line;

/// What a monitoring system makes of it, from good to bad; the order decides which of several wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// As it should be.
    Ok,
    /// Not known.
    Unknown,
    /// Worth a look.
    Warning,
    /// Worth waking somebody.
    Critical,
}

impl Verdict {
    /// The exit code that monitoring systems know it by.
    #[must_use]
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::Warning => 1,
            Self::Critical => 2,
            Self::Unknown => 3,
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Warning => "WARNING",
            Self::Critical => "CRITICAL",
            Self::Unknown => "UNKNOWN",
        }
    }
}

/// A value that can have thresholds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Metric {
    /// Seconds since the collection began.
    Age,
    /// Trunks that are down.
    TrunkDown,
    /// Calls over each trunk.
    TrunkCalls,
    /// Longest wait in each queue, in seconds.
    QueueWait,
    /// Callers waiting in each queue.
    QueueCallers,
    /// Callers waiting in each queue that no member can answer.
    QueueUnattended,
    /// Extensions without a reachable phone.
    Offline,
    /// Calls in progress.
    Calls,
    /// Channels in use.
    Channels,
    /// Age of the oldest call, in seconds.
    CallDuration,
    /// Seconds since Asterisk started.
    Uptime,
}

impl Metric {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::Age,
        Self::TrunkDown,
        Self::TrunkCalls,
        Self::QueueWait,
        Self::QueueCallers,
        Self::QueueUnattended,
        Self::Offline,
        Self::Calls,
        Self::Channels,
        Self::CallDuration,
        Self::Uptime,
    ];

    /// What a rule may name; `None` for a value of the whole PBX.
    #[must_use]
    pub fn item(self) -> Option<&'static str> {
        match self {
            Self::TrunkDown | Self::TrunkCalls => Some("trunk"),
            Self::QueueWait | Self::QueueCallers | Self::QueueUnattended => Some("queue"),
            Self::Offline => Some("extension"),
            Self::Age | Self::Calls | Self::Channels | Self::CallDuration | Self::Uptime => None,
        }
    }

    /// Thresholds that hold where nobody set any: what is an emergency in every company. How many
    /// calls or offline phones are too many, nobody knows but the administrator.
    #[must_use]
    pub fn default_levels(self) -> &'static str {
        match self {
            Self::TrunkDown | Self::QueueUnattended => ",0",
            Self::QueueWait => "120,300",
            Self::CallDuration => "14400",
            Self::Uptime => "600:",
            Self::Age
            | Self::TrunkCalls
            | Self::QueueCallers
            | Self::Offline
            | Self::Calls
            | Self::Channels => "off",
        }
    }
}

/// What to check.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Checks {
    /// Rules by what they are for; among several that fit, the first decides.
    rules: BTreeMap<Metric, Vec<Rule>>,
    /// What a stale snapshot is worth.
    stale: Option<Verdict>,
}

impl Checks {
    /// Adds a rule, which comes after those that are there.
    pub fn add(&mut self, metric: Metric, rule: Rule) {
        self.rules.entry(metric).or_default().push(rule);
    }

    /// Sets what a stale snapshot is worth.
    pub fn set_stale(&mut self, verdict: Verdict) {
        self.stale = Some(verdict);
    }

    /// These rules with others that come after them.
    #[must_use]
    pub fn before(mut self, others: Self) -> Self {
        for (metric, rules) in others.rules {
            self.rules.entry(metric).or_default().extend(rules);
        }
        self.stale = self.stale.or(others.stale);
        self
    }

    /// What a stale snapshot is worth: unless set, critical, since it is what remains when Asterisk
    /// has crashed.
    fn stale(&self) -> Verdict {
        self.stale.unwrap_or(Verdict::Critical)
    }

    /// Thresholds for everything without a rule of its own, and whether somebody asked for them.
    fn general(&self, metric: Metric) -> (Levels, bool) {
        match self.rules(metric).find(|rule| rule.is_general()) {
            Some(rule) => (rule.levels.clone(), true),
            None => (metric.default_levels().parse().unwrap_or_default(), false),
        }
    }

    /// Thresholds for one item alone.
    fn named(&self, metric: Metric, item: &str) -> Option<&Levels> {
        self.rules(metric).find(|rule| rule.names(item)).map(|rule| &rule.levels)
    }

    fn rules(&self, metric: Metric) -> impl Iterator<Item = &Rule> {
        self.rules.get(&metric).into_iter().flatten()
    }
}

/// The answer to the monitoring system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The worst of all checks.
    pub verdict: Verdict,
    /// One line: verdict, what is wrong, performance data.
    pub line: String,
}

impl Report {
    /// The answer when there is nothing to judge.
    #[must_use]
    pub fn unknown(reason: &str) -> Self {
        let mut line = Line::default();
        line.problem(Verdict::Unknown, reason.to_owned());
        line.finish(String::new())
    }

    /// Judges a snapshot.
    #[must_use]
    pub fn of(snapshot: &Snapshot, checks: &Checks, now: DateTime<Utc>) -> Self {
        let mut plugin = Plugin { snapshot, checks, line: Line::default() };
        if plugin.is_current(now) {
            plugin.trunks();
            plugin.queues();
            plugin.offline();
            plugin.calls();
            plugin.uptime();
        }
        let freshness = Freshness::of(snapshot, now);
        plugin.line.finish(overview(snapshot, freshness))
    }
}

struct Plugin<'a> {
    snapshot: &'a Snapshot,
    checks: &'a Checks,
    line: Line,
}

impl Plugin<'_> {
    /// Judges the age; false where nothing else can be judged.
    fn is_current(&mut self, now: DateTime<Utc>) -> bool {
        /// More than clocks on a network may differ.
        const MOST_AHEAD_SECONDS: u64 = 60;
        let Freshness { age_seconds, is_stale } = Freshness::of(self.snapshot, now);
        let collected_at = self.snapshot.collected_at;
        self.whole(Metric::Age, "age", "s", Some(age_seconds), "data age");
        if is_stale {
            let good_until = self.snapshot.stale_after;
            self.line.problem(
                self.checks.stale(),
                format!(
                    "no fresh data: collected at {collected_at}, {} ago, good until {good_until}",
                    duration(age_seconds)
                ),
            );
            return false;
        }
        let ahead = collected_at.seconds_since(Timestamp::new(now));
        if ahead > MOST_AHEAD_SECONDS {
            let ahead = duration(ahead);
            let text =
                format!("collected {ahead} in the future, so the age is not known: set the clocks");
            self.line.problem(Verdict::Unknown, text);
            return false;
        }
        true
    }

    fn trunks(&mut self) {
        let snapshot = self.snapshot;
        let Some(trunks) = &snapshot.trunks else {
            return self.not_read(Section::Trunks, &[Metric::TrunkDown, Metric::TrunkCalls]);
        };
        // Nobody watches an unmonitored trunk, by choice; only a rule that names it asks.
        let watched = |trunk: &&Trunk| {
            let named = self.checks.named(Metric::TrunkDown, &trunk.name).is_some();
            trunk.state != TrunkState::Unmonitored || named
        };
        let states = trunks.iter().filter(watched).map(|trunk| Member {
            name: &trunk.name,
            counts: match trunk.state {
                TrunkState::Unmonitored | TrunkState::Unknown => None,
                state => Some(state.is_down()),
            },
            word: trunk.state.as_str(),
        });
        let states: Vec<Member<'_>> = states.collect();
        self.count(Metric::TrunkDown, "trunks_down", "trunk", "down", &states);
        for trunk in trunks {
            self.each(Metric::TrunkCalls, &trunk.name, trunk.active_calls);
        }
    }

    fn queues(&mut self) {
        const ALL: [Metric; 3] = [Metric::QueueWait, Metric::QueueCallers, Metric::QueueUnattended];
        let snapshot = self.snapshot;
        let Some(queues) = &snapshot.queues else {
            return self.not_read(Section::Queues, &ALL);
        };
        for queue in queues {
            let name = &queue.name;
            self.each(Metric::QueueUnattended, name, unattended(queue));
            self.each(Metric::QueueWait, name, queue.longest_wait_seconds);
            self.each(Metric::QueueCallers, name, queue.calls);
        }
    }

    fn offline(&mut self) {
        let snapshot = self.snapshot;
        let Some(extensions) = &snapshot.extensions else {
            return self.not_read(Section::Extensions, &[Metric::Offline]);
        };
        let states = extensions.iter().map(|extension: &Extension| Member {
            name: &extension.extension,
            counts: extension.online.map(|online| !online),
            word: extension.status.as_str(),
        });
        let states: Vec<Member<'_>> = states.collect();
        self.count(Metric::Offline, "offline", "extension", "offline", &states);
    }

    fn calls(&mut self) {
        let snapshot = self.snapshot;
        match &snapshot.active_calls {
            None => self.not_read(Section::ActiveCalls, &[Metric::Calls, Metric::CallDuration]),
            Some(calls) => {
                let number = u64::try_from(calls.len()).ok();
                self.whole(Metric::Calls, "calls", "", number, "calls in progress");
                self.longest_call(calls);
            }
        }
        match snapshot.summary.channels {
            None => self.not_read(Section::Channels, &[Metric::Channels]),
            number => self.whole(Metric::Channels, "channels", "", number, "channels in use"),
        }
    }

    fn longest_call(&mut self, calls: &[Call]) {
        let oldest = calls.iter().max_by_key(|call| call.duration_seconds);
        let longest = oldest.and_then(|call| call.duration_seconds).unwrap_or(0);
        let (levels, _) = self.checks.general(Metric::CallDuration);
        self.line.data("call_longest", longest, "s", &levels);
        let (verdict, range) = levels.judge(as_value(longest));
        if let (Some(range), Some(call)) = (range, oldest) {
            let (longest, channel) = (duration(longest), &call.channel);
            let text = format!("longest call {longest} on {channel} (limit {range} s)");
            self.line.problem(verdict, text);
        } else if !levels.is_off() && calls.iter().any(|call| call.duration_seconds.is_none()) {
            self.line.problem(Verdict::Unknown, "age of a call not known".to_owned());
        }
    }

    fn uptime(&mut self) {
        let snapshot = self.snapshot;
        let Some(system) = &snapshot.system_info else {
            return self.not_read(Section::SystemInfo, &[Metric::Uptime]);
        };
        // Asterisk does not tell its time zone, so the uptime may be out of reach for good.
        let (_, asked) = self.checks.general(Metric::Uptime);
        if system.uptime_seconds.is_some() || asked {
            let uptime = system.uptime_seconds;
            self.whole(Metric::Uptime, "uptime", "s", uptime, "Asterisk up for");
        }
    }

    /// Judges a value of the whole PBX.
    fn whole(&mut self, metric: Metric, label: &str, unit: &str, value: Option<u64>, what: &str) {
        let (levels, _) = self.checks.general(metric);
        if let Some(value) = value {
            self.line.data(label, value, unit, &levels);
        }
        self.judge(&levels, unit, value, what);
    }

    /// Judges a value of one item.
    fn each(&mut self, metric: Metric, name: &str, value: Option<u64>) {
        let levels = match self.checks.named(metric, name) {
            Some(levels) => levels.clone(),
            None => self.checks.general(metric).0,
        };
        let (kind, suffix, unit, what) = match metric {
            Metric::TrunkCalls => ("trunk", "calls", "", "calls"),
            Metric::QueueWait => ("queue", "wait", "s", "longest wait"),
            Metric::QueueUnattended => ("queue", "unattended", "", "unattended callers"),
            _ => ("queue", "callers", "", "callers waiting"),
        };
        if let Some(value) = value {
            self.line.item(&format!("{kind}_{name}_{suffix}"), value, unit, &levels);
        }
        self.judge(&levels, unit, value, &format!("{kind} {name}: {what}"));
    }

    fn judge(&mut self, levels: &Levels, unit: &str, value: Option<u64>, what: &str) {
        let Some(value) = value else {
            if !levels.is_off() {
                self.line.problem(Verdict::Unknown, format!("{what}: not known"));
            }
            return;
        };
        if let (verdict, Some(range)) = levels.judge(as_value(value)) {
            let shown = if unit == "s" { duration(value) } else { value.to_string() };
            let unit = if unit.is_empty() { "" } else { " s" };
            self.line.problem(verdict, format!("{what} {shown} (limit {range}{unit})"));
        }
    }

    /// Judges how many items are in a bad state. Those with a rule of their own are judged by it
    /// alone, as 0 or 1, and not counted.
    fn count(
        &mut self,
        metric: Metric,
        label: &str,
        kind: &str,
        bad: &str,
        members: &[Member<'_>],
    ) {
        const MOST_NAMES: usize = 5;
        let (mut names, mut count, mut unknown) = (Vec::new(), 0, 0);
        for member in members {
            if let Some(levels) = self.checks.named(metric, member.name) {
                let (name, word) = (member.name, member.word);
                match member.counts {
                    None if !levels.is_off() => {
                        let text = format!("{kind} {name}: not known");
                        self.line.problem(Verdict::Unknown, text);
                    }
                    Some(counts) => {
                        if let (verdict, Some(_)) = levels.judge(f64::from(u8::from(counts))) {
                            let text = format!("{kind} {name} is {bad} ({word})");
                            self.line.problem(verdict, text);
                        }
                    }
                    None => {}
                }
                continue;
            }
            match member.counts {
                None => unknown += 1,
                Some(false) => {}
                Some(true) => {
                    count += 1;
                    if names.len() < MOST_NAMES {
                        names.push(match kind {
                            "trunk" => format!("{} ({})", member.name, member.word),
                            _ => member.name.to_owned(),
                        });
                    }
                }
            }
        }
        let (levels, _) = self.checks.general(metric);
        self.line.data(label, count, "", &levels);
        let (verdict, range) = levels.judge(as_value(count));
        if let Some(range) = range {
            let plural = if count == 1 { "" } else { "s" };
            let more = if count > names.len() as u64 { ", ..." } else { "" };
            let names = names.join(", ");
            let text = format!("{count} {kind}{plural} {bad}: {names}{more} (limit {range})");
            self.line.problem(verdict, text);
        }
        // As long as those that are not known could change the verdict, it is not known.
        let possible = |more: u64| levels.judge(as_value(count + more)).0;
        if (1..=unknown).any(|more| possible(more) > verdict) {
            let text = format!("{unknown} {kind}s not known to be {bad} or not");
            self.line.problem(Verdict::Unknown, text);
        }
    }

    /// Tells that a section is missing, where a check needs it.
    fn not_read(&mut self, section: Section, metrics: &[Metric]) {
        const LONGEST: usize = 150;
        let report = self.snapshot.sections.get(section);
        let by_choice =
            matches!(report.status, SectionStatus::Disabled | SectionStatus::Unsupported);
        let needed = |metric: &Metric| {
            let mut rules = self.checks.rules(*metric).peekable();
            match rules.peek() {
                Some(_) => rules.any(|rule| !rule.levels.is_off()),
                None => !by_choice && !self.checks.general(*metric).0.is_off(),
            }
        };
        if metrics.iter().any(needed) {
            let reason = report.message.as_deref().unwrap_or("no reason given");
            let reason: String = reason.chars().take(LONGEST).collect();
            let text = format!("{} not known: {reason}", section.as_str());
            self.line.problem(Verdict::Unknown, text);
        }
    }
}

/// Something that counts or not.
struct Member<'a> {
    name: &'a str,
    /// Whether it is in the bad state; `None` when not known.
    counts: Option<bool>,
    word: &'static str,
}

/// Callers in a queue while no member is idle or busy with a call that will end: all are paused or
/// offline.
pub(super) fn unattended(queue: &Queue) -> Option<u64> {
    use AgentStatus::{Busy, InUse, OnHold, Ringing};
    let callers = queue.calls?;
    if callers == 0 || queue.available? > 0 {
        return Some(0);
    }
    let is_busy = |agent: &Agent| {
        agent.paused != Some(true) && matches!(agent.status, InUse | Ringing | Busy | OnHold)
    };
    let attended = queue.agents.as_ref()?.iter().any(is_busy);
    Some(if attended { 0 } else { callers })
}

/// The PBX in a few words.
fn overview(snapshot: &Snapshot, freshness: Freshness) -> String {
    let (source, summary) = (&snapshot.source, &snapshot.summary);
    let mut parts = Vec::new();
    if let Some(trunks) = &summary.trunks {
        let unwatched = match trunks.unknown {
            0 => String::new(),
            unknown => format!(" ({unknown} not monitored or not known)"),
        };
        parts.push(format!("{} of {} trunks up{unwatched}", trunks.up, trunks.total));
    }
    if let Some(extensions) = &summary.extensions {
        let (online, total) = (extensions.online, extensions.total);
        parts.push(format!("{online} of {total} extensions online"));
    }
    if let Some(calls) = &summary.active_calls {
        parts.push(format!("{} calls", calls.total));
    }
    if let Some(queues) = &summary.queues {
        parts.push(format!("{} callers waiting", queues.callers));
    }
    parts.push(format!("data {} old", duration(freshness.age_seconds)));
    let name = source.pbx_name.as_ref().unwrap_or(&source.host);
    let demo = if source.demo { " (demonstration PBX)" } else { "" };
    format!("{}{demo}: {}", clean(name), parts.join(", "))
}

/// A time for people: exact below two minutes, then by its two largest units.
fn duration(seconds: u64) -> String {
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h {} min", seconds / 3_600, seconds % 3_600 / 60),
        _ => format!("{} d {} h", seconds / 86_400, seconds % 86_400 / 3_600),
    }
}

/// A count for comparison. Exact up to 2⁵³.
fn as_value(count: u64) -> f64 {
    count as f64
}
