//! Whether the connection is secured, and whom it trusts.

use std::{net::IpAddr, path::Path};

use super::{
    Error,
    document::Document,
    error::{escaped, shown},
    values::{self, Values},
};
use crate::ami::{Fingerprint, Tls, Trust};

const SWITCH: &str = "freepbx.ami_tls";
const CA_FILE: &str = "freepbx.ami_tls_ca_file";
const FINGERPRINT: &str = "freepbx.ami_tls_fingerprint";
const SERVER_NAME: &str = "freepbx.ami_tls_server_name";
/// Keys that mean something only with TLS.
const DETAILS: [&str; 3] = [CA_FILE, FINGERPRINT, SERVER_NAME];

/// TLS as the file asks for it; `None` where it does not.
///
/// A key about TLS without the switch is an error: whoever pins a certificate takes the connection
/// for secured. With the switch off by the file's own word it is a warning, see [`unused`].
pub(super) fn tls(values: &Values<'_>, base: &Path) -> Result<Option<Tls>, Error> {
    let document = values.document;
    let switch = values.value(SWITCH, values::boolean)?;
    let detail = DETAILS.into_iter().find(|key| document.value(key).is_some());
    match (switch, detail) {
        (Some(true), _) => {}
        (None, Some(key)) => {
            return Err(document.error(key, "ami_tls is missing, so that there is no TLS at all"));
        }
        (Some(false), _) | (None, None) => return Ok(None),
    }
    let file = values.text(CA_FILE)?.map(|path| base.join(path.as_str()));
    let pin = values.value(FINGERPRINT, |text| {
        text.parse::<Fingerprint>().map_err(|_| "is not 64 hexadecimal digits")
    })?;
    let (key, trust) = match (file, pin) {
        (Some(_), Some(_)) => {
            let problem = "ami_tls_ca_file is given too, and only one can be meant";
            return Err(document.error(FINGERPRINT, problem));
        }
        (Some(path), None) => (CA_FILE, Trust::Authorities(read(document, &path)?)),
        (None, Some(pin)) => (FINGERPRINT, Trust::Pinned(pin)),
        (None, None) => (SWITCH, Trust::System),
    };
    let name = values.value(SERVER_NAME, values::host)?;
    // Trust and name are tried one after the other, so that each problem finds its line.
    Tls::new(&trust, None).map_err(|error| document.error(key, escaped(&error.to_string())))?;
    let tls = Tls::new(&trust, name.as_deref());
    tls.map(Some).map_err(|_| document.error(SERVER_NAME, "is not a name"))
}

/// Warns of keys about TLS beside `ami_tls: false`.
pub(super) fn unused(values: &Values<'_>) -> impl Iterator<Item = String> {
    let document = values.document;
    let off = matches!(values.value(SWITCH, values::boolean), Ok(Some(false)));
    let unused = DETAILS.into_iter().filter(move |key| off && document.value(key).is_some());
    unused.map(|key| warning(document, key, "has no effect, since ami_tls is false"))
}

/// Warns of a password that a network sees.
pub(super) fn plain_password(document: &Document) -> String {
    let problem = "the password crosses the network in plain text; set `ami_tls: true`, or remove \
                   ami_login";
    warning(document, "freepbx.ami_login", problem)
}

/// Tells what else a network sees.
pub(super) fn plain_traffic(document: &Document) -> String {
    let problem = "no TLS to another machine: the password stays off the network, but names, calls, \
                   and the trunk passwords that Asterisk sends unasked cross it in plain text; set \
                   `ami_tls: true`";
    warning(document, "freepbx.ami_host", problem)
}

/// Whether a host is this machine, as far as its name tells.
pub(super) fn is_loopback(host: &str) -> bool {
    let name = host.trim_end_matches('.').to_ascii_lowercase();
    match host.parse::<IpAddr>() {
        Ok(address) => address.to_canonical().is_loopback(),
        Err(_) => name == "localhost" || name.ends_with(".localhost"),
    }
}

fn warning(document: &Document, key: &str, problem: &str) -> String {
    format!("{}:{}: {key}: {problem}", shown(document.file()), document.line(key))
}

