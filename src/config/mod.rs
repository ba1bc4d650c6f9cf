//! The configuration file: from YAML to a [`Config`] that cannot be wrong.
//!
//! The file may hold other programs' sections; only the sections in
//! `keys.rs` are ours. Everything that
//! is wrong is told as one line, `FILE:LINE: KEY: what is wrong; expected ...`, and no message ever
//! repeats a value, because any line may turn out to hold a password. `config.example.yaml`
//! documents every key.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    time::Duration,
};

mod document;
mod error;
mod expand;
mod find;
mod keys;
mod kinds;
mod password;
mod readers;
mod text;
mod tls;
mod values;
mod walk;

pub use error::Error;
pub use expand::Environment;
pub use find::{PLACES, VARIABLE};
pub use kinds::{Kind, KindRules};
pub use password::read as read_password_file;
pub use readers::{ForReaders, HTML_MODE, OutputFile, Outputs, PROMETHEUS_MODE};

use crate::ami::{Credentials, LoginMethod, Options};
use document::Document;
use values::Values;

/// Everything that a run needs to know beforehand.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Config {
    /// The file that this came from.
    pub file: PathBuf,
    /// Host name or address of the Asterisk Manager Interface.
    pub host: String,
    /// Its TCP port.
    pub port: u16,
    /// Who logs in, and how.
    pub credentials: Credentials,
    /// TLS and time limits of the connection.
    pub ami: Options,
    /// Time limit of the whole run; shorter than [`Cache::interval`].
    pub run_timeout: Duration,
    /// Sections that are left out, by their key in the snapshot.
    pub skip: BTreeSet<&'static str>,
    /// True when messages in voicemail boxes are counted, which makes Asterisk read its disk.
    pub voicemail_counts: bool,
    /// What the administrator says is a trunk or an extension.
    pub kinds: KindRules,
    /// Where the snapshot goes.
    pub cache: Cache,
    /// What is written beside the snapshot.
    pub outputs: Outputs,
    /// What is odd but does not prevent a run, each as one line.
    pub warnings: Vec<String>,
    /// What a person should know once, but need not hear at every run.
    pub notes: Vec<String>,
}

/// Where the snapshot goes and how long it is good.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Cache {
    /// The file that is written.
    pub path: PathBuf,
    /// Time from one run to the next.
    pub interval: Duration,
    /// Age at which a snapshot must no longer be presented as current.
    pub stale_after: Duration,
    /// True for indented JSON, false for one line.
    pub pretty: bool,
    /// Mode of the file, whatever the umask.
    pub file_mode: u32,
    /// Size at which `history.ndjson`, the changes of past runs, begins anew; `None` for no
    /// history. One generation before is kept.
    pub history_max_bytes: Option<u64>,
}

/// Name of the snapshot in its directory.
const FILE_NAME: &str = "freepbx.json";

/// Some 3,000 changes.
const HISTORY_MAX_BYTES: u64 = 1 << 20;

impl Cache {
    /// The defaults, in that directory.
    #[must_use]
    pub fn in_directory(directory: &Path) -> Self {
        let interval = Duration::from_secs(300);
        Self {
            path: directory.join(FILE_NAME),
            interval,
            stale_after: interval * 2,
            pretty: true,
            file_mode: 0o640,
            history_max_bytes: Some(HISTORY_MAX_BYTES),
        }
    }
}

impl Config {
    /// Finds the file (`--config`, `FREEPBX_SNAPSHOT_CONFIG`, `./config.yaml`,
    /// `/etc/freepbx-snapshot/config.yaml`) and reads it.
    ///
    /// # Errors
    ///
    /// [`Error`]: no file, an unreadable one, no YAML, a missing or a wrong value. Each is one line.
    pub fn load(option: Option<&Path>, environment: Environment<'_>) -> Result<Self, Error> {
        let (file, bytes) = find::read(option, environment, &PLACES)?;
        Self::parse(&file, bytes, environment)
    }

