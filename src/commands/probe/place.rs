//! A host with or without a port, as people write it.

use std::{net::Ipv6Addr, str::FromStr};

/// A host and perhaps a port: `pbx.example.com`, `192.0.2.5:5038`, `::1`, `[::1]:5038`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Name or address, without brackets.
    pub host: String,
    /// The port, where one is given.
    pub port: Option<u16>,
}

impl FromStr for Place {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let expected = || "expected HOST, HOST:PORT, or [ADDRESS]:PORT for IPv6".to_owned();
        let (host, port) = match text.strip_prefix('[') {
            Some(rest) => {
                let (host, rest) = rest.split_once(']').ok_or_else(expected)?;
                let bare = host.split('%').next().unwrap_or(host);
                bare.parse::<Ipv6Addr>().map_err(|_| expected())?;
                match rest {
                    "" => (host, None),
                    rest => (host, Some(rest.strip_prefix(':').ok_or_else(expected)?)),
                }
            }
            None if text.matches(':').count() > 1 => {
                let bare = text.split('%').next().unwrap_or(text);
                bare.parse::<Ipv6Addr>().map_err(|_| expected())?;
                (text, None)
            }
            None => text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port))),
        };
        let is_odd = |c: char| c.is_whitespace() || c.is_control() || "/@[]".contains(c);
        if host.is_empty() || host.contains(is_odd) {
            return Err(expected());
        }
        let port = port.map(|port| {
            let number = port.parse::<u16>().ok().filter(|number| *number > 0);
            number.ok_or_else(|| "expected a port from 1 to 65535".to_owned())
        });
        Ok(Self { host: host.to_owned(), port: port.transpose()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_read_as_people_write_them() {
        for (text, host, port) in [
            ("pbx.example.com", "pbx.example.com", None),
            ("192.0.2.5:5039", "192.0.2.5", Some(5039)),
            ("::1", "::1", None),
            ("[::1]", "::1", None),
            ("[2001:db8::5]:5038", "2001:db8::5", Some(5038)),
            ("[fe80::1%eth0]:5038", "fe80::1%eth0", Some(5038)),
        ] {
            assert_eq!(text.parse(), Ok(Place { host: host.to_owned(), port }));
        }
        for wrong in [
            "",
            ":5038",
            "pbx:0",
            "pbx:70000",
            "pbx:ami",
            "[::1",
            "[::1]5038",
            "[pbx]:1",
            "a:b:c",
            "user@pbx",
            "http://pbx",
            "a b",
        ] {
            assert!(wrong.parse::<Place>().is_err(), "{wrong}");
        }
    }
}
