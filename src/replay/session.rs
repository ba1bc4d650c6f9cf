//! One connection: banner, login, actions and their answers, the way Asterisk does it.

use std::{io, time::Duration};

use rustix::rand::{GetRandomFlags, getrandom};
use tokio::{
    io::AsyncReadExt as _,
    net::{TcpStream, tcp::OwnedWriteHalf},
    time::{Instant, sleep, timeout_at},
};

use super::{
    Account, Shared,
    answers::Found,
    faults::{Flow, Sender},
};
use crate::ami::{Block, Decoder, Limits, Row};

/// Time from connecting to a login, Asterisk's `authtimeout`.
const AUTH_TIMEOUT: Duration = Duration::from_secs(30);

/// What Asterisk accepts: lines of less than 1,024 bytes, 128 of them an action.
const INPUT: Limits = Limits { line: 1_023, block: 128 * 1_024, list: 0, run: 0 };

/// Serves one connection to its end.
pub(super) async fn run(stream: TcpStream, shared: &Shared) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let (mut reader, writer) = stream.into_split();
    let mut session = Session {
        shared,
        sender: Sender::new(writer, &shared.options.faults),
        challenge: None,
        logged_in: false,
    };
    let banner = format!("{}\r\n", shared.answers.banner());
    if session.sender.send(banner.as_bytes()).await? == Flow::End {
        return Ok(());
    }
    let until = Instant::now() + AUTH_TIMEOUT;
    let mut decoder = Decoder::new(INPUT);
    loop {
        let space = decoder.space(4 << 10);
        let read = reader.read_buf(space);
        let count = match session.logged_in {
            true => read.await?,
            // Closed without a word, as Asterisk does.
            false => match timeout_at(until, read).await {
                Ok(count) => count?,
                Err(_) => return Ok(()),
            },
        };
        if count == 0 {
            return Ok(());
        }
        while let Some(block) = decoder.next_block() {
            let flow = match block {
                Block::Text(text) => session.take(Row::new(&text)).await?,
                Block::Oversized => {
                    let message = "Message: Failed to parse message: line too long\r\n";
                    session.respond("", None, "Error", message).await?
                }
            };
            if flow == Flow::End {
                return Ok(());
            }
        }
    }
}

struct Session<'a> {
    shared: &'a Shared,
    sender: Sender<'a, OwnedWriteHalf>,
    challenge: Option<String>,
    logged_in: bool,
}

