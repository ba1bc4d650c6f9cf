//! What ends a run without a snapshot, and the exit codes of the program.

use std::time::Duration;

use crate::{ami, capture, config, output, terminal, views};

/// Why there is no new snapshot. Its text is one line that says what to do next.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The configuration is missing or wrong.
    #[error("{}", one_line(&.0.to_string()))]
    Config(#[from] config::Error),
    /// No connection, or no login.
    #[error("{}", one_line(&with_hint(.0)))]
    Ami(#[from] ami::Error),
    /// The file cannot be written, or another run is writing it.
    #[error("{}", one_line(&.0.to_string()))]
    Output(#[from] output::Error),
    /// There is no snapshot to read, or none that this program understands.
    #[error("{}", one_line(&.0.to_string()))]
    Snapshot(#[from] views::Error),
    /// The command line asks for what makes no sense.
    #[error("{}", one_line(.0))]
    Usage(String),
    /// The time for the whole run was used up before there was anything to write.
    #[error(
        "nothing to write after {} s, the time for a whole run; the PBX is too slow or hangs (see \
         `freepbx-snapshot check`), or raise freepbx.timeouts.run_seconds",
        .after.as_secs_f64()
    )]
    Timeout {
        /// The limit.
        after: Duration,
    },
    /// The transcript that was asked for cannot be written.
    #[error(
        "cannot write the transcript {}: {}; name another file with --transcript",
        one_line(&path.display().to_string()), one_line(reason)
    )]
    Transcript {
        /// The file.
        path: std::path::PathBuf,
        /// Why.
        reason: String,
    },
    /// Standard output cannot be written.
    #[error("cannot write to standard output: {0}")]
    Stdout(String),
    /// What asks over the Model Context Protocol does not speak it.
    #[error("what is at standard input is no MCP client: {}; this command is started by an \
             assistant, see docs/mcp.md", one_line(.0))]
    NoMcpClient(String),
    /// A capture cannot be read or written.
    #[error("{}", one_line(&.0.to_string()))]
    Capture(#[from] capture::Error),
    /// A PBX that is none, a demonstration or a replay, cannot start.
    #[error(
        "cannot listen on port {port} of loopback: {reason}; another program may have it: name \
         another port, or 0 for a free one"
    )]
    Listen {
        /// The port; 0: any free one.
        port: u16,
        /// The system's own words.
        reason: String,
    },
    /// A mistake in this program.
    #[error("internal error: {}; please report it", one_line(.0))]
    Internal(String),
}

impl Error {
    /// The code that the program exits with.
    #[must_use]
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::Config(_) => ExitCode::Config,
            Self::Ami(error) => ami_code(error),
            Self::Snapshot(_) => ExitCode::NoSnapshot,
            Self::Output(output::Error::Locked { .. }) => ExitCode::Locked,
            Self::Output(_) | Self::Stdout(_) | Self::Transcript { .. } => ExitCode::CannotWrite,
            Self::Capture(error) if error.is_about_writing() => ExitCode::CannotWrite,
            Self::Capture(_) => ExitCode::NoSnapshot,
            Self::Listen { .. } => ExitCode::NoConnection,
            Self::Usage(_) => ExitCode::Usage,
            Self::Timeout { .. } => ExitCode::Timeout,
            Self::NoMcpClient(_) => ExitCode::InvalidInput,
            Self::Internal(_) => ExitCode::Internal,
        }
    }
}

