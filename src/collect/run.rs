//! The run: connect, ask, read, follow up; and what to do when it does not go that smoothly.

use std::{
    collections::BTreeMap,
    sync::mpsc,
    time::{Duration, Instant},
};

use tokio::time::{sleep_until, timeout_at};
use tracing::{debug, info};

use super::{Answers, Outcome, Plan, boot};
use crate::{
    ami::{
        Action, ActionError, Client, Credentials, Error, Link, LoginMethod, Options, ReadAction,
        TimedAnswer,
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

/// Where a run hears, while it connects, what it will probably ask for once the first answers are
/// in ([`Plan::foreseen`]). What is not told by the time of the login is asked when it is needed.
pub type Foresight = mpsc::Receiver<Vec<Action>>;

/// Collects everything that the plan asks for. What it collects does not depend on `foresight`.
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
    foresight: Option<Foresight>,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<Collected, Error> {
    let started = Instant::now();
    let mut run = Run {
        target,
        plan,
        foresight,
        foreseen: BTreeMap::new(),
        progress,
        deadline: tokio::time::Instant::from_std(started + target.run_timeout),
        started,
        answers: Answers::default(),
        outstanding: plan.first(),
        asked_all: false,
        cut_off: Vec::new(),
        ami_version: None,
        same_machine: false,
        logged_in: false,
        pong_after: None,
        received: 0,
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
    foresight: Option<Foresight>,
    /// Actions that were foreseen, with what came of them, until it shows whether they are needed.
    foreseen: BTreeMap<Action, Option<(Outcome, Option<Duration>)>>,
    progress: &'a mut dyn FnMut(Progress<'_>),
    deadline: tokio::time::Instant,
    started: Instant,
    answers: Answers,
    /// What is still to be asked or answered.
    outstanding: Vec<Action>,
    /// Everything that answers called for has been asked.
    asked_all: bool,
    /// Actions in whose answer a connection ended once.
    cut_off: Vec<Action>,
    ami_version: Option<String>,
    same_machine: bool,
    logged_in: bool,
    pong_after: Option<Duration>,
    /// Bytes received on the connections before this one.
    received: usize,
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
                Ok(End::Lost) if self.outstanding.is_empty() && self.asked_all => return Ok(()),
                Ok(End::Lost) => None,
                Err(error) => Some(error),
            };
            attempts += 1;
            if let Some(error) = error {
                if self.logged_in && matches!(error, Error::TooMuch { .. }) {
                    self.out_of_room();
                    return Ok(());
                }
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
        if !self.asked_all {
            // What would have been asked next is missing, too; some of it may have been foreseen.
            for action in self.plan.then(&self.answers) {
                let error = ActionError::Timeout { action: action.kind(), rows: 0, after };
                let told = self.foreseen.remove(&action).flatten();
                let (outcome, elapsed) = told.unwrap_or((Outcome::Failed(error), None));
                self.keep(action, outcome, elapsed);
            }
            self.asked_all = true;
        }
        Ok(())
    }

    /// The run's limit on bytes is reached: what is outstanding stays unanswered.
    fn out_of_room(&mut self) {
        let limit = self.target.options.limits.run;
        for action in std::mem::take(&mut self.outstanding) {
            let error = ActionError::TooLarge { action: action.kind(), limit };
            self.keep(action, Outcome::Failed(error), None);
        }
        self.asked_all = true;
    }

    /// One connection, from connecting to logging off.
    async fn connection(&mut self) -> Result<End, Error> {
        let (deadline, target) = (self.deadline, self.target);
        let out_of_time = |_| Error::LoginTimeout { after: target.run_timeout };
        let mut options = target.options.clone();
        // The limit is one for all connections together.
        options.limits.run = options.limits.run.saturating_sub(self.received);
        options.early_challenge = target.credentials.method() == LoginMethod::Challenge;
        let connecting = Client::connect(&target.host, target.port, options);
        let mut client = timeout_at(deadline, connecting).await.map_err(out_of_time)??;
        (self.progress)(Progress::Connected(client.link(), client.banner()));
        self.ami_version = client.ami_version().map(str::to_owned);
        self.same_machine = client.link().is_local();
        let (outstanding, foreseen) = (&mut self.outstanding, &mut self.foreseen);
        let foresight = self.foresight.take();
        // Gathered when it is time to send them.
        let actions = std::iter::once_with(|| {
            let told = foresight.and_then(|foresight| foresight.try_recv().ok());
            for action in told.into_iter().flatten() {
                if foreseen.insert(action.clone(), None).is_none() {
                    outstanding.push(action);
                }
            }
            with_barrier(outstanding.clone())
        });
        let login = client.login(&target.credentials, actions.flatten());
        timeout_at(deadline, login).await.map_err(out_of_time)??;
        self.logged_in = true;
        (self.progress)(Progress::LoggedIn);
        debug!(address = %client.address(), "logged in");
        loop {
            match timeout_at(deadline, client.next_finished()).await {
                Ok(Ok(Some(finished))) => {
                    // The rest of its answer would stand before all others.
                    let unfinished = matches!(
                        finished.result,
                        Err(ActionError::Timeout { .. } | ActionError::TooLarge { .. })
                    );
                    self.take(finished);
                    if unfinished {
                        self.received += client.received();
                        return Ok(End::Lost);
                    }
                }
                Ok(Ok(None)) => {
                    let next = self.next_actions().await;
                    if next.is_empty() {
                        debug!(bytes = client.received(), "logging off");
                        client.leave().await;
                        return Ok(End::Complete);
                    }
                    self.outstanding.clone_from(&next);
                    client.ask(with_barrier(next));
                    if self.asked_all {
                        client.say_goodbye();
                    }
                }
                Ok(Err(error)) => {
                    info!(error = %cleaned(&error), "the connection was lost");
                    self.lose(client, &error);
                    return Ok(End::Lost);
                }
                Err(_) => {
                    let after = self.target.run_timeout;
                    self.out_of_time(Error::LoginTimeout { after })?;
                    self.asked_all = true;
                    return Ok(End::Lost);
                }
            }
        }
    }

    /// What to ask when everything asked so far has been answered.
    async fn next_actions(&mut self) -> Vec<Action> {
        if self.asked_all {
            return Vec::new();
        }
        if boot::is_booting(&self.answers) {
            let again = tokio::time::Instant::now() + 2 * PAUSE;
            // Half of the time is kept for asking.
            let enough = self.deadline - self.target.run_timeout / 2;
            if again < enough {
                info!("Asterisk is still starting; asking again in 2 s");
                sleep_until(again).await;
                self.foreseen.clear();
                return self.plan.first();
            }
        }
        loop {
            let mut next = self.plan.then(&self.answers);
            let is_last = next.is_empty() || self.plan.is_last(&self.answers);
            next.retain(|action| match self.foreseen.remove(action).flatten() {
                Some((outcome, elapsed)) => {
                    self.answers.insert(action.clone(), outcome, elapsed);
                    false
                }
                None => true,
            });
            if is_last || !next.is_empty() {
                self.asked_all = is_last;
                return next;
            }
        }
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
        match self.foreseen.get_mut(&action) {
            Some(came) => *came = Some((outcome, elapsed)),
            None => self.answers.insert(action, outcome, elapsed),
        }
    }

    /// The connection ended. The action that the server was working on gets one more chance; when
    /// it ends a second connection, it is to blame and is given up.
    fn lose(&mut self, client: Client, error: &Error) {
        self.received += client.received();
        if let Error::TooMuch { .. } = error {
            return self.out_of_room();
        }
        let Some((action, rows)) = client.abandon().into_iter().next() else { return };
        if self.cut_off.contains(&action) {
            let error = ActionError::CutOff { action: action.kind(), rows };
            self.outstanding.retain(|outstanding| *outstanding != action);
            self.keep(action, Outcome::Failed(error), None);
        } else {
            self.cut_off.push(action);
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

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
        net::{TcpListener, TcpStream},
    };

    use super::*;
    use crate::{ami::Password, snapshot::Section};

    /// What a server does with an action on its n-th connection: answer, or close without a word.
    type Script = fn(connection: u32, action: &str, id: &str) -> Option<String>;

    /// No answer, and nothing after it.
    const HANG: &str = "hang";

    fn empty_list(id: &str) -> String {
        format!(
            "Response: Success\r\nActionID: {id}\r\nEventList: start\r\n\r\n\
             Event: Done\r\nActionID: {id}\r\nEventList: Complete\r\nListItems: 0\r\n\r\n"
        )
    }

    fn block(id: &str) -> String {
        format!("Response: Success\r\nActionID: {id}\r\n\r\n")
    }

    /// What a server without anything in it answers.
    fn usual(action: &str, id: &str) -> String {
        match ReadAction::from_name(action) {
            Some(kind) if kind.is_list() => empty_list(id),
            _ => block(id),
        }
    }

    async fn session(stream: TcpStream, connection: u32, script: Script) -> Option<()> {
        let mut stream = BufReader::new(stream);
        stream.write_all(b"Asterisk Call Manager/11.0.0\r\n").await.ok()?;
        let (mut action, mut id) = (String::new(), String::new());
        let mut line = String::new();
        while stream.read_line(&mut line).await.ok()? > 0 {
            match line.trim_end().split_once(": ") {
                Some(("Action", name)) => name.clone_into(&mut action),
                Some(("ActionID", given)) => given.clone_into(&mut id),
                Some(_) => {}
                None => {
                    let answer = script(connection, &action, &id)?;
                    if answer == HANG {
                        // Until the client has had enough.
                        while stream.read_line(&mut line).await.ok()? > 0 {}
                        return None;
                    }
                    stream.write_all(answer.as_bytes()).await.ok()?;
                }
            }
            line.clear();
        }
        Some(())
    }

    /// Runs for queues alone against a script; gives also the number of connections.
    async fn run(script: Script, seconds: f64) -> (Result<Collected, Error>, u32) {
        run_for(Section::Queues, &[], script, seconds).await
    }

    /// Runs for one section, with these actions foreseen.
    async fn run_for(
        wanted: Section,
        foreseen: &[Action],
        script: Script,
        seconds: f64,
    ) -> (Result<Collected, Error>, u32) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let credentials = Credentials::new("snapshot", Password::new("secret".to_owned()))
            .with_method(LoginMethod::Plain);
        let target = Target {
            host: "127.0.0.1".to_owned(),
            port: listener.local_addr().unwrap().port(),
            credentials,
            options: Options { action_timeout: Duration::from_secs(1), ..Options::default() },
            run_timeout: Duration::from_secs_f64(seconds),
        };
        let skip = Section::ALL.into_iter().filter(|section| *section != wanted);
        let plan = Plan { skip: skip.collect(), ..Plan::default() };
        let mut connections = 0;
        let serve = async {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                connections += 1;
                let _ = session(stream, connections, script).await;
            }
        };
        let mut progress = |_: Progress<'_>| {};
        let (foresight, told) = mpsc::channel();
        foresight.send(foreseen.to_vec()).unwrap();
        let ended = tokio::select! {
            ended = collect(&target, &plan, Some(told), &mut progress) => ended,
            () = serve => unreachable!("it serves for ever"),
        };
        (ended, connections)
    }

    fn answered(collected: &Collected, kind: ReadAction) -> bool {
        collected.answers.answer(kind).is_some()
    }

    fn failure(collected: &Collected, kind: ReadAction) -> ActionError {
        match collected.answers.outcome(&Action::new(kind)) {
            Some(Outcome::Failed(error)) => error.clone(),
            other => panic!("{kind}: {other:?}"),
        }
    }

    #[tokio::test]
    async fn everything_is_asked_on_one_connection() {
        let (ended, connections) = run(|_, action, id| Some(usual(action, id)), 10.0).await;
        let collected = ended.unwrap();
        assert!(answered(&collected, ReadAction::QueueStatus));
        assert!(answered(&collected, ReadAction::Ping));
        assert_eq!((connections, collected.ami_version.as_deref()), (1, Some("11.0.0")));
        assert!(collected.same_machine && collected.pong_after.is_some());
    }

    #[tokio::test]
    async fn what_was_foreseen_saves_a_round_trip_and_changes_nothing() {
        use std::sync::atomic::{AtomicUsize, Ordering};
        static ROUNDS: AtomicUsize = AtomicUsize::new(0);
        let script: Script = |_, action, id| match action {
            "PJSIPShowEndpoints" => Some(empty_list(id).replace(
                "Event: Done",
                &format!(
                    "Event: EndpointList\r\nActionID: {id}\r\nObjectName: out\r\n\r\nEvent: Done"
                ),
            )),
            "Ping" => {
                ROUNDS.fetch_add(1, Ordering::SeqCst);
                Some(block(id))
            }
            _ => Some(usual(action, id)),
        };
        let detail =
            |name| Action::new(ReadAction::PjsipShowEndpoint).with("Endpoint", name).unwrap();
        let plain = run_for(Section::Trunks, &[], script, 10.0).await.0.unwrap();
        assert_eq!(ROUNDS.swap(0, Ordering::SeqCst), 2);
        let foreseen = [detail("out"), detail("gone"), detail("out")];
        let (ended, connections) = run_for(Section::Trunks, &foreseen, script, 10.0).await;
        assert_eq!((ROUNDS.load(Ordering::SeqCst), connections), (1, 1));
        let asked = |collected: &Collected| -> Vec<_> {
            collected.answers.iter().map(|(action, ..)| action.to_string()).collect()
        };
        let told = asked(&ended.unwrap());
        assert_eq!(told, asked(&plain));
        assert!(told.contains(&"PJSIPShowEndpoint(out)".to_owned()), "{told:?}");
    }

    #[tokio::test]
    async fn a_connection_that_ends_once_is_taken_up_again_without_a_loss() {
        let script: Script = |connection, action, id| match (connection, action) {
            (1, "QueueStatus") => None,
            _ => Some(usual(action, id)),
        };
        let (ended, connections) = run(script, 10.0).await;
        let collected = ended.unwrap();
        assert!(answered(&collected, ReadAction::QueueStatus));
        assert!(answered(&collected, ReadAction::QueueSummary));
        assert_eq!(connections, 2);
    }

    #[tokio::test]
    async fn the_action_that_ends_two_connections_is_to_blame() {
        let script: Script = |_, action, id| match action {
            "QueueStatus" => None,
            _ => Some(usual(action, id)),
        };
        let (ended, connections) = run(script, 10.0).await;
        let collected = ended.unwrap();
        let error = failure(&collected, ReadAction::QueueStatus);
        assert!(matches!(error, ActionError::CutOff { .. }), "{error}");
        assert!(answered(&collected, ReadAction::QueueSummary));
        assert_eq!(connections, 3);
    }

    #[tokio::test]
    async fn an_action_that_hangs_is_given_up_and_the_others_are_asked_again() {
        let script: Script = |_, action, id| match action {
            "QueueStatus" => Some(HANG.to_owned()),
            _ => Some(usual(action, id)),
        };
        let (ended, _) = run(script, 10.0).await;
        let collected = ended.unwrap();
        let error = failure(&collected, ReadAction::QueueStatus);
        assert!(matches!(error, ActionError::Timeout { .. }), "{error}");
        assert!(answered(&collected, ReadAction::QueueSummary));
    }

    #[tokio::test]
    async fn when_the_time_is_up_what_was_read_is_delivered() {
        // After the first answer the server is gone for good.
        let script: Script = |connection, action, id| match (connection, action) {
            (1, "Login" | "ListCommands") => Some(usual(action, id)),
            _ => None,
        };
        let (ended, connections) = run(script, 2.5).await;
        let collected = ended.unwrap();
        assert!(answered(&collected, ReadAction::ListCommands));
        let error = failure(&collected, ReadAction::QueueStatus);
        assert!(matches!(error, ActionError::Timeout { .. }), "{error}");
        assert!((2..10).contains(&connections), "{connections} connections");
        assert!(collected.duration < Duration::from_secs(5), "{:?}", collected.duration);
    }

    #[tokio::test]
    async fn a_refused_login_ends_the_run_at_once() {
        let script: Script = |_, _, id| {
            let message = "Message: Authentication failed";
            Some(format!("Response: Error\r\nActionID: {id}\r\n{message}\r\n\r\n"))
        };
        let (ended, connections) = run(script, 10.0).await;
        assert!(matches!(ended, Err(Error::Login { .. })), "{ended:?}");
        assert_eq!(connections, 1);
    }

    #[tokio::test]
    async fn after_a_login_that_worked_a_refusal_is_a_restart_and_is_waited_for() {
        let script: Script = |connection, action, id| match (connection, action) {
            (1, "QueueStatus") => None,
            (2, "Login") => {
                let message = "Message: Asterisk is shutting down";
                Some(format!("Response: Error\r\nActionID: {id}\r\n{message}\r\n\r\n"))
            }
            (2, _) => None,
            _ => Some(usual(action, id)),
        };
        let (ended, connections) = run(script, 10.0).await;
        assert!(answered(&ended.unwrap(), ReadAction::QueueStatus));
        assert_eq!(connections, 3);
    }

    #[test]
    fn every_set_of_actions_ends_with_a_ping() {
        let actions = with_barrier(vec![Action::new(ReadAction::QueueStatus)]);
        let kinds: Vec<_> = actions.iter().map(Action::kind).collect();
        assert_eq!(kinds, [ReadAction::QueueStatus, ReadAction::Ping]);
    }
}
