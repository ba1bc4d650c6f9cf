//! Secrets on the wire, dropped before anything else sees them.
//!
//! Servers send more than they should: `PJSIPShowRegistrationsOutbound` adds every trunk's
//! `AuthDetail` with its plain password (every version), PJSIP objects carry `Md5Cred`, and the
//! AstDB of FreePBX holds users' PINs.

use std::borrow::Cow;

use super::layout::{Inspection, inspect};

/// Whether a header's name says that its value is a secret. `Key`, too, is one, except in rows of
/// AstDB.
pub(super) fn is_secret_header(name: &str) -> bool {
    name.eq_ignore_ascii_case("Challenge") || contains_secret_word(name)
}

/// Whether a name contains one of the words that secrets go by.
fn contains_secret_word(name: &str) -> bool {
    secret_words(name.as_bytes()).next().is_some()
}

/// Where the words that secrets go by end.
fn secret_words(bytes: &[u8]) -> impl Iterator<Item = usize> {
    bytes.iter().enumerate().filter_map(|(at, byte)| {
        let words: &[&str] = match byte.to_ascii_lowercase() {
            b'p' => &["password", "passwd", "passphrase"],
            b's' => &["secret"],
            b'm' => &["md5cred"],
            b'd' => &["digest"],
            b'v' => &["vmpwd"],
            _ => return None,
        };
        let stands = |word: &&&str| {
            bytes.get(at..at + word.len()).is_some_and(|b| b.eq_ignore_ascii_case(word.as_bytes()))
        };
        words.iter().find(stands).map(|word| at + word.len())
    })
}

/// Whether the event is an AstDB row, whose `Key` is a name and not a digest.
fn is_astdb(seen: &Inspection<'_>) -> bool {
    seen.value_of_first.eq_ignore_ascii_case("DBGetTreeResponse")
        || seen.value_of_first.eq_ignore_ascii_case("DBGetResponse")
}

/// Whether a whole row is secret: an AstDB entry that is named like a password or PIN.
pub(super) fn is_secret_row(seen: &Inspection<'_>) -> bool {
    let names_a_secret = |key: &str| {
        let entry = key.rsplit('/').next().unwrap_or(key);
        contains_secret_word(entry) || entry.eq_ignore_ascii_case("pin")
    };
    is_astdb(seen) && seen.key.is_some_and(names_a_secret)
}

/// The block without its secret headers.
pub(super) fn without<'a>(block: &'a str, seen: &Inspection<'_>) -> Cow<'a, str> {
    let is_digest = seen.key.is_some() && !is_astdb(seen);
    if !seen.secret && !is_digest {
        return Cow::Borrowed(block);
    }
    let keeps = |line: &&str| {
        let name = line.split(':').next().unwrap_or_default();
        let is_secret = is_digest && name.eq_ignore_ascii_case("Key") || is_secret_header(name);
        !is_secret
    };
    Cow::Owned(block.split_inclusive('\n').filter(keeps).collect())
}

/// What stands in the place of a secret.
pub const REDACTED: &str = "[redacted]";

/// The bytes of a block or request with [`REDACTED`] in the place of every secret, and all else as
/// it was.
///
/// Stricter than [`without`], because what is shown may be damaged: a line that lost its header's
/// name may be the rest of a secret, and one that lost its end may have swallowed the next header.
pub(super) fn marked(block: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(block);
    let seen = inspect(&text);
    let is_astdb = is_astdb(&seen);
    // Without its name nobody knows what an entry holds.
    let is_secret_row = is_secret_row(&seen) || is_astdb && seen.key.is_none_or(str::is_empty);
    let mut out = Vec::with_capacity(block.len());
    for line in block.split_inclusive(|byte| *byte == b'\n') {
        let content = line.strip_suffix(b"\n").unwrap_or(line);
        let content = content.strip_suffix(b"\r").unwrap_or(content);
        let Some(colon) = memchr::memchr(b':', content) else {
            let is_empty = content.trim_ascii().is_empty();
            out.extend_from_slice(if is_empty { content } else { REDACTED.as_bytes() });
            out.extend_from_slice(line.get(content.len()..).unwrap_or_default());
            continue;
        };
        let (name, value) = content.split_at(colon + 1);
        let key = String::from_utf8_lossy(content.get(..colon).unwrap_or_default());
        let is = |names: &[&str]| names.iter().any(|name| key.eq_ignore_ascii_case(name));
        let is_known = is(&["Event", "ActionID", "Family", "Key"]);
        if is_secret_row && !is_known && !is(&["Val"]) {
            // A further line of the value, whatever it looks like.
            out.extend_from_slice(REDACTED.as_bytes());
            out.extend_from_slice(line.get(content.len()..).unwrap_or_default());
            continue;
        }
        let is_secret = match is_astdb {
            true => !is_known && (is_secret_row || contains_secret_word(&key)),
            false => key.is_empty() || is(&["Key"]) || is_secret_header(&key),
        };
        out.extend_from_slice(name);
        if is_secret {
            out.extend_from_slice(b" ");
            out.extend_from_slice(REDACTED.as_bytes());
        } else {
            out.extend_from_slice(&redacted(value));
        }
        out.extend_from_slice(line.get(content.len()..).unwrap_or_default());
    }
    out
}

