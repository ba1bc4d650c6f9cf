//! A demonstration PBX: a recorded busy Asterisk that answers on loopback.
//!
//! It speaks AMI over real TCP with the recorded bytes of a real server, so that a newcomer sees
//! the collector's main job without a PBX. It knows logins, by challenge and in plain text, and
//! the actions of its recording; everything else is as unknown to it as to a real server.

use std::{collections::BTreeMap, io, net::Ipv4Addr};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use crate::ami::{Block, Decoder, Limits, Password, Row};

/// One whole run of the collector against the laboratory's FreePBX-like server: the bytes that
/// went in, and the bytes that came back.
const ASKED: &[u8] = include_bytes!("session.req");
const ANSWERED: &[u8] = include_bytes!("session.ami");

/// User name that the demonstration PBX expects.
pub const USERNAME: &str = "demo";

/// Password that the demonstration PBX expects. It guards nothing.
#[must_use]
pub fn password() -> Password {
    Password::new("demo".to_owned())
}

/// A recorded PBX, listening on a free port of loopback.
#[derive(Debug)]
pub struct DemoPbx {
    listener: TcpListener,
    recording: Recording,
}

impl DemoPbx {
    /// Starts to listen.
    ///
    /// # Errors
    ///
    /// When loopback has no free port.
    pub async fn start() -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        Ok(Self { listener, recording: Recording::read(ASKED, ANSWERED) })
    }

    /// The port that it listens on.
    ///
    /// # Errors
    ///
    /// When the system does not tell.
    pub fn port(&self) -> io::Result<u16> {
        Ok(self.listener.local_addr()?.port())
    }

    /// Serves one connection after the other, until dropped.
    pub async fn serve(&self) {
        loop {
            if let Ok((stream, _)) = self.listener.accept().await {
                // A reader that goes away early is no concern of a demonstration.
                let _ = self.session(stream).await;
            }
        }
    }

    async fn session(&self, mut stream: TcpStream) -> io::Result<()> {
        const CHALLENGE: &str = "842134071";
        stream.write_all(self.recording.banner.as_bytes()).await?;
        let mut decoder = Decoder::new(Limits::default());
        let mut logged_in = false;
        loop {
            if stream.read_buf(decoder.space(4 << 10)).await? == 0 {
                return Ok(());
            }
            while let Some(block) = decoder.next_block() {
                let Block::Text(text) = block else { return Ok(()) };
                let request = Row::new(&text);
                let id = request.get("ActionID").unwrap_or_default();
                let action = request.get("Action").unwrap_or_default().to_ascii_lowercase();
                let say = |response: &str, rest: &str| {
                    format!("Response: {response}\r\nActionID: {id}\r\n{rest}\r\n").into_bytes()
                };
                let answer = match action.as_str() {
                    "challenge" => say("Success", &format!("Challenge: {CHALLENGE}\r\n")),
                    "logoff" => {
                        let bye = say("Goodbye", "Message: Thanks for all the fish.\r\n");
                        return stream.write_all(&bye).await;
                    }
                    "login" => {
                        logged_in = is_right(request, CHALLENGE);
                        match logged_in {
                            true => say("Success", "Message: Authentication accepted\r\n"),
                            false => say("Error", "Message: Authentication failed\r\n"),
                        }
                    }
                    _ if !logged_in => say("Error", "Message: Permission denied\r\n"),
                    _ => self.recording.answer(request, id).unwrap_or_else(|| {
                        let name = request.get("Action").unwrap_or_default();
                        say(
                            "Error",
                            &format!(
                                "Message: Invalid/unknown command: {name}. Use Action: \
                                 ListCommands to show available commands.\r\n"
                            ),
                        )
                    }),
                };
                stream.write_all(&answer).await?;
            }
        }
    }
}

