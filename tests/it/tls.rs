//! The binary over TLS: whom it trusts, what it says where it does not, and how it writes.

use std::{
    io::{Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use rcgen::{CertificateParams, IsCa, Issuer, KeyPair};
use rustls::{ServerConfig, ServerConnection, crypto::ring};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _};
use sha2::{Digest as _, Sha256};

use super::{
    pbx::{Greeting, PASSWORD, Pbx, Script},
    program::{Ended, Program},
};

#[test]
fn a_run_over_tls_is_whole_and_the_snapshot_says_so() {
    for version in [&rustls::version::TLS13, &rustls::version::TLS12] {
        let front = Front::of(busy(), Identity::self_signed().with_version(version));
        let program = program(&front, &front.identity.pin());
        let ended = program.run(&[]);
        assert_eq!((ended.code, ended.stderr.as_str()), (0, ""), "{version:?}");
        let snapshot = program.snapshot();
        assert_eq!(snapshot["source"]["tls"], true);
        assert_eq!(snapshot["complete"], true, "{:#}", snapshot["sections"]);
    }
}

#[test]
fn every_action_is_a_tls_record_of_its_own_that_asterisk_can_read_at_once() {
    let front = Front::of(busy(), Identity::self_signed());
    let program = program(&front, &front.identity.pin());
    assert_eq!(program.run(&[]).code, 0);
    let records = front.records.lock().unwrap().clone();
    let asked = front.pbx.asked.lock().unwrap().clone();
    assert_eq!(records.len(), asked.len(), "{asked:?}");
    assert!(records.iter().all(|record| *record <= 1_024), "{records:?}");
    let total: usize = records.iter().sum();
    assert!(total > 2_048, "all of it in one record would have stalled: {total} bytes");
}

#[test]
fn a_login_too_long_for_one_record_does_not_stall() {
    let front = Front::of(busy().greeting(Greeting::NoChallenge), Identity::self_signed());
    let text = config(&front, &front.identity.pin())
        .replace("ami_username: snapshot", &format!("ami_username: {}", "u".repeat(800)))
        .replace(PASSWORD, &"p".repeat(880));
    let ended = Program::with_config(&text).run(&[]);
    assert_eq!(ended.code, 77, "the scripted server has another password: {ended:?}");
    assert!(ended.stderr.contains("Authentication failed"), "{ended:?}");
}

#[test]
fn a_server_without_challenge_gets_the_password_over_tls() {
    let front = Front::of(busy().greeting(Greeting::NoChallenge), Identity::self_signed());
    assert_complete(&program(&front, &front.identity.pin()).run(&[]));
}

#[test]
fn what_the_error_says_to_add_makes_it_work() {
    let front = Front::of(busy(), Identity::self_signed());
    let ended = program(&front, "").run(&[]);
    assert_says(&ended, 69, &["self-signed or of an unknown authority", &front.identity.print()]);
    let line = ended.stderr.split('`').find(|part| part.starts_with("ami_tls_fingerprint: "));
    let program = program(&front, &format!("  {}\n", line.unwrap()));
    assert_complete(&program.run(&[]));
    assert!(front.pbx.asked.lock().unwrap().contains(&"Login".to_owned()));
}

#[test]
fn nothing_is_said_to_a_server_that_is_not_trusted() {
    let front = Front::of(busy(), Identity::self_signed());
    let wrong = format!("  ami_tls_fingerprint: {}\n", "0".repeat(64));
    let ended = program(&front, &wrong).run(&[]);
    assert_says(&ended, 69, &["not the pinned one", &front.identity.print(), "somebody"]);
    assert_eq!(program(&front, "").run(&[]).code, 69);
    assert!(front.pbx.asked.lock().unwrap().is_empty());
    assert!(front.records.lock().unwrap().is_empty());
}

#[test]
fn a_file_of_authorities_holds_authorities_or_the_server_itself() {
    let issued = Identity::issued();
    for (what, identity) in [
        ("self-signed", Identity::self_signed()),
        ("self-signed authority", Identity::self_signed_authority()),
        ("issued by an authority", issued),
    ] {
        let front = Front::of(busy(), identity);
        let program = program(&front, "  ami_tls_ca_file: pbx.crt\n");
        std::fs::write(program.path("pbx.crt"), &front.identity.authority).unwrap();
        let ended = program.run(&[]);
        assert_eq!((ended.code, ended.stderr.as_str()), (0, ""), "{what}");
    }
    // And no other.
    let front = Front::of(busy(), Identity::self_signed());
    let program = program(&front, "  ami_tls_ca_file: pbx.crt\n");
    let other = Identity::self_signed_authority();
    std::fs::write(program.path("pbx.crt"), &other.authority).unwrap();
    assert_says(&program.run(&[]), 69, &["unknown authority"]);
}

#[test]
fn the_systems_authorities_are_trusted_without_a_word() {
    let front = Front::of(busy(), Identity::issued());
    let program = program(&front, "");
    std::fs::write(program.path("roots.pem"), &front.identity.authority).unwrap();
    let mut command = program.command(&[]);
    let status = command.env("SSL_CERT_FILE", program.path("roots.pem")).status().unwrap();
    assert_eq!(status.code(), Some(0));
}

#[test]
fn names_and_addresses_are_checked() {
    let names = ["pbx.example.test", "pbx-2.example.test"];
    for identity in [Identity::named(&names), Identity::named_authority(&names)] {
        let front = Front::of(busy(), identity);
        let trusted = "  ami_tls_ca_file: pbx.crt\n";
        let strict = program(&front, trusted);
        std::fs::write(strict.path("pbx.crt"), &front.identity.authority).unwrap();
        let ended = strict.run(&[]);
        assert_says(
            &ended,
            69,
            &[
                "for another name (pbx.example.test, pbx-2.example.test)",
                "ami_tls_server_name",
                &front.identity.print(),
            ],
        );
        let named = format!("{trusted}  ami_tls_server_name: pbx-2.example.test\n");
        let named = program(&front, &named);
        std::fs::write(named.path("pbx.crt"), &front.identity.authority).unwrap();
        assert_complete(&named.run(&[]));
        assert_eq!(front.asked_for.lock().unwrap().as_deref(), Some("pbx-2.example.test"));
        // A pinned certificate has no name to check.
        assert_complete(&program(&front, &front.identity.pin()).run(&[]));
    }
}

#[test]
fn an_expired_certificate_is_named_with_its_date_and_can_be_pinned() {
    for (identity, says) in [
        (Identity::valid((2019, 5, 6), (2020, 1, 31)), "expired on 2020-01-31"),
        (Identity::valid((2190, 5, 6), (2191, 1, 1)), "not valid before 2190-05-06"),
    ] {
        let front = Front::of(busy(), identity);
        let strict = program(&front, "  ami_tls_ca_file: pbx.crt\n");
        std::fs::write(strict.path("pbx.crt"), &front.identity.authority).unwrap();
        let says = says.replace(" on ", " ");
        assert_says(&strict.run(&[]), 69, &[&says, &front.identity.print()]);
        assert_complete(&program(&front, &front.identity.pin()).run(&[]));
    }
}

#[test]
fn certificates_as_ast_tls_cert_made_them_can_be_pinned() {
    for version in [&rustls::version::TLS13, &rustls::version::TLS12] {
        let front = Front::of(busy(), Identity::version_1().with_version(version));
        assert_complete(&program(&front, &front.identity.pin()).run(&[]));
        let strict = program(&front, "  ami_tls_ca_file: pbx.crt\n");
        std::fs::write(strict.path("pbx.crt"), &front.identity.authority).unwrap();
        assert_says(&strict.run(&[]), 69, &["X.509 version 1", &front.identity.print()]);
    }
    // Whoever only knows the certificate, and has not its key, is still found out.
    for version in [&rustls::version::TLS13, &rustls::version::TLS12] {
        for genuine in [Identity::version_1(), Identity::self_signed()] {
            let pin = genuine.pin();
            let forged = Identity { key: Identity::self_signed().key, ..genuine };
            let front = Front::of(busy(), forged.with_version(version));
            let ended = program(&front, &pin).run(&[]);
            assert_says(&ended, 69, &["does not prove to hold its certificate's key"]);
            assert!(front.pbx.asked.lock().unwrap().is_empty());
        }
    }
}

#[test]
fn a_port_without_tls_is_told_apart() {
    let pin = Identity::self_signed().pin();
    for (greeting, code, says) in [
        (Greeting::Asterisk, 69, "does not speak TLS"),
        (Greeting::BytesThenClose(b"HTTP/1.1 400 Bad Request\r\n\r\n"), 69, "does not speak TLS"),
        (Greeting::Bytes(b"SSH-2.0-OpenSSH_9.2p1\r\n"), 69, "does not speak TLS"),
        (Greeting::BytesThenClose(b""), 69, "closed the connection in the TLS handshake"),
        (Greeting::Bytes(b""), 124, "TLS was not set up within 1 s"),
    ] {
        let pbx = busy().greeting(greeting).start();
        let ended = Program::with_config(&config_for(pbx.port, &pin)).run(&[]);
        assert_says(&ended, code, &[says, "5039"]);
        assert!(ended.took < Duration::from_secs(9), "{:?}", ended.took);
    }
}

#[test]
fn a_port_with_tls_is_told_apart() {
    let front = Front::of(busy(), Identity::self_signed());
    let ended = Program::for_port(front.port).run(&[]);
    assert_says(&ended, 124, &["no banner came within 1 s", "ami_tls: true"]);
    assert!(ended.took < Duration::from_secs(9), "{:?}", ended.took);
}

#[test]
fn an_unusable_file_of_authorities_is_an_error_of_the_configuration() {
    let front = Front::of(busy(), Identity::self_signed());
    let program = program(&front, "  ami_tls_ca_file: pbx.crt\n");
    assert_says(&program.run(&[]), 78, &["ami_tls_ca_file", "pbx.crt"]);
    for text in ["", "nothing", "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n"] {
        std::fs::write(program.path("pbx.crt"), text).unwrap();
        assert_says(&program.run(&[]), 78, &["config.yaml:13: freepbx.ami_tls_ca_file"]);
    }
}

#[test]
fn check_tells_the_certificate_in_either_case() {
    let front = Front::of(busy(), Identity::self_signed());
    let ended = program(&front, "").run(&["check"]);
    assert_eq!((ended.code, ended.stderr.as_str()), (69, ""));
    let line = format!("ami_tls_fingerprint: \"{}\"", front.identity.print());
    assert!(ended.stdout.contains("FAIL tls: ") && ended.stdout.contains(&line), "{ended:?}");
    let ended = program(&front, &front.identity.pin()).run(&["check"]);
    assert_eq!(ended.code, 0, "{}", ended.stdout);
    let line = format!("ok   tls: TLS 1.3, certificate {}", front.identity.print());
    assert!(ended.stdout.contains(&line), "{}", ended.stdout);
}

// ---------------------------------------------------------------------------------------------

fn busy() -> Script {
    Script::recorded("16.28.0/busy")
}

fn config_for(port: u16, lines: &str) -> String {
    format!(
        "freepbx:\n  ami_host: 127.0.0.1\n  ami_port: {port}\n  ami_username: snapshot\n  \
         ami_password: {PASSWORD}\n  timeouts:\n    connect_seconds: 1\n    login_seconds: 2\n    \
         action_seconds: 1\n    run_seconds: 6\n  ami_tls: true\n  # What the test adds:\n{lines}"
    )
}

fn config(front: &Front, lines: &str) -> String {
    config_for(front.port, lines)
}

fn program(front: &Front, lines: &str) -> Program {
    Program::with_config(&config(front, lines))
}

#[track_caller]
fn assert_complete(ended: &Ended) {
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""));
}

