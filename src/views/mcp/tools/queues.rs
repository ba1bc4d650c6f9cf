//! `list_queues`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Question, Tool, named};
use crate::{
    snapshot::{AgentStatus, Queue, QueueCaller, Section},
    views::mcp::{
        about::not_known,
        page::{Answer, Page, page},
    },
};

pub(super) const LIST: Tool = Tool {
    name: "list_queues",
    title: "List queues",
    description: "Call queues with their waiting callers and members, optionally only those with \
                  waiting callers, or one by its name. Wait times are as of when the snapshot was \
                  collected.",
    input: super::input::<ListQueues>,
    output: super::output::<Page<Row>>,
    answer: list,
};

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "limit and cursor are read by `Asked`, for all lists alike")]
struct ListQueues {
    /// Only those with waiting callers; with false, only those without.
    with_callers: Option<bool>,
    /// Only the queue of this name.
    queue: Option<String>,
    /// Queues per page, at most 200; without it 50.
    #[schemars(range(min = 1, max = 200))]
    limit: Option<u64>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// A queue in short.
#[derive(Debug, Serialize, JsonSchema)]
struct Row {
    /// Name; FreePBX uses the queue's number.
    name: String,
    /// Ring strategy.
    strategy: Option<String>,
    /// Callers waiting.
    calls: Option<u64>,
    /// How long the caller who waits longest has been waiting; 0 when nobody waits.
    longest_wait_seconds: Option<u64>,
    /// Members, whatever their state.
    members: Option<u64>,
    /// Members who could take a call: reachable, idle and not paused.
    available: Option<u64>,
    /// Members who are paused.
    paused: Option<u64>,
    /// Members in a call of this queue.
    in_call: Option<u64>,
    /// Calls answered since Asterisk's counters were reset.
    completed: Option<u64>,
    /// Calls abandoned by the caller since Asterisk's counters were reset.
    abandoned: Option<u64>,
    /// Share of calls answered within the goal, in percent.
    service_level_percent: Option<f64>,
    /// Callers who wait, first in line first; `null` when not known.
    callers: Option<Vec<QueueCaller>>,
    /// Members; `null` when not known.
    agents: Option<Vec<AgentRow>>,
}

/// A member of a queue in short.
#[derive(Debug, Serialize, JsonSchema)]
struct AgentRow {
    /// Extension of the member, where it has one.
    extension: Option<String>,
    /// Display name.
    name: Option<String>,
    /// State of the member's device.
    status: AgentStatus,
    /// Whether the member is paused.
    paused: Option<bool>,
}

fn list(question: &Question<'_>) -> Result<Answer, String> {
    let wanted: ListQueues = question.arguments()?;
    let snapshot = question.snapshot;
    if let (Some(name), Some(queues)) = (&wanted.queue, &snapshot.queues)
        && !queues.iter().any(|queue| queue.name == *name)
    {
        let names: Vec<_> = queues.iter().map(|queue| queue.name.as_str()).collect();
        return Err(format!("there is no queue {name}; there are: {}", names.join(", ")));
    }
    let matches = |queue: &&Queue| {
        wanted.queue.as_ref().is_none_or(|name| queue.name == *name)
            && wanted
                .with_callers
                .is_none_or(|with| queue.calls.map(|calls| calls > 0) == Some(with))
    };
    let rows = snapshot
        .queues
        .as_ref()
        .map(|queues| queues.iter().filter(matches).map(row).collect::<Vec<_>>());
    let heading = match wanted.with_callers {
        Some(true) => "Queues with waiting callers",
        Some(false) => "Queues without waiting callers",
        None => "Queues",
    };
    Ok(page(
        question.about.clone(),
        &question.asked()?,
        rows.as_deref(),
        not_known(snapshot, Section::Queues),
        heading,
        line,
    ))
}

fn row(queue: &Queue) -> Row {
    let agents = queue.agents.as_ref().map(|agents| {
        let short = agents.iter().map(|agent| AgentRow {
            extension: agent.extension.clone(),
            name: agent.name.clone(),
            status: agent.status,
            paused: agent.paused,
        });
        short.collect()
    });
    Row {
        name: queue.name.clone(),
        strategy: queue.strategy.clone(),
        calls: queue.calls,
        longest_wait_seconds: queue.longest_wait_seconds,
        members: queue.members,
        available: queue.available,
        paused: queue.paused,
        in_call: queue.in_call,
        completed: queue.completed,
        abandoned: queue.abandoned,
        service_level_percent: queue.service_level_percent,
        callers: queue.callers.clone(),
        agents,
    }
}

fn line(queue: &Row) -> String {
    let known =
        |number: Option<u64>| number.map_or("unknown".to_owned(), |number| number.to_string());
    let mut line = format!(
        "{}: callers waiting: {}, longest wait: {} s, members: {}, available: {}, paused: {}",
        queue.name,
        known(queue.calls),
        known(queue.longest_wait_seconds),
        known(queue.members),
        known(queue.available),
        known(queue.paused),
    );
    for caller in queue.callers.iter().flatten().take(10) {
        let who = named(caller.number.as_deref(), caller.name.as_deref());
        let wait = known(caller.wait_seconds);
        line.push_str(&format!("\n  - waits: {who}, {wait} s"));
    }
    for agent in queue.agents.iter().flatten().take(10) {
        let who = named(agent.extension.as_deref(), agent.name.as_deref());
        let paused = if agent.paused == Some(true) { ", paused" } else { "" };
        line.push_str(&format!("\n  - member: {who}, {}{paused}", agent.status.as_str()));
    }
    line
}
