//! What the capture has to say on an action.

use std::collections::{BTreeMap, BTreeSet};

use wildmatch::WildMatchPattern;

use super::Classes;
use crate::{
    ami::{ReadAction, Row},
    capture::{Capture, LOGIN, Question, Recorded},
};

/// What comes of an action.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// These bytes.
    Answer(Vec<u8>),
    /// The account may not run it.
    Denied,
    /// The server has no such action.
    Unknown,
    /// The server has it, but nobody asked for this when the capture was made.
    NotCaptured,
}

/// The answers of a capture, by what was asked.
#[derive(Debug)]
pub(super) struct Answers {
    banner: String,
    /// By the action's name in lower case.
    recorded: BTreeMap<String, Vec<(Question, Recorded)>>,
    /// What `ListCommands` said of each action that the server has, by its name in lower case.
    listed: BTreeMap<String, String>,
}

const LIST: &str = "listcommands";
const TREE: &str = "dbgettree";

impl Answers {
    pub(super) fn new(capture: Capture) -> Self {
        let mut recorded: BTreeMap<String, Vec<_>> = BTreeMap::new();
        for one in capture.recorded.into_iter().filter(|one| one.name != LOGIN) {
            let question = one.question();
            let of_action = recorded.entry(question.action().to_owned()).or_default();
            // The pair that has the action's own name stands before others that ask the same.
            let at =
                if one.name.eq_ignore_ascii_case(question.action()) { 0 } else { of_action.len() };
            of_action.insert(at, (question, one));
        }
        let mut listed = BTreeMap::new();
        if let Some((_, list)) = recorded.get(LIST).and_then(|lists| lists.first()) {
            let text = String::from_utf8_lossy(&list.answer);
            for (action, synopsis) in Row::new(&text).headers().filter(|(_, it)| is_synopsis(it)) {
                listed.insert(action.to_ascii_lowercase(), synopsis.to_owned());
            }
        }
        Self { banner: capture.banner, recorded, listed }
    }

    /// The server's first line, without its end.
    pub(super) fn banner(&self) -> &str {
        &self.banner
    }

    /// What an account with these classes gets; all of them where `None`.
    pub(super) fn find(&self, request: Row<'_>, write: Option<&Classes>) -> Found {
        let question = Question::of(request);
        let id = request.get("ActionID").filter(|id| !id.is_empty());
        let action = question.action();
        let of_action = self.recorded.get(action);
        // Asterisk looks an action up before it asks for classes.
        if of_action.is_none() && !self.listed.contains_key(action) {
            return Found::Unknown;
        }
        if !write.is_none_or(|write| self.permits(write, action)) {
            return Found::Denied;
        }
        let Some(of_action) = of_action else { return Found::NotCaptured };
        let keys = arguments(action, of_action);
        let equal = |(other, _): &&(Question, Recorded)| {
            question.equals(other, keys.iter().map(String::as_str))
        };
        let answer = match of_action.iter().find(equal) {
            Some((_, recorded)) => recorded.answer_to(id),
            None if action == TREE => match subtree(&question, of_action, id) {
                Some(answer) => answer,
                None => return Found::NotCaptured,
            },
            None => return Found::NotCaptured,
        };
        match write.filter(|_| action == LIST) {
            Some(write) => Found::Answer(permitted(&answer, write)),
            None => Found::Answer(answer),
        }
    }

    fn permits(&self, write: &Classes, action: &str) -> bool {
        match (self.listed.get(action), ReadAction::from_name(action)) {
            (Some(synopsis), _) => write.permit_listed(synopsis),
            (None, Some(action)) => write.permit_action(action),
            (None, None) => true,
        }
    }
}

/// The arguments that make a difference to an action: those it is known to take, and those that it
/// was recorded with.
fn arguments(action: &str, recorded: &[(Question, Recorded)]) -> BTreeSet<String> {
    let known = ReadAction::from_name(action).map_or(&[][..], ReadAction::arguments);
    let known = known.iter().map(|key| key.to_ascii_lowercase());
    known.chain(recorded.iter().flat_map(|(of, _)| of.keys().map(str::to_owned))).collect()
}

fn is_synopsis(value: &str) -> bool {
    value.ends_with(')') && value.contains("(Priv: ")
}

/// The list of commands without those that the account may not run.
fn permitted(answer: &[u8], write: &Classes) -> Vec<u8> {
    let keeps = |line: &&[u8]| {
        let text = String::from_utf8_lossy(line);
        let text = text.trim_end();
        !is_synopsis(text) || write.permit_listed(text)
    };
    answer.split_inclusive(|byte| *byte == b'\n').filter(keeps).collect::<Vec<_>>().concat()
}

