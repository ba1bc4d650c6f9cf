//! A capture: what a PBX said, action by action, kept as the bytes of the wire.
//!
//! On disk it is a folder with two files per action: `NAME.req` is the action that was sent, and
//! `NAME.ami` is all that the server sent for it, up to the empty line that ends it. Both name the
//! action by the ActionID `name-1`, in lower case. `NAME` is the action's, followed by its arguments
//! where it has some (`ConfbridgeList-600`). `Login.ami` begins with the banner. The recordings in
//! `tests/fixtures` have this layout, so that a capture from a PBX that answers oddly can become a
//! test as it is.
//!
//! [`Recorder`] makes a capture of what goes over the wire, [`sanitize`](mod@sanitize) takes out what tells whose
//! PBX it is, and [`replay`](crate::replay) serves it again.

mod error;
mod folder;
mod question;
mod record;
pub mod sanitize;

pub use error::Error;
pub use question::Question;
pub use record::Recorder;

use crate::ami::{Block, Decoder, Limits, Row};

/// The name of the exchange that holds banner and login.
pub const LOGIN: &str = "Login";

/// One action with its answer, as they went over the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// What its files are named by, such as `ConfbridgeList-600`.
    pub name: String,
    /// The action that was sent, with the empty line after it.
    pub request: Vec<u8>,
    /// All that the server sent for it, with the empty line after each block.
    pub answer: Vec<u8>,
}

impl Recorded {
    /// What was asked.
    #[must_use]
    pub fn question(&self) -> Question {
        Question::of(Row::new(&String::from_utf8_lossy(&self.request)))
    }

    /// The ActionID that the action was sent with; empty where it had none.
    #[must_use]
    pub fn action_id(&self) -> String {
        let request = String::from_utf8_lossy(&self.request);
        Row::new(&request).get("ActionID").unwrap_or_default().to_owned()
    }

    /// The answer as a server would have given it to an action with another ActionID, or with none.
    #[must_use]
    pub fn answer_to(&self, action_id: Option<&str>) -> Vec<u8> {
        with_action_id(&self.answer, &self.action_id(), action_id)
    }
}

/// What one server said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Capture {
    /// The server's first line, without its end, such as `Asterisk Call Manager/5.0.4`.
    pub banner: String,
    /// Login and actions, each name once.
    pub recorded: Vec<Recorded>,
}

impl Capture {
    /// Takes a recorded session apart: all that one side sent, and all that the other side did.
    ///
    /// Both sides name each action by its ActionID; blocks without one belong to the action before.
    /// Of an action that was asked twice the later answer stands.
    #[must_use]
    pub fn from_session(asked: &[u8], answered: &[u8]) -> Self {
        let mut answers = Decoder::new(Limits::default());
        answers.space(answered.len()).extend_from_slice(answered);
        let banner = answers.banner().unwrap_or_default();
        let mut login = Recorded {
            name: LOGIN.to_owned(),
            request: Vec::new(),
            answer: format!("{banner}\r\n").into_bytes(),
        };
        let mut capture = Self { banner, recorded: Vec::new() };
        let mut requests = Decoder::new(Limits::default());
        requests.space(asked.len()).extend_from_slice(asked);
        while let Some(block) = requests.next_block() {
            let Block::Text(text) = block else { continue };
            let question = Question::of(Row::new(&text));
            let request = format!("{text}\r\n").into_bytes();
            if question.is_of_the_session() {
                login.request.extend(request);
                continue;
            }
            capture.recorded.retain(|other| other.question() != question);
            let name = capture.free_name(&question::file_name(Row::new(&text)));
            capture.recorded.push(Recorded { name, request, answer: Vec::new() });
        }
        let mut current = None;
        while let Some(block) = answers.next_block() {
            let Block::Text(text) = block else { continue };
            if let Some(id) = Row::new(&text).get("ActionID") {
                current = capture.recorded.iter().position(|recorded| recorded.action_id() == id);
            }
            let of = current.and_then(|at| capture.recorded.get_mut(at)).unwrap_or(&mut login);
            of.answer.extend_from_slice(text.as_bytes());
            of.answer.extend_from_slice(b"\r\n");
        }
        capture.recorded.insert(0, login);
        capture
    }

    /// The actions, without what concerns the session.
    pub fn actions(&self) -> impl Iterator<Item = &Recorded> {
        self.recorded.iter().filter(|recorded| recorded.name != LOGIN)
    }

