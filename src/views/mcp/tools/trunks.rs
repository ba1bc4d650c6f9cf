//! `list_trunks`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Question, Tool};
use crate::{
    snapshot::{Section, Trunk},
    views::mcp::{
        about::not_known,
        page::{Answer, Page, page},
    },
};

pub(super) const LIST: Tool = Tool {
    name: "list_trunks",
    title: "List trunks",
    description: "Lines to the outside with their registration, reachability and number of calls, \
                  optionally only those that are down (Unregistered, Rejected, Failed or \
                  Unreachable).",
    input: super::input::<ListTrunks>,
    output: super::output::<Page<Trunk>>,
    answer: list,
};

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "limit and cursor are read by `Asked`, for all lists alike")]
struct ListTrunks {
    /// Only those that are down; with false, only the others, among which some may be unknown.
    down: Option<bool>,
    /// Trunks per page, at most 200; without it 50.
    #[schemars(range(min = 1, max = 200))]
    limit: Option<u64>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

fn list(question: &Question<'_>) -> Result<Answer, String> {
    let wanted: ListTrunks = question.arguments()?;
    let snapshot = question.snapshot;
    let trunks = snapshot.trunks.as_ref().map(|trunks| {
        let matches = |trunk: &&Trunk| wanted.down.is_none_or(|down| trunk.state.is_down() == down);
        trunks.iter().filter(matches).cloned().collect::<Vec<_>>()
    });
    let heading = match wanted.down {
        Some(true) => "Trunks that are down",
        Some(false) => "Trunks that are not down",
        None => "Trunks",
    };
    Ok(page(
        question.about.clone(),
        &question.asked()?,
        trunks.as_deref(),
        not_known(snapshot, Section::Trunks),
        heading,
        line,
    ))
}

fn line(trunk: &Trunk) -> String {
    let mut line = format!("{} ({}): {}", trunk.name, trunk.tech, trunk.state.as_str());
    if let Some(word) = trunk.state_raw.as_ref().filter(|word| *word != trunk.state.as_str()) {
        line.push_str(&format!(" ({word})"));
    }
    if let Some(host) = &trunk.host {
        line.push_str(&format!(", host {host}"));
    }
    match trunk.active_calls {
        Some(calls) => line.push_str(&format!(", calls: {calls}")),
        None => line.push_str(", calls: not known"),
    }
    line
}
