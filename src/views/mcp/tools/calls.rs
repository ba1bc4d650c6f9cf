//! `list_calls`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Question, Tool, contains};
use crate::{
    snapshot::{Call, Direction, Party, Section},
    views::mcp::{
        about::not_known,
        page::{Answer, Page, page},
    },
};

pub(super) const LIST: Tool = Tool {
    name: "list_calls",
    title: "List calls",
    description: "Calls in progress, one sentence each: who talks to whom, in which state, since \
                  when, over which trunk or queue. Optionally only those of one party, queue, \
                  trunk or direction. Times are as of when the snapshot was collected.",
    input: super::input::<ListCalls>,
    output: super::output::<Page<Call>>,
    answer: list,
};

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "limit and cursor are read by `Asked`, for all lists alike")]
struct ListCalls {
    /// Only calls from or to this number or name, or a part of one; case does not matter.
    party: Option<String>,
    /// Only calls that wait in, or came through, the queue of this name.
    queue: Option<String>,
    /// Only calls over the trunk of this name.
    trunk: Option<String>,
    /// Only calls that go this way.
    direction: Option<Direction>,
    /// Calls per page, at most 200; without it 50.
    #[schemars(range(min = 1, max = 200))]
    limit: Option<u64>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

fn list(question: &Question<'_>) -> Result<Answer, String> {
    let wanted: ListCalls = question.arguments()?;
    let is_party = |party: &Party, part: &str| {
        [&party.number, &party.name, &party.extension]
            .into_iter()
            .any(|text| contains(text.as_ref(), part))
    };
    let matches = |call: &&Call| {
        wanted.party.as_ref().is_none_or(|part| {
            let part = part.trim();
            is_party(&call.from, part) || is_party(&call.to, part)
        }) && wanted.queue.as_ref().is_none_or(|queue| call.queue.as_ref() == Some(queue))
            && wanted.trunk.as_ref().is_none_or(|trunk| {
                [&call.trunk, &call.from.trunk, &call.to.trunk]
                    .into_iter()
                    .any(|one| one.as_ref() == Some(trunk))
            })
            && wanted.direction.is_none_or(|direction| call.direction == direction)
    };
    let snapshot = question.snapshot;
    let calls = snapshot
        .active_calls
        .as_ref()
        .map(|calls| calls.iter().filter(matches).cloned().collect::<Vec<_>>());
    Ok(page(
        question.about.clone(),
        &question.asked()?,
        calls.as_deref(),
        not_known(snapshot, Section::ActiveCalls),
        "Calls in progress",
        line,
    ))
}

fn line(call: &Call) -> String {
    let direction = format!("{:?}", call.direction).to_lowercase();
    let mut line = format!("{} ({}, {direction}", call.description, call.state.as_str());
    if let Some(trunk) = &call.trunk {
        line.push_str(&format!(", trunk {trunk}"));
    }
    if let Some(queue) = &call.queue {
        line.push_str(&format!(", queue {queue}"));
    }
    line.push(')');
    line
}
