//! The run: connect, ask, read, follow up; and what to do when it does not go that smoothly.

use std::time::{Duration, Instant};

use tokio::time::{sleep_until, timeout_at};
use tracing::{debug, info};

use super::{Answers, Outcome, Plan, boot};
use crate::{
    ami::{
        Action, ActionError, Client, Credentials, Error, Link, Options, ReadAction, TimedAnswer,
    },
    terminal::clean,
};

/// Whom to ask, as whom, and within what time.
#[derive(Debug, Clone)]
pub struct Target {
    /// Host name or address.
    pub host: String,
    /// Port.
    pub port: u16,
    /// Who logs in.
    pub credentials: Credentials,
    /// Time limits of the connection and limits of size.
    pub options: Options,
    /// Time for the whole run. What was read by then is delivered.
    pub run_timeout: Duration,
}

/// What a run tells while it goes on.
#[derive(Debug)]
pub enum Progress<'a> {
    /// Connected this way, and this banner came.
    Connected(&'a Link, &'a str),
    /// The login was accepted.
    LoggedIn,
    /// An action is done with, after this time.
    Action(&'a Action, &'a Outcome, Option<Duration>),
}

/// What a run brought home.
#[derive(Debug)]
pub struct Collected {
    /// What came of every action.
    pub answers: Answers,
    /// Version in the banner.
    pub ami_version: Option<String>,
    /// Whether the PBX answered on a loopback address, so that it is this machine.
    pub same_machine: bool,
    /// When the last answer to Ping came, from the start of the run.
    pub pong_after: Option<Duration>,
    /// From the start of the run to its last answer.
    pub duration: Duration,
}

/// Collects everything that the plan asks for.
///
/// After the first successful login nothing ends the run but its time limit, and whatever was
/// read by then is delivered: an action that takes too long, or in whose answer the connection
/// ends, is given up, and the others are asked again on a new connection.
///
/// # Errors
///
/// Those of [`Client::connect`] and [`Client::login`], when there never was a login.
pub async fn collect(
    target: &Target,
    plan: &Plan,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<Collected, Error> {
    let started = Instant::now();
    let mut run = Run {
        target,
        plan,
        progress,
        deadline: tokio::time::Instant::from_std(started + target.run_timeout),
        started,
        answers: Answers::default(),
        outstanding: plan.first(),
        following_up: false,
        cut_off: Vec::new(),
        ami_version: None,
        same_machine: false,
        logged_in: false,
        pong_after: None,
    };
    run.complete().await?;
    Ok(Collected {
        answers: run.answers,
        ami_version: run.ami_version,
        same_machine: run.same_machine,
        pong_after: run.pong_after,
        duration: started.elapsed(),
    })
}

struct Run<'a> {
    target: &'a Target,
    plan: &'a Plan,
    progress: &'a mut dyn FnMut(Progress<'_>),
    deadline: tokio::time::Instant,
    started: Instant,
    answers: Answers,
    /// What is still to be asked or answered.
    outstanding: Vec<Action>,
    /// The first answers are in, and what they called for has been asked.
    following_up: bool,
    /// Actions in whose answer a connection ended once.
    cut_off: Vec<Action>,
    ami_version: Option<String>,
    same_machine: bool,
    logged_in: bool,
    pong_after: Option<Duration>,
}

/// How a connection came to its end.
enum End {
    /// Everything was answered.
    Complete,
    /// It is of no more use; go on with another.
    Lost,
}

/// Pause before another attempt at a server that is starting or restarting.
const PAUSE: Duration = Duration::from_secs(1);