/// A header's value with [`REDACTED`] in the place of the secrets that values hold: what follows a
/// name like `PASSWORD=` (channel variables), and the password in `sip:user:password@host` or
/// `IAX2/user:password@host` (dial strings).
///
/// The answers that [`Client`](super::Client) gives are without secret headers, but keep such values
/// as they came; whoever shows whole values shows them through this.
#[must_use]
pub fn redact(value: &str) -> Cow<'_, str> {
    match redacted(value.as_bytes()) {
        Cow::Borrowed(_) => Cow::Borrowed(value),
        // Cut at ASCII characters, so that it is still UTF-8.
        Cow::Owned(bytes) => Cow::Owned(String::from_utf8_lossy(&bytes).into_owned()),
    }
}

fn redacted(value: &[u8]) -> Cow<'_, [u8]> {
    let named = secret_words(value).filter_map(|end| {
        let rest = value.get(end..)?;
        let goes_on = |b: &u8| b.is_ascii_alphanumeric() || b"_-\"' \t".contains(b);
        let mark = end + rest.iter().position(|byte| !goes_on(byte))?;
        value.get(mark).is_some_and(|mark| b":=".contains(mark)).then_some(mark + 1)
    });
    let cut = named.min();
    let kept = value.get(..cut.unwrap_or(value.len())).unwrap_or(value);
    let mut out = Vec::new();
    let mut rest = kept;
    while let Some((before, password, after)) = user_password(rest) {
        out.extend_from_slice(rest.get(..before).unwrap_or_default());
        out.extend_from_slice(REDACTED.as_bytes());
        rest = rest.get(before + password..).unwrap_or_default();
        out.extend_from_slice(rest.get(..after).unwrap_or_default());
        rest = rest.get(after..).unwrap_or_default();
    }
    if out.is_empty() && cut.is_none() {
        return Cow::Borrowed(value);
    }
    out.extend_from_slice(rest);
    if cut.is_some() {
        out.extend_from_slice(REDACTED.as_bytes());
    }
    Cow::Owned(out)
}

