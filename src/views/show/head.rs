//! What stands above every view: whose snapshot it is, how old, and what it lacks.

use chrono::{DateTime, Utc};

use super::page::{Ink, Page, spoken};
use crate::{
    snapshot::{Section, SectionStatus, Snapshot, Timestamp},
    views::Freshness,
};

/// The announcement that a snapshot must not be taken for the present; `None` when it may.
pub(super) fn warning(snapshot: &Snapshot, now: DateTime<Utc>) -> Option<String> {
    /// Clocks of two machines may differ by this without a word.
    const SKEW_SECONDS: u64 = 60;
    let ahead = snapshot.collected_at.seconds_since(Timestamp::new(now));
    if ahead > SKEW_SECONDS {
        return Some(format!(
            "WRONG CLOCK: this snapshot was collected {} in the future ({}), so nobody knows how \
             old it is.",
            spoken(ahead),
            snapshot.collected_at
        ));
    }
    let freshness = Freshness::of(snapshot, now);
    freshness.is_stale.then(|| {
        format!(
            "STALE: collected {} ago, good only until {}. This is how it was then, not how it is \
             now. Is `freepbx-snapshot collect` still run?",
            spoken(freshness.age_seconds),
            snapshot.stale_after
        )
    })
}

/// The lines above a view.
pub(super) fn head(snapshot: &Snapshot, now: DateTime<Utc>, page: Page) -> String {
    let mut text = String::new();
    if let Some(warning) = warning(snapshot, now) {
        text.push_str(&page.notice(&warning));
    }
    let source = &snapshot.source;
    let mut parts = Vec::new();
    if source.demo {
        parts.push("Demonstration, no real PBX".to_owned());
    }
    let (name, host) = (source.pbx_name.as_deref(), &source.host);
    parts.push(name.map_or_else(|| host.clone(), |name| format!("{name} ({host})")));
    if let Some(version) = &source.asterisk_version {
        parts.push(format!("Asterisk {version}"));
    }
    let age = spoken(Freshness::of(snapshot, now).age_seconds);
    parts.push(format!("collected {}, {age} ago", snapshot.collected_at));
    text.push_str(&page.paragraph("", &parts.join(" · "), Ink::Faint));
    text
}

/// What is wrong with a section: that it is not known, or not whole, and why.
pub(super) fn lack(snapshot: &Snapshot, section: Section, is_known: bool) -> Option<String> {
    let report = snapshot.sections.get(section);
    let why = match report.status {
        SectionStatus::Ok if is_known => return None,
        // Nothing is missing then: this PBX has no such thing.
        SectionStatus::Unsupported if is_known => return None,
        SectionStatus::Ok => "not in the snapshot",
        SectionStatus::Partial => "not read whole",
        SectionStatus::Unsupported => "this PBX has no such thing",
        SectionStatus::Denied => "the AMI user may not ask for it",
        SectionStatus::Timeout => "the PBX did not answer in time",
        SectionStatus::Error => "an error",
        SectionStatus::Disabled => "left out by the configuration",
    };
    let message = report.message.as_deref().map(|message| format!(": {message}"));
    let name = section.as_str().replace('_', " ");
    let what = if is_known { "may be incomplete" } else { "not known" };
    Some(format!("{name}: {what} ({why}{})", message.unwrap_or_default()))
}

/// The same, as a line of its own; nothing where nothing is wrong.
pub(super) fn lack_line(
    snapshot: &Snapshot,
    section: Section,
    is_known: bool,
    page: Page,
) -> String {
    let lack = lack(snapshot, section, is_known);
    lack.map(|lack| page.paragraph("! ", &lack, Ink::Bad)).unwrap_or_default()
}
