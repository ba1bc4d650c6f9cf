//! `check`: the whole run as a tick list that says what to do about what fails. Writes nothing.

use std::{
    collections::BTreeMap,
    io::Write,
    time::{Duration, Instant},
};

use chrono::{DateTime, Utc};

use crate::{
    ami::{self, Action, ActionError, Answer, Link, ReadAction},
    collect::{
        Collected, Outcome, Plan, Progress, Target,
        boot::{is_booting, server_time},
        collect,
    },
    config::Config,
    error::{Error, ExitCode},
    normalize::{Context, snapshot},
    snapshot::{SectionStatus, Timestamp},
    terminal::clean,
};

/// Tries everything that a collection does and writes a tick list to `out`.
///
/// Returns [`ExitCode::Complete`] only when all that this PBX supports passed. What ends the list
/// early stands in it, and in the exit code.
pub async fn check(config: &Config, now: DateTime<Utc>, out: &mut dyn Write) -> ExitCode {
    let mut list = List { out, failed: false };
    list.say(Mark::Passed, "config", &config.file.display().to_string());
    for warning in &config.warnings {
        list.say(Mark::Noted, "config", warning);
    }
    if let Err(error) = resolve(config, &mut list).await {
        return list.end(error);
    }
    let (target, plan) = (Target::from(config), Plan::from(config));
    let limit = config.ami.action_timeout;
    let mut progress = |progress: Progress<'_>| match progress {
        Progress::Connected(link, banner) => connected(config, link, banner, &mut list),
        Progress::LoggedIn => {
            let user = config.credentials.username();
            list.say(Mark::Passed, "login", &format!("as {user}"));
        }
        Progress::Action(action, outcome, elapsed) => {
            let (mark, text) = judge(action, outcome, elapsed, limit);
            list.say(mark, &action.to_string(), &text);
        }
    };
    match collect(&target, &plan, None, &mut progress).await {
        Ok(collected) => verdict(config, &plan, &collected, now, &mut list),
        Err(error) => list.end(error),
    }
}

/// The addresses behind the host's name.
async fn resolve(config: &Config, list: &mut List<'_>) -> Result<(), ami::Error> {
    const MOST: usize = 4;
    let host = config.host.as_str();
    let begun = Instant::now();
    let looked_up = tokio::net::lookup_host((host, config.port));
    let after = config.ami.connect_timeout;
    let found = tokio::time::timeout(after, looked_up)
        .await
        .map_err(|_| ami::Error::ResolveTimeout { host: host.to_owned(), after })?
        .map_err(|source| ami::Error::Resolve { host: host.to_owned(), source })?;
    let mut addresses: Vec<String> = found.map(|address| address.ip().to_string()).collect();
    addresses.dedup();
    let more = if addresses.len() > MOST { ", ..." } else { "" };
    addresses.truncate(MOST);
    let text = format!("{host} is {}{more} ({})", addresses.join(", "), millis(begun.elapsed()));
    list.say(Mark::Passed, "resolve", &text);
    Ok(())
}

/// The steps up to the banner, which the connection has taken.
fn connected(config: &Config, link: &Link, banner: &str, list: &mut List<'_>) {
    let after = millis(link.connected_after);
    list.say(Mark::Passed, "connect", &format!("{} ({after})", link.address));
    if let Some(secured) = &link.secured {
        let text = format!("{}, certificate {}", secured.version, secured.fingerprint);
        list.say(Mark::Passed, "tls", &text);
    } else if !link.is_local() {
        config.notes.iter().for_each(|note| list.say(Mark::Noted, "tls", note));
    }
    list.say(Mark::Passed, "banner", banner);
}