/// Where the first password before an `@` begins, how long it is, and the one byte after it.
fn user_password(value: &[u8]) -> Option<(usize, usize, usize)> {
    memchr::memchr_iter(b'@', value).find_map(|at| {
        let before = value.get(..at)?;
        let ends = |byte: &u8| b"/<>,&|@;=\"' \t".contains(byte);
        let end = before.iter().rposition(ends);
        let mut user = before.get(end.map_or(0, |end| end + 1)..)?;
        // `hint:100@context` is no user with a password; one follows a technology or a scheme.
        let mut has_scheme = end.and_then(|end| before.get(end)) == Some(&b'/');
        for scheme in [&b"sip:"[..], b"sips:"] {
            if user.get(..scheme.len()).is_some_and(|s| s.eq_ignore_ascii_case(scheme)) {
                user = user.get(scheme.len()..)?;
                has_scheme = true;
            }
        }
        if !has_scheme {
            return None;
        }
        // An IPv6 address is no name with a password.
        let colon = memchr::memchr(b':', user).filter(|_| !user.contains(&b'['))?;
        let length = user.len() - colon - 1;
        (length > 0).then_some((at - length, length, 1))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(block: &str) -> String {
        String::from_utf8(marked(block.as_bytes())).unwrap()
    }

    #[test]
    fn a_marker_stands_where_a_secret_was_and_all_else_is_as_it_was() {
        let block =
            "Event: EndpointDetail\r\nSecret: a\r\nObjectName: x\nKey:e\r\nChallenge: 7\r\n\r\n";
        let kept = "Event: EndpointDetail\r\nSecret: [redacted]\r\nObjectName: x\nKey: [redacted]\r\n\
                    Challenge: [redacted]\r\n\r\n";
        assert_eq!(shown(block), kept);
        assert_eq!(marked(b"Name: \xff\xc3\r\n"), b"Name: \xff\xc3\r\n");
        assert_eq!(
            shown("Event: DBGetTreeResponse\r\nKey: /AMPUSER/100/pin\r\nVal: 1234\r\n"),
            "Event: DBGetTreeResponse\r\nKey: /AMPUSER/100/pin\r\nVal: [redacted]\r\n"
        );
        let name = "Event: DBGetResponse\r\nFamily: AMPUSER\r\nKey: 100/cidname\r\nVal: Alice\r\n";
        assert_eq!(shown(name), name);
    }

    #[test]
    fn damage_gives_nothing_away() {
        for block in [
            "Event: A\r\nNamePassword: hunter2\r\n",
            "Event: A\r\nName: x Password: hunter2\r\n",
            "Event: A\r\nhunter2\r\n",
            "Event: A\r\n: hunter2\r\n",
            "Event: DBGetTreeResponse\r\nVal: hunter2\r\n",
            "Event: DBGetResponse\r\nKey: 100/password\r\nVal: x\nhunter2: y\n",
        ] {
            let shown = shown(block);
            assert!(shown.contains(REDACTED), "{block}: {shown}");
            assert!(!shown.contains("hunter2"), "{block}: {shown}");
        }
    }

    /// Of what real servers sent, only what looks like a secret is taken for one.
    #[test]
    fn ordinary_values_of_real_servers_are_left_alone() {
        let mut seen = 0;
        for version in ["16.28.0", "22.10.1"] {
            for entry in std::fs::read_dir(format!("tests/fixtures/{version}/busy")).unwrap() {
                let path = entry.unwrap().path();
                if path.extension().is_none_or(|extension| extension != "ami") {
                    continue;
                }
                let bytes = std::fs::read(path).unwrap();
                let text = String::from_utf8_lossy(&bytes);
                for (_, value) in text.lines().filter_map(|line| line.split_once(':')) {
                    seen += 1;
                    let is_left = matches!(redact(value), Cow::Borrowed(_));
                    assert!(is_left, "{value} became {}", redact(value));
                }
            }
        }
        assert!(seen > 10_000, "{seen}");
    }

    #[test]
    fn secrets_within_values_are_found() {
        for (value, expected) in [
            ("TRUNK_PASSWORD=hunter2", "TRUNK_PASSWORD=[redacted]"),
            ("{\"a\":1,\"md5_secret\":\"x\"}", "{\"a\":1,\"md5_secret\":[redacted]"),
            ("sip:100:hunter2@192.0.2.1:5060", "sip:100:[redacted]@192.0.2.1:5060"),
            ("IAX2/u:p@192.0.2.1/100,30", "IAX2/u:[redacted]@192.0.2.1/100,30"),
            ("SIP/a:b@c&SIP/d:e@f", "SIP/a:[redacted]@c&SIP/d:[redacted]@f"),
        ] {
            assert_eq!(redact(value), expected);
        }
        for value in [
            "sip:secretary@192.0.2.1:5060",
            "Password reset line",
            "PJSIP/100/sip:100@192.0.2.1:5060;ob",
            "sip:[2001:db8::1]:5060",
            "Local/100@from-internal-0001;1",
            "hint:100@ext-local",
            "Zoë 東京",
            "",
        ] {
            assert!(matches!(redact(value), Cow::Borrowed(same) if same == value), "{value}");
        }
    }

    fn cleaned(block: &str) -> String {
        without(block, &inspect(block)).into_owned()
    }

    #[test]
    fn headers_named_like_secrets_are_dropped_and_all_others_stay() {
        let block = "Event: EndpointDetail\r\nSecret: a\r\nObjectName: x: Password: y\r\n\
                     Md5Cred: b\r\nPasswordDigest: c\r\nMD5Secret: d\r\nKey: e\r\nAors: 100\r\n";
        let kept = "Event: EndpointDetail\r\nObjectName: x: Password: y\r\nAors: 100\r\n";
        assert_eq!(cleaned(block), kept);
    }

    #[test]
    fn the_key_of_an_astdb_row_is_its_name_and_pins_are_secret_rows() {
        let name = "Event: DBGetTreeResponse\r\nKey: /AMPUSER/100/cidname\r\nVal: Alice\r\n";
        assert_eq!(cleaned(name), name);
        assert!(!is_secret_row(&inspect(name)));
        let pin = "Event: DBGetTreeResponse\r\nKey: /AMPUSER/100/password\r\nVal: 1234\r\n";
        assert!(is_secret_row(&inspect(pin)));
    }
}