    /// Understands the content of a file. Relative paths in it start at the file's folder.
    ///
    /// # Errors
    ///
    /// As [`Config::load`].
    pub fn parse(file: &Path, yaml: Vec<u8>, environment: Environment<'_>) -> Result<Self, Error> {
        let document = Document::parse(file, yaml)?;
        check_sections(&document)?;
        let values = Values { document: &document, environment };
        let base = base(file);

        let cache = cache(&values, &base)?;
        let host = values.value("freepbx.ami_host", values::host)?;
        let host = host.unwrap_or_else(|| "127.0.0.1".to_owned());
        let tls = tls::tls(&values, &base)?;
        let port = if tls.is_some() { 5039 } else { 5038 };
        let credentials = credentials(&values, &base)?;
        let exposed = tls.is_none() && !tls::is_loopback(&host);
        let mut warnings = warnings(&values, &base)?;
        warnings.extend(tls::unused(&values));
        // No reason not to collect, but `status` will refuse to work with it.
        warnings.extend(readers::status(&values).err().map(|error| error.to_string()));
        let mut notes = Vec::new();
        match exposed.then(|| credentials.method()) {
            Some(LoginMethod::Plain) => warnings.push(tls::plain_password(&document)),
            Some(LoginMethod::Challenge) => notes.push(tls::plain_traffic(&document)),
            None => {}
        }
        let ignored = ["freepbx.extensions", "freepbx.trunks", "freepbx.ignore"];
        let [extensions, trunks, ignored] = ignored.map(|key| values.patterns(key));
        Ok(Self {
            host,
            port: values.value("freepbx.ami_port", values::port)?.unwrap_or(port),
            credentials,
            ami: Options { tls, ..timeouts(&values)? },
            run_timeout: run_timeout(&values, cache.interval)?,
            skip: values.sections("freepbx.skip")?,
            voicemail_counts: values
                .value("freepbx.voicemail_counts", values::boolean)?
                .unwrap_or(false),
            kinds: KindRules::new(&extensions?, &trunks?, &ignored?),
            cache,
            outputs: readers::outputs(&values, &base)?,
            warnings,
            notes,
            file: file.to_owned(),
        })
    }

    /// True for a section that the configuration leaves out.
    #[must_use]
    pub fn skips(&self, section: &str) -> bool {
        self.skip.contains(section)
    }
}

/// The folder at which relative paths in a file start.
fn base(file: &Path) -> PathBuf {
    let folder = file.parent().filter(|parent| !parent.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned())
}

/// Tells a missing section before its missing keys.
fn check_sections(document: &Document) -> Result<(), Error> {
    if document.has("freepbx") {
        return Ok(());
    }
    let alike = |name: &&str| strsim::jaro_winkler(name, "freepbx") >= 0.8;
    let misspelt = document.foreign().iter().filter_map(|name| keys::printable(name)).find(alike);
    let hint = misspelt.map(|name| format!(" (is it `{name}` in line {}?)", document.line(name)));
    Err(document.error("freepbx", format!("missing{}", hint.unwrap_or_default())))
}

fn credentials(values: &Values<'_>, base: &Path) -> Result<Credentials, Error> {
    const USER: &str = "freepbx.ami_username";
    let username = values.value(USER, |text| match text.contains(char::is_control) {
        true => Err("holds a control character"),
        false => Ok(text.to_owned()),
    })?;
    let username = username.ok_or_else(|| values.document.error(USER, "missing"))?;
    let password = password::password(values, base)?;
    let method = values.value("freepbx.ami_login", values::login)?.unwrap_or_default();
    Ok(Credentials::new(username, password).with_method(method))
}

/// The longest time limit that makes sense, in seconds.
const A_DAY: f64 = 86_400.0;

fn timeouts(values: &Values<'_>) -> Result<Options, Error> {
    let seconds = |key| values.value(key, values::seconds(0.1, A_DAY));
    let default = Options::default();
    Ok(Options {
        connect_timeout: seconds("freepbx.timeouts.connect_seconds")?
            .unwrap_or(default.connect_timeout),
        login_timeout: seconds("freepbx.timeouts.login_seconds")?.unwrap_or(default.login_timeout),
        action_timeout: seconds("freepbx.timeouts.action_seconds")?
            .unwrap_or(default.action_timeout),
        ..default
    })
}

/// The whole run ends well before the next one begins. Where the interval is short, so is the
/// default: a file from before this program may say `default_ttl_seconds: 60` and nothing else.
fn run_timeout(values: &Values<'_>, interval: Duration) -> Result<Duration, Error> {
    const KEY: &str = "freepbx.timeouts.run_seconds";
    let default = Duration::from_secs(120).min(interval.mul_f64(0.8));
    let timeout = values.value(KEY, values::seconds(0.1, A_DAY))?.unwrap_or(default);
    if timeout >= interval {
        let interval = interval.as_secs_f64();
        let problem =
            format!("the run could last until the next one, which begins after {interval} s");
        return Err(values.document.error(KEY, problem));
    }
    Ok(timeout)
}