/// What the answers make of the snapshot, and the list's last line.
fn verdict(
    config: &Config,
    plan: &Plan,
    collected: &Collected,
    now: DateTime<Utc>,
    list: &mut List<'_>,
) -> ExitCode {
    clocks(collected, now, list);
    if is_booting(&collected.answers) {
        let text = "Asterisk has only just started and has not loaded all its modules; try again in \
                    a minute";
        list.say(Mark::Failed, "boot", text);
    }
    if collected.duration > config.run_timeout / 2 {
        let text = format!(
            "the run took {} s; freepbx.timeouts.run_seconds allows {}",
            collected.duration.as_secs(),
            config.run_timeout.as_secs()
        );
        list.say(Mark::Noted, "time", &text);
    }
    let context = Context {
        host: config.host.clone(),
        port: config.port,
        tls: config.ami.tls.is_some(),
        demo: false,
        collected_at: Timestamp::new(now),
        stale_after_seconds: config.cache.stale_after.as_secs(),
    };
    let snapshot = snapshot(collected, plan, &context, None);
    let mut whole = Vec::new();
    let mut absent = Vec::new();
    for (section, report) in snapshot.sections.iter() {
        let (name, message) = (section.as_str(), report.message.as_deref().unwrap_or("no reason"));
        match report.status {
            SectionStatus::Ok => whole.push(name),
            SectionStatus::Unsupported => absent.push(format!("{name} (not on this PBX)")),
            SectionStatus::Disabled => {
                absent.push(format!("{name} (left out by the configuration)"));
            }
            SectionStatus::Partial => {
                list.say(Mark::Failed, "snapshot", &format!("{name} would be partial: {message}"));
            }
            SectionStatus::Denied | SectionStatus::Timeout | SectionStatus::Error => {
                list.say(Mark::Failed, "snapshot", &format!("{name} would be null: {message}"));
            }
        }
    }
    if !whole.is_empty() {
        list.say(Mark::Passed, "snapshot", &format!("whole: {}", whole.join(", ")));
    }
    if !absent.is_empty() {
        list.say(Mark::Noted, "snapshot", &format!("null: {}", absent.join(", ")));
    }
    list.say(Mark::Passed, "snapshot", &snapshot.summary.text);
    if let Some(stanza) = stanza(config.credentials.username(), collected) {
        list.say(Mark::Failed, "classes", &stanza);
    }
    match list.failed {
        false => {
            list.say(Mark::Passed, "result", "all that this PBX supports can be read");
            ExitCode::Complete
        }
        true => {
            let text = "some of what this PBX supports cannot be read; see the lines marked FAIL";
            list.say(Mark::Failed, "result", text);
            ExitCode::Partial
        }
    }
}

/// Readers judge a snapshot's age by their own clock, and calls by the server's.
fn clocks(collected: &Collected, now: DateTime<Utc>, list: &mut List<'_>) {
    const MOST: i64 = 5;
    let (Some(server), Some(after)) = (server_time(&collected.answers), collected.pong_after)
    else {
        return;
    };
    let here = now + chrono::TimeDelta::from_std(after).unwrap_or_default();
    let apart = (server - here).num_seconds();
    if apart.abs() > MOST {
        let text = format!("the PBX's is {apart} s ahead of this machine's; use NTP on both");
        list.say(Mark::Noted, "clock", &text);
    }
}

/// The lines that let the user ask everything that this PBX supports; `None` where nothing was
/// denied.
fn stanza(user: &str, collected: &Collected) -> Option<String> {
    let mut classes = BTreeMap::new();
    let mut denied = false;
    for (action, outcome, _) in collected.answers.iter() {
        match outcome {
            Outcome::Failed(ActionError::Unsupported { .. }) | Outcome::Skipped(_) => continue,
            Outcome::Failed(ActionError::Denied { .. }) => denied = true,
            Outcome::Answered(_) | Outcome::Failed(_) => {}
        }
        // Where several classes would do, the one that permits least.
        let rank = |class: &str| ["reporting", "call", "system"].iter().position(|c| *c == class);
        if let Some(class) = action.kind().classes().iter().min_by_key(|class| rank(class)) {
            classes.insert(std::cmp::Reverse(rank(class)), *class);
        }
    }
    let classes: Vec<_> = classes.into_values().collect();
    denied.then(|| {
        format!(
            "to permit it all, let [{user}] in /etc/asterisk/manager_custom.conf say `write = {}`, \
             then run `asterisk -rx \"manager reload\"` (SECURITY.md: what else that permits)",
            classes.join(",")
        )
    })
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mark {
    Passed,
    Noted,
    Failed,
}

/// The tick list.
struct List<'a> {
    out: &'a mut dyn Write,
    failed: bool,
}

