//! What came of every action of a run; all sections read from here.

use std::{collections::BTreeMap, time::Duration};

use crate::ami::{Action, ActionError, Answer, ReadAction};

/// What came of one action.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// Answered whole.
    Answered(Answer),
    /// Asked, without a whole answer.
    Failed(ActionError),
    /// Not asked, or given up before the server came to it; why.
    Skipped(String),
}

/// What came of every action of a run. Each is asked at most once, and its answer is kept once for
/// every section that needs it.
#[derive(Debug, Clone, Default)]
pub struct Answers {
    outcomes: BTreeMap<Action, (Outcome, Option<Duration>)>,
}

impl Answers {
    /// Keeps what came of an action, with the time that the server took.
    pub fn insert(&mut self, action: Action, outcome: Outcome, elapsed: Option<Duration>) {
        self.outcomes.insert(action, (outcome, elapsed));
    }

    /// The whole answer to an action without arguments; `None` where there is none, for whatever
    /// reason.
    #[must_use]
    pub fn answer(&self, kind: ReadAction) -> Option<&Answer> {
        self.answer_to(&Action::new(kind))
    }

    /// The whole answer to an action.
    #[must_use]
    pub fn answer_to(&self, action: &Action) -> Option<&Answer> {
        match self.outcome(action)? {
            Outcome::Answered(answer) => Some(answer),
            Outcome::Failed(_) | Outcome::Skipped(_) => None,
        }
    }

    /// What came of an action; `None` where it was never considered.
    #[must_use]
    pub fn outcome(&self, action: &Action) -> Option<&Outcome> {
        self.outcomes.get(action).map(|(outcome, _)| outcome)
    }

    /// Everything of one kind of action, with its different arguments.
    pub fn of(
        &self,
        kind: ReadAction,
    ) -> impl Iterator<Item = (&Action, &Outcome, Option<Duration>)> {
        self.outcomes
            .range(Action::new(kind)..)
            .take_while(move |(action, _)| action.kind() == kind)
            .map(|(action, (outcome, elapsed))| (action, outcome, *elapsed))
    }

    /// The whole answers of one kind of action, with its different arguments.
    pub fn answers_of(&self, kind: ReadAction) -> impl Iterator<Item = (&Action, &Answer)> {
        self.of(kind).filter_map(|(action, outcome, _)| match outcome {
            Outcome::Answered(answer) => Some((action, answer)),
            Outcome::Failed(_) | Outcome::Skipped(_) => None,
        })
    }

    /// Everything, in the order of the actions.
    pub fn iter(&self) -> impl Iterator<Item = (&Action, &Outcome, Option<Duration>)> {
        self.outcomes.iter().map(|(action, (outcome, elapsed))| (action, outcome, *elapsed))
    }

    /// True where the server said that it does not know the action.
    #[must_use]
    pub fn is_unsupported(&self, kind: ReadAction) -> bool {
        matches!(
            self.outcome(&Action::new(kind)),
            Some(Outcome::Failed(ActionError::Unsupported { .. }))
        )
    }
}
