//! `probe`: what a server is, without a word to it.

use std::{
    io::{Read as _, Write as _},
    net::TcpListener,
    sync::atomic::Ordering,
    time::Duration,
};

use serde_json::Value;

use super::{
    pbx::{Greeting, Script},
    program::{Ended, Program},
    tls::{Front, Identity},
};

/// Run where there is no configuration.
fn bare(arguments: &[&str]) -> Ended {
    let program = Program::with_config("");
    std::fs::remove_file(program.path("config.yaml")).unwrap();
    program.run(arguments)
}

fn json(ended: &Ended) -> Value {
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""), "{ended:?}");
    serde_json::from_str(&ended.stdout).unwrap()
}

#[test]
fn it_tells_the_version_and_says_nothing_to_the_server() {
    let pbx = Script::recorded("16.28.0/busy").start();
    let place = format!("127.0.0.1:{}", pbx.port);
    let found = json(&bare(&["probe", &place, "--json"]));
    assert_eq!(found["host"], "127.0.0.1");
    assert_eq!(found["port"], pbx.port);
    assert_eq!(found["address"], place);
    assert_eq!(found["banner"], "Asterisk Call Manager/5.0.4");
    assert_eq!(found["ami_version"], "5.0.4");
    assert_eq!(found["asterisk_version"], "16");
    assert_eq!(found["tls"], Value::Null);
    for time in ["connected_ms", "banner_ms"] {
        assert!(found[time].as_f64().is_some_and(|time| (0.0..5_000.0).contains(&time)), "{time}");
    }
    let text = bare(&["probe", &place]);
    assert_eq!(text.code, 0, "{text:?}");
    let first =
        format!("{place} is an Asterisk Manager Interface: AMI 5.0.4, probably Asterisk 16");
    assert_eq!(text.stdout.lines().next(), Some(first.as_str()));
    assert!(text.stdout.contains("connected") && text.stdout.contains(" ms later"));
    assert_eq!(pbx.connections.load(Ordering::SeqCst), 2);
    assert!(pbx.received.lock().unwrap().is_empty());
}

#[test]
fn without_a_host_it_is_whom_the_configuration_names() {
    let pbx = Script::recorded("16.28.0/busy").start();
    let found = json(&Program::for_port(pbx.port).run(&["probe", "--json"]));
    assert_eq!(found["port"], pbx.port);
    let front = Front::of(Script::recorded("16.28.0/busy"), Identity::self_signed());
    let config = format!(
        "freepbx:\n  ami_host: 127.0.0.1\n  ami_port: {}\n  ami_username: u\n  ami_password: p\n  \
         ami_tls: true\n{}",
        front.port,
        front.identity.pin()
    );
    let found = json(&Program::with_config(&config).run(&["probe", "--json"]));
    assert_eq!(found["tls"]["is_trusted"], true);
    assert_eq!(Program::with_config("wrong: 1\n").run(&["probe"]).code, 78);
}

#[test]
fn a_certificate_is_shown_with_whether_it_is_trusted() {
    let busy = || Script::recorded("16.28.0/busy");
    for (identity, problem) in [
        (Identity::self_signed(), "self-signed or of an unknown authority"),
        (Identity::valid((2020, 1, 1), (2021, 1, 1)), "expired 2021-01-01"),
        (Identity::version_1(), "X.509 version 1"),
    ] {
        let front = Front::of(busy(), identity);
        let place = format!("127.0.0.1:{}", front.port);
        let found = json(&bare(&["probe", &place, "--tls", "--json"]));
        let tls = &found["tls"];
        assert_eq!(tls["fingerprint"], front.identity.print());
        assert_eq!(tls["is_trusted"], false);
        assert!(tls["problem"].as_str().unwrap().contains(problem), "{tls}");
        assert_eq!(tls["version"], "TLS 1.3");
        assert!(tls["subject"].as_str().is_some_and(|it| it.contains("CN=")), "{tls}");
        assert_eq!(tls["issuer"], tls["subject"]);
        assert!(front.pbx.asked.lock().unwrap().is_empty());
        assert!(front.records.lock().unwrap().is_empty());
        let text = bare(&["probe", &place, "--tls"]).stdout;
        assert!(text.contains("not trusted: ") && text.contains(&front.identity.print()), "{text}");
        let is_over = tls["not_after"] == "2021-01-01T00:00:00Z";
        assert_eq!(text.contains("which is over"), is_over, "{text}");
    }
    let front = Front::of(busy(), Identity::issued());
    let program = Program::with_config("");
    std::fs::write(program.path("roots.pem"), &front.identity.authority).unwrap();
    let place = format!("127.0.0.1:{}", front.port);
    let mut command = program.command(&["probe", &place, "--tls", "--json"]);
    let output = command.env("SSL_CERT_FILE", program.path("roots.pem")).output().unwrap();
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(found["tls"]["is_trusted"], true, "{found:#}");
    assert_eq!(found["tls"]["problem"], Value::Null);
}

#[test]
fn what_is_no_ami_is_named_and_has_the_exit_code_of_every_connection() {
    let ssh: &[u8] = b"SSH-2.0-OpenSSH_9.2p1\r\n";
    for (greeting, tls, code, says) in [
        (Greeting::Bytes(ssh), false, 76, "that is an SSH server"),
        (Greeting::Bytes(b"HTTP/1.1 408 Request Timeout\r\n\r\n"), false, 76, "a web server"),
        (Greeting::Bytes(b"220 mail.example.com ESMTP\r\n"), false, 76, "a mail or FTP server"),
        (Greeting::Bytes(b"\x16\x03\x01\x1b[31m\r\n"), false, 76, "is not an Asterisk Manager"),
        (Greeting::BytesThenClose(b""), false, 69, "closed the connection before its banner"),
        // As a web server waits.
        (Greeting::Bytes(b""), false, 124, "a web server waits to be asked"),
        (Greeting::Bytes(ssh), true, 69, "does not speak TLS"),
    ] {
        let pbx = Script::recorded("16.28.0/busy").greeting(greeting).start();
        let place = format!("127.0.0.1:{}", pbx.port);
        let arguments = [&["probe", place.as_str()][..], if tls { &["--tls"] } else { &[] }];
        let ended = bare(&arguments.concat());
        assert_eq!(ended.code, code, "{ended:?}");
        assert!(ended.stderr.contains(says), "{says}: {}", ended.stderr);
        assert_eq!((ended.stdout.as_str(), ended.stderr.lines().count()), ("", 1));
        assert!(!ended.stderr.contains('\u{1b}'));
    }
    let nobody = bare(&["probe", "127.0.0.1:1"]);
    assert_eq!(nobody.code, 69, "{nobody:?}");
    for wrong in ["127.0.0.1:x", "[::1", "http://pbx.example.com", ""] {
        assert_eq!(bare(&["probe", wrong]).code, 64, "{wrong}");
    }
}

#[test]
fn addresses_of_ipv6_are_read_with_their_brackets() {
    let Ok(listener) = TcpListener::bind("[::1]:0") else {
        return eprintln!("this machine has no IPv6");
    };
    let port = listener.local_addr().unwrap().port();
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        stream.write_all(b"Asterisk Call Manager/11.0.0\r\n").unwrap();
        let mut said = Vec::new();
        stream.read_to_end(&mut said).unwrap();
        said
    });
    let found = json(&bare(&["probe", &format!("[::1]:{port}"), "--json"]));
    assert_eq!(found["host"], "::1");
    assert_eq!(found["asterisk_version"], "22");
    assert!(server.join().unwrap().is_empty(), "it said something");
}
