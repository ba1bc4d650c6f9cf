//! Every key of the configuration file, with its default and what is expected of its value.
//!
//! Error messages, the search for misspelt keys and the test of `config.example.yaml` all read
//! this one table.

/// What stands behind a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// Further keys.
    Section,
    /// One value.
    Text,
    /// A list of values.
    List,
}

/// One key of the file.
#[derive(Debug)]
pub(super) struct Key {
    /// Its name with the sections around it: `freepbx.timeouts.run_seconds`.
    pub(super) path: &'static str,
    /// What stands behind it.
    pub(super) shape: Shape,
    /// Its default as YAML; empty where there is none.
    pub(super) default: &'static str,
    /// What its value has to be, to follow the word "expected".
    expected: &'static str,
}

impl Key {
    /// The last part of the path.
    pub(super) fn leaf(&self) -> &'static str {
        self.path.rsplit('.').next().unwrap_or(self.path)
    }

    /// What its value has to be, and what it is without one.
    pub(super) fn expectation(&self) -> String {
        match self.default {
            "" | "[]" => self.expected.to_owned(),
            default => format!("{} (default {default})", self.expected),
        }
    }
}

/// Names that `freepbx.skip` accepts: the sections of a snapshot.
pub(super) const SECTIONS: [&str; 9] = [
    "system_info",
    "trunks",
    "queues",
    "active_calls",
    "channels",
    "extensions",
    "parking",
    "conferences",
    "voicemail",
];

/// All keys, in the order of `config.example.yaml`.
pub(super) const KEYS: [Key; 47] = [
    section("freepbx", "a section with at least ami_username and ami_password"),
    text("freepbx.ami_host", "127.0.0.1", "a host name or an IP address, without a port"),
    text("freepbx.ami_port", "5038", "a TCP port from 1 to 65535"),
    text("freepbx.ami_username", "", "the name of a user of Asterisk's manager.conf"),
    text("freepbx.ami_password", "", "the secret of that user in manager.conf"),
    text("freepbx.ami_password_file", "", "a file that holds the password and nothing else"),
    text("freepbx.ami_login", "challenge", "challenge or plain"),
    text("freepbx.ami_tls", "false", BOOLEAN),
    text("freepbx.ami_tls_ca_file", "", "a PEM file with certificates, and no ami_tls_fingerprint"),
    text("freepbx.ami_tls_fingerprint", "", FINGERPRINT),
    text("freepbx.ami_tls_server_name", "", "a host name or an IP address"),
    section("freepbx.timeouts", "a section such as `timeouts: {action_seconds: 30}`"),
    text("freepbx.timeouts.connect_seconds", "5", SECONDS),
    text("freepbx.timeouts.login_seconds", "10", SECONDS),
    text("freepbx.timeouts.action_seconds", "30", SECONDS),
    text("freepbx.timeouts.run_seconds", "120", RUN_SECONDS),
    list("freepbx.skip", "a list of sections, such as [parking, voicemail]"),
    text("freepbx.voicemail_counts", "false", BOOLEAN),
    list("freepbx.extensions", PATTERNS),
    list("freepbx.trunks", PATTERNS),
    list("freepbx.ignore", PATTERNS),
    section("cache", "a section such as `cache: {directory: ./cache}`"),
    text("cache.directory", "./cache", "a folder; ${HOME} is expanded, ~ is not"),
    text("cache.default_ttl_seconds", "300", "seconds from one cron run to the next, 1 to 604800"),
    text("cache.stale_after_seconds", "600", "seconds, no fewer than default_ttl_seconds"),
    text("cache.pretty", "true", BOOLEAN),
    text("cache.file_mode", "\"0640\"", FILE_MODE),
    text("cache.history", "true", BOOLEAN),
    text("cache.history_max_bytes", "1048576", "a number of bytes, 4096 to 1073741824"),
    section("outputs", "a section such as `outputs: {html: /var/www/html/pbx.html}`"),
    text("outputs.html", "", "a file; ${HOME} is expanded, ~ is not"),
    text("outputs.html_mode", "\"0640\"", FILE_MODE),
    text("outputs.prometheus", "", "a file whose name ends in .prom"),
    text("outputs.prometheus_mode", "\"0644\"", FILE_MODE),
    section("status", "a section such as `status: {stale: unknown}`"),
    text("status.stale", "critical", "critical, warning or unknown"),
    list("status.age", LEVELS),
    list("status.trunk_down", NAMED_LEVELS),
    list("status.trunk_calls", NAMED_LEVELS),
    list("status.queue_wait", NAMED_LEVELS),
    list("status.queue_callers", NAMED_LEVELS),
    list("status.queue_unattended", NAMED_LEVELS),
    list("status.offline", NAMED_LEVELS),
    list("status.calls", LEVELS),
    list("status.channels", LEVELS),
    list("status.call_duration", LEVELS),
    list("status.uptime", LEVELS),
];