/// One line that says all of that.
#[track_caller]
fn assert_says(ended: &Ended, code: i32, says: &[&str]) {
    assert_eq!(ended.code, code, "{ended:?}");
    assert_eq!(ended.stderr.lines().count(), 1, "{ended:?}");
    for said in says {
        assert!(ended.stderr.contains(said), "{said:?} is missing in {:?}", ended.stderr);
    }
}

/// A certificate, its key, and what to trust for it.
pub struct Identity {
    certificate: CertificateDer<'static>,
    key: PrivateKeyDer<'static>,
    /// PEM of the authority that issued it, or of itself.
    pub authority: String,
    version: &'static rustls::SupportedProtocolVersion,
}

impl Identity {
    /// For loopback.
    pub fn self_signed() -> Self {
        Self::named(&["127.0.0.1"])
    }

    /// As `openssl req -x509` makes it.
    fn self_signed_authority() -> Self {
        Self::named_authority(&["127.0.0.1"])
    }

    fn named(names: &[&str]) -> Self {
        Self::signed_by_itself(&params(names))
    }

    fn named_authority(names: &[&str]) -> Self {
        let mut params = params(names);
        params.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        Self::signed_by_itself(&params)
    }

    pub fn valid(from: (i32, u8, u8), until: (i32, u8, u8)) -> Self {
        let mut params = params(&["127.0.0.1"]);
        params.not_before = rcgen::date_time_ymd(from.0, from.1, from.2);
        params.not_after = rcgen::date_time_ymd(until.0, until.1, until.2);
        Self::signed_by_itself(&params)
    }

