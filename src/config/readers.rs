//! As much of the configuration as concerns those who read the snapshot and what is made of it.
//!
//! A reader may run as another user or on another machine, without the password or the variables
//! that collecting needs. So none of that is looked at here.

use std::path::{Path, PathBuf};

use super::{Cache, Environment, Error, PLACES, base, cache, document::Document, find, values};
use crate::views::status::{Checks, Metric, Rule, Verdict};
use values::Values;

/// Mode of the page unless configured: it shows who talks to whom, like the snapshot.
pub const HTML_MODE: u32 = 0o640;
/// Mode of the metrics unless configured: node_exporter runs as another user, and they hold no
/// names or numbers of callers.
pub const PROMETHEUS_MODE: u32 = 0o644;

/// Where the snapshot is, and what monitoring makes of it.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ForReaders {
    /// Where the snapshot is.
    pub cache: Cache,
    /// Thresholds of `status`.
    pub status: Checks,
}

impl ForReaders {
    /// Finds the file as [`super::Config::load`] does and reads what concerns readers.
    ///
    /// # Errors
    ///
    /// [`Error`]: no file, an unreadable one, no YAML, or a wrong value in `cache` or `status`.
    pub fn load(option: Option<&Path>, environment: Environment<'_>) -> Result<Self, Error> {
        let (file, bytes) = find::read(option, environment, &PLACES)?;
        let document = Document::parse(&file, bytes)?;
        let values = Values { document: &document, environment };
        Ok(Self { cache: cache(&values, &base(&file))?, status: status(&values)? })
    }
}

pub(super) fn status(values: &Values<'_>) -> Result<Checks, Error> {
    let mut checks = Checks::default();
    let stale = values.value("status.stale", |text| match text {
        "critical" => Ok(Verdict::Critical),
        "warning" => Ok(Verdict::Warning),
        "unknown" => Ok(Verdict::Unknown),
        _ => Err("is no verdict"),
    })?;
    if let Some(stale) = stale {
        checks.set_stale(stale);
    }
    for metric in Metric::ALL {
        let key = key(metric);
        let rules = values.items(key, |text| Rule::parse(metric, text))?;
        // `[60,300]` in a flow list is two rules, which nobody meant.
        if let Some(second) = rules.iter().enumerate().filter(|(_, it)| it.is_general()).nth(1) {
            let problem =
                "is a second rule for all; is a comma meant? Write \"WARN,CRIT\" in quotes";
            return Err(values.document.item_error(key, second.0, problem));
        }
        rules.into_iter().for_each(|rule| checks.add(metric, rule));
    }
    Ok(checks)
}

fn key(metric: Metric) -> &'static str {
    match metric {
        Metric::Age => "status.age",
        Metric::TrunkDown => "status.trunk_down",
        Metric::TrunkCalls => "status.trunk_calls",
        Metric::QueueWait => "status.queue_wait",
        Metric::QueueCallers => "status.queue_callers",
        Metric::QueueUnattended => "status.queue_unattended",
        Metric::Offline => "status.offline",
        Metric::Calls => "status.calls",
        Metric::Channels => "status.channels",
        Metric::CallDuration => "status.call_duration",
        Metric::Uptime => "status.uptime",
    }
}

/// What a collection writes beside the snapshot.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Outputs {
    /// A web page.
    pub html: Option<OutputFile>,
    /// Metrics for node_exporter.
    pub prometheus: Option<OutputFile>,
}

/// A file that is written in one step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutputFile {
    /// The file.
    pub path: PathBuf,
    /// Its mode, whatever the umask.
    pub mode: u32,
}

pub(super) fn outputs(values: &Values<'_>, base: &Path) -> Result<Outputs, Error> {
    let file = |key: &str, mode_key: &str, mode: u32| {
        let mode = values.value(mode_key, values::file_mode)?.unwrap_or(mode);
        let path = values.value(key, |text| match text.starts_with('~') {
            true => Err("begins with ~, which only a shell understands"),
            false => Ok(base.join(text)),
        })?;
        Ok(path.map(|path| OutputFile { path: path.components().collect(), mode }))
    };
    let prometheus = file("outputs.prometheus", "outputs.prometheus_mode", PROMETHEUS_MODE)?;
    let wrong_name = |it: &OutputFile| it.path.extension().is_none_or(|end| end != "prom");
    if prometheus.as_ref().is_some_and(wrong_name) {
        let problem = "does not end in .prom, so node_exporter would not read it";
        return Err(values.document.error("outputs.prometheus", problem));
    }
    Ok(Outputs { html: file("outputs.html", "outputs.html_mode", HTML_MODE)?, prometheus })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(yaml: &str) -> Result<ForReaders, String> {
        let folder = tempfile::TempDir::new().unwrap();
        let file = folder.path().join("config.yaml");
        std::fs::write(&file, yaml).unwrap();
        ForReaders::load(Some(&file), &|_| None).map_err(|error| error.to_string())
    }

    #[test]
    fn a_reader_needs_no_password_and_no_variable() {
        let settings = load(
            "freepbx: {ami_username: x, ami_password: \"${NOT_SET}\"}\ncache: {directory: /x}\n",
        );
        assert_eq!(settings.unwrap().cache.path, Path::new("/x/freepbx.json"));
    }

    #[test]
    fn rules_are_read_and_wrong_ones_have_a_line() {
        let good =
            load("status:\n  queue_wait:\n    - 60,300\n    - 400=10,20\n  stale: unknown\n");
        assert_ne!(good.unwrap().status, Checks::default());
        let bad = load("status:\n  queue_wait:\n    - 60,300\n    - 400=x\n").unwrap_err();
        assert!(bad.contains("config.yaml:4: status.queue_wait: is no range"), "{bad}");
        let flow = load("status: {queue_wait: [60,300]}\n").unwrap_err();
        assert!(flow.contains("in quotes"), "{flow}");
    }
}