/// The rows of a recorded part of AstDB that a question about a part of it asks for.
///
/// `DBGetTree` matches `/Family/Key` and everything below with SQL's `LIKE` (`main/db.c`, every
/// version that has the action).
fn subtree(
    asked: &Question,
    recorded: &[(Question, Recorded)],
    id: Option<&str>,
) -> Option<Vec<u8>> {
    let path = |question: &Question| {
        let parts = ["family", "key"].into_iter().filter_map(|key| question.argument(key));
        parts.fold(String::new(), |path, part| path + "/" + part)
    };
    let wanted = path(asked);
    let is_wider = |(of, _): &&(Question, Recorded)| {
        wanted.strip_prefix(&path(of)).is_some_and(|rest| rest.starts_with('/'))
    };
    let (_, wider) = recorded.iter().find(is_wider)?;
    let pattern = WildMatchPattern::<'%', '_'>::new_case_insensitive(&format!("{wanted}/%"));
    let answer = wider.answer_to(id);
    let text = String::from_utf8_lossy(&answer);
    let keeps = |block: &&str| {
        let row = Row::new(block);
        row.event().is_none_or(|event| !event.eq_ignore_ascii_case("DBGetTreeResponse"))
            || row.get("Key").is_some_and(|key| pattern.matches(&format!("{key}/")))
    };
    Some(text.split_inclusive("\r\n\r\n").filter(keeps).collect::<String>().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ASKED: &[u8] =
        b"Action: ListCommands\r\nActionID: 1\r\n\r\nAction: QueueStatus\r\nActionID: 2\r\n\r\n\
        Action: DBGetTree\r\nActionID: 3\r\nFamily: AMPUSER\r\n\r\n";
    const ANSWERED: &[u8] = b"Asterisk Call Manager/5.0.4\r\n\
        Response: Success\r\nActionID: 1\r\nCoreStatus: Show.  (Priv: system,reporting,all)\r\n\
        Originate: Call (or so).  (Priv: originate,all)\r\nQueueStatus: Queues.  (Priv: <none>)\r\n\
        DBGetTree: Get.  (Priv: system,reporting,all)\r\n\r\n\
        Response: Success\r\nActionID: 2\r\nEventList: start\r\n\r\n\
        Event: QueueStatusComplete\r\nActionID: 2\r\n\r\n\
        Response: Success\r\nActionID: 3\r\n\r\n\
        Event: DBGetTreeResponse\r\nActionID: 3\r\nKey: /AMPUSER/100/cidname\r\nVal: A\r\n\r\n\
        Event: DBGetTreeResponse\r\nActionID: 3\r\nKey: /AMPUSER/100/device\r\nVal: 100\r\n\r\n\
        Event: DBGetTreeComplete\r\nActionID: 3\r\n\r\n";

    fn find(request: &str, write: Option<&str>) -> Found {
        let answers = Answers::new(Capture::from_session(ASKED, ANSWERED));
        let write = write.map(|write| write.parse().unwrap());
        answers.find(Row::new(request), write.as_ref())
    }

    fn text(found: Found) -> String {
        let Found::Answer(bytes) = found else { panic!("no answer: {found:?}") };
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn what_was_asked_is_answered_however_it_is_spelled() {
        let answer =
            text(find("action: QUEUESTATUS\r\nactionid: 9\r\nQueue: \r\nFoo: bar\r\n", None));
        assert!(answer.starts_with("Response: Success\r\nActionID: 9\r\n"), "{answer}");
        assert_eq!(answer.matches("ActionID: 9\r\n").count(), 2);
        assert!(!text(find("Action: QueueStatus\r\n", None)).contains("ActionID"));
    }

    #[test]
    fn another_question_is_not_given_this_ones_answer() {
        assert_eq!(find("Action: QueueStatus\r\nQueue: 400\r\n", None), Found::NotCaptured);
        assert_eq!(find("Action: Originate\r\n", None), Found::NotCaptured);
        assert_eq!(find("Action: Nosuch\r\n", None), Found::Unknown);
        assert_eq!(find("ActionID: 1\r\n", None), Found::Unknown);
    }

    #[test]
    fn classes_are_asked_for_after_the_look_up() {
        assert_eq!(find("Action: Originate\r\n", Some("reporting")), Found::Denied);
        assert_eq!(find("Action: DBGetTree\r\nFamily: AMPUSER\r\n", Some("call")), Found::Denied);
        assert_eq!(find("Action: Nosuch\r\n", Some("none")), Found::Unknown);
        let list = text(find("Action: ListCommands\r\n", Some("reporting")));
        assert!(list.contains("CoreStatus: ") && list.contains("QueueStatus: "), "{list}");
        assert!(!list.contains("Originate"), "{list}");
        assert!(list.ends_with("\r\n\r\n"), "{list:?}");
    }

    #[test]
    fn a_part_of_a_recorded_part_of_astdb_is_found() {
        let answer = text(find("Action: DBGetTree\r\nFamily: AMPUSER\r\nKey: %/cidname\r\n", None));
        assert!(answer.contains("/100/cidname") && !answer.contains("/100/device"), "{answer}");
        assert!(answer.contains("DBGetTreeComplete"), "{answer}");
        assert_eq!(find("Action: DBGetTree\r\nFamily: AMPUSERS\r\n", None), Found::NotCaptured);
    }
}