/// How the program ends. The words are those of `sysexits.h` where it has one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum ExitCode {
    /// A complete snapshot was written.
    Complete = 0,
    /// What was looked up is not in the snapshot. Of `status`: WARNING.
    NotFound = 1,
    /// `status` alone: CRITICAL.
    StatusCritical = 2,
    /// A snapshot was written, but a section is missing. Of `status`: UNKNOWN.
    Partial = 3,
    /// The command line is wrong (`EX_USAGE`).
    Usage = 64,
    /// What was read is not valid (`EX_DATAERR`).
    InvalidInput = 65,
    /// There is no snapshot to read, or it cannot be read (`EX_NOINPUT`).
    NoSnapshot = 66,
    /// No connection to the PBX (`EX_UNAVAILABLE`).
    NoConnection = 69,
    /// A mistake in this program (`EX_SOFTWARE`).
    Internal = 70,
    /// The snapshot cannot be written (`EX_CANTCREAT`).
    CannotWrite = 73,
    /// Another run is at work (`EX_TEMPFAIL`).
    Locked = 75,
    /// What answers does not speak AMI (`EX_PROTOCOL`).
    NotAmi = 76,
    /// The PBX refused the login (`EX_NOPERM`).
    LoginRefused = 77,
    /// The configuration is missing or wrong (`EX_CONFIG`).
    Config = 78,
    /// No answer in time (as `timeout(1)` does).
    Timeout = 124,
}

impl ExitCode {
    /// `status` alone: WARNING.
    pub const STATUS_WARNING: Self = Self::NotFound;

    /// All codes, ascending, but the one that only `status` has.
    pub const ALL: [Self; 14] = [
        Self::Complete,
        Self::NotFound,
        Self::Partial,
        Self::Usage,
        Self::InvalidInput,
        Self::NoSnapshot,
        Self::NoConnection,
        Self::Internal,
        Self::CannotWrite,
        Self::Locked,
        Self::NotAmi,
        Self::LoginRefused,
        Self::Config,
        Self::Timeout,
    ];

    /// The number that a shell sees in `$?`.
    #[must_use]
    pub fn number(self) -> u8 {
        self as u8
    }

    /// What it means, and what has become of the file, for the help text and the README.
    #[must_use]
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Complete => "complete: every section that this PBX supports was read",
            Self::NotFound => "what was looked up is not in the snapshot",
            Self::Partial => "partial: the file is new, but its `sections` say what is missing",
            Self::StatusCritical => "critical (of `status`)",
            Self::Usage => "wrong command line",
            Self::InvalidInput => {
                "what was read is not valid: a file to `validate`, a client of `mcp`"
            }
            Self::NoSnapshot => "there is no snapshot or capture to read, or it cannot be read",
            Self::NoConnection => "no connection to the PBX",
            Self::Internal => "internal error: please report it",
            Self::CannotWrite => "the file cannot be written",
            Self::Locked => "another run is at work; this one did nothing",
            Self::NotAmi => "what answers is not an Asterisk Manager Interface",
            Self::LoginRefused => "the PBX refused the login",
            Self::Config => "the configuration is missing or wrong",
            Self::Timeout => "the PBX did not answer in time",
        }
    }

    /// The table as it stands in `--help`: one line per code.
    #[must_use]
    pub fn table() -> String {
        let line = |code: &Self| format!("{:>5}  {}\n", code.number(), code.meaning());
        Self::ALL.iter().map(line).collect()
    }
}

impl From<ExitCode> for std::process::ExitCode {
    fn from(code: ExitCode) -> Self {
        Self::from(code.number())
    }
}

fn ami_code(error: &ami::Error) -> ExitCode {
    use ami::Error as E;
    match error {
        E::Resolve { .. }
        | E::ResolveTimeout { .. }
        | E::Connect { .. }
        | E::ConnectTimeout { .. }
        | E::ClosedBeforeBanner { .. }
        | E::Tls { .. }
        | E::Closed { .. } => ExitCode::NoConnection,
        E::BannerTimeout { .. } | E::TlsTimeout { .. } | E::LoginTimeout { .. } => {
            ExitCode::Timeout
        }
        E::NotAmi { .. } | E::TooMuch { .. } => ExitCode::NotAmi,
        E::Login { .. } | E::NoChallenge { .. } => ExitCode::LoginRefused,
        E::Credentials { .. } | E::TlsSetup(_) => ExitCode::Config,
        E::Argument { .. } => ExitCode::Internal,
    }
}