    fn signed_by_itself(params: &CertificateParams) -> Self {
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        Self::new(certificate.der().clone(), &key, certificate.pem())
    }

    pub fn issued() -> Self {
        let mut authority = params(&[]);
        authority.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let authority_key = KeyPair::generate().unwrap();
        let pem = authority.self_signed(&authority_key).unwrap().pem();
        let key = KeyPair::generate().unwrap();
        let issuer = Issuer::new(authority, authority_key);
        let certificate = params(&["127.0.0.1"]).signed_by(&key, &issuer).unwrap();
        Self::new(certificate.der().clone(), &key, pem)
    }

    /// Without extensions, and so without names: `openssl x509 -req -signkey`.
    pub fn version_1() -> Self {
        Self {
            certificate: CertificateDer::from_pem_slice(VERSION_1.as_bytes()).unwrap(),
            key: PrivateKeyDer::from_pem_slice(VERSION_1.as_bytes()).unwrap(),
            authority: VERSION_1.to_owned(),
            version: &rustls::version::TLS13,
        }
    }

    fn new(certificate: CertificateDer<'static>, key: &KeyPair, authority: String) -> Self {
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        Self { certificate, key, authority, version: &rustls::version::TLS13 }
    }

    fn with_version(self, version: &'static rustls::SupportedProtocolVersion) -> Self {
        Self { version, ..self }
    }