/// Whether a login names the demonstration's user and proves its password.
fn is_right(login: Row<'_>, challenge: &str) -> bool {
    let proof = match login.get("Key") {
        Some(key) => key == password().answer(challenge).as_str(),
        None => login.get("Secret") == Some(password().expose()),
    };
    login.get("Username") == Some(USERNAME) && proof
}

/// Recorded answers by what was asked.
#[derive(Debug)]
struct Recording {
    banner: String,
    answers: BTreeMap<String, Recorded>,
}

#[derive(Debug, Default)]
struct Recorded {
    id: String,
    bytes: String,
}

impl Recording {
    /// Takes a recorded session apart. Both sides name each action by its ActionID; blocks without
    /// one belong to the action before.
    fn read(asked: &[u8], answered: &[u8]) -> Self {
        let mut keys = BTreeMap::new();
        for request in blocks(asked, false).1 {
            let request = Row::new(&request);
            keys.insert(request.get("ActionID").unwrap_or_default().to_owned(), key(request));
        }
        let (banner, blocks) = blocks(answered, true);
        let mut answers: BTreeMap<String, Recorded> = BTreeMap::new();
        let mut current = String::new();
        for block in blocks {
            if let Some(id) = Row::new(&block).get("ActionID") {
                id.clone_into(&mut current);
            }
            let Some(key) = keys.get(&current) else { continue };
            let recorded = answers.entry(key.clone()).or_default();
            if recorded.id != current {
                // Asked twice (Ping ends every set of actions): the later answer stands.
                *recorded = Recorded { id: current.clone(), bytes: String::new() };
            }
            recorded.bytes.push_str(&block);
            recorded.bytes.push_str("\r\n");
        }
        Self { banner: format!("{banner}\r\n"), answers }
    }

    /// The recorded answer with the ActionID of the request.
    fn answer(&self, request: Row<'_>, id: &str) -> Option<Vec<u8>> {
        let recorded = self.answers.get(&key(request))?;
        let (old, new) = (format!("ActionID: {}\r\n", recorded.id), format!("ActionID: {id}\r\n"));
        Some(recorded.bytes.replace(&old, &new).into_bytes())
    }
}

/// What was asked: the action with its arguments, without its id.
fn key(request: Row<'_>) -> String {
    let mut headers: Vec<String> = request
        .headers()
        .filter(|(name, _)| !name.eq_ignore_ascii_case("ActionID"))
        .map(|(name, value)| format!("{}={value}", name.to_ascii_lowercase()))
        .collect();
    headers.sort_unstable();
    headers.join("\n").to_ascii_lowercase()
}

/// The banner, where there is one, and the blocks of one side of a session.
fn blocks(bytes: &[u8], has_banner: bool) -> (String, Vec<String>) {
    let mut decoder = Decoder::new(Limits::default());
    decoder.space(bytes.len()).extend_from_slice(bytes);
    let banner = if has_banner { decoder.banner().unwrap_or_default() } else { String::new() };
    let mut blocks = Vec::new();
    while let Some(block) = decoder.next_block() {
        if let Block::Text(text) = block {
            blocks.push(text.into_owned());
        }
    }
    (banner, blocks)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recorded_answer_comes_back_under_the_new_id() {
        let asked = b"Action: Ping\r\nActionID: a1\r\n\r\nAction: Login\r\nActionID: a2\r\n\r\n";
        let answered = b"Asterisk Call Manager/5.0.4\r\nResponse: Success\r\nActionID: a1\r\n\
                         Ping: Pong\r\n\r\nResponse: Success\r\nActionID: a2\r\n\r\n";
        let recording = Recording::read(asked, answered);
        assert_eq!(recording.banner, "Asterisk Call Manager/5.0.4\r\n");
        let request = Row::new("ACTION: ping\r\nActionID: new\r\n");
        let answer = recording.answer(request, "new").unwrap();
        assert_eq!(answer, b"Response: Success\r\nActionID: new\r\nPing: Pong\r\n\r\n");
        assert!(recording.answer(Row::new("Action: Nosuch\r\n"), "x").is_none());
    }
}
