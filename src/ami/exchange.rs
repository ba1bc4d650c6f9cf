//! Which answer belongs to which action: the protocol's bookkeeping, without a socket.
//!
//! Asterisk runs the actions of one connection strictly in order, so a queue of what was asked is
//! all that is needed. Blocks find their action by `ActionID`; rows without one (`IAXpeers`)
//! belong to the open list that expects them; everything else is an unsolicited event and is
//! skipped. Secrets are dropped here, before anything else sees a block.

use std::{borrow::Cow, collections::VecDeque};

use super::{
    Action, ActionError, Answer, Limits, ReadAction,
    layout::{Inspection, Layouts},
    message::Row,
    secrets,
};

/// One action that has been answered, or that never will be.
#[derive(Debug)]
pub struct Finished {
    /// What was asked.
    pub action: Action,
    /// Its whole answer, or why there is none.
    pub result: Result<Answer, ActionError>,
}

/// The response to an action of the session itself (Login, Challenge, Logoff).
#[derive(Debug)]
pub(super) struct SessionResponse {
    pub(super) success: bool,
    pub(super) message: String,
    pub(super) challenge: Option<String>,
}

/// What was asked and what has come of it.
#[derive(Debug)]
pub struct Exchange {
    prefix: String,
    asked: u32,
    pending: VecDeque<Pending>,
    finished: VecDeque<Finished>,
    session: Option<SessionResponse>,
    layouts: Layouts,
    limits: Limits,
}

#[derive(Debug)]
struct Pending {
    id: String,
    /// `None` for an action of the session itself.
    action: Option<Action>,
    state: State,
}

#[derive(Debug)]
enum State {
    /// No response yet.
    Waiting,
    /// Rows are coming.
    Listing(Answer),
    /// Doomed: what follows of its list is skipped until it ends.
    Failed(ActionError),
}

impl Exchange {
    /// An exchange whose ActionIDs begin with `prefix`; keep it to a few ASCII letters, since
    /// some actions format the id into small buffers (ConfbridgeList drops line ends from 68
    /// bytes on).
    #[must_use]
    pub fn new(prefix: &str, limits: Limits) -> Self {
        Self {
            prefix: prefix.to_owned(),
            asked: 0,
            pending: VecDeque::new(),
            finished: VecDeque::new(),
            session: None,
            layouts: Layouts::default(),
            limits,
        }
    }

    fn next_id(&mut self) -> String {
        self.asked += 1;
        format!("{}{}", self.prefix, self.asked)
    }

    /// Appends an action's bytes to `out` and expects its answer.
    pub fn ask(&mut self, action: Action, out: &mut Vec<u8>) {
        let id = self.next_id();
        action.encode(&id, out);
        self.pending.push_back(Pending { id, action: Some(action), state: State::Waiting });
    }

    /// Appends an action of the session itself; `headers` have been checked by the caller.
    pub(super) fn ask_session(&mut self, headers: &[(&str, &str)], out: &mut Vec<u8>) {
        let id = self.next_id();
        for (key, value) in headers.iter().copied().chain([("ActionID", id.as_str())]) {
            // Piece by piece, because a copy of a line with a password would not be overwritten.
            for piece in [key.as_bytes(), b": ", value.as_bytes(), b"\r\n"] {
                out.extend_from_slice(piece);
            }
        }
        out.extend_from_slice(b"\r\n");
        self.pending.push_back(Pending { id, action: None, state: State::Waiting });
    }

    pub(super) fn take_session(&mut self) -> Option<SessionResponse> {
        self.session.take()
    }

    /// The next action that was answered, in the order of the answers.
    pub fn take_finished(&mut self) -> Option<Finished> {
        self.finished.pop_front()
    }

    /// The action that the server is working on: the oldest one without a whole answer.
    #[must_use]
    pub fn current(&self) -> Option<&Action> {
        self.pending.iter().find_map(|pending| pending.action.as_ref())
    }

    /// How many rows of the current action have come.
    #[must_use]
    pub fn current_rows(&self) -> u64 {
        let current = self.pending.iter().find(|pending| pending.action.is_some());
        current.map_or(0, |pending| pending.state.rows())
    }

    /// Gives up: the actions that have no whole answer, oldest first, each with the number of its
    /// rows that had come.
    pub fn abandon(&mut self) -> Vec<(Action, u64)> {
        self.pending
            .drain(..)
            .filter_map(|pending| Some((pending.action?, pending.state.rows())))
            .collect()
    }

