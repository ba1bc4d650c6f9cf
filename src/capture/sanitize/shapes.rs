//! What tokens look like: addresses, hosts, ports, serial numbers.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::vocabulary;

/// Digits in the place of the digits of a text that is spelled with signs between.
pub(super) fn laid_out(digits: &str, written: &str) -> String {
    let signs = written.chars().filter(|c| !c.is_ascii_hexdigit()).count();
    if digits.len() + signs != written.len() {
        return digits.to_owned();
    }
    let mut digits = digits.chars();
    let lay = |c: char| if c.is_ascii_hexdigit() { digits.next().unwrap_or(c) } else { c };
    written.chars().map(lay).collect()
}

/// Length and digits of the hardware address that a text begins with: `00:04:13:aa:bb:cc`, with
/// hyphens, as `0004.13aa.bbcc`, or without signs.
pub(super) fn hardware_address(text: &str) -> Option<(usize, String)> {
    let is_part = |c: char| c.is_ascii_hexdigit() || matches!(c, ':' | '-' | '.');
    let length = text.find(|c| !is_part(c)).unwrap_or(text.len());
    [17, 14, 12].into_iter().filter(|size| *size <= length).find_map(|size| {
        let (written, after) = text.split_at_checked(size)?;
        if after.chars().next().is_some_and(char::is_alphanumeric) {
            return None;
        }
        let digits: String = written.chars().filter(char::is_ascii_hexdigit).collect();
        let group = |sign: char, length: usize| {
            written.split(sign).all(|part| part.len() == length && !part.contains(['-', ':', '.']))
        };
        let fits = match size {
            17 => group(':', 2) || group('-', 2),
            14 => group('.', 4),
            // Without a letter it is a number, without a digit a word.
            _ => {
                digits.len() == 12
                    && digits.bytes().any(|byte| byte.is_ascii_digit())
                    && digits.bytes().any(|byte| byte.is_ascii_alphabetic())
            }
        };
        (fits && digits.len() == 12).then(|| (size, digits.to_lowercase()))
    })
}

/// Length and value of the address that a text begins with.
pub(super) fn ip_address(text: &str) -> Option<(usize, IpAddr)> {
    let is_six = |c: char| c.is_ascii_hexdigit() || matches!(c, ':' | '.');
    let run = text.get(..text.find(|c| !is_six(c)).unwrap_or(text.len()))?;
    let ends = |length: usize| {
        text.get(length..)?.chars().next().is_none_or(|c| !c.is_alphanumeric()).then_some(())
    };
    let mut six = run.trim_end_matches(['.', ':']);
    while six.matches(':').count() >= 2 {
        if let Ok(address) = six.parse::<Ipv6Addr>() {
            ends(six.len())?;
            return Some((six.len(), address.into()));
        }
        six = six.rsplit_once(':').map_or("", |(begin, _)| begin);
    }
    let is_four = |c: char| c.is_ascii_digit() || c == '.';
    let four = text.get(..text.find(|c| !is_four(c)).unwrap_or(text.len()))?;
    let four = four.trim_end_matches('.');
    let address: Ipv4Addr = four.parse().ok()?;
    ends(four.len())?;
    Some((four.len(), address.into()))
}

/// The host name that a text begins with: labels with dots between, the last of letters only.
pub(super) fn host(text: &str) -> Option<&str> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-');
    let run = text.get(..text.find(|c| !is_part(c)).unwrap_or(text.len()))?;
    if text.get(run.len()..)?.starts_with(char::is_alphanumeric) {
        return None;
    }
    let name = run.trim_end_matches(['.', '-']);
    let (begin, last) = name.rsplit_once('.')?;
    let is_host = last.len() >= 2
        && last.bytes().all(|byte| byte.is_ascii_alphabetic())
        && !vocabulary::is_file_ending(last)
        && begin.split('.').all(|label| !label.is_empty());
    is_host.then_some(name)
}

/// What a caller without a name calls from (RFC 3323).
pub(super) fn is_anonymous(host: &str) -> bool {
    host.eq_ignore_ascii_case("anonymous.invalid")
}

/// The port that a text begins with, with its colon.
pub(super) fn port(text: &str) -> &str {
    let digits = text.strip_prefix(':').unwrap_or_default();
    let length = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    if (1..=5).contains(&length) { text.get(..length + 1).unwrap_or_default() } else { "" }
}

/// Whether a word of a user agent tells one telephone from all others of its kind.
pub(super) fn is_serial(word: &str) -> bool {
    let digits = word.bytes().filter(u8::is_ascii_digit).count();
    word.len() >= 8 && digits >= 4 && digits < word.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_end_where_they_end() {
        let found = |text| ip_address(text).map(|(length, address)| (length, address.to_string()));
        for (text, length, address) in [
            ("192.0.2.1:5060", 9, "192.0.2.1"),
            ("192.0.2.1.", 9, "192.0.2.1"),
            ("2001:db8::1]:5060", 11, "2001:db8::1"),
            ("::1", 3, "::1"),
            ("::ffff:192.0.2.1", 16, "::ffff:192.0.2.1"),
        ] {
            assert_eq!(found(text), Some((length, address.to_owned())), "{text}");
        }
        for none in ["192.0.2", "192.0.2.256", "1.2.3.4.5", "12:34:56", "dead", "192.0.2.1a", ""] {
            assert_eq!(found(none), None, "{none}");
        }
    }

    #[test]
    fn a_hardware_address_has_twelve_digits_in_one_of_four_spellings() {
        let found = |text| hardware_address(text).map(|(length, _)| length);
        assert_eq!(found("80:5e:c0:12:34:56/x"), Some(17));
        assert_eq!(found("80-5E-C0-12-34-56"), Some(17));
        assert_eq!(found("805e.c012.3456"), Some(14));
        assert_eq!(found("805ec0123456."), Some(12));
        for none in ["123456789012", "abcdefabcdef", "80:5e-c0:12:34:56", "805ec01234567", "805ec0"]
        {
            assert_eq!(found(none), None, "{none}");
        }
    }

    #[test]
    fn a_host_has_a_dot_and_ends_with_letters() {
        assert_eq!(host("sip.example.net:5060"), Some("sip.example.net"));
        assert_eq!(host("pbx-1.example.net."), Some("pbx-1.example.net"));
        for none in
            ["localhost", "1.0.11", "hello.wav", "a..net", "192.0.2.1", "x.y", "example.nét"]
        {
            assert_eq!(host(none), None, "{none}");
        }
    }
}
