//! Secrets on the wire, dropped before anything else sees them.
//!
//! Servers send more than they should: `PJSIPShowRegistrationsOutbound` adds every trunk's
//! `AuthDetail` with its plain password (every version), PJSIP objects carry `Md5Cred`, and the
//! AstDB of FreePBX holds users' PINs. One walk over a block finds such headers, together with
//! the few headers that the protocol itself needs.

use std::borrow::Cow;

/// What one walk over a block found.
#[derive(Debug, Default)]
pub(super) struct Inspection<'a> {
    /// `Response` or `Event` where that is the first header's name.
    pub(super) first: Option<&'static str>,
    /// Value of the first header.
    pub(super) value_of_first: &'a str,
    pub(super) action_id: Option<&'a str>,
    pub(super) event_list: Option<&'a str>,
    pub(super) list_items: Option<&'a str>,
    /// A line without a colon, or a second `Event` or `Response`: lines were lost on the wire.
    pub(super) damaged: bool,
    /// A header that must not be passed on.
    secret: bool,
}

/// Walks over a block once.
pub(super) fn inspect(block: &str) -> Inspection<'_> {
    let mut seen = Inspection::default();
    let mut at_first = true;
    for line in block.split_inclusive('\n') {
        let Some(colon) = memchr::memchr(b':', line.as_bytes()) else {
            seen.damaged |= !line.trim_ascii().is_empty();
            at_first = false;
            continue;
        };
        let (Some(key), Some(value)) = (line.get(..colon), line.get(colon + 1..)) else { continue };
        let value = || value.trim_ascii();
        match key.len() {
            5 if key.eq_ignore_ascii_case("Event") => {
                seen.damaged |= !at_first;
                if at_first {
                    (seen.first, seen.value_of_first) = (Some("Event"), value());
                }
            }
            8 if key.eq_ignore_ascii_case("Response") => {
                seen.damaged |= !at_first;
                if at_first {
                    (seen.first, seen.value_of_first) = (Some("Response"), value());
                }
            }
            8 if key.eq_ignore_ascii_case("ActionID") => {
                seen.action_id.get_or_insert_with(value);
            }
            9 if key.eq_ignore_ascii_case("EventList") => {
                seen.event_list.get_or_insert_with(value);
            }
            9 if key.eq_ignore_ascii_case("ListItems") => {
                seen.list_items.get_or_insert_with(value);
            }
            // No header is without a name: its beginning is lost, and with it what it was.
            0 => seen.damaged = true,
            _ => seen.secret |= is_secret_header(key),
        }
        at_first = false;
    }
    seen
}

/// Whether a header's name says that its value is a secret.
///
/// `Key` is the login digest, except in rows of AstDB, where it is the entry's name.
fn is_secret_header(key: &str) -> bool {
    key.eq_ignore_ascii_case("Key")
        || key.eq_ignore_ascii_case("Challenge")
        || contains_secret_word(key)
}

/// Whether a name contains one of the words that secrets go by.
fn contains_secret_word(name: &str) -> bool {
    let bytes = name.as_bytes();
    bytes.iter().enumerate().any(|(at, byte)| {
        let words: &[&str] = match byte.to_ascii_lowercase() {
            b'p' => &["password", "passwd", "passphrase"],
            b's' => &["secret"],
            b'm' => &["md5cred"],
            b'd' => &["digest"],
            b'v' => &["vmpwd"],
            _ => return false,
        };
        words.iter().any(|word| {
            bytes.get(at..at + word.len()).is_some_and(|b| b.eq_ignore_ascii_case(word.as_bytes()))
        })
    })
}

/// Whether the event is an AstDB row, whose `Key` is a name and not a digest.
fn is_astdb(seen: &Inspection<'_>) -> bool {
    seen.value_of_first.eq_ignore_ascii_case("DBGetTreeResponse")
        || seen.value_of_first.eq_ignore_ascii_case("DBGetResponse")
}

/// Whether a whole row is secret: an AstDB entry that is named like a password or PIN.
pub(super) fn is_secret_row(block: &str, seen: &Inspection<'_>) -> bool {
    is_astdb(seen)
        && super::Row::new(block).get("Key").is_some_and(|key| {
            let entry = key.rsplit('/').next().unwrap_or(key);
            contains_secret_word(entry) || entry.eq_ignore_ascii_case("pin")
        })
}

/// The block without its secret headers.
pub(super) fn without<'a>(block: &'a str, seen: &Inspection<'_>) -> Cow<'a, str> {
    if !seen.secret || (is_astdb(seen) && !contains_secret_word(block)) {
        return Cow::Borrowed(block);
    }
    let keeps = |line: &&str| {
        let key = line.split(':').next().unwrap_or_default();
        !is_secret_header(key) || (is_astdb(seen) && key.eq_ignore_ascii_case("Key"))
    };
    Cow::Owned(block.split_inclusive('\n').filter(keeps).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

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
        assert!(!is_secret_row(name, &inspect(name)));
        let pin = "Event: DBGetTreeResponse\r\nKey: /AMPUSER/100/password\r\nVal: 1234\r\n";
        assert!(is_secret_row(pin, &inspect(pin)));
    }

    #[test]
    fn a_glued_or_torn_block_is_damaged() {
        assert!(inspect("Event: A\r\nName: x\r\nEvent: B\r\n").damaged);
        assert!(inspect("Event: A\r\nNam\r\n").damaged);
        assert!(inspect("Event: A\r\n:Secret: x\r\n").damaged);
        assert!(!inspect("Event: A\r\nName: Event: B\r\n\n").damaged);
        assert_eq!(inspect("Name: x\r\n").first, None);
    }
}
