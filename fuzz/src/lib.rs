//! What the fuzz targets share: bytes become answers, and a snapshot must keep its promises.
#![forbid(unsafe_code)]

use std::{collections::HashMap, sync::LazyLock, time::Duration};

use freepbx_snapshot::{
    ami::{Action, Answer, Block, Decoder, Exchange, Limits, ReadAction, Row},
    collect::{Answers, Collected, Outcome, Plan},
    normalize::{Context, snapshot},
    snapshot::{Baseline, Snapshot, Timestamp},
};

/// Limits that a fuzzer's input can reach.
pub const SMALL: Limits = Limits { line: 4 << 10, block: 16 << 10, list: 256 << 10, run: 1 << 20 };

/// All actions of a run, asked in one exchange.
pub struct Asked {
    exchange: Exchange,
    plan: Plan,
    /// The ids of each action, under the name that the recordings use (`queuestatus-1`); DBGetTree
    /// is asked once a family.
    ids: HashMap<String, Vec<String>>,
}

impl Asked {
    /// Asks what a run asks, everything and voicemail, too.
    pub fn everything() -> Self {
        let plan = Plan { skip: Default::default(), ..Plan::default() };
        let mut exchange = Exchange::new("f", SMALL);
        let mut ids: HashMap<String, Vec<String>> = HashMap::new();
        let mut follow_ups = vec![Action::new(ReadAction::PjsipShowContacts)];
        for (kind, key, value) in [
            (ReadAction::ConfbridgeList, "Conference", "800"),
            (ReadAction::PjsipShowEndpoint, "Endpoint", "trunk-a"),
        ] {
            follow_ups.extend(Action::new(kind).with(key, value));
        }
        follow_ups.push(Action::new(ReadAction::Ping));
        for (at, action) in plan.first().into_iter().chain(follow_ups).enumerate() {
            let name = format!("{}-1", action.kind().name().to_lowercase());
            ids.entry(name).or_default().push(format!("f{}", at + 1));
            exchange.ask(action, &mut Vec::new());
        }
        Self { exchange, plan, ids }
    }

    /// Takes a stream of blocks; an ActionID such as `queuestatus-1` becomes the one that was asked.
    pub fn take(&mut self, bytes: &[u8]) {
        let mut decoder = Decoder::new(SMALL);
        decoder.space(bytes.len()).extend_from_slice(bytes);
        while let Some(block) = decoder.next_block() {
            match block {
                Block::Text(text) => {
                    for text in self.translated(&text) {
                        self.exchange.accept(&text);
                    }
                }
                Block::Oversized => self.exchange.accept_oversized(),
            }
        }
    }

    /// The block under every id that its own one stands for.
    fn translated(&self, text: &str) -> Vec<String> {
        let found = text.lines().find_map(|line| line.strip_prefix("ActionID: "));
        let Some((id, own)) = found.and_then(|id| Some((id, self.ids.get(id)?))) else {
            return vec![text.to_owned()];
        };
        let line = format!("ActionID: {id}");
        own.iter().map(|own| text.replacen(&line, &format!("ActionID: {own}"), 1)).collect()
    }

    /// What came of it all, as a run would have it.
    pub fn collected(mut self) -> (Collected, Plan) {
        let mut answers = Answers::default();
        while let Some(finished) = self.exchange.take_finished() {
            let outcome = match finished.result {
                Ok(answer) => {
                    check_rows(&answer);
                    Outcome::Answered(answer)
                }
                Err(error) => Outcome::Failed(error),
            };
            answers.insert(finished.action, outcome, Some(Duration::from_millis(1)));
        }
        for (action, rows) in self.exchange.abandon() {
            let after = Duration::from_secs(1);
            let error = freepbx_snapshot::ami::ActionError::Timeout { action: action.kind(), rows, after };
            answers.insert(action, Outcome::Failed(error), None);
        }
        let collected = Collected {
            answers,
            ami_version: Some("5.0.4".to_owned()),
            same_machine: true,
            pong_after: Some(Duration::from_millis(5)),
            duration: Duration::from_millis(9),
        };
        (collected, self.plan)
    }
}

/// A row of a list is looked up by what its list knows of it; by walking its lines alone the same
/// must be found.
fn check_rows(answer: &Answer) {
    for row in answer.rows() {
        let text: String = row.headers().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let walked = Row::new(&text);
        for (name, _) in walked.headers() {
            assert_eq!(row.get(name), walked.get(name), "{name} in {text}");
        }
        let keys = ["ObjectName", "Event", "Queue", "Channel"];
        assert_eq!(row.columns(keys), walked.columns(keys), "{text}");
    }
}

/// Makes a snapshot of whatever was collected, and checks its promises: it follows the schema, and
/// what is read back from its text is the same snapshot.
pub fn check(collected: &Collected, plan: &Plan, previous: Option<&Baseline>) -> Snapshot {
    static SCHEMA: LazyLock<jsonschema::Validator> = LazyLock::new(|| {
        let schema = schemars::schema_for!(Snapshot);
        jsonschema::validator_for(schema.as_value()).expect("the schema is one")
    });
    let context = Context {
        host: "pbx".to_owned(),
        port: 5038,
        tls: false,
        demo: false,
        // 2026-11-21 08:00:00 UTC, about when the recordings were made.
        collected_at: Timestamp::from_epoch(1_795_248_000).expect("a date"),
        stale_after_seconds: 600,
    };
    // What a run would ask next must not fail either.
    let _ = plan.then(&collected.answers);
    let snapshot = snapshot(collected, plan, &context, previous);
    let text = serde_json::to_string(&snapshot).expect("a snapshot is JSON");
    let value: serde_json::Value = serde_json::from_str(&text).expect("its text is JSON");
    if let Some(error) = SCHEMA.iter_errors(&value).next() {
        panic!("{error} at {}", error.instance_path());
    }
    let again: Snapshot = serde_json::from_str(&text).expect("its text is a snapshot");
    assert_eq!(again, snapshot);
    snapshot
}