impl Run<'_> {
    async fn complete(&mut self) -> Result<(), Error> {
        let mut attempts = 0;
        loop {
            let error = match self.connection().await {
                Ok(End::Complete) => return Ok(()),
                Ok(End::Lost) if self.outstanding.is_empty() && self.following_up => return Ok(()),
                Ok(End::Lost) => None,
                Err(error) => Some(error),
            };
            attempts += 1;
            if let Some(error) = error {
                // Before the first login a refusal is the answer; after it, the server is
                // restarting and will be back.
                if !self.logged_in && (!error.is_transient() || attempts > 3) {
                    return Err(error);
                }
                debug!(error = %cleaned(&error), "trying again");
                if tokio::time::Instant::now() + PAUSE >= self.deadline {
                    return self.out_of_time(error);
                }
                sleep_until(tokio::time::Instant::now() + PAUSE).await;
            }
            if tokio::time::Instant::now() >= self.deadline {
                let after = self.target.run_timeout;
                return self.out_of_time(Error::LoginTimeout { after });
            }
        }
    }

    /// The run's time is up: what is outstanding stays unanswered.
    fn out_of_time(&mut self, error: Error) -> Result<(), Error> {
        if !self.logged_in {
            return Err(error);
        }
        let after = self.target.run_timeout;
        for action in std::mem::take(&mut self.outstanding) {
            let error = ActionError::Timeout { action: action.kind(), rows: 0, after };
            self.keep(action, Outcome::Failed(error), None);
        }
        Ok(())
    }

    /// One connection, from connecting to logging off.
    async fn connection(&mut self) -> Result<End, Error> {
        let (deadline, target) = (self.deadline, self.target);
        let out_of_time = |_| Error::LoginTimeout { after: target.run_timeout };
        let connecting = Client::connect(&target.host, target.port, target.options.clone());
        let mut client = timeout_at(deadline, connecting).await.map_err(out_of_time)??;
        (self.progress)(Progress::Connected(client.link(), client.banner()));
        self.ami_version = client.ami_version().map(str::to_owned);
        self.same_machine = client.link().is_local();
        let actions = with_barrier(self.outstanding.clone());
        let login = client.login(&target.credentials, actions);
        timeout_at(deadline, login).await.map_err(out_of_time)??;
        self.logged_in = true;
        (self.progress)(Progress::LoggedIn);
        debug!(address = %client.address(), "logged in");
        loop {
            match timeout_at(deadline, client.next_finished()).await {
                Ok(Ok(Some(finished))) => {
                    let timed_out = matches!(finished.result, Err(ActionError::Timeout { .. }));
                    self.take(finished);
                    if timed_out {
                        return Ok(End::Lost);
                    }
                }
                Ok(Ok(None)) => {
                    let next = self.next_actions().await;
                    if next.is_empty() {
                        debug!(bytes = client.received(), "logging off");
                        client.logoff().await;
                        return Ok(End::Complete);
                    }
                    self.outstanding.clone_from(&next);
                    client.ask(with_barrier(next));
                }
                Ok(Err(error)) => {
                    info!(error = %cleaned(&error), "the connection was lost");
                    self.lose(client, &error);
                    return Ok(End::Lost);
                }
                Err(_) => {
                    let after = self.target.run_timeout;
                    self.out_of_time(Error::LoginTimeout { after })?;
                    self.following_up = true;
                    return Ok(End::Lost);
                }
            }
        }
    }

    /// What to ask when everything asked so far has been answered.
    async fn next_actions(&mut self) -> Vec<Action> {
        if self.following_up {
            return Vec::new();
        }
        if boot::is_booting(&self.answers) {
            let again = tokio::time::Instant::now() + 2 * PAUSE;
            // Half of the time is kept for asking.
            let enough = self.deadline - self.target.run_timeout / 2;
            if again < enough {
                info!("Asterisk is still starting; asking again in 2 s");
                sleep_until(again).await;
                return self.plan.first();
            }
        }
        self.following_up = true;
        self.plan.then(&self.answers)
    }

    fn take(&mut self, finished: TimedAnswer) {
        let TimedAnswer { action, result, elapsed } = finished;
        self.outstanding.retain(|outstanding| *outstanding != action);
        let outcome = match result {
            Ok(answer) => {
                if action.kind() == ReadAction::Ping {
                    self.pong_after = Some(self.started.elapsed());
                }
                Outcome::Answered(answer)
            }
            Err(error) => Outcome::Failed(error),
        };
        self.keep(action, outcome, Some(elapsed));
    }

    fn keep(&mut self, action: Action, outcome: Outcome, elapsed: Option<Duration>) {
        match &outcome {
            Outcome::Answered(answer) => {
                debug!(action = %cleaned(&action), rows = answer.rows().len(), bytes = answer.size(), "answered");
            }
            Outcome::Failed(error) => {
                debug!(action = %cleaned(&action), error = %cleaned(error), "not answered");
            }
            Outcome::Skipped(reason) => debug!(action = %cleaned(&action), %reason, "not asked"),
        }
        (self.progress)(Progress::Action(&action, &outcome, elapsed));
        self.answers.insert(action, outcome, elapsed);
    }

    /// The connection ended. The action that the server was working on gets one more chance; when
    /// it ends a second connection, it is to blame and is given up.
    fn lose(&mut self, client: Client, error: &Error) {
        let Some((action, rows)) = client.abandon().into_iter().next() else { return };
        let kind = action.kind();
        let failure = match error {
            Error::TooMuch { limit } => Some(ActionError::TooLarge { action: kind, limit: *limit }),
            _ if self.cut_off.contains(&action) => Some(ActionError::CutOff { action: kind, rows }),
            _ => None,
        };
        match failure {
            Some(failure) => {
                self.outstanding.retain(|outstanding| *outstanding != action);
                self.keep(action, Outcome::Failed(failure), None);
            }
            None => self.cut_off.push(action),
        }
    }
}

/// For the log: names and messages of a PBX must not steer the terminal that shows it.
fn cleaned(what: &dyn std::fmt::Display) -> String {
    clean(&what.to_string()).into_owned()
}

/// Ends a set of actions with a Ping: when its pong is there, nothing before it can still come.
fn with_barrier(mut actions: Vec<Action>) -> Vec<Action> {
    actions.push(Action::new(ReadAction::Ping));
    actions
}