    /// Adds an action with its answer, under the name and the ActionID that its files have.
    fn add(&mut self, request: Vec<u8>, answer: Vec<u8>) {
        let mut recorded = Recorded { name: String::new(), request, answer };
        let text = String::from_utf8_lossy(&recorded.request).into_owned();
        recorded.name = self.free_name(&question::file_name(Row::new(&text)));
        let id = format!("{}-1", recorded.name.to_lowercase());
        recorded.answer = recorded.answer_to(Some(&id));
        recorded.request = with_action_id(&recorded.request, &recorded.action_id(), Some(&id));
        self.recorded.push(recorded);
    }

    /// A name that no other action has, whatever the case of its letters: some file systems do not
    /// tell them apart.
    fn free_name(&self, wanted: &str) -> String {
        let taken = |name: &str| {
            name.eq_ignore_ascii_case(LOGIN)
                || self.recorded.iter().any(|recorded| recorded.name.eq_ignore_ascii_case(name))
        };
        let numbered = (2..).map(|number| format!("{wanted}-{number}"));
        let mut names = std::iter::once(wanted.to_owned()).chain(numbered);
        names.find(|name| !taken(name)).unwrap_or_default()
    }
}

/// The bytes with another ActionID in every header of that name and value; `None` leaves the header
/// out, as Asterisk does for an action that has none.
fn with_action_id(bytes: &[u8], old: &str, new: Option<&str>) -> Vec<u8> {
    let mut changed = Vec::with_capacity(bytes.len());
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        let value = line.get(..9).filter(|key| key.eq_ignore_ascii_case(b"ActionID:"));
        let value = value.and(line.get(9..)).map(<[u8]>::trim_ascii);
        if old.is_empty() || value != Some(old.as_bytes()) {
            changed.extend_from_slice(line);
        } else if let Some(new) = new {
            changed.extend_from_slice(format!("ActionID: {new}\r\n").as_bytes());
        }
    }
    changed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_comes_apart_by_its_action_ids() {
        let asked = b"Action: Ping\r\nActionID: a1\r\n\r\nAction: IAXpeers\r\nActionID: a2\r\n\r\n\
                      Action: ConfbridgeList\r\nActionID: a3\r\nConference: 600\r\n\r\n";
        let answered = b"Asterisk Call Manager/5.0.4\r\nResponse: Success\r\nActionID: a1\r\n\
                         Ping: Pong\r\n\r\nResponse: Success\r\nActionID: a2\r\n\r\n\
                         Event: PeerEntry\r\nObjectName: x\r\n\r\n\
                         Response: Error\r\nActionID: a3\r\nMessage: none\r\n\r\n";
        let capture = Capture::from_session(asked, answered);
        assert_eq!(capture.banner, "Asterisk Call Manager/5.0.4");
        let names: Vec<_> = capture.recorded.iter().map(|it| it.name.as_str()).collect();
        assert_eq!(names, ["Login", "Ping", "IAXpeers", "ConfbridgeList-600"]);
        let peers = String::from_utf8(capture.recorded[2].answer.clone()).unwrap();
        assert!(peers.ends_with("Event: PeerEntry\r\nObjectName: x\r\n\r\n"), "{peers}");
    }

    #[test]
    fn an_answer_comes_under_another_id_or_under_none_and_nothing_else_changes() {
        let recorded = Recorded {
            name: "Ping".to_owned(),
            request: b"Action: Ping\r\nActionID: ping-1\r\n\r\n".to_vec(),
            answer: b"Response: Success\r\nActionID: ping-1\r\nName: ActionID: ping-1 \xff\r\n\r\n"
                .to_vec(),
        };
        let rest = b"Name: ActionID: ping-1 \xff\r\n\r\n";
        let answer = recorded.answer_to(Some("x 7"));
        assert_eq!(answer, [b"Response: Success\r\nActionID: x 7\r\n", &rest[..]].concat());
        assert_eq!(recorded.answer_to(None), [b"Response: Success\r\n", &rest[..]].concat());
    }

    #[test]
    fn actions_that_would_have_one_name_are_numbered() {
        let asked = b"Action: DBGet\r\nFamily: a\r\nKey: b\r\n\r\n\
                      Action: DBGet\r\nFamily: A\r\nKey: b\r\n\r\nAction: Login\r\n\r\n";
        let capture = Capture::from_session(asked, b"");
        let names: Vec<_> = capture.recorded.iter().map(|it| it.name.as_str()).collect();
        assert_eq!(names, ["Login", "DBGet-a-b", "DBGet-A-b-2"]);
    }
}