    /// Takes a block that was larger than the limits: the current action fails.
    pub fn accept_oversized(&mut self) {
        let limit = self.limits.block;
        if let Some(pending) = self.pending.iter_mut().find(|p| p.action.is_some())
            && let Some(action) = &pending.action
        {
            pending.state = State::Failed(ActionError::TooLarge { action: action.kind(), limit });
        }
    }

    /// Takes a block from the wire.
    pub fn accept(&mut self, block: &str) {
        let seen = self.layouts.inspect(block);
        match seen.first {
            Some("Response") => self.accept_response(block, &seen),
            Some("Event") => self.accept_event(block, &seen),
            // Neither: its first lines are lost, and it can only belong to the open list.
            _ => self.accept_damaged(),
        }
    }

    fn accept_response(&mut self, block: &str, seen: &Inspection<'_>) {
        let at = match seen.action_id {
            Some(id) => self.pending.iter().position(|pending| pending.id == id),
            None => Some(0),
        };
        let Some(at) = at else { return };
        let Some(pending) = self.pending.get_mut(at) else { return };
        let response = Row::new(block);
        let message = response.get("Message").unwrap_or_default();
        let Some(action) = &pending.action else {
            self.session = Some(SessionResponse {
                success: !seen.value_of_first.eq_ignore_ascii_case("Error"),
                message: message.to_owned(),
                challenge: response.get("Challenge").map(str::to_owned),
            });
            self.pending.remove(at);
            return;
        };
        let kind = action.kind();
        if !matches!(pending.state, State::Waiting) {
            // PJSIPShowEndpoint and CoreShowChannelMap may send an error after the list began.
            if seen.value_of_first.eq_ignore_ascii_case("Error") {
                let error = refusal(kind, message);
                pending.state = State::Failed(error);
            }
            return;
        }
        let mut answer = Answer::empty(kind);
        let outcome = if seen.value_of_first.eq_ignore_ascii_case("Error") {
            if kind.is_empty_error(message) { Ok(answer) } else { Err(refusal(kind, message)) }
        } else if seen.damaged {
            Err(ActionError::Damaged { action: kind })
        } else {
            answer.set_response(&secrets::without(block, seen));
            let opens = seen.event_list.is_some() || !kind.is_empty_success(message);
            if kind.is_list() && opens {
                pending.state = State::Listing(answer);
                return;
            }
            Ok(answer)
        };
        self.finish(at, outcome);
    }

    fn accept_event(&mut self, block: &str, seen: &Inspection<'_>) {
        let event = seen.value_of_first;
        let found = self.pending.iter().position(|pending| {
            let Some(action) = &pending.action else { return false };
            match seen.action_id {
                Some(id) => pending.id == id && !matches!(pending.state, State::Waiting),
                None => {
                    let kind = action.kind();
                    !kind.marks_rows()
                        && !matches!(pending.state, State::Waiting)
                        && (kind.has_row(event) || kind.is_completed_by(event))
                }
            }
        });
        let Some(at) = found else { return };
        let Some(pending) = self.pending.get_mut(at) else { return };
        let Some(kind) = pending.action.as_ref().map(Action::kind) else { return };
        let ends = kind.is_completed_by(event)
            || (seen.event_list.is_some_and(|l| l.eq_ignore_ascii_case("Complete"))
                && !kind.has_row(event));
        match &mut pending.state {
            State::Waiting => {}
            State::Failed(error) => {
                if ends {
                    let error = error.clone();
                    self.finish(at, Err(error));
                }
            }
            State::Listing(answer) if ends => {
                if kind.counts_honestly() {
                    answer.announced = seen.list_items.and_then(|n| n.parse().ok());
                }
                answer.set_complete(&secrets::without(block, seen));
                let answer = std::mem::replace(answer, Answer::empty(kind));
                self.finish(at, Ok(answer));
            }
            State::Listing(answer) => {
                if seen.damaged {
                    answer.damaged += 1;
                } else if kind.has_row(event) && secrets::is_secret_row(seen) {
                    answer.withheld += 1;
                } else if kind.has_row(event) {
                    let kept = secrets::without(block, seen);
                    if let Cow::Owned(kept) = &kept {
                        self.layouts.inspect(kept);
                    }
                    answer.add_row(&kept, self.layouts.current());
                    if answer.size() + answer.rows().len() * weight(kind) > self.limits.list {
                        let limit = self.limits.list;
                        pending.state =
                            State::Failed(ActionError::TooLarge { action: kind, limit });
                    }
                }
            }
        }
    }

