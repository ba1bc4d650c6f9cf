//! Header text to values: numbers, flags, times, and the many ways of saying nothing.

use crate::{ami::Row, snapshot::Timestamp};

/// Longest text that goes into a snapshot, in characters. Nothing in Asterisk needs more; a caller
/// who sends more must not fill the file.
const LONGEST: usize = 512;

/// Bounds a text.
#[must_use]
pub(crate) fn bounded(text: &str) -> String {
    if text.len() <= LONGEST {
        return text.to_owned();
    }
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// `None` for the placeholders by which Asterisk says "nothing": empty, `<unknown>`, `unknown`
/// is kept (it can be a name), `-none-`, `(null)`, `N/A`, `<none>`, `<no name>`.
#[must_use]
pub(crate) fn known(text: &str) -> Option<&str> {
    const PLACEHOLDERS: [&str; 6] = ["<unknown>", "-none-", "(null)", "N/A", "<none>", "<no name>"];
    let text = text.trim();
    let nothing = text.is_empty() || PLACEHOLDERS.iter().any(|p| p.eq_ignore_ascii_case(text));
    (!nothing).then_some(text)
}

/// A header as text; `None` when absent or a placeholder.
#[must_use]
pub(crate) fn text(row: Row<'_>, key: &str) -> Option<String> {
    row.get(key).and_then(known).map(bounded)
}

/// A whole number; `None` when absent or not one.
#[must_use]
pub(crate) fn count(row: Row<'_>, key: &str) -> Option<u64> {
    row.get(key)?.parse().ok()
}

/// A decimal number; `None` when absent, not one, or not finite.
#[must_use]
pub(crate) fn decimal(row: Row<'_>, key: &str) -> Option<f64> {
    row.get(key)?.parse().ok().filter(|number: &f64| number.is_finite())
}

/// A switch in any of Asterisk's spellings: `1`, `yes`, `true`, `on`, `Y` and their opposites.
#[must_use]
pub(crate) fn flag(row: Row<'_>, key: &str) -> Option<bool> {
    let value = row.get(key)?;
    let is = |words: &[&str]| words.iter().any(|word| word.eq_ignore_ascii_case(value));
    if is(&["1", "yes", "true", "on", "y", "enabled"]) {
        Some(true)
    } else if is(&["0", "no", "false", "off", "n", "disabled"]) {
        Some(false)
    } else {
        None
    }
}

/// Seconds since 1970; `None` when absent, or 0, by which Asterisk says "never".
#[must_use]
pub(crate) fn epoch(row: Row<'_>, key: &str) -> Option<Timestamp> {
    let seconds: i64 = row.get(key)?.parse().ok()?;
    (seconds > 0).then(|| Timestamp::from_epoch(seconds)).flatten()
}

/// `HH:MM:SS` as seconds; the hours have no bound (`100:00:00`), and there is never a day part.
#[must_use]
pub(crate) fn clock_seconds(text: &str) -> Option<u64> {
    let mut parts = text.split(':').map(|part| part.parse::<u64>().ok());
    let (hours, minutes, seconds) = (parts.next()??, parts.next()??, parts.next()??);
    let within = parts.next().is_none() && minutes < 60 && seconds < 60;
    within.then(|| hours.checked_mul(3_600)?.checked_add(minutes * 60 + seconds)).flatten()
}

/// Microseconds of a PJSIP round trip as milliseconds; `None` for `N/A` and for 0, which is no
/// measurement.
#[must_use]
pub(crate) fn round_trip_ms(row: Row<'_>) -> Option<f64> {
    let micros: u32 = row.get("RoundtripUsec")?.parse().ok()?;
    (micros > 0).then(|| f64::from(micros) / 1_000.0)
}

/// Status of a chan_sip or IAX2 peer: its word, and the round trip in milliseconds.
///
/// `OK (12 ms)`, `LAGGED (2100 ms)`, `UNREACHABLE`, `UNKNOWN`, `Unmonitored`. chan_sip prints into
/// 20 bytes, so that a large time may lack its end; only the leading digits count.
#[must_use]
pub(crate) fn peer_status(text: &str) -> (&str, Option<f64>) {
    let (word, rest) = text.split_once(" (").unwrap_or((text, ""));
    let digits = rest.split(|c: char| !c.is_ascii_digit()).next().unwrap_or_default();
    (word, digits.parse().ok())
}

/// Host and port of a `host:port` or `[v6]:port` text; the port is optional.
#[must_use]
pub(crate) fn host_port(text: &str) -> (Option<String>, Option<u16>) {
    let (host, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, rest)) => (host, rest.strip_prefix(':')),
        None => match text.rsplit_once(':') {
            Some((host, port)) if !host.contains(':') => (host, Some(port)),
            _ => (text, None),
        },
    };
    (known(host).map(bounded), port.and_then(|port| port.parse().ok()).filter(|port| *port != 0))
}

