//! Turns answers into the snapshot. Pure: no sockets, no files, no clock.
//!
//! One file per section. Each reads the rows it needs from the [`Answers`] and gives its part of
//! the snapshot, or `None` where the PBX did not answer; sections that build on others (calls on
//! channels, extensions on calls) take them as arguments.

mod changes;
pub(crate) mod fields;
mod reports;
mod summary;
mod system;
#[cfg(test)]
pub(crate) mod testing;
pub(crate) mod words;

use crate::{
    collect::{AstDb, Collected, Directory, Plan},
    snapshot::{
        Collector, SCHEMA_VERSION, Section, Sections, Snapshot, Source, Summary, Timestamp,
    },
};

/// What a snapshot says about its own making.
#[derive(Debug, Clone)]
pub struct Context {
    /// Host from the configuration.
    pub host: String,
    /// Port from the configuration.
    pub port: u16,
    /// Whether the connection was encrypted.
    pub tls: bool,
    /// Whether the PBX is the embedded demonstration.
    pub demo: bool,
    /// When the collection began.
    pub collected_at: Timestamp,
    /// Seconds after which the snapshot must not be presented as current.
    pub stale_after_seconds: u64,
}

/// Makes the snapshot of what was collected.
///
/// `previous` is the snapshot that stands in the file so far, for `changes` and for what a person
/// should look at.
#[must_use]
pub fn snapshot(
    collected: &Collected,
    plan: &Plan,
    context: &Context,
    previous: Option<&Snapshot>,
) -> Snapshot {
    let answers = &collected.answers;
    let wants = |section| !plan.skip.contains(&section);
    let astdb = AstDb::read(answers);
    let directory = Directory::read(answers, &astdb, &plan.kinds);
    todo!()
}