fn cache(values: &Values<'_>, base: &Path) -> Result<Cache, Error> {
    const STALE: &str = "cache.stale_after_seconds";
    let seconds = |key| values.value(key, values::seconds(1.0, 7.0 * A_DAY));
    let directory = values.value("cache.directory", |text| match text.starts_with('~') {
        true => Err("begins with ~, which only a shell understands"),
        false => Ok(text.to_owned()),
    })?;
    let interval = seconds("cache.default_ttl_seconds")?.unwrap_or(Duration::from_secs(300));
    let stale_after = seconds(STALE)?.unwrap_or(interval * 2);
    if stale_after < interval {
        let problem = "every snapshot would be stale before the next one comes";
        return Err(values.document.error(STALE, problem));
    }
    let is_kept = values.value("cache.history", values::boolean)?.unwrap_or(true);
    let history = values.value("cache.history_max_bytes", values::bytes)?;
    let path = base.join(directory.as_deref().unwrap_or("cache")).join(FILE_NAME);
    Ok(Cache {
        // Without the `.` of `./cache`.
        path: path.components().collect(),
        interval,
        stale_after,
        pretty: values.value("cache.pretty", values::boolean)?.unwrap_or(true),
        file_mode: values.value("cache.file_mode", values::file_mode)?.unwrap_or(0o640),
        history_max_bytes: is_kept.then_some(history.unwrap_or(HISTORY_MAX_BYTES)),
    })
}

fn warnings(values: &Values<'_>, base: &Path) -> Result<Vec<String>, Error> {
    const MOST: usize = 20;
    let document = values.document;
    let file = error::shown(document.file());
    let unknown = document.unknown().iter().take(MOST).map(|key| {
        let hint = keys::nearest(key).map(|near| format!("; did you mean {near}?"));
        let (line, hint) = (document.line(key), hint.unwrap_or_default());
        format!("{file}:{line}: {}: unknown key, ignored{hint}", document::shown_key(key))
    });
    let mut warnings: Vec<_> = unknown.collect();
    warnings.extend(password::exposure(document.file(), password::is_inline(values)));
    if let Some(path) = password::file(values, base)? {
        warnings.extend(password::exposure(&path, true));
    }
    Ok(warnings)
}

#[cfg(test)]
mod tests {
    use super::{keys::Shape, *};

    const EXAMPLE: &str = include_str!("../../config.example.yaml");

    fn parse(yaml: &str) -> Config {
        Config::parse(Path::new("/x/config.yaml"), yaml.into(), &|_| None).unwrap()
    }

    /// The example with every default switched on: `#key: value` is a default, `# text` is not.
    fn uncommented() -> String {
        let line = |line: &str| match line.trim_start().strip_prefix('#') {
            Some(key) if key.starts_with(|c: char| c.is_ascii_lowercase()) => {
                line.replacen('#', "", 1) + "\n"
            }
            _ => line.to_owned() + "\n",
        };
        EXAMPLE.lines().map(line).collect()
    }

    #[test]
    fn the_example_works_as_it_is() {
        assert!(parse(EXAMPLE).warnings.is_empty());
    }

    #[test]
    fn the_example_names_every_key_with_its_default_and_no_other() {
        let document = Document::parse(Path::new("x"), uncommented().into()).unwrap();
        assert!(document.unknown().is_empty() && document.foreign().is_empty());
        for key in &keys::KEYS {
            assert!(document.has(key.path), "{} is missing in config.example.yaml", key.path);
            if key.shape == Shape::Text && !key.default.is_empty() {
                let default = key.default.trim_matches('"');
                assert_eq!(document.value(key.path), Some(default), "{}", key.path);
            }
        }
    }

    #[test]
    fn the_defaults_in_the_example_are_those_of_the_program() {
        // What excludes another key, or has no default.
        let special = ["ami_password_file:", " ami_tls_", "  html:", "  prometheus:"];
        let without_examples: String = uncommented()
            .split_inclusive('\n')
            .filter(|line| !special.iter().any(|key| line.contains(key)))
            .collect();
        let (least, all) = (parse(EXAMPLE), parse(&without_examples));
        assert_eq!(format!("{least:?}"), format!("{all:?}"));
    }

    #[test]
    fn all_places_are_named_when_there_is_no_file() {
        let error =
            find::read(None, &|_| None, &["/nowhere/a.yaml", "/nowhere/b.yaml"]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "no configuration file; tried --config (not given), FREEPBX_SNAPSHOT_CONFIG (not set), \
             /nowhere/a.yaml, /nowhere/b.yaml; copy config.example.yaml to one of these places"
        );
    }
}
