//! `show attention`: what a person should look at, worst first.

use super::{
    Ask,
    page::{Ink, Page},
};
use crate::snapshot::{Attention, Severity};

/// The words that `--state` accepts.
pub(super) const STATES: [Severity; 3] = [Severity::Critical, Severity::Warning, Severity::Info];

/// Whether an item passes the filters.
pub(super) fn fits(item: &Attention, ask: &Ask<'_>) -> bool {
    ask.filters.is_state(word(item.severity))
        && ask.needle.as_ref().is_none_or(|needle| {
            needle.is_in_any([Some(item.id.as_str()), Some(&item.message), Some(&item.kind)])
        })
}

/// One paragraph each.
pub(super) fn list(rows: &[&Attention], page: Page) -> String {
    let paragraph = |item: &&Attention| {
        let ink = match item.severity {
            Severity::Critical => Ink::Alarm,
            Severity::Warning => Ink::Active,
            Severity::Info => Ink::Plain,
        };
        page.paragraph(&format!("{:<10}", word(item.severity)), &item.message, ink)
    };
    rows.iter().map(paragraph).collect()
}

/// The word in the snapshot.
pub(super) fn word(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "critical",
        Severity::Warning => "warning",
        Severity::Info => "info",
    }
}
