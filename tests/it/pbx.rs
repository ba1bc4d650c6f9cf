//! A scripted AMI server on loopback: it answers with recordings, except where a test says
//! otherwise.

use std::{
    collections::BTreeMap,
    io::{Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    thread,
    time::Duration,
};

/// How the server answers one action.
#[derive(Debug, Clone)]
pub enum Reply {
    /// As recorded.
    Recorded,
    /// `Permission denied`.
    Denied,
    /// `Invalid/unknown command`.
    Unknown,
    /// Any other error.
    Error(&'static str),
    /// These bytes; `{id}` stands for the ActionID.
    Bytes(Vec<u8>),
    /// The recorded answer up to its middle, then nothing more, for ever.
    HalfThenSilence,
    /// The recorded answer up to its middle, then the connection is closed.
    HalfThenClose,
    /// The recorded answer up to its middle, then the connection is reset.
    HalfThenReset,
    /// Closed without a word.
    Close,
    /// Nothing, for ever.
    Silence,
    /// The recorded answer, one piece at a time with a pause between.
    Slow { piece: usize, pause: Duration },
    /// The recorded answer with bytes put before it.
    After(Vec<u8>),
    /// These bytes over and over, for ever.
    Endless(Vec<u8>),
    /// Much of something, see [`Flood`].
    Flood(Flood),
    /// The recorded answer twice.
    Twice,
    /// The recorded answer after that of the action that comes next.
    AfterTheNext,
    /// The recorded answer under the id of another client's action.
    UnderAnotherId,
    /// The recorded answer with the end of a line in its middle missing, and its header's value.
    Torn,
    /// All connections end, and new ones are refused for a while; then as recorded.
    Restart(Duration),
    /// `Unknown` on the first connection or round, then as recorded.
    UnknownAtFirst,
}

/// A unit again and again; `{id}` stands for the ActionID and `{n}` for the number of the turn.
#[derive(Debug, Clone)]
pub struct Flood {
    pub before: &'static str,
    pub unit: &'static str,
    pub times: u64,
    pub after: &'static str,
}

/// How the server treats a new connection.
#[derive(Debug, Clone)]
pub enum Greeting {
    /// Banner and logins as Asterisk does them.
    Asterisk,
    /// These bytes instead of the banner, then silence.
    Bytes(&'static [u8]),
    /// These bytes, then closed.
    BytesThenClose(&'static [u8]),
    /// Every login is accepted after a pause.
    SlowLogin(Duration),
    /// Asterisk's, but everything comes in pieces of so many bytes with a pause between.
    Trickle(usize, Duration),
    /// Every login is refused with this message after a pause, and the connection closed.
    RefusesLogin(&'static str, Duration),
    /// Knows no challenge.
    NoChallenge,
    /// Does not answer the login.
    SilentLogin,
}

/// A server that a test controls.
pub struct Pbx {
    pub port: u16,
    /// The names of all actions that came, in order, over all connections.
    pub asked: Arc<Mutex<Vec<String>>>,
    /// All bytes that came.
    pub received: Arc<Mutex<Vec<u8>>>,
    pub connections: Arc<AtomicU32>,
}

/// What a server is to do.
#[derive(Debug, Clone)]
pub struct Script {
    folder: PathBuf,
    replies: BTreeMap<String, Reply>,
    greeting: Greeting,
    password: String,
    /// What replies that come true only later count.
    rounds: Arc<AtomicU32>,
    /// Milliseconds for which nobody shall listen.
    away: Arc<AtomicU32>,
}

pub const PASSWORD: &str = "test-ami-secret-Zq7";

impl Script {
    /// Answers from a folder of recordings, such as `16.28.0/busy`.
    pub fn recorded(folder: &str) -> Self {
        Self {
            folder: Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(folder),
            replies: BTreeMap::new(),
            greeting: Greeting::Asterisk,
            password: PASSWORD.to_owned(),
            rounds: Arc::default(),
            away: Arc::default(),
        }
    }

    /// Answers one action otherwise.
    pub fn on(mut self, action: &str, reply: Reply) -> Self {
        self.replies.insert(action.to_lowercase(), reply);
        self
    }

    pub fn greeting(self, greeting: Greeting) -> Self {
        Self { greeting, ..self }
    }

    /// Begins to listen on a free port; the threads end with the test process.
    pub fn start(self) -> Pbx {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let pbx = Pbx {
            port: listener.local_addr().unwrap().port(),
            asked: Arc::default(),
            received: Arc::default(),
            connections: Arc::default(),
        };
        let (asked, received) = (pbx.asked.clone(), pbx.received.clone());
        let connections = pbx.connections.clone();
        let address = listener.local_addr().unwrap();
        listener.set_nonblocking(true).unwrap();
        thread::spawn(move || {
            let mut listener = Some(listener);
            loop {
                let away = self.away.swap(0, Ordering::SeqCst);
                if away > 0 {
                    listener = None;
                    thread::sleep(Duration::from_millis(away.into()));
                }
                let accepted = match &listener {
                    Some(listener) => listener.accept(),
                    None => {
                        listener = TcpListener::bind(address).ok();
                        listener.iter().for_each(|it| it.set_nonblocking(true).unwrap());
                        continue;
                    }
                };
                let Ok((stream, _)) = accepted else {
                    thread::sleep(Duration::from_millis(2));
                    continue;
                };
                stream.set_nonblocking(false).unwrap();
                connections.fetch_add(1, Ordering::SeqCst);
                let session = Session {
                    script: self.clone(),
                    stream,
                    asked: asked.clone(),
                    received: received.clone(),
                    held: Vec::new(),
                };
                thread::spawn(move || session.run());
            }
        });
        pbx
    }
}

struct Session {
    script: Script,
    stream: TcpStream,
    asked: Arc<Mutex<Vec<String>>>,
    received: Arc<Mutex<Vec<u8>>>,
    /// An answer that waits for another.
    held: Vec<u8>,
}

const CHALLENGE: &str = "318472190";

impl Session {
    fn run(mut self) {
        match self.script.greeting.clone() {
            Greeting::Bytes(bytes) => {
                self.send(bytes);
                return self.wait_for_the_end();
            }
            Greeting::BytesThenClose(bytes) => return self.send(bytes),
            _ => self.send(b"Asterisk Call Manager/5.0.4\r\n"),
        }
        let mut text = String::new();
        let mut chunk = [0; 4096];
        while let Ok(count @ 1..) = self.stream.read(&mut chunk) {
            self.received.lock().unwrap().extend_from_slice(&chunk[..count]);
            text.push_str(&String::from_utf8_lossy(&chunk[..count]));
            while let Some((request, rest)) = text.split_once("\r\n\r\n") {
                let (request, rest) = (request.to_owned(), rest.to_owned());
                text = rest;
                if !self.answer(&request) {
                    return;
                }
            }
        }
    }

    /// Answers one action; false when the connection is over.
    fn answer(&mut self, request: &str) -> bool {
        let header = |key: &str| {
            request
                .lines()
                .filter_map(|line| line.split_once(':'))
                .find(|(name, _)| name.eq_ignore_ascii_case(key))
                .map(|(_, value)| value.trim().to_owned())
        };
        let action = header("Action").unwrap_or_default();
        let id = header("ActionID").unwrap_or_default();
        self.asked.lock().unwrap().push(action.clone());
        match (action.as_str(), &self.script.greeting) {
            ("Challenge" | "Login", Greeting::SilentLogin) => true,
            ("Challenge", Greeting::NoChallenge) => {
                self.respond("Error", &id, "Message: Invalid/unknown command: Challenge.\r\n")
            }
            ("Challenge", _) => {
                self.respond("Success", &id, &format!("Challenge: {CHALLENGE}\r\n"))
            }
            ("Login", Greeting::RefusesLogin(message, after)) => {
                thread::sleep(*after);
                let message = format!("Message: {message}\r\n");
                self.respond("Error", &id, &message);
                false
            }
            ("Login", greeting) => {
                if let Greeting::SlowLogin(pause) = greeting {
                    thread::sleep(*pause);
                }
                let expected = md5(&format!("{CHALLENGE}{}", self.script.password));
                let right = match header("Key") {
                    Some(key) => key == expected,
                    None => header("Secret").as_deref() == Some(&self.script.password),
                };
                let (response, message) = match right {
                    true => ("Success", "Message: Authentication accepted\r\n"),
                    false => ("Error", "Message: Authentication failed\r\n"),
                };
                self.respond(response, &id, message) && right
            }
            ("Logoff", _) => {
                self.respond("Goodbye", &id, "Message: Thanks for all the fish.\r\n");
                false
            }
            _ => {
                let key = match header("Key").or(header("Conference")).or(header("Endpoint")) {
                    Some(argument) => format!("{action}-{argument}"),
                    None => action.clone(),
                };
                let held = std::mem::take(&mut self.held);
                let goes_on = self.reply(&action, &key, &id, header("Family").as_deref());
                self.send(&held);
                goes_on
            }
        }
    }

    fn reply(&mut self, action: &str, key: &str, id: &str, family: Option<&str>) -> bool {
        let replies = &self.script.replies;
        let reply = replies.get(&key.to_lowercase()).or(replies.get(&action.to_lowercase()));
        let reply = reply.cloned().unwrap_or(Reply::Recorded);
        let unknown = format!(
            "Message: Invalid/unknown command: {action}. Use Action: ListCommands to show \
             available commands.\r\n"
        );
        let recorded = self.recorded(action, key, id, family);
        let whole = recorded.clone().unwrap_or_default();
        let half = &whole[..whole.len() / 2];
        match reply {
            Reply::Denied => return self.respond("Error", id, "Message: Permission denied\r\n"),
            Reply::Unknown => return self.respond("Error", id, &unknown),
            Reply::Error(message) => {
                return self.respond("Error", id, &format!("Message: {message}\r\n"));
            }
            Reply::UnknownAtFirst if self.script.rounds.fetch_add(1, Ordering::SeqCst) == 0 => {
                return self.respond("Error", id, &unknown);
            }
            Reply::Recorded | Reply::UnknownAtFirst => match recorded {
                Some(bytes) => self.send(&bytes),
                None => return self.respond("Error", id, &unknown),
            },
            Reply::Bytes(bytes) => self.send(&replace(&bytes, b"{id}", id.as_bytes())),
            Reply::HalfThenSilence => {
                self.send(half);
                self.wait_for_the_end();
                return false;
            }
            Reply::HalfThenClose => {
                self.send(half);
                return false;
            }
            Reply::HalfThenReset => {
                self.send(half);
                // Closing with unread input makes the system send a reset.
                thread::sleep(Duration::from_millis(20));
                let _ = self.stream.shutdown(Shutdown::Read);
                return false;
            }
            Reply::Close => return false,
            Reply::Silence => {
                self.wait_for_the_end();
                return false;
            }
            Reply::Slow { piece, pause } => {
                for part in whole.chunks(piece) {
                    self.send(part);
                    thread::sleep(pause);
                }
            }
            Reply::After(bytes) => {
                self.send(&replace(&bytes, b"{id}", id.as_bytes()));
                self.send(&whole);
            }
            Reply::Flood(flood) => return self.flood(&flood, id),
            Reply::Twice => self.send(&whole.repeat(2)),
            Reply::AfterTheNext => self.held = whole,
            Reply::UnderAnotherId => self.send(&replace(&whole, id.as_bytes(), b"other-7")),
            Reply::Torn => {
                let line = half.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
                let next = whole[line..].iter().position(|byte| *byte == b'\r').unwrap_or(0);
                self.send(&[&whole[..line + 2], &whole[line + next..]].concat());
            }
            Reply::Restart(pause) => {
                if self.script.rounds.fetch_add(1, Ordering::SeqCst) == 0 {
                    let pause = u32::try_from(pause.as_millis()).unwrap();
                    self.script.away.store(pause, Ordering::SeqCst);
                    thread::sleep(Duration::from_millis(20));
                    return false;
                }
                self.send(&whole);
            }
            Reply::Endless(bytes) => {
                let text = String::from_utf8_lossy(&bytes).replace("{id}", id).repeat(200);
                while self.stream.write_all(text.as_bytes()).is_ok() {}
                return false;
            }
        }
        true
    }

    /// The recorded answer under the new ActionID.
    fn recorded(&self, action: &str, key: &str, id: &str, family: Option<&str>) -> Option<Vec<u8>> {
        if action == "Getvar" {
            let answer = format!(
                "Response: Success\r\nActionID: {id}\r\nVariable: STRFTIME(,,%z)\r\n\
                 Value: +0000\r\n\r\n"
            );
            return Some(answer.into_bytes());
        }
        // Recorded for one object only; the others exist, and there is nothing to tell of them.
        let only = match action {
            "PJSIPShowEndpoint" => Some(("Endpoint: ", "EndpointDetailComplete")),
            "ConfbridgeList" => Some(("Conference: ", "ConfbridgeListComplete")),
            _ => None,
        };
        if let Some((argument, complete)) = only {
            let recorded = std::fs::read(self.script.folder.join(format!("{action}.req"))).ok()?;
            let asked = format!("{argument}{}\r\n", key.split_once('-').map_or("", |(_, a)| a));
            if !String::from_utf8_lossy(&recorded).contains(&asked) {
                let answer = format!(
                    "Response: Success\r\nActionID: {id}\r\nEventList: start\r\n\r\n\
                     Event: {complete}\r\nActionID: {id}\r\nEventList: Complete\r\n\
                     ListItems: 0\r\n\r\n"
                );
                return Some(answer.into_bytes());
            }
        }
        let name = if action == "DBGetTree" { "DBGetTree-all" } else { action };
        let bytes = std::fs::read(self.script.folder.join(format!("{name}.ami"))).ok()?;
        let old = format!("ActionID: {}-1\r\n", name.to_lowercase());
        let text = replace(&bytes, old.as_bytes(), format!("ActionID: {id}\r\n").as_bytes());
        if action != "DBGetTree" {
            return Some(text);
        }
        // The recording holds the whole database; a real server sends only the family.
        let text = String::from_utf8(text).ok()?;
        let tail = key.rsplit('%').next().filter(|_| key.contains('%')).unwrap_or_default();
        let belongs = |block: &&str| {
            let path = block.lines().find_map(|line| line.strip_prefix("Key: "));
            path.is_none_or(|path| {
                path.starts_with(&format!("/{}/", family.unwrap_or_default()))
                    && path.ends_with(tail)
            })
        };
        let blocks = text.split_inclusive("\r\n\r\n").filter(belongs);
        Some(blocks.collect::<String>().into_bytes())
    }

    fn respond(&mut self, response: &str, id: &str, rest: &str) -> bool {
        self.send(format!("Response: {response}\r\nActionID: {id}\r\n{rest}\r\n").as_bytes());
        true
    }

    fn flood(&mut self, flood: &Flood, id: &str) -> bool {
        let fill = |text: &str, n: u64| text.replace("{id}", id).replace("{n}", &n.to_string());
        let mut buffer = fill(flood.before, 0);
        for n in 0..flood.times {
            match flood.unit.contains('{') {
                true => buffer.push_str(&fill(flood.unit, n)),
                false => buffer.push_str(flood.unit),
            }
            if buffer.len() > 256 << 10 {
                if self.stream.write_all(buffer.as_bytes()).is_err() {
                    return false;
                }
                buffer.clear();
            }
        }
        buffer.push_str(&fill(flood.after, flood.times));
        self.send(buffer.as_bytes());
        true
    }

    /// A client that has gone away is no failure of the server.
    fn send(&mut self, bytes: &[u8]) {
        if let Greeting::Trickle(piece, pause) = self.script.greeting {
            for part in bytes.chunks(piece) {
                if self.stream.write_all(part).is_err() {
                    return;
                }
                thread::sleep(pause);
            }
            return;
        }
        let _ = self.stream.write_all(bytes);
    }

    fn wait_for_the_end(&mut self) {
        let mut chunk = [0; 4096];
        while let Ok(1..) = self.stream.read(&mut chunk) {}
    }
}

fn replace(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some(at) = rest.windows(from.len()).position(|window| window == from) {
        out.extend_from_slice(&rest[..at]);
        out.extend_from_slice(to);
        rest = &rest[at + from.len()..];
    }
    out.extend_from_slice(rest);
    out
}

fn md5(text: &str) -> String {
    use md5::{Digest, Md5};
    Md5::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}