/// The parts of a SIP URI that a snapshot names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct SipUri {
    /// User part.
    pub user: Option<String>,
    /// Host.
    pub host: Option<String>,
    /// Port.
    pub port: Option<u16>,
    /// `transport` parameter, in lower case.
    pub transport: Option<String>,
}

/// Takes a SIP URI apart, leniently: what is not there is `None`.
#[must_use]
pub(crate) fn sip_uri(uri: &str) -> SipUri {
    let uri = uri.trim().trim_start_matches('<').trim_end_matches('>');
    let rest = match uri.split_once(':') {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("sip") => rest,
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("sips") => rest,
        _ => uri,
    };
    let (address, parameters) = rest.split_once(';').unwrap_or((rest, ""));
    let (user, host) = match address.rsplit_once('@') {
        Some((user, host)) => (Some(user), host),
        None => (None, address),
    };
    let host = host.split('?').next().unwrap_or_default();
    let (host, port) = host_port(host);
    let transport = parameters.split(';').find_map(|parameter| {
        let (key, value) = parameter.split_once('=')?;
        key.eq_ignore_ascii_case("transport").then(|| value.to_ascii_lowercase())
    });
    let user = user.map(|user| user.split(':').next().unwrap_or(user));
    SipUri { user: user.and_then(known).map(bounded), host, port, transport }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_have_no_bound() {
        assert_eq!(clock_seconds("00:01:09"), Some(69));
        assert_eq!(clock_seconds("26:00:00"), Some(93_600));
        assert_eq!(clock_seconds("100:00:01"), Some(360_001));
        for wrong in
            ["", "1:2", "00:60:00", "00:00:60", "0:0:0:0", "a:b:c", "99999999999999999999:00:00"]
        {
            assert_eq!(clock_seconds(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_peer_status_gives_its_word_and_time_even_when_cut() {
        assert_eq!(peer_status("OK (12 ms)"), ("OK", Some(12.0)));
        assert_eq!(peer_status("LAGGED (1000000 ms"), ("LAGGED", Some(1_000_000.0)));
        assert_eq!(peer_status("UNREACHABLE"), ("UNREACHABLE", None));
    }

    #[test]
    fn uris_are_taken_apart_leniently() {
        let uri = sip_uri("sip:100@[2001:db8::1]:5061;transport=TLS;x-ast-orig-host=a:1");
        assert_eq!(uri.host.as_deref(), Some("2001:db8::1"));
        assert_eq!((uri.port, uri.transport.as_deref()), (Some(5061), Some("tls")));
        assert_eq!(uri.user.as_deref(), Some("100"));
        assert_eq!(sip_uri("sip:192.0.2.1").host.as_deref(), Some("192.0.2.1"));
        assert_eq!(sip_uri("").host, None);
        assert_eq!(sip_uri("SIPS:100@pbx.example.com").user.as_deref(), Some("100"));
        let bare = sip_uri("192.0.2.1:5060");
        assert_eq!((bare.host.as_deref(), bare.port), (Some("192.0.2.1"), Some(5060)));
        assert_eq!(host_port("192.0.2.1:0"), (Some("192.0.2.1".to_owned()), None));
        assert_eq!(host_port("2001:db8::1"), (Some("2001:db8::1".to_owned()), None));
    }

    #[test]
    fn a_round_trip_of_nothing_is_no_measurement() {
        assert_eq!(round_trip_ms(Row::new("RoundtripUsec: 1012")), Some(1.012));
        assert_eq!(round_trip_ms(Row::new("RoundtripUsec: 0")), None);
        assert_eq!(round_trip_ms(Row::new("RoundtripUsec: N/A")), None);
    }

    #[test]
    fn placeholders_are_nothing() {
        for nothing in ["", " ", "<unknown>", "-none-", "(null)", "n/a"] {
            assert_eq!(known(nothing), None, "{nothing}");
        }
        assert_eq!(known("Nobody"), Some("Nobody"));
    }

    #[test]
    fn long_text_is_bounded() {
        assert_eq!(bounded(&"é".repeat(600)).chars().count(), LONGEST + 1);
    }
}
