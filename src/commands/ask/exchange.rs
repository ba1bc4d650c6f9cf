//! The connection on which everything is asked.

use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use crate::{
    ami::{Action, ActionError, Answer, Client, Error as AmiError},
    config::Config,
    error::Error,
    terminal::clean,
};

/// What came of one action.
#[derive(Debug)]
pub(super) struct Said {
    pub(super) action: Action,
    pub(super) outcome: Result<Answer, Failure>,
}

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum Failure {
    Refused(ActionError),
    /// The connection was given up before its turn came.
    Lost(String),
}

impl Said {
    /// The one line that tells of a failure, or of an answer that is not whole.
    pub(super) fn problem(&self) -> Option<String> {
        match &self.outcome {
            Ok(answer) if answer.damaged() > 0 => {
                let (action, damaged) = (&self.action, answer.damaged());
                Some(format!("{action}: {damaged} rows were damaged on the wire and are left out"))
            }
            Ok(_) => None,
            Err(Failure::Refused(error)) => Some(error.to_string()),
            Err(Failure::Lost(reason)) => {
                Some(format!("{} was not answered: {reason}", self.action))
            }
        }
    }

    /// What else there is to know about an answer.
    pub(super) fn note(&self) -> Option<String> {
        let withheld = self.outcome.as_ref().ok()?.withheld();
        let action = &self.action;
        (withheld > 0)
            .then(|| format!("{action}: {withheld} rows are left out: each is a password or PIN"))
    }

    /// The word for a failure in JSON.
    pub(super) fn kind(failure: &Failure) -> &'static str {
        match failure {
            Failure::Lost(_) => "not_answered",
            Failure::Refused(error) => match error {
                ActionError::Unsupported { .. } => "unsupported",
                ActionError::Denied { .. } => "denied",
                ActionError::Refused { .. } => "refused",
                ActionError::Timeout { .. } => "timeout",
                ActionError::TooLarge { .. } => "too_large",
                ActionError::CutOff { .. } => "cut_off",
                ActionError::Damaged { .. } => "damaged",
            },
        }
    }
}

/// Asks everything over one connection. An action that fails costs the others nothing, except one
/// that takes too long: the rest of its answer would stand before theirs.
pub(super) async fn exchange(config: &Config, actions: Vec<Action>) -> Result<Vec<Said>, Error> {
    let limit = config.run_timeout;
    let deadline = Instant::now() + limit;
    let late = |_| Error::from(AmiError::LoginTimeout { after: limit });
    let connecting = Client::connect(&config.host, config.port, config.ami.clone());
    let mut client = timeout_at(deadline, connecting).await.map_err(late)??;
    let login = client.login(&config.credentials, actions);
    timeout_at(deadline, login).await.map_err(late)??;
    let mut said = Vec::new();
    let lost = loop {
        match timeout_at(deadline, client.next_finished()).await {
            Ok(Ok(Some(finished))) => {
                let is_last = matches!(
                    finished.result,
                    Err(ActionError::Timeout { .. } | ActionError::TooLarge { .. })
                );
                let (action, outcome) = (finished.action, finished.result);
                said.push(Said { action, outcome: outcome.map_err(Failure::Refused) });
                if is_last {
                    break "the connection was given up before its turn".to_owned();
                }
            }
            Ok(Ok(None)) => {
                client.logoff().await;
                return Ok(said);
            }
            Ok(Err(error)) => break clean(&error.to_string()).into_owned(),
            Err(_) => break out_of_time(limit),
        }
    };
    let mut outstanding = client.abandon();
    // It is outstanding, too, but what came of it has been told.
    let is_told = |action: &Action| {
        let last = said.last().filter(|said| matches!(said.outcome, Err(Failure::Refused(_))));
        last.is_some_and(|said| said.action == *action)
    };
    if outstanding.first().is_some_and(|(action, _)| is_told(action)) {
        outstanding.remove(0);
    }
    let lost = |(action, _)| Said { action, outcome: Err(Failure::Lost(lost.clone())) };
    said.extend(outstanding.into_iter().map(lost));
    Ok(said)
}

fn out_of_time(limit: Duration) -> String {
    format!("no time was left of {} s (freepbx.timeouts.run_seconds)", limit.as_secs_f64())
}