    fn accept_damaged(&mut self) {
        let open = self.pending.iter_mut().find_map(|pending| match &mut pending.state {
            State::Listing(answer) => Some(answer),
            _ => None,
        });
        if let Some(answer) = open {
            answer.damaged += 1;
        }
    }

    fn finish(&mut self, at: usize, result: Result<Answer, ActionError>) {
        let Some(Pending { action: Some(action), .. }) = self.pending.remove(at) else { return };
        // A pong is a barrier: the server answers in order, so whatever stands open before it
        // will never end.
        if action.kind() == ReadAction::Ping {
            for before in self.pending.drain(..at).collect::<Vec<_>>() {
                let rows = before.state.rows();
                let Some(action) = before.action else { continue };
                let error = match before.state {
                    State::Failed(error) => error,
                    State::Waiting => ActionError::Damaged { action: action.kind() },
                    State::Listing(_) => ActionError::CutOff { action: action.kind(), rows },
                };
                self.finished.push_back(Finished { action, result: Err(error) });
            }
        }
        self.finished.push_back(Finished { action, result });
    }
}

impl State {
    fn rows(&self) -> u64 {
        match self {
            Self::Listing(answer) => u64::try_from(answer.rows().len()).unwrap_or(u64::MAX),
            _ => 0,
        }
    }
}

/// What a row counts for in a list's limit, beyond its own bytes: a row of a few bytes becomes an
/// object with all its keys, so that bytes alone would bound nothing. With 64 MiB a list that
/// leaves room for 20,000 channels, 60,000 endpoints and 250,000 hints.
fn weight(kind: ReadAction) -> usize {
    use ReadAction as R;
    match kind {
        R::CoreShowChannels => 3 << 10,
        R::PjsipShowEndpoints | R::SipPeers | R::IaxPeerList | R::IaxPeers => 1 << 10,
        R::PjsipShowContacts
        | R::PjsipShowRegistrationInboundContactStatuses
        | R::PjsipShowRegistrationsOutbound
        | R::SipShowRegistry
        | R::IaxRegistry
        | R::QueueSummary
        | R::QueueStatus
        | R::ParkedCalls
        | R::ConfbridgeListRooms
        | R::ConfbridgeList
        | R::VoicemailUsersList => 1 << 10,
        _ => 64,
    }
}

/// Tells the ways apart in which an action can be refused.
fn refusal(action: ReadAction, message: &str) -> ActionError {
    let begins = |text: &str| {
        message.get(..text.len()).is_some_and(|start| start.eq_ignore_ascii_case(text))
    };
    if begins("Invalid/unknown command") {
        ActionError::Unsupported { action }
    } else if begins("Permission denied") {
        ActionError::Denied { action }
    } else {
        ActionError::Refused { action, message: clip(message).into_owned() }
    }
}

/// Bounds a text that goes into messages.
fn clip(message: &str) -> Cow<'_, str> {
    match message.char_indices().nth(200) {
        Some((end, _)) => Cow::Owned(format!("{}…", message.get(..end).unwrap_or_default())),
        None => Cow::Borrowed(message),
    }
}

/// Decodes the recorded answer to one action, as it came over the wire after the login.
///
/// For tests and tools that work on recordings: a whole recording gives what a live connection
/// would have given. `action_id` is the id that was sent with the recorded action.
///
/// # Errors
///
/// The same [`ActionError`]s as a live answer; [`ActionError::CutOff`] where the recording ends
/// before the answer does.
pub fn decode_recording(
    action: Action,
    action_id: &str,
    bytes: &[u8],
    limits: Limits,
) -> Result<Answer, ActionError> {
    let kind = action.kind();
    let mut exchange = Exchange::new("", limits);
    exchange.pending.push_back(Pending {
        id: action_id.to_owned(),
        action: Some(action),
        state: State::Waiting,
    });
    let mut decoder = super::Decoder::new(limits);
    decoder.space(bytes.len()).extend_from_slice(bytes);
    while let Some(block) = decoder.next_block() {
        match block {
            super::Block::Text(text) => exchange.accept(&text),
            super::Block::Oversized => exchange.accept_oversized(),
        }
    }
    match exchange.take_finished() {
        Some(finished) => finished.result,
        None => Err(ActionError::CutOff { action: kind, rows: exchange.current_rows() }),
    }
}