const SECONDS: &str = "seconds, 0.1 to 86400, such as 5 or 0.5";
const RUN_SECONDS: &str = "seconds, 0.1 to 86400, fewer than cache.default_ttl_seconds";
const BOOLEAN: &str = "true or false";
const FINGERPRINT: &str = "the SHA-256 fingerprint of the server's certificate, as \
                           `freepbx-snapshot check` prints it";
const PATTERNS: &str = "a list of names or patterns, such as [provider-a, \"SIP/9*\"]";
const LEVELS: &str = "a list with one WARN,CRIT such as [\"10,20\"]";
const NAMED_LEVELS: &str = "a list of [NAME=]WARN,CRIT such as [\"10,20\", \"name=30,40\"]";
const FILE_MODE: &str = "an octal mode in quotes, such as \"0640\", with no right to execute, no \
                         right to write for others, and at least 0600";

const fn section(path: &'static str, expected: &'static str) -> Key {
    Key { path, shape: Shape::Section, default: "", expected }
}

const fn text(path: &'static str, default: &'static str, expected: &'static str) -> Key {
    Key { path, shape: Shape::Text, default, expected }
}

const fn list(path: &'static str, expected: &'static str) -> Key {
    Key { path, shape: Shape::List, default: "[]", expected }
}

/// The entry of a key.
pub(super) fn known(path: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.path == path)
}

/// The known key that a misspelt or misplaced one was probably meant to be.
pub(super) fn nearest(path: &str) -> Option<&'static str> {
    let (parent, leaf) = path.rsplit_once('.').unwrap_or(("", path));
    let likeness = |key: &Key| {
        // Between equals the one in the same section wins.
        let beside = key.path.strip_suffix(key.leaf()) == Some(&format!("{parent}."));
        strsim::jaro_winkler(leaf, key.leaf()) + if beside { 0.01 } else { 0.0 }
    };
    best(KEYS.iter().map(|key| (key.path, likeness(key))))
}

/// The section of a snapshot that a misspelt one was probably meant to be.
pub(super) fn nearest_section(name: &str) -> Option<&'static str> {
    best(SECTIONS.iter().map(|known| (*known, strsim::jaro_winkler(name, known))))
}

fn best(candidates: impl Iterator<Item = (&'static str, f64)>) -> Option<&'static str> {
    const ALIKE: f64 = 0.75;
    candidates
        .filter(|(_, likeness)| *likeness >= ALIKE)
        .max_by(|one, other| one.1.total_cmp(&other.1))
        .map(|(name, _)| name)
}

/// A word from the file that is safe to repeat in a message: it looks like a key. Anything else
/// might be a password that slipped into the wrong place.
pub(super) fn printable(word: &str) -> Option<&str> {
    const LONGEST: usize = 40;
    let fits = word.len() <= LONGEST && word.chars().all(|c| c.is_ascii_lowercase() || c == '_');
    (fits && !word.is_empty()).then_some(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_or_misplaced_key_finds_its_place() {
        assert_eq!(nearest("freepbx.ami_prot"), Some("freepbx.ami_port"));
        assert_eq!(nearest("freepbx.password"), Some("freepbx.ami_password"));
        assert_eq!(nearest("freepbx.pretty"), Some("cache.pretty"));
        assert_eq!(nearest("freepbx.connect_seconds"), Some("freepbx.timeouts.connect_seconds"));
        assert_eq!(nearest("cache.zzz"), None);
        assert_eq!(nearest_section("voicemial"), Some("voicemail"));
    }

    #[test]
    fn the_sections_are_those_of_a_snapshot() {
        let schema = schemars::schema_for!(crate::snapshot::Sections);
        let properties = schema.get("properties").unwrap().as_object().unwrap();
        assert_eq!(properties.keys().collect::<Vec<_>>(), SECTIONS.iter().collect::<Vec<_>>());
    }
}
