//! `overview`: the state of the phone system in a few sentences.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Tool;
use crate::{
    snapshot::{
        Attention, CallCounts, ExtensionCounts, QueueCounts, Section, SectionStatus, Snapshot,
        TrunkCounts,
    },
    views::mcp::{
        about::{About, not_known},
        page::{Answer, clip},
    },
};

pub(super) const OVERVIEW: Tool = Tool {
    name: "overview",
    title: "Overview of the phone system",
    description: "The state of the phone system in a few sentences: what needs attention, worst \
                  first, counts of extensions, trunks, calls and queues, and what is not known. \
                  Ask this first.",
    input: super::input::<NoArguments>,
    output: super::output::<Overview>,
    answer: |question| {
        let NoArguments {} = question.arguments()?;
        Ok(overview(question.snapshot, question.about.clone()))
    },
};

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NoArguments {}

/// The state of the phone system.
#[derive(Debug, Serialize, JsonSchema)]
struct Overview {
    /// When and where the snapshot was taken.
    about: About,
    /// The state of the phone system in a few plain sentences.
    text: String,
    /// What a person should look at, worst first.
    attention: Vec<Attention>,
    /// How many there are, of which `attention` has the worst.
    attention_total: u64,
    /// True when every section that this PBX supports was read whole.
    complete: bool,
    /// What is not known, and why.
    not_known: Vec<String>,
    /// Extensions by state; `null` when not known.
    extensions: Option<ExtensionCounts>,
    /// Trunks by state; `null` when not known.
    trunks: Option<TrunkCounts>,
    /// Calls by state and direction; `null` when not known.
    active_calls: Option<CallCounts>,
    /// Queues and their callers; `null` when not known.
    queues: Option<QueueCounts>,
    /// Number of parked calls; `null` when not known.
    parked_calls: Option<u64>,
    /// Number of conferences; `null` when not known.
    conferences: Option<u64>,
    /// New voicemail messages in all boxes; `null` when not asked for or not known.
    new_voicemail_messages: Option<u64>,
    /// Version of Asterisk.
    asterisk_version: Option<String>,
    /// Seconds since Asterisk started.
    uptime_seconds: Option<u64>,
}

/// What stands in the answer, and in the resources of the same content.
pub(in crate::views::mcp) fn overview(snapshot: &Snapshot, about: About) -> Answer {
    /// With texts of the clipped length, so many stay below the largest answer.
    const MOST_ATTENTION: usize = 20;
    let summary = &snapshot.summary;
    let short = |attention: &Attention| Attention {
        id: clip(&attention.id, 80),
        kind: clip(&attention.kind, 40),
        message: clip(&attention.message, 300),
        severity: attention.severity,
    };
    // What the configuration leaves out, and what this PBX does not have, is nothing to mention.
    let missing = snapshot.sections.iter().filter(|(_, report)| {
        !matches!(report.status, SectionStatus::Unsupported | SectionStatus::Disabled)
    });
    let missing = missing.filter_map(|(section, _): (Section, _)| not_known(snapshot, section));
    let overview = Overview {
        text: clip(&summary.text, 3_000),
        attention: summary.attention.iter().take(MOST_ATTENTION).map(short).collect(),
        attention_total: summary.attention_total,
        complete: snapshot.complete,
        not_known: missing.map(|reason| clip(&reason, 300)).collect(),
        extensions: summary.extensions.clone(),
        trunks: summary.trunks.clone(),
        active_calls: summary.active_calls.clone(),
        queues: summary.queues.clone(),
        parked_calls: summary.parked_calls,
        conferences: summary.conferences,
        new_voicemail_messages: summary.new_voicemail_messages,
        asterisk_version: snapshot.source.asterisk_version.as_ref().map(|text| clip(text, 100)),
        uptime_seconds: snapshot.system_info.as_ref().and_then(|info| info.uptime_seconds),
        about,
    };
    Answer { text: text(&overview), structured: serde_json::to_value(overview).unwrap_or_default() }
}

fn text(overview: &Overview) -> String {
    let mut text = format!("{}\n{}\n", overview.about.text(), overview.text);
    if overview.attention.is_empty() {
        text.push_str("\nNothing needs attention.\n");
    } else {
        text.push_str("\nNeeds attention, worst first:\n");
    }
    for Attention { severity, message, .. } in &overview.attention {
        let severity = format!("{severity:?}").to_lowercase();
        text.push_str(&format!("- {severity}: {message}\n"));
    }
    let shown = u64::try_from(overview.attention.len()).unwrap_or(u64::MAX);
    if let Some(more @ 1..) = overview.attention_total.checked_sub(shown) {
        text.push_str(&format!(
            "CUT: {more} more; the tools list_trunks, list_queues and list_extensions show them \
             all.\n"
        ));
    }
    for reason in &overview.not_known {
        text.push_str(&format!("Not known: {reason}\n"));
    }
    text
}
