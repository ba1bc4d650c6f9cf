//! The tap of the AMI client: what it is told of real bytes over a real connection, and what never.

use std::sync::{Arc, Mutex};

use freepbx_snapshot::ami::{
    Action, Client, Credentials, LoginMethod, Options, Password, REDACTED, ReadAction, Tap, Traffic,
};

use super::pbx::{Greeting, PASSWORD, Pbx, Script};

/// What a tap is told of, as text: `> name` and `< name` with the bytes.
type Told = Arc<Mutex<Vec<(String, Vec<u8>)>>>;

fn listening(is_unfiltered: bool) -> (Tap, Told) {
    let told = Told::default();
    let keep = told.clone();
    let observer = move |heard: &freepbx_snapshot::ami::Heard<'_>| {
        let (what, bytes) = match &heard.traffic {
            Traffic::Connected(link) => (format!("connected {}", link.address.ip()), &b""[..]),
            Traffic::Banner(bytes) => ("< banner".to_owned(), *bytes),
            Traffic::Request(asked, bytes) => (format!("> {}", asked.name), *bytes),
            Traffic::Block(asked, bytes)
            | Traffic::BlankLine(asked, bytes)
            | Traffic::Torn(asked, bytes) => {
                (format!("< {}", asked.map_or("-", |asked| asked.name)), *bytes)
            }
            Traffic::LeftOut(count) => (format!("left out {count}"), &b""[..]),
            Traffic::Ended(error) => (format!("ended {}", error.is_some()), &b""[..]),
            _ => return,
        };
        keep.lock().unwrap().push((what, bytes.to_vec()));
    };
    let tap = if is_unfiltered { Tap::unfiltered(observer) } else { Tap::new(observer) };
    (tap, told)
}

/// One connection on which these actions are asked.
fn talk(pbx: &Pbx, method: LoginMethod, tap: Tap, actions: &[ReadAction]) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let options = Options { tap: Some(tap), ..Options::default() };
        let mut client = Client::connect("127.0.0.1", pbx.port, options).await.unwrap();
        let login = Credentials::new("snapshot", Password::new(PASSWORD.to_owned()));
        let actions = actions.iter().copied().map(Action::new);
        client.login(&login.with_method(method), actions).await.unwrap();
        while client.next_finished().await.unwrap().is_some() {}
        client.logoff().await;
    });
}

const ASKED: [ReadAction; 4] = [
    ReadAction::PjsipShowRegistrationsOutbound,
    ReadAction::IaxPeers,
    ReadAction::Parkinglots,
    ReadAction::Ping,
];

#[test]
fn everything_that_is_said_is_told_in_order() {
    let pbx = Script::recorded("16.28.0/busy").start();
    let (tap, told) = listening(false);
    talk(&pbx, LoginMethod::Challenge, tap, &ASKED);
    let told = told.lock().unwrap();
    let requests: Vec<_> =
        told.iter().filter_map(|(what, _)| what.strip_prefix("> ").map(str::to_owned)).collect();
    assert_eq!(requests, *pbx.asked.lock().unwrap());
    let mut order: Vec<&str> = told.iter().map(|(what, _)| what.as_str()).collect();
    order.dedup();
    let begun = ["connected 127.0.0.1", "< banner", "> Challenge", "< Challenge", "> Login"];
    assert_eq!(order[..5], begun);
    assert_eq!(order[order.len() - 3..], ["> Logoff", "< Logoff", "ended false"]);
}

#[test]
fn an_unfiltered_tap_has_the_bytes_of_the_wire() {
    let pbx = Script::recorded("16.28.0/busy").start();
    let (tap, told) = listening(true);
    talk(&pbx, LoginMethod::Challenge, tap, &ASKED);
    let told = told.lock().unwrap();
    for action in &ASKED[..3] {
        let name = action.name();
        let recorded = std::fs::read(format!("tests/fixtures/16.28.0/busy/{name}.ami")).unwrap();
        let answer = told.iter().filter(|(what, _)| *what == format!("< {name}"));
        let came = answer.flat_map(|(_, bytes)| bytes.clone()).collect::<Vec<_>>();
        // The server answers under the id of the request.
        let ids = |bytes: &[u8]| {
            let text = String::from_utf8_lossy(bytes).into_owned();
            let is_id = |line: &&str| !line.starts_with("ActionID: ");
            text.split_inclusive('\n').filter(is_id).collect::<String>()
        };
        assert_eq!(ids(&came), ids(&recorded), "{name}");
    }
}

#[test]
fn no_tap_is_told_what_proves_the_password_and_a_filtered_one_no_secret() {
    for (method, greeting) in [
        (LoginMethod::Challenge, Greeting::Asterisk),
        (LoginMethod::Challenge, Greeting::NoChallenge),
        (LoginMethod::Plain, Greeting::Asterisk),
    ] {
        for is_unfiltered in [false, true] {
            let pbx = Script::recorded("16.28.0/busy").greeting(greeting.clone()).start();
            let (tap, told) = listening(is_unfiltered);
            talk(&pbx, method, tap, &ASKED);
            let told = told.lock().unwrap();
            let bytes = told.iter().flat_map(|(_, bytes)| bytes.clone()).collect::<Vec<_>>();
            let text = String::from_utf8_lossy(&bytes);
            let login = told.iter().find(|(what, _)| what == "> Login").unwrap();
            assert!(String::from_utf8_lossy(&login.1).contains(REDACTED));
            let mut secrets = super::secrets::digests(&pbx);
            assert_eq!(secrets.is_empty(), text.contains("Secret: "), "{text}");
            secrets.extend([PASSWORD.to_owned(), super::secrets::CHALLENGE.to_owned()]);
            let of_trunks = super::secrets::recorded_secrets();
            match is_unfiltered {
                false => secrets.extend(of_trunks),
                true => assert!(of_trunks.iter().any(|secret| text.contains(secret))),
            }
            for secret in secrets {
                assert!(!text.contains(&secret), "{secret} is in\n{text}");
            }
        }
    }
}