impl List<'_> {
    fn say(&mut self, mark: Mark, step: &str, text: &str) {
        self.failed |= mark == Mark::Failed;
        let mark = match mark {
            Mark::Passed => "ok  ",
            Mark::Noted => "--  ",
            Mark::Failed => "FAIL",
        };
        // A closed pipe ends the reading, not the check.
        let _ = writeln!(self.out, "{mark} {}: {}", clean(step), clean(text));
    }

    /// The step that could not be taken.
    fn end(&mut self, error: ami::Error) -> ExitCode {
        let step = match &error {
            ami::Error::Resolve { .. } | ami::Error::ResolveTimeout { .. } => "resolve",
            ami::Error::Tls { .. } | ami::Error::TlsTimeout { .. } | ami::Error::TlsSetup(_) => {
                "tls"
            }
            ami::Error::BannerTimeout { .. }
            | ami::Error::ClosedBeforeBanner { .. }
            | ami::Error::NotAmi { .. } => "banner",
            ami::Error::Login { .. }
            | ami::Error::LoginTimeout { .. }
            | ami::Error::NoChallenge { .. }
            | ami::Error::Credentials { .. } => "login",
            _ => "connect",
        };
        let error = Error::from(error);
        self.say(Mark::Failed, step, &error.to_string());
        error.exit_code()
    }
}

fn millis(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1e3)
}

/// The verdict on an action, and what to do about it.
fn judge(
    action: &Action,
    outcome: &Outcome,
    elapsed: Option<Duration>,
    limit: Duration,
) -> (Mark, String) {
    let needs = match action.kind().classes() {
        [] => "no class needed".to_owned(),
        classes => format!("needs {}", classes.join(" or ")),
    };
    let slow = elapsed.filter(|elapsed| *elapsed > limit / 2);
    let slow = slow.map(|_| format!("; slow: action_seconds allows {} s", limit.as_secs_f64()));
    let slow = slow.unwrap_or_default();
    let time = elapsed.map(|time| format!(", {}{slow}", millis(time))).unwrap_or_default();
    match outcome {
        Outcome::Answered(answer) if answer.damaged() > 0 => {
            (Mark::Failed, format!("{} rows were damaged on the wire", answer.damaged()))
        }
        Outcome::Answered(answer) => (Mark::Passed, format!("{} ({needs}{time})", shown(answer))),
        Outcome::Skipped(reason) => (Mark::Noted, reason.clone()),
        Outcome::Failed(error) => failure(action.kind(), error),
    }
}

fn failure(kind: ReadAction, error: &ActionError) -> (Mark, String) {
    match error {
        ActionError::Unsupported { .. } => (
            Mark::Noted,
            match kind.module() {
                Some(module) => format!("not on this server ({module} is not loaded)"),
                None => "not on this server (its version lacks it)".to_owned(),
            },
        ),
        ActionError::Denied { .. } => (
            Mark::Failed,
            format!(
                "not permitted; add {} to the user's `write =` line (see `classes` below)",
                kind.classes().join(" or ")
            ),
        ),
        ActionError::Timeout { .. } => (
            Mark::Failed,
            format!("{error}; the PBX is too busy, or raise freepbx.timeouts.action_seconds"),
        ),
        ActionError::CutOff { .. } => (
            Mark::Failed,
            format!("{error}; Asterisk restarts, or writetimeout in manager.conf is too short"),
        ),
        _ => (Mark::Failed, error.to_string()),
    }
}

/// What an answer holds: a few of its names, or its most telling header.
fn shown(answer: &Answer) -> String {
    const MOST: usize = 4;
    if !answer.action().is_list() {
        if answer.action() == ReadAction::ListCommands {
            let count = answer.response().headers().filter(|(_, text)| text.contains("(Priv:"));
            return format!("{} actions are permitted", count.count());
        }
        let telling = ["AsteriskVersion", "CoreStartupDate", "Value", "Timestamp"];
        let row = answer.response();
        let value = telling.iter().find_map(|key| row.get(key));
        return value.unwrap_or("answered").to_owned();
    }
    const NAMES: [&str; 10] = [
        "ObjectName",
        "Queue",
        "Channel",
        "ParkeeChannel",
        "Exten",
        "Conference",
        "Device",
        "AOR",
        "Key",
        "Host",
    ];
    let total = answer.rows().len();
    let mut names: Vec<&str> = Vec::new();
    for row in answer.rows() {
        let name = NAMES.iter().find_map(|key| row.get(key)).unwrap_or_default();
        if !name.is_empty() && !names.contains(&name) && names.len() < MOST {
            names.push(name);
        }
    }
    match (total, names.is_empty()) {
        (0, _) => "none".to_owned(),
        (_, true) => total.to_string(),
        _ => format!("{total}: {}{}", names.join(", "), if total > MOST { ", ..." } else { "" }),
    }
}
