//! From the text behind a key to its meaning.

use std::{collections::BTreeSet, time::Duration};

use zeroize::Zeroizing;

use super::{
    Environment, Error,
    document::Document,
    expand::{Problem, expand},
    keys,
};
use crate::ami::LoginMethod;

/// The values of a file, with environment variables filled in.
pub(super) struct Values<'a> {
    pub(super) document: &'a Document,
    pub(super) environment: Environment<'a>,
}

impl Values<'_> {
    /// A value; `None` where the key is absent or nothing stands behind it.
    pub(super) fn text(&self, key: &str) -> Result<Option<Zeroizing<String>>, Error> {
        let Some(raw) = self.document.value(key) else {
            return Ok(None);
        };
        let error = |problem| self.document.error(key, problem);
        let text = self.expanded(key, raw).map_err(error)?;
        if text.trim().is_empty() {
            return Err(error("is empty".to_owned()));
        }
        Ok(Some(text))
    }

    /// A value that has to be understood; `understand` says what is wrong with it.
    pub(super) fn value<T>(
        &self,
        key: &str,
        understand: impl FnOnce(&str) -> Result<T, &'static str>,
    ) -> Result<Option<T>, Error> {
        let understood = self.text(key)?.map(|text| understand(text.trim())).transpose();
        understood.map_err(|problem| self.document.error(key, problem))
    }

    /// A list of names or patterns.
    pub(super) fn patterns(&self, key: &str) -> Result<Vec<String>, Error> {
        self.items(key, |text| match text.is_empty() {
            true => Err("an item is empty".to_owned()),
            false => Ok(text.to_owned()),
        })
    }

    /// The sections to leave out.
    pub(super) fn sections(&self, key: &str) -> Result<BTreeSet<&'static str>, Error> {
        let known = |text: &str| {
            keys::SECTIONS.into_iter().find(|name| *name == text).ok_or_else(|| {
                let named = keys::printable(text).map(|name| format!(" {name}"));
                let hint = keys::nearest_section(text).map_or_else(
                    || keys::SECTIONS.join(", "),
                    |name| format!("did you mean {name}?"),
                );
                format!("unknown section{}: {hint}", named.unwrap_or_default())
            })
        };
        Ok(self.items(key, known)?.into_iter().collect())
    }

    /// A list of which every item has to be understood.
    pub(super) fn items<T>(
        &self,
        key: &str,
        understand: impl Fn(&str) -> Result<T, String>,
    ) -> Result<Vec<T>, Error> {
        let understand = |(index, raw): (usize, &String)| {
            let item = self.expanded(key, raw).and_then(|text| understand(text.trim()));
            item.map_err(|problem| self.document.item_error(key, index, problem))
        };
        self.document.list(key).iter().enumerate().map(understand).collect()
    }

    fn expanded(&self, key: &str, raw: &str) -> Result<Zeroizing<String>, String> {
        expand(raw, self.environment).map_err(|problem| {
            // A name in an ordinary password ("a${b}c") is a part of the password.
            let named = |name: &str| {
                let is_name = name.chars().all(|c| !c.is_ascii_lowercase());
                let secret = key == super::password::INLINE && !is_name;
                if secret { String::new() } else { format!(" {name}") }
            };
            match problem {
                Problem::Unset(name) => {
                    format!("environment variable{} is not set (`$$` for a plain $)", named(&name))
                }
                Problem::NotText(name) => {
                    format!("environment variable{} is not UTF-8", named(&name))
                }
                Problem::Unclosed => "`${` has no closing `}` (`$$` for a plain $)".to_owned(),
                Problem::NoName => {
                    "`${...}` holds no name of a variable (`$$` for a plain $)".to_owned()
                }
            }
        })
    }
}

/// A host name or address.
pub(super) fn host(text: &str) -> Result<String, &'static str> {
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    if bare.matches(':').count() == 1 {
        return Err("holds a port (it belongs under ami_port)");
    }
    if bare.contains(|c: char| c.is_whitespace() || c == '/') {
        return Err("is not a host");
    }
    Ok(bare.to_owned())
}

/// A TCP port.
pub(super) fn port(text: &str) -> Result<u16, &'static str> {
    text.parse().ok().filter(|port| *port != 0).ok_or("is not a port")
}

/// A size of a file in bytes.
pub(super) fn bytes(text: &str) -> Result<u64, &'static str> {
    const BOUNDS: std::ops::RangeInclusive<u64> = 4_096..=1 << 30;
    text.parse().ok().filter(|bytes| BOUNDS.contains(bytes)).ok_or("is not such a number of bytes")
}

/// A length of time between two bounds in seconds.
pub(super) fn seconds(least: f64, most: f64) -> impl Fn(&str) -> Result<Duration, &'static str> {
    move |text| {
        let number: f64 = text.parse().map_err(|_| "is not a number of seconds")?;
        if !(least..=most).contains(&number) {
            return Err("is out of range");
        }
        Duration::try_from_secs_f64(number).map_err(|_| "is out of range")
    }
}

/// True or false, in the words of YAML 1.1 and 1.2.
pub(super) fn boolean(text: &str) -> Result<bool, &'static str> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" => Ok(true),
        "false" | "no" | "off" => Ok(false),
        _ => Err("is neither true nor false"),
    }
}

/// How to log in.
pub(super) fn login(text: &str) -> Result<LoginMethod, &'static str> {
    match text {
        "challenge" => Ok(LoginMethod::Challenge),
        "plain" => Ok(LoginMethod::Plain),
        _ => Err("is no way to log in"),
    }
}

/// A file's mode. YAML reads a bare 640 as six hundred and forty, which is another mode, so the
/// leading zero has to be there.
pub(super) fn file_mode(text: &str) -> Result<u32, &'static str> {
    let octal = text.strip_prefix("0o").or_else(|| text.strip_prefix('0'));
    let digits = octal.ok_or("is ambiguous without a leading zero")?;
    if digits.len() != 3 {
        return Err("is not an octal mode of three digits after the zero");
    }
    let mode = u32::from_str_radix(digits, 8).map_err(|_| "is not an octal mode")?;
    match mode {
        _ if mode & 0o600 != 0o600 => Err("lets the owner not read and write"),
        _ if mode & 0o111 != 0 => Err("makes the snapshot executable"),
        _ if mode & 0o002 != 0 => Err("lets everybody write"),
        _ => Ok(mode),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mode_is_octal_beyond_doubt() {
        for good in ["0640", "0o640"] {
            assert_eq!(file_mode(good), Ok(0o640));
        }
        assert_eq!(file_mode("0600"), Ok(0o600));
        for bad in
            ["640", "416", "0", "00640", "0x1A0", "0648", "+640", "0+40", "0440", "0755", "0646"]
        {
            assert!(file_mode(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn seconds_may_have_decimals_and_are_bounded() {
        let seconds = seconds(0.1, 60.0);
        assert_eq!(seconds("0.25"), Ok(Duration::from_millis(250)));
        for bad in ["0", "-1", "61", "inf", "NaN", "5s", "1e99", ""] {
            assert!(seconds(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_host_has_no_port() {
        assert_eq!(host("[::1]"), Ok("::1".to_owned()));
        assert_eq!(host("fe80::1%eth0"), Ok("fe80::1%eth0".to_owned()));
        assert!(host("pbx:5038").is_err() && host("http://pbx").is_err() && host("a b").is_err());
    }

    #[test]
    fn a_port_is_not_zero() {
        assert_eq!(port("5038"), Ok(5038));
        assert!(port("0").is_err() && port("65536").is_err() && port("ami").is_err());
    }
}
