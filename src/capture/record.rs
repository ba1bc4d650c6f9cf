//! From what goes over the wire to a capture.

use std::sync::{Arc, Mutex, PoisonError};

use super::{Capture, LOGIN, Recorded, with_action_id};
use crate::{
    ami::{Action, ActionError, Asked, Tap, Traffic},
    collect::{Answers, Outcome},
};

/// Looks on while a run collects, and keeps what was asked and answered.
///
/// Secrets never get into it: it hears what a [`Tap`] tells that has them replaced.
#[derive(Debug, Default)]
pub struct Recorder {
    heard: Arc<Mutex<Heard>>,
}

#[derive(Debug, Default)]
struct Heard {
    /// Which connection of the run it is: each has ActionIDs of its own.
    connection: u32,
    banner: Vec<u8>,
    /// Login and logoff of the last connection.
    session: (Vec<u8>, Vec<u8>),
    exchanges: Vec<Exchange>,
}

#[derive(Debug)]
struct Exchange {
    connection: u32,
    id: String,
    action: Action,
    request: Vec<u8>,
    answer: Vec<u8>,
}

impl Recorder {
    /// One that has heard nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// What has to be among the [`Options`](crate::ami::Options) of the run.
    #[must_use]
    pub fn tap(&self) -> Tap {
        let heard = Arc::clone(&self.heard);
        Tap::new(move |told| {
            heard.lock().unwrap_or_else(PoisonError::into_inner).take(&told.traffic);
        })
    }

    /// The capture of a run that came to its end, and the actions that have no whole answer in it.
    ///
    /// An action that was asked more than once, on a connection that was lost or because the server
    /// was still starting, is there with its last answer.
    #[must_use]
    pub fn finish(&self, answers: &Answers) -> (Capture, Vec<Action>) {
        let heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        let banner = String::from_utf8_lossy(&heard.banner).trim_end().to_owned();
        let mut capture = Capture { banner, recorded: Vec::new() };
        let (request, answer) = heard.session.clone();
        let answer = [heard.banner.as_slice(), &answer].concat();
        capture.recorded.push(Recorded { name: LOGIN.to_owned(), request, answer });
        let mut missing = Vec::new();
        for (action, outcome, _) in answers.iter() {
            let exchange = heard.exchanges.iter().rev().find(|exchange| exchange.action == *action);
            match exchange.filter(|_| was_answered(outcome)) {
                Some(exchange) => capture.add(exchange.request.clone(), exchange.answer.clone()),
                None => missing.push(action.clone()),
            }
        }
        (capture, missing)
    }
}

/// Whether the server said all that it had to say.
fn was_answered(outcome: &Outcome) -> bool {
    match outcome {
        Outcome::Answered(_) => true,
        Outcome::Failed(error) => matches!(
            error,
            ActionError::Unsupported { .. }
                | ActionError::Denied { .. }
                | ActionError::Refused { .. }
        ),
        Outcome::Skipped(_) => false,
    }
}

impl Heard {
    fn take(&mut self, traffic: &Traffic<'_>) {
        match traffic {
            Traffic::Connected(_) => {
                self.connection += 1;
                self.session = (Vec::new(), Vec::new());
            }
            Traffic::Banner(line) => self.banner = line.to_vec(),
            Traffic::Request(asked, bytes) => match asked.action {
                Some(action) => self.exchanges.push(Exchange {
                    connection: self.connection,
                    id: asked.id.to_owned(),
                    action: action.clone(),
                    request: bytes.to_vec(),
                    answer: Vec::new(),
                }),
                None => self.session.0.extend(under_own_id(asked, bytes)),
            },
            Traffic::Block(Some(asked), bytes) | Traffic::BlankLine(Some(asked), bytes) => {
                match asked.action {
                    Some(_) => self.answer(asked.id, bytes),
                    None => self.session.1.extend(under_own_id(asked, bytes)),
                }
            }
            _ => {}
        }
    }

    fn answer(&mut self, id: &str, bytes: &[u8]) {
        let connection = self.connection;
        let is_it = |it: &&mut Exchange| it.connection == connection && it.id == id;
        // The latest first: answers come soon after their questions.
        if let Some(exchange) = self.exchanges.iter_mut().rev().find(is_it) {
            exchange.answer.extend_from_slice(bytes);
        }
    }
}

/// A part of login or logoff under the ActionID that it has in every capture.
fn under_own_id(asked: &Asked<'_>, bytes: &[u8]) -> Vec<u8> {
    with_action_id(bytes, asked.id, Some(&format!("{}-1", asked.name.to_lowercase())))
}
