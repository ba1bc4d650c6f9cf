//! What can go wrong with a connection, and with one action on a connection that works.

use std::{io, net::SocketAddr, time::Duration};

use super::{Fingerprint, ReadAction, TlsFailure, TlsSetupError};

/// A failure of the connection, the login, or the use of this client.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The host name has no address.
    #[error("cannot find the address of {host}: {source}; check the host name and DNS")]
    Resolve {
        /// Name that was looked up.
        host: String,
        /// The resolver's own words.
        source: io::Error,
    },
    /// The look-up of the host name took too long.
    #[error("no address of {host} within {}; check DNS", seconds(*.after))]
    ResolveTimeout {
        /// Name that was looked up.
        host: String,
        /// The limit.
        after: Duration,
    },
    /// None of the addresses accepted a connection.
    #[error("cannot connect to {address}: {source}")]
    Connect {
        /// The address that was tried last.
        address: SocketAddr,
        /// The system's own words.
        source: io::Error,
    },
    /// No address accepted a connection in time.
    #[error("no connection to {address} within {}", seconds(*.after))]
    ConnectTimeout {
        /// The address that was tried last.
        address: String,
        /// The limit.
        after: Duration,
    },
    /// The connection was accepted but nothing came: no banner within the time limit.
    #[error("connected to {address}, but no banner came within {}", seconds(*.after))]
    BannerTimeout {
        /// The address.
        address: SocketAddr,
        /// The limit.
        after: Duration,
    },
    /// The first line is not that of an Asterisk Manager Interface.
    #[error("{address} is not an Asterisk Manager Interface: it answers {found:?}")]
    NotAmi {
        /// The address.
        address: SocketAddr,
        /// The beginning of what came, made printable.
        found: String,
    },
    /// The server closed the connection without a banner: too many sessions that have not logged
    /// in (`authlimit`), or it is shutting down.
    #[error("{address} closed the connection before its banner")]
    ClosedBeforeBanner {
        /// The address.
        address: SocketAddr,
    },
    /// TLS cannot be set up as asked for.
    #[error(transparent)]
    TlsSetup(#[from] TlsSetupError),
    /// The connection could not be secured.
    #[error("no TLS with {address}: {reason}{}", presented(.fingerprint.as_ref()))]
    Tls {
        /// The address.
        address: SocketAddr,
        /// Why.
        reason: TlsFailure,
        /// Fingerprint of the certificate that was presented, where it came that far.
        fingerprint: Option<Fingerprint>,
    },
    /// The connection was accepted, but not secured in time.
    #[error("connected to {address}, but TLS was not set up within {}", seconds(*.after))]
    TlsTimeout {
        /// The address.
        address: SocketAddr,
        /// The limit.
        after: Duration,
    },
    /// The server knows no challenge, and the password would have to cross a network in plain text.
    #[error("{address} offers no challenge, and plain text would show the password to the network")]
    NoChallenge {
        /// The address.
        address: SocketAddr,
    },
    /// The server refused the login.
    #[error("login as {username:?} refused: {message}")]
    Login {
        /// User name that was tried.
        username: String,
        /// Asterisk's own words; the same for a wrong name, a wrong password and an ACL.
        message: String,
    },
    /// No answer to the login in time.
    #[error("no answer to the login within {}", seconds(*.after))]
    LoginTimeout {
        /// The limit.
        after: Duration,
    },
    /// The connection ended while answers were outstanding.
    #[error("the connection ended: {reason}")]
    Closed {
        /// What was seen of it.
        reason: String,
    },
    /// The run's limit on bytes was reached.
    #[error("the server sent more than {limit} bytes")]
    TooMuch {
        /// The limit.
        limit: usize,
    },
    /// An argument of an action was refused before anything was sent.
    #[error("{action}: argument {key}: {reason}")]
    Argument {
        /// The action's name.
        action: &'static str,
        /// The header's name.
        key: String,
        /// Why.
        reason: &'static str,
    },
    /// The user name or password cannot be sent: it contains a line end or NUL, or is too long.
    #[error("the {what} contains a line end or NUL, or is longer than Asterisk's input line")]
    Credentials {
        /// Which of the two.
        what: &'static str,
    },
}

impl Error {
    /// True where a second try may find a server that had been starting or was overloaded.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::ClosedBeforeBanner { .. } | Self::Closed { .. })
    }
}

/// Why one action has no answer, on a connection that works.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ActionError {
    /// `Invalid/unknown command`: its module is not loaded, or this version lacks it.
    #[error("{action} is unknown to this server (module not loaded, or another version)")]
    Unsupported {
        /// The action.
        action: ReadAction,
    },
    /// `Permission denied`: the AMI user lacks the class.
    #[error("{action} is not permitted: {}", needs(*.action))]
    Denied {
        /// The action.
        action: ReadAction,
    },
    /// Any other `Response: Error`, in Asterisk's own words.
    #[error("{action} failed: {message}")]
    Refused {
        /// The action.
        action: ReadAction,
        /// Asterisk's own words.
        message: String,
    },
    /// The connection ended before the answer was whole.
    #[error("the connection ended in the answer to {action}, after {rows} rows")]
    CutOff {
        /// The action.
        action: ReadAction,
        /// Rows that had come; they are not passed on.
        rows: u64,
    },
    /// The answer was not whole in time.
    #[error("{action} did not finish within {}, after {rows} rows", seconds(*.after))]
    Timeout {
        /// The action.
        action: ReadAction,
        /// Rows that had come; they are not passed on.
        rows: u64,
        /// The limit.
        after: Duration,
    },
    /// The answer was longer than the limit for one block or one list.
    #[error("the answer to {action} is larger than {limit} bytes")]
    TooLarge {
        /// The action.
        action: ReadAction,
        /// The limit.
        limit: usize,
    },
    /// The response was damaged on the wire.
    #[error("the answer to {action} was damaged")]
    Damaged {
        /// The action.
        action: ReadAction,
    },
}

/// What an AMI user needs for an action.
fn needs(action: ReadAction) -> String {
    match action.classes() {
        // Asterisk 16 and later say so of a module that is being unloaded.
        [] => "yet it needs no class; its module may be being unloaded".to_owned(),
        classes => format!("the AMI user needs write = {}", classes.join(" or ")),
    }
}

/// A duration as people write it.
fn seconds(duration: Duration) -> String {
    let text = format!("{:.3}", duration.as_secs_f64());
    format!("{} s", text.trim_end_matches('0').trim_end_matches('.'))
}

/// The fingerprint that a message tells.
fn presented(fingerprint: Option<&Fingerprint>) -> String {
    fingerprint.map(|fingerprint| format!("; its fingerprint is {fingerprint}")).unwrap_or_default()
}
