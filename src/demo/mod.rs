//! A demonstration PBX: an embedded capture of a busy Asterisk, served on loopback.
//!
//! A newcomer sees the collector's main job without a PBX, over real TCP and with the recorded bytes
//! of a real server.

use crate::{
    ami::Password,
    capture::Capture,
    replay::{Account, Options},
};

/// One whole run of the collector against the laboratory's FreePBX-like server: the bytes that
/// went in, and the bytes that came back.
const ASKED: &[u8] = include_bytes!("session.req");
const ANSWERED: &[u8] = include_bytes!("session.ami");

/// User name that the demonstration PBX expects.
pub const USERNAME: &str = "demo";

/// Password that the demonstration PBX expects. It guards nothing.
#[must_use]
pub fn password() -> Password {
    Password::new("demo".to_owned())
}

/// What it answers.
#[must_use]
pub fn capture() -> Capture {
    Capture::from_session(ASKED, ANSWERED)
}

/// How it is served: as without faults, to its own user only.
#[must_use]
pub fn options() -> Options {
    let account = Account { username: Some(USERNAME.to_owned()), password: Some(password()) };
    Options { account, ..Options::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_capture_is_whole() {
        let capture = capture();
        assert_eq!(capture.banner, "Asterisk Call Manager/5.0.4");
        let names: Vec<_> = capture.recorded.iter().map(|it| it.name.as_str()).collect();
        for name in ["Ping", "ListCommands", "QueueStatus", "ConfbridgeList-600", "DBGetTree-DND"] {
            assert!(names.contains(&name), "{name}: {names:?}");
        }
        for recorded in &capture.recorded {
            assert!(recorded.answer.ends_with(b"\r\n\r\n"), "{}", recorded.name);
        }
    }
}
