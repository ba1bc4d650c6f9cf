//! `export`: the snapshot in forms for other programs.

use std::{
    io::Write,
    path::{Path, PathBuf},
};

use chrono::{DateTime, Utc};
use clap::{Args, ValueEnum};

use super::{collect::print, snapshot_file};
use crate::{
    config::{HTML_MODE, PROMETHEUS_MODE},
    error::{Error, ExitCode},
    output,
    snapshot::Snapshot,
    views,
};

/// Options of `export`.
#[derive(Debug, Args)]
pub struct ExportArgs {
    /// Form to export
    #[arg(value_enum)]
    pub form: Form,
    /// Write to this file, in one step, instead of printing
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// The snapshot to read.
    #[command(flatten)]
    pub file: snapshot_file::FileArgs,
}

/// What a snapshot can be exported as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Form {
    /// One self-contained web page
    Html,
    /// Metrics for node_exporter's textfile collector
    Prometheus,
}

impl Form {
    /// The snapshot in this form.
    #[must_use]
    pub fn render(self, snapshot: &Snapshot, now: DateTime<Utc>) -> String {
        match self {
            Self::Html => views::html::render(snapshot, now),
            Self::Prometheus => views::prometheus::render(snapshot, now),
        }
    }

    fn file_mode(self) -> u32 {
        match self {
            Self::Html => HTML_MODE,
            Self::Prometheus => PROMETHEUS_MODE,
        }
    }
}

/// Prints the snapshot in the wanted form, or writes it.
///
/// # Errors
///
/// When there is no readable snapshot, or the result cannot be written.
pub fn run(
    arguments: &ExportArgs,
    config: Option<&Path>,
    now: DateTime<Utc>,
    out: &mut dyn Write,
) -> Result<ExitCode, Error> {
    let snapshot = views::load(&snapshot_file::path(arguments.file.file.as_deref(), config)?)?;
    if let Some(path) = &arguments.output {
        return write(arguments.form, &snapshot, path, now);
    }
    let text = arguments.form.render(&snapshot, now);
    print(text.as_bytes(), out)?;
    Ok(ExitCode::Complete)
}

/// Writes the snapshot in the wanted form to a file, in one step.
///
/// # Errors
///
/// When the file cannot be written.
pub fn write(
    form: Form,
    snapshot: &Snapshot,
    path: &Path,
    now: DateTime<Utc>,
) -> Result<ExitCode, Error> {
    let text = form.render(snapshot, now);
    output::write(text.as_bytes(), &output::Target { path, mode: form.file_mode() })?;
    Ok(ExitCode::Complete)
}