/// An error of the connection with what to do about it.
fn with_hint(error: &ami::Error) -> String {
    use ami::Error as E;
    let hint = match error {
        E::NotAmi { found, .. } if kind_of_server(found).is_some() => {
            let kind = kind_of_server(found).unwrap_or_default();
            return format!("{error}; that is {kind}: {NOT_AMI_HINT}");
        }
        E::Tls { address, reason, fingerprint } => {
            let hint = tls_hint(reason, *fingerprint);
            return format!("no TLS with {address}: {reason}; {hint}");
        }
        E::Resolve { .. } | E::ResolveTimeout { .. } => "freepbx.ami_host names it",
        E::Connect { source, .. } => connect_hint(source.kind()),
        E::ConnectTimeout { .. } => {
            "a firewall may drop it, or freepbx.ami_host is wrong or off; try `nc -vz` with host and \
             port"
        }
        E::BannerTimeout { .. } => {
            "Asterisk hangs, or this port belongs to something else (a web server waits to be \
             asked), or to AMI over TLS (then set `ami_tls: true`; `probe --tls` tells); check \
             freepbx.ami_port"
        }
        E::TlsTimeout { .. } => {
            "Asterisk hangs, or this port does not speak TLS; check freepbx.ami_port: AMI over TLS \
             is `tlsbindaddr` in manager.conf, by default port 5039"
        }
        E::NoChallenge { .. } => {
            "Asterisk always offers one, so this may be another server in between; use AMI over TLS \
             (`ami_tls: true`), or set `ami_login: plain` where you trust the network"
        }
        E::NotAmi { .. } => NOT_AMI_HINT,
        E::ClosedBeforeBanner { .. } => {
            "Asterisk is starting or stopping, or has too many connections without login \
             (`authlimit` in manager.conf): then the next run may succeed; or this port is that of \
             AMI over TLS (then set `ami_tls: true`; `probe --tls` tells)"
        }
        E::Login { .. } => {
            "Asterisk never says which: a wrong secret, no such user, an address that `permit` and \
             `deny` exclude, or a second section of this name in manager_custom.conf; see \
             /var/log/asterisk/full, and run `asterisk -rx 'manager reload'` after a change"
        }
        E::TlsSetup(_) => {
            "set freepbx.ami_tls_server_name to the name in the certificate, or check the other \
             ami_tls keys"
        }
        E::LoginTimeout { .. } => {
            "Asterisk is overloaded or hangs: see `asterisk -rx 'core show uptime'`"
        }
        E::Closed { .. } => {
            "Asterisk stopped or restarted, or this machine read too slowly (`writetimeout` in \
             manager.conf); the next run may succeed"
        }
        E::TooMuch { .. } => "leave sections out with freepbx.skip",
        E::Argument { .. } => "please report it",
        E::Credentials { .. } => "check freepbx.ami_username and the password",
    };
    format!("{error}; {hint}")
}

const NOT_AMI_HINT: &str = "check freepbx.ami_port: AMI is `port` in the [general] section of \
                            manager.conf, by default 5038";

/// What else begins a conversation like that.
fn kind_of_server(found: &str) -> Option<&'static str> {
    let begins = [
        ("SSH-", "an SSH server"),
        ("HTTP/", "a web server"),
        ("SIP/", "a SIP server"),
        ("220", "a mail or FTP server"),
        ("+OK", "a mail server"),
        ("* OK", "a mail server"),
        ("RFB ", "a VNC server"),
    ];
    begins.iter().find(|(begin, _)| found.starts_with(begin)).map(|(_, kind)| *kind)
}