fn read(document: &Document, path: &Path) -> Result<Vec<u8>, Error> {
    const LARGEST: u64 = 4 << 20;
    let fail = |problem: String| document.error(CA_FILE, problem);
    let bytes = fs_err::metadata(path)
        .and_then(|metadata| match metadata.len() > LARGEST {
            true => Err(std::io::Error::other(format!("{} is larger than 4 MiB", shown(path)))),
            false => fs_err::read(path),
        })
        .map_err(|error| fail(escaped(&error.to_string())))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    const LOGIN: &str = "freepbx:\n  ami_username: u\n  ami_password: secret\n";
    const PIN: &str = "0F:1E:2D:3C:4B:5A:69:78:87:96:A5:B4:C3:D2:E1:F0:\
                       0F:1E:2D:3C:4B:5A:69:78:87:96:A5:B4:C3:D2:E1:F0";

    fn parse(lines: &str) -> Result<Config, String> {
        let yaml = format!("{LOGIN}{lines}");
        Config::parse(Path::new("/x/c.yaml"), yaml.into(), &|_| None).map_err(|e| e.to_string())
    }

    #[test]
    fn tls_moves_the_default_port_and_no_other() {
        let pinned = format!("  ami_tls: yes\n  ami_tls_fingerprint: {PIN}\n");
        let config = parse(&pinned).unwrap();
        assert!(config.ami.tls.is_some() && config.port == 5039);
        assert_eq!(parse(&format!("{pinned}  ami_port: 5038\n")).unwrap().port, 5038);
        let config = parse("").unwrap();
        assert!(config.ami.tls.is_none() && config.port == 5038);
    }

    #[test]
    fn contradictions_are_told_with_their_line() {
        let pin = format!("  ami_tls_fingerprint: \"{PIN}\"\n");
        let error = |lines: &str| parse(lines).unwrap_err();
        let both = error(&format!("  ami_tls: true\n{pin}  ami_tls_ca_file: x.pem\n"));
        assert!(both.starts_with("/x/c.yaml:5: freepbx.ami_tls_fingerprint: ami_tls_ca_file is"));
        let alone = error(&pin);
        assert!(alone.starts_with("/x/c.yaml:4: freepbx.ami_tls_fingerprint: ami_tls is missing"));
        let off = parse(&format!("  ami_tls: false\n{pin}")).unwrap();
        assert_eq!(
            off.warnings,
            ["/x/c.yaml:5: freepbx.ami_tls_fingerprint: has no effect, since ami_tls is false"]
        );
        let short = error("  ami_tls: true\n  ami_tls_fingerprint: AB:CD\n");
        assert!(short.starts_with("/x/c.yaml:5: freepbx.ami_tls_fingerprint: is not 64 hex"));
        assert!(!short.contains("AB:CD"));
        let file = error("  ami_tls: true\n  ami_tls_ca_file: none.pem\n");
        assert!(
            file.starts_with("/x/c.yaml:5: freepbx.ami_tls_ca_file: ")
                && file.contains("/x/none.pem")
        );
        let name = error(&format!("  ami_tls: true\n{pin}  ami_tls_server_name: \"-\"\n"));
        assert!(
            name.starts_with("/x/c.yaml:6: freepbx.ami_tls_server_name: is not a name"),
            "{name}"
        );
    }

    #[test]
    fn a_password_in_plain_text_is_warned_of_only_where_a_network_sees_it() {
        for (host, is_exposed) in [
            ("pbx.example.com", true),
            ("192.0.2.1", true),
            ("localhost.example.com", true),
            ("127.0.0.1", false),
            ("127.8.0.1", false),
            ("::1", false),
            ("::ffff:127.0.0.1", false),
            ("LOCALHOST", false),
        ] {
            let lines = format!("  ami_host: \"{host}\"\n");
            let quiet = parse(&lines).unwrap();
            assert!(quiet.warnings.is_empty(), "{host}: {:?}", quiet.warnings);
            assert_eq!(quiet.notes.len(), usize::from(is_exposed), "{host}");
            let plain = parse(&format!("{lines}  ami_login: plain\n")).unwrap();
            assert_eq!(plain.warnings.len(), usize::from(is_exposed), "{host}");
            assert!(plain.warnings.iter().all(|warning| warning.starts_with("/x/c.yaml:5: ")));
            let tls = format!("  ami_tls: on\n  ami_tls_fingerprint: {PIN}\n");
            let secured = parse(&format!("{lines}  ami_login: plain\n{tls}")).unwrap();
            assert!(secured.warnings.is_empty() && secured.notes.is_empty());
        }
    }
}
