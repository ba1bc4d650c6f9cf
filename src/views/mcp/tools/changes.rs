//! `what_changed`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Question, Tool};
use crate::{
    snapshot::{Change, ChangeKind},
    views::mcp::page::{Answer, Page, page},
};

pub(super) const LIST: Tool = Tool {
    name: "what_changed",
    title: "What changed",
    description: "What differs between this snapshot and the one before: extensions gone offline \
                  or back, trunks lost or regained, calls begun and ended, queue members joined, \
                  left or paused, Asterisk restarted.",
    input: super::input::<WhatChanged>,
    output: super::output::<Page<Change>>,
    answer: list,
};

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "limit and cursor are read by `Asked`, for all lists alike")]
struct WhatChanged {
    /// Only changes of this kind.
    kind: Option<ChangeKind>,
    /// Changes per page, at most 200; without it 50.
    #[schemars(range(min = 1, max = 200))]
    limit: Option<u64>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

fn list(question: &Question<'_>) -> Result<Answer, String> {
    let wanted: WhatChanged = question.arguments()?;
    let changes = question.snapshot.changes.as_ref().map(|changes| {
        let matches = |change: &&Change| wanted.kind.is_none_or(|kind| change.kind == kind);
        changes.iter().filter(matches).cloned().collect::<Vec<_>>()
    });
    let reason = "what changed: there was no previous snapshot to compare with";
    let reason = changes.is_none().then(|| reason.to_owned());
    Ok(page(
        question.about.clone(),
        &question.asked()?,
        changes.as_deref(),
        reason,
        "Changes since the snapshot before",
        |change| format!("{} (since {})", change.message, change.since),
    ))
}