impl Session<'_> {
    /// Answers one action.
    async fn take(&mut self, request: Row<'_>) -> io::Result<Flow> {
        let name = request.get("Action").unwrap_or_default();
        let id = request.get("ActionID").filter(|id| !id.is_empty());
        let error = |text: &str| ("Error", format!("Message: {text}\r\n"));
        let (response, rest) = match name.to_ascii_lowercase().as_str() {
            "" => error("Missing action in request"),
            "challenge" => self.challenge(request)?,
            "login" => return self.log_in(request, id).await,
            "logoff" => {
                let bye = "Message: Thanks for all the fish.\r\n";
                self.respond(name, id, "Goodbye", bye).await?;
                return Ok(Flow::End);
            }
            _ if !self.logged_in => error("Permission denied"),
            "events" => {
                let off = request.get("EventMask").is_some_and(|it| it.eq_ignore_ascii_case("off"));
                ("Success", format!("Events: {}\r\n", if off { "Off" } else { "On" }))
            }
            action => match self.shared.answers.find(request, self.shared.options.write.as_ref()) {
                Found::Answer(bytes) => return self.sender.answer(name, &bytes).await,
                Found::Denied => error("Permission denied"),
                Found::NotCaptured => error("Not captured: this replay has no answer to that"),
                Found::Unknown if action == "ping" => ("Success", "Ping: Pong\r\n".to_owned()),
                Found::Unknown => error(&format!(
                    "Invalid/unknown command: {name}. Use Action: ListCommands to show available \
                     commands."
                )),
            },
        };
        self.respond(name, id, response, &rest).await
    }

    async fn respond(
        &mut self,
        action: &str,
        id: Option<&str>,
        response: &str,
        rest: &str,
    ) -> io::Result<Flow> {
        let id = id.map(|id| format!("ActionID: {id}\r\n")).unwrap_or_default();
        let answer = format!("Response: {response}\r\n{id}{rest}\r\n");
        self.sender.answer(action, answer.as_bytes()).await
    }

    /// One challenge a session, asked as often as the client likes.
    fn challenge(&mut self, request: Row<'_>) -> io::Result<(&'static str, String)> {
        if !is_md5(request) {
            return Ok(("Error", "Message: Must specify AuthType\r\n".to_owned()));
        }
        let challenge = match &self.challenge {
            Some(challenge) => challenge,
            None => {
                let mut number = [0; 4];
                // The system call itself: it needs no /dev. So few bytes come whole.
                getrandom(number.as_mut_slice(), GetRandomFlags::empty())?;
                let number = u32::from_ne_bytes(number);
                self.challenge.insert((number % 1_000_000_000).to_string())
            }
        };
        Ok(("Success", format!("Challenge: {challenge}\r\n")))
    }

    async fn log_in(&mut self, request: Row<'_>, id: Option<&str>) -> io::Result<Flow> {
        /// How long Asterisk waits before it refuses a login and closes.
        const PENALTY: Duration = Duration::from_secs(1);
        if self.logged_in {
            return self
                .respond("Login", id, "Success", "Message: Already authenticated\r\n")
                .await;
        }
        if !is_right(request, &self.shared.options.account, self.challenge.as_deref()) {
            sleep(PENALTY).await;
            self.respond("Login", id, "Error", "Message: Authentication failed\r\n").await?;
            return Ok(Flow::End);
        }
        self.logged_in = true;
        let flow =
            self.respond("Login", id, "Success", "Message: Authentication accepted\r\n").await?;
        let off = request.get("Events").is_some_and(|events| events.eq_ignore_ascii_case("off"));
        if off || flow == Flow::End {
            return Ok(flow);
        }
        // Clients that want events may wait for this one before they ask anything.
        let booted = "Event: FullyBooted\r\nPrivilege: system,all\r\nStatus: Fully Booted\r\n\r\n";
        self.sender.send(booted.as_bytes()).await
    }
}

fn is_md5(request: Row<'_>) -> bool {
    request.get("AuthType").is_some_and(|kind| kind.eq_ignore_ascii_case("MD5"))
}

/// Whether a login names the account and proves its password. A proof by challenge needs a challenge
/// whatever the account: a client that sends none would never get in anywhere else.
fn is_right(login: Row<'_>, account: &Account, challenge: Option<&str>) -> bool {
    let username = login.get("Username").unwrap_or_default();
    if account.username.as_ref().is_some_and(|only| only != username) || username.is_empty() {
        return false;
    }
    if is_md5(login) {
        let (Some(challenge), Some(key)) = (challenge, login.get("Key")) else { return false };
        return account.password.as_ref().is_none_or(|right| *right.answer(challenge) == key);
    }
    let secret = login.get("Secret");
    account.password.as_ref().is_none_or(|right| secret == Some(right.expose()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ami::Password;

    #[test]
    fn a_login_proves_the_password_where_there_is_one() {
        let any = Account::default();
        let one = Account {
            username: Some("snapshot".to_owned()),
            password: Some(Password::new("secret".to_owned())),
        };
        // MD5 of "12345secret", as computed by md5sum.
        let key = "AuthType: md5\r\nKey: d6bf7523a8407696bb9448d0d0fecca8\r\n";
        let is_right = |account: &Account, name: &str, proof: &str, challenge| {
            let text = format!("Action: Login\r\nUsername: {name}\r\n{proof}");
            super::is_right(Row::new(&text), account, challenge)
        };
        assert!(is_right(&one, "snapshot", key, Some("12345")));
        assert!(!is_right(&one, "snapshot", key, Some("12346")));
        assert!(!is_right(&one, "snapshot", key, None));
        assert!(!is_right(&one, "other", key, Some("12345")));
        assert!(is_right(&one, "snapshot", "Secret: secret\r\n", None));
        assert!(!is_right(&one, "snapshot", "Secret: Secret\r\n", None));
        assert!(!is_right(&one, "snapshot", "", None));
        assert!(is_right(&any, "whoever", "Secret: x\r\n", None));
        assert!(is_right(&any, "whoever", "AuthType: MD5\r\nKey: x\r\n", Some("1")));
        assert!(!is_right(&any, "", "Secret: x\r\n", None));
    }
}
