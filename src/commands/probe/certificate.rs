//! What a certificate says of itself.

use chrono::{DateTime, SecondsFormat, Utc};
use x509_cert::{Certificate as Parsed, der::Decode as _, time::Time};

use crate::terminal::clean;

/// Whom a certificate is for, who issued it, and when it is valid. All of it is the server's word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Certificate {
    pub(super) subject: String,
    pub(super) issuer: String,
    /// RFC 3339, UTC.
    pub(super) not_before: String,
    pub(super) not_after: String,
    ends: Option<DateTime<Utc>>,
}

impl Certificate {
    /// Reads what a server presented (DER); `None` where it cannot be understood.
    pub(super) fn read(der: &[u8]) -> Option<Self> {
        let parsed = Parsed::from_der(der).ok()?;
        let content = parsed.tbs_certificate();
        let validity = content.validity();
        let ends = moment(&validity.not_after);
        let shown = |time: Option<DateTime<Utc>>| match time {
            Some(time) => time.to_rfc3339_opts(SecondsFormat::Secs, true),
            None => "an unknown time".to_owned(),
        };
        Some(Self {
            subject: bounded(&content.subject().to_string()),
            issuer: bounded(&content.issuer().to_string()),
            not_before: shown(moment(&validity.not_before)),
            not_after: shown(ends),
            ends,
        })
    }

    /// Whether its time is over.
    pub(super) fn is_over(&self, now: DateTime<Utc>) -> bool {
        self.ends.is_some_and(|ends| ends < now)
    }
}

fn moment(time: &Time) -> Option<DateTime<Utc>> {
    let seconds = time.to_unix_duration().as_secs();
    DateTime::from_timestamp(i64::try_from(seconds).ok()?, 0)
}

/// A name without what steers a terminal, and no longer than anybody reads.
fn bounded(name: &str) -> String {
    const MOST: usize = 200;
    match name {
        "" => "(empty)".to_owned(),
        name => clean(name).chars().take(MOST).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_certificate_is_none() {
        for der in [&b""[..], b"\x30\x03\x02\x01\x00", &[0x30; 4_096]] {
            assert_eq!(Certificate::read(der), None);
        }
    }
}