    /// As `openssl x509 -fingerprint -sha256` prints it.
    pub fn print(&self) -> String {
        let bytes = Sha256::digest(&self.certificate);
        bytes.iter().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().join(":")
    }

    /// The line that pins it.
    pub fn pin(&self) -> String {
        format!("  ami_tls_fingerprint: \"{}\"\n", self.print())
    }
}

fn params(names: &[&str]) -> CertificateParams {
    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
    CertificateParams::new(names).unwrap()
}

/// A server that speaks TLS and passes on what it hears to a scripted PBX. It reads as Asterisk
/// does: of a record with more than 1,024 bytes it takes those, and then nothing more, for ever.
pub struct Front {
    pub port: u16,
    pub pbx: Pbx,
    pub identity: Identity,
    /// Bytes in every record that came after the handshake.
    pub records: Arc<Mutex<Vec<usize>>>,
    /// The name that the client asked for (SNI).
    asked_for: Arc<Mutex<Option<String>>>,
}

impl Front {
    pub fn of(script: Script, identity: Identity) -> Self {
        let provider = Arc::new(ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[identity.version])
            .unwrap()
            .with_no_client_auth();
        let chain = vec![identity.certificate.clone()];
        let signer = ring::sign::any_supported_type(&identity.key).unwrap();
        let key = Arc::new(rustls::sign::CertifiedKey::new(chain, signer));
        let config = config.with_cert_resolver(Arc::new(Always(key)));
        Self::serve(script, identity, Arc::new(config))
    }

    fn serve(script: Script, identity: Identity, config: Arc<ServerConfig>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let front = Self {
            port: listener.local_addr().unwrap().port(),
            pbx: script.start(),
            identity,
            records: Arc::default(),
            asked_for: Arc::default(),
        };
        let (records, asked_for) = (front.records.clone(), front.asked_for.clone());
        let pbx_port = front.pbx.port;
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let session = Session {
                    tls: Arc::new(Mutex::new(ServerConnection::new(config.clone()).unwrap())),
                    client,
                    records: records.clone(),
                    asked_for: asked_for.clone(),
                };
                thread::spawn(move || session.run(pbx_port));
            }
        });
        front
    }
}

/// Presents one certificate, whatever name is asked for.
#[derive(Debug)]
struct Always(Arc<rustls::sign::CertifiedKey>);

impl rustls::server::ResolvesServerCert for Always {
    fn resolve(
        &self,
        _hello: rustls::server::ClientHello<'_>,
    ) -> Option<Arc<rustls::sign::CertifiedKey>> {
        Some(self.0.clone())
    }
}

struct Session {
    tls: Arc<Mutex<ServerConnection>>,
    client: TcpStream,
    records: Arc<Mutex<Vec<usize>>>,
    asked_for: Arc<Mutex<Option<String>>>,
}