/// What to do about a connection that could not be secured; with the line that pins the certificate
/// where that helps.
fn tls_hint(reason: &ami::TlsFailure, fingerprint: Option<ami::Fingerprint>) -> String {
    use ami::TlsFailure as F;
    let pin = fingerprint.map(|fingerprint| {
        format!(
            "pin it with the line `ami_tls_fingerprint: \"{fingerprint}\"` under `freepbx:`, once \
             `openssl x509 -noout -fingerprint -sha256 -in` the certificate on the PBX has shown \
             the same"
        )
    });
    let pin = pin.unwrap_or_else(|| "pin it with ami_tls_fingerprint".to_owned());
    match reason {
        F::NotTls | F::Closed => "check freepbx.ami_port: AMI over TLS is `tlsbindaddr` in \
             manager.conf, by default port 5039; without TLS it is 5038 and `ami_tls: false`"
            .to_owned(),
        F::Expired(_) => format!("renew it on the PBX, or {pin}"),
        F::NotYetValid(_) => format!("check the clocks of both machines, or {pin}"),
        F::UnknownIssuer => format!("name its authority with ami_tls_ca_file, or {pin}"),
        F::OtherName(_) => {
            format!("set ami_tls_server_name to the name that is in the certificate, or {pin}")
        }
        F::NotPinned => format!(
            "if nobody replaced the certificate on the PBX, somebody is in between: stop here; if \
             it was replaced, {pin}"
        ),
        F::BadKey => {
            "somebody may be in between; where the key is a short RSA key, make the PBX a \
             new certificate (`ast_tls_cert`, or Certificate Management in FreePBX)"
                .to_owned()
        }
        _ => format!("replace the certificate on the PBX, or {pin}"),
    }
}

fn connect_hint(kind: std::io::ErrorKind) -> &'static str {
    use std::io::ErrorKind as K;
    match kind {
        K::ConnectionRefused => {
            "Asterisk is not running there, or manager.conf has not `enabled = yes`, another `port`, \
             or a `bindaddr` that is not this address"
        }
        K::HostUnreachable | K::NetworkUnreachable | K::AddrNotAvailable => {
            "check freepbx.ami_host and the network between"
        }
        K::PermissionDenied => "a local firewall or sandbox forbids it",
        _ => "check freepbx.ami_host, freepbx.ami_port and the network between",
    }
}

/// A text that stays on one line and cannot steer a terminal, whatever a server or path put in.
fn one_line(text: &str) -> String {
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    terminal::clean(&line).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused() -> Error {
        let source = std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
        Error::from(ami::Error::Connect { address: ([127, 0, 0, 1], 5038).into(), source })
    }

    #[test]
    fn a_refused_connection_says_what_to_look_at() {
        assert_eq!(
            refused().to_string(),
            "cannot connect to 127.0.0.1:5038: connection refused; Asterisk is not running there, \
             or manager.conf has not `enabled = yes`, another `port`, or a `bindaddr` that is not \
             this address"
        );
        assert_eq!(refused().exit_code(), ExitCode::NoConnection);
    }

    #[test]
    fn a_servers_words_stay_on_one_line() {
        let message = "Authentication\r\nfailed\u{1b}[2J\u{202e}".to_owned();
        let error = Error::from(ami::Error::Login { username: "snapshot".into(), message });
        assert!(!error.to_string().contains(char::is_control), "{error}");
        assert!(!error.to_string().contains('\u{202e}'), "{error}");
        assert_eq!(error.exit_code(), ExitCode::LoginRefused);
    }

    #[test]
    fn numbers_are_distinct_and_ascending() {
        let numbers = ExitCode::ALL.map(ExitCode::number);
        assert!(numbers.is_sorted_by(|one, next| one < next), "{numbers:?}");
        assert_eq!(numbers, [0, 1, 3, 64, 65, 66, 69, 70, 73, 75, 76, 77, 78, 124]);
    }

    #[test]
    fn the_table_fits_a_terminal() {
        assert!(ExitCode::table().starts_with("    0  complete: "));
        assert!(ExitCode::table().lines().all(|line| line.len() <= 80));
    }
}