impl Session {
    fn run(mut self, pbx_port: u16) {
        const ASTERISK_READS: usize = 1_024;
        let mut pbx: Option<TcpStream> = None;
        while let Some(record) = self.next_record() {
            let mut tls = self.tls.lock().unwrap();
            let mut unread = record.as_slice();
            while !unread.is_empty() {
                tls.read_tls(&mut unread).unwrap();
            }
            let processed = tls.process_new_packets();
            let _ = tls.write_tls(&mut self.client);
            let Ok(state) = processed else { return };
            if tls.is_handshaking() {
                continue;
            }
            *self.asked_for.lock().unwrap() = tls.server_name().map(ToOwned::to_owned);
            let mut plain = vec![0; state.plaintext_bytes_to_read()];
            tls.reader().read_exact(&mut plain).unwrap();
            drop(tls);
            let pbx = pbx.get_or_insert_with(|| self.answer_from(pbx_port));
            if plain.is_empty() {
                continue;
            }
            self.records.lock().unwrap().push(plain.len());
            let read = &plain[..plain.len().min(ASTERISK_READS)];
            if pbx.write_all(read).is_err() {
                return;
            }
            if plain.len() > ASTERISK_READS {
                return thread::sleep(Duration::from_secs(60));
            }
        }
        if let Some(pbx) = pbx {
            let _ = pbx.shutdown(Shutdown::Both);
        }
    }

    /// One record with its header, as it crosses the wire.
    fn next_record(&mut self) -> Option<Vec<u8>> {
        let mut record = vec![0; 5];
        self.client.read_exact(&mut record).ok()?;
        let length = usize::from(u16::from_be_bytes([record[3], record[4]]));
        // What is no TLS at all is waited for in vain, as Asterisk does.
        record.resize(5 + length, 0);
        self.client.read_exact(&mut record[5..]).ok()?;
        Some(record)
    }

    /// Connects to the PBX and sends the client what it says.
    fn answer_from(&self, pbx_port: u16) -> TcpStream {
        let pbx = TcpStream::connect(("127.0.0.1", pbx_port)).unwrap();
        let mut from = pbx.try_clone().unwrap();
        let (mut client, tls) = (self.client.try_clone().unwrap(), self.tls.clone());
        thread::spawn(move || {
            let mut chunk = [0; 4096];
            while let Ok(count @ 1..) = from.read(&mut chunk) {
                let mut tls = tls.lock().unwrap();
                tls.writer().write_all(&chunk[..count]).unwrap();
                while tls.wants_write() {
                    if tls.write_tls(&mut client).is_err() {
                        return;
                    }
                }
            }
            let mut tls = tls.lock().unwrap();
            tls.send_close_notify();
            let _ = tls.write_tls(&mut client);
            let _ = client.shutdown(Shutdown::Write);
        });
        pbx
    }
}

/// Made with OpenSSL 3.0, valid for a hundred years, and of no use to anybody.
const VERSION_1: &str = "\
-----BEGIN CERTIFICATE-----
MIIBVzCB/QIUbxUAinlLw18M5kBk9dfr1oc+gCAwCgYIKoZIzj0EAwIwLTEZMBcG
A1UEAwwQcGJ4LmV4YW1wbGUudGVzdDEQMA4GA1UECgwHRnJlZVBCWDAgFw0yNjEx
MjEwOTUxMzVaGA8yMTI2MTAyODA5NTEzNVowLTEZMBcGA1UEAwwQcGJ4LmV4YW1w
bGUudGVzdDEQMA4GA1UECgwHRnJlZVBCWDBZMBMGByqGSM49AgEGCCqGSM49AwEH
A0IABBOJCWege4DlsWwIVK83PYvUfsbRMts3Eou2h/jCWiIS6xZ20t6tFMHL6MfO
li7pL69qib09Zh4u7uMBx0I77UowCgYIKoZIzj0EAwIDSQAwRgIhAPGLxETsFTKJ
3sL3J6tcrtT/y9kcwv97iaJFeGWDUne7AiEA1v7SMCp1JBG6WKJkZaFv7dqfIK4X
1lzh6RhtxLKZfgk=
-----END CERTIFICATE-----
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgg28e9FChmuHDmQK0
lPGwn4AFICVUZuXMpL3d65R7cVChRANCAAQTiQlnoHuA5bFsCFSvNz2L1H7G0TLb
NxKLtof4wloiEusWdtLerRTBy+jHzpYu6S+vaom9PWYeLu7jAcdCO+1K
-----END PRIVATE KEY-----
";
