//! The connection: connect, log in, ask everything at once, read until all is answered.

use std::{
    collections::VecDeque,
    io,
    net::SocketAddr,
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf},
    net::TcpStream,
    task::JoinSet,
    time::{sleep, timeout, timeout_at},
};

use zeroize::{Zeroize as _, Zeroizing};

use super::{
    Action, ActionError, Answer, Block, Decoder, Error, Exchange, Limits, Password, Secured, Tls,
    TlsFailure, exchange::SessionResponse, tap::Listener, tap::Tap, tls,
};

/// How to connect, how long to wait for what, and how much to accept.
///
/// Written as `Options { tls, ..Options::default() }`, since there may be more of them one day.
#[derive(Debug, Clone)]
pub struct Options {
    /// TLS; `None` for plain TCP.
    pub tls: Option<Tls>,
    /// Time to connect, all addresses of the host and TLS together, and again to receive the
    /// banner.
    pub connect_timeout: Duration,
    /// Time for the answer to the login. Asterisk itself waits a second before it refuses one.
    pub login_timeout: Duration,
    /// Time for one action, from when the server can begin with it to its last byte.
    pub action_timeout: Duration,
    /// How much to accept.
    pub limits: Limits,
    /// Asks for a login challenge as soon as there is a connection and not only after the banner,
    /// which saves a round trip. For those who will log in by challenge.
    pub early_challenge: bool,
    /// Longest pause between two reads of a long answer. Asterisk writes each row by itself: a
    /// reader that is woken for each takes the processor that Asterisk needs. The pause grows with
    /// what has come, so that a small server's answers do not wait; it stops the thread, because a
    /// timer of milliseconds would be felt. Keep it far below Asterisk's `writetimeout` (100 ms).
    pub gather: Duration,
    /// Who looks on at what is sent and received.
    pub tap: Option<Tap>,
}

impl Default for Options {
    /// Plain TCP, 5 s to connect, 10 s to log in, 30 s an action, a millisecond to gather.
    fn default() -> Self {
        Self {
            tls: None,
            connect_timeout: Duration::from_secs(5),
            login_timeout: Duration::from_secs(10),
            action_timeout: Duration::from_secs(30),
            limits: Limits::default(),
            early_challenge: false,
            gather: Duration::from_millis(1),
            tap: None,
        }
    }
}

/// How the password is proved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LoginMethod {
    /// By answering an MD5 challenge, so that the password does not cross the wire. A server that
    /// knows no challenge gets it in plain text only over TLS or on loopback: anywhere else somebody
    /// between could ask for it by pretending to know none.
    #[default]
    Challenge,
    /// In plain text, whoever may listen.
    Plain,
}

/// Who logs in.
#[derive(Debug, Clone)]
pub struct Credentials {
    username: String,
    password: Password,
    method: LoginMethod,
}

impl Credentials {
    /// A user of manager.conf with its password, to be proved by challenge.
    #[must_use]
    pub fn new(username: impl Into<String>, password: Password) -> Self {
        Self { username: username.into(), password, method: LoginMethod::default() }
    }

    /// Proves the password in another way.
    #[must_use]
    pub fn with_method(self, method: LoginMethod) -> Self {
        Self { method, ..self }
    }

    /// The name that logs in.
    #[must_use]
    pub fn username(&self) -> &str {
        &self.username
    }

    /// How the password is proved.
    #[must_use]
    pub fn method(&self) -> LoginMethod {
        self.method
    }

    /// Refuses what could begin another header or action.
    fn check(&self) -> Result<(), Error> {
        let unfit = |text: &str| text.contains(['\r', '\n', '\0']) || text.len() > 900;
        if unfit(&self.username) {
            return Err(Error::Credentials { what: "user name" });
        }
        if unfit(self.password.expose()) {
            return Err(Error::Credentials { what: "password" });
        }
        Ok(())
    }
}

/// An action that was answered, or that has no answer, and how long the server took.
#[derive(Debug)]
#[non_exhaustive]
pub struct TimedAnswer {
    /// What was asked.
    pub action: Action,
    /// Its whole answer, or why there is none.
    pub result: Result<Answer, ActionError>,
    /// Time from when the server could begin with it to the last byte of its answer.
    pub elapsed: Duration,
}

/// What a connection is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Link {
    /// The address that answered.
    pub address: SocketAddr,
    /// Time until it did, with the look-up of the name and TLS.
    pub connected_after: Duration,
    /// TLS; `None` for plain TCP.
    pub secured: Option<Secured>,
}

impl std::fmt::Display for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let tls = if self.secured.is_some() { " (TLS)" } else { "" };
        write!(f, "{}{tls}", self.address)
    }
}

impl Link {
    /// Whether the PBX is this machine, so that nothing crosses a network.
    #[must_use]
    pub fn is_local(&self) -> bool {
        self.address.ip().to_canonical().is_loopback()
    }
}

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// A connection to an Asterisk Manager Interface.
pub struct Client {
    reader: ReadHalf<Box<dyn Stream>>,
    writer: WriteHalf<Box<dyn Stream>>,
    decoder: Decoder,
    exchange: Exchange,
    /// Bytes that have not been written yet, and where each action among them ends. What has been
    /// written is overwritten at once: it may be the login with a password. Beyond this program's
    /// reach are the copies that the TLS library and the system's socket buffer make of it.
    out: Zeroizing<Vec<u8>>,
    ends: VecDeque<usize>,
    /// Written, but perhaps still in a buffer of the TLS layer.
    unflushed: bool,
    link: Link,
    banner: String,
    options: Options,
    received: usize,
    /// The last read took all that was there, so that the next had better wait for more.
    is_drained: bool,
    challenged: bool,
    said_goodbye: bool,
    /// When the server could begin with the action that it is working on.
    turn: Instant,
    /// How much had been received by then.
    received_at_turn: usize,
    listener: Option<Box<Listener>>,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").field("link", &self.link).finish_non_exhaustive()
    }
}

impl Client {
    /// Connects and reads the banner. All addresses of a host name are tried, a further one every
    /// quarter of a second, and the first that answers wins.
    ///
    /// # Errors
    ///
    /// [`Error::Resolve`], [`Error::Connect`], [`Error::ConnectTimeout`] when there is no
    /// connection; [`Error::Tls`], [`Error::TlsTimeout`], [`Error::TlsSetup`] when it cannot be
    /// secured; [`Error::BannerTimeout`], [`Error::ClosedBeforeBanner`], [`Error::NotAmi`] when
    /// what answers is not AMI.
    pub async fn connect(host: &str, port: u16, options: Options) -> Result<Self, Error> {
        let begun = Instant::now();
        let deadline = tokio::time::Instant::from_std(begun) + options.connect_timeout;
        let late = |address: &dyn std::fmt::Display| Error::ConnectTimeout {
            address: address.to_string(),
            after: options.connect_timeout,
        };
        let addresses = timeout_at(deadline, tokio::net::lookup_host((host, port)))
            .await
            .map_err(|_| Error::ResolveTimeout {
                host: host.to_owned(),
                after: options.connect_timeout,
            })?
            .map(Iterator::collect::<Vec<_>>)
            .and_then(|found| match found.is_empty() {
                true => Err(io::Error::other("no address")),
                false => Ok(found),
            })
            .map_err(|source| Error::Resolve { host: host.to_owned(), source })?;
        let (stream, address) = timeout_at(deadline, first_to_connect(&addresses))
            .await
            .map_err(|_| late(&format_args!("{host}:{port}")))??;
        // Small requests must not wait for the acknowledgement of earlier ones.
        stream.set_nodelay(true).map_err(|source| Error::Connect { address, source })?;
        let (stream, secured): (Box<dyn Stream>, _) = match &options.tls {
            None => (Box::new(stream), None),
            Some(tls) => {
                let after = options.connect_timeout;
                let (stream, secured) = timeout_at(deadline, handshake(stream, host, address, tls))
                    .await
                    .map_err(|_| Error::TlsTimeout { address, after })??;
                (stream, Some(secured))
            }
        };
        let link = Link { address, connected_after: begun.elapsed(), secured };
        Self::begin(stream, link, options).await
    }

    async fn begin(stream: Box<dyn Stream>, link: Link, options: Options) -> Result<Self, Error> {
        /// Holds the login and a first set of actions, so that it does not move while a password is
        /// in it, which would leave a copy behind.
        const ROOM: usize = 32 << 10;
        let address = link.address;
        let (reader, writer) = tokio::io::split(stream);
        let tap = options.tap.clone();
        let listener = tap.map(|tap| Listener::new(tap, &link, &options.limits));
        let mut client = Self {
            reader,
            writer,
            decoder: Decoder::new(options.limits),
            exchange: Exchange::new(&action_id_prefix(), options.limits),
            out: Zeroizing::new(Vec::with_capacity(ROOM)),
            ends: VecDeque::new(),
            unflushed: false,
            link,
            banner: String::new(),
            options,
            received: 0,
            is_drained: false,
            challenged: false,
            said_goodbye: false,
            turn: Instant::now(),
            received_at_turn: 0,
            listener,
        };
        if client.options.early_challenge {
            client.ask_challenge();
        }
        let after = client.options.connect_timeout;
        client.banner = timeout(after, client.read_banner())
            .await
            .map_err(|_| Error::BannerTimeout { address, after })??;
        Ok(client)
    }

    async fn read_banner(&mut self) -> Result<String, Error> {
        const LONGEST: usize = 128;
        let address = self.link.address;
        loop {
            let whole = self.decoder.banner();
            let begun = match &whole {
                Some(line) => line.as_bytes(),
                None => self.decoder.pending(),
            };
            // Told apart at the first byte that differs: an HTTP or SSH server need not end its
            // first line, and must not cost the whole time limit.
            let expected = b"Asterisk Call Manager/";
            let compared = begun.len().min(expected.len());
            let fits = begun.get(..compared) == expected.get(..compared)
                && begun.len() <= LONGEST
                && (whole.is_none() || compared == expected.len());
            if !fits {
                return Err(Error::NotAmi { address, found: printable(begun) });
            }
            if let Some(line) = whole {
                return Ok(line);
            }
            match self.receive().await {
                Ok(()) => {}
                Err(Error::Closed { .. }) if self.decoder.pending().is_empty() => {
                    return Err(Error::ClosedBeforeBanner { address });
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// The address that answered.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.link.address
    }

    /// The address that answered, after how long, and how the connection is secured.
    #[must_use]
    pub fn link(&self) -> &Link {
        &self.link
    }

    /// The server's first line, such as `Asterisk Call Manager/5.0.4`.
    #[must_use]
    pub fn banner(&self) -> &str {
        &self.banner
    }

    /// The version in the banner, such as `5.0.4`.
    #[must_use]
    pub fn ami_version(&self) -> Option<&str> {
        self.banner.rsplit_once('/').map(|(_, version)| version)
    }

    /// Bytes received so far.
    #[must_use]
    pub fn received(&self) -> usize {
        self.received
    }

    /// Logs in, with events off, and asks `actions` in the same write: the server runs them as
    /// soon as the login has succeeded, and never where it has not.
    ///
    /// # Errors
    ///
    /// [`Error::Login`] when the server refuses (after a second, and then it closes);
    /// [`Error::NoChallenge`] when the password would have to cross a network in plain text
    /// although nobody said so; [`Error::LoginTimeout`], [`Error::Closed`], [`Error::TooMuch`].
    pub async fn login(
        &mut self,
        credentials: &Credentials,
        actions: impl IntoIterator<Item = Action>,
    ) -> Result<(), Error> {
        credentials.check()?;
        let after = self.options.login_timeout;
        timeout(after, self.log_in(credentials, actions))
            .await
            .map_err(|_| Error::LoginTimeout { after })?
    }

    async fn log_in(
        &mut self,
        credentials: &Credentials,
        actions: impl IntoIterator<Item = Action>,
    ) -> Result<(), Error> {
        let challenge = match credentials.method {
            LoginMethod::Plain => None,
            LoginMethod::Challenge => match self.challenge().await? {
                None if self.link.secured.is_none() && !self.link.is_local() => {
                    return Err(Error::NoChallenge { address: self.link.address });
                }
                challenge => challenge,
            },
        };
        let username = credentials.username.as_str();
        let mut headers = vec![("Action", "Login"), ("Username", username), ("Events", "off")];
        let key = challenge.map(|challenge| credentials.password.answer(&challenge));
        match &key {
            Some(key) => headers.extend([("AuthType", "MD5"), ("Key", key.as_str())]),
            None => headers.push(("Secret", credentials.password.expose())),
        }
        self.ask_session(&headers);
        self.ask(actions);
        let response = self.session_response().await?;
        if !response.success {
            let message = response.message;
            return Err(Error::Login { username: username.to_owned(), message });
        }
        self.turn = Instant::now();
        Ok(())
    }

    /// Asks for a challenge; `None` from a server that knows none.
    async fn challenge(&mut self) -> Result<Option<String>, Error> {
        if !self.challenged {
            self.ask_challenge();
        }
        let response = self.session_response().await?;
        Ok(response.challenge.filter(|_| response.success))
    }

    fn ask_challenge(&mut self) {
        self.challenged = true;
        self.ask_session(&[("Action", "Challenge"), ("AuthType", "MD5")]);
    }

    async fn session_response(&mut self) -> Result<SessionResponse, Error> {
        loop {
            // First, because it may have come together with the banner.
            self.decode();
            if let Some(response) = self.exchange.take_session() {
                return Ok(response);
            }
            self.receive().await?;
        }
    }

    /// Asks further actions. They go out with the next call of [`Client::next_finished`].
    pub fn ask(&mut self, actions: impl IntoIterator<Item = Action>) {
        if self.exchange.current().is_none() {
            self.turn = Instant::now();
        }
        for action in actions {
            let from = self.out.len();
            let tapped = self.listener.is_some().then(|| action.clone());
            self.exchange.ask(action, &mut self.out);
            self.queued(from, tapped.as_ref());
        }
    }

    fn ask_session(&mut self, headers: &[(&str, &str)]) {
        let from = self.out.len();
        self.exchange.ask_session(headers, &mut self.out);
        self.queued(from, None);
    }

    /// A request waits to be written, from there to the end.
    fn queued(&mut self, from: usize, action: Option<&Action>) {
        self.ends.push_back(self.out.len());
        if let Some(listener) = &mut self.listener {
            listener.asked(action, self.out.get(from..).unwrap_or_default());
        }
    }

    /// Waits for the next action to be answered; `None` when all are.
    ///
    /// # Errors
    ///
    /// [`Error::Closed`] and [`Error::TooMuch`]: the connection is of no more use, and
    /// [`Client::abandon`] tells what is outstanding. An action that takes too long comes as
    /// [`ActionError::Timeout`], one whose answer does not end as [`ActionError::TooLarge`]; nothing
    /// more can be read from the connection then, because the rest of its answer would stand before
    /// all others.
    pub async fn next_finished(&mut self) -> Result<Option<TimedAnswer>, Error> {
        loop {
            if let Some(finished) = self.exchange.take_finished() {
                let now = Instant::now();
                let elapsed = now - self.turn;
                self.turn = now;
                self.received_at_turn = self.received;
                let (action, result) = (finished.action, finished.result);
                return Ok(Some(TimedAnswer { action, result, elapsed }));
            }
            let Some(current) = self.exchange.current().cloned() else {
                return Ok(None);
            };
            let limit = self.options.limits.list;
            if self.received - self.received_at_turn > limit {
                let action = current.kind();
                return Ok(Some(TimedAnswer {
                    action: current,
                    result: Err(ActionError::TooLarge { action, limit }),
                    elapsed: self.turn.elapsed(),
                }));
            }
            let after = self.options.action_timeout;
            let deadline = tokio::time::Instant::from_std(self.turn + after);
            let received = match tokio::time::Instant::now() < deadline {
                true => timeout_at(deadline, self.receive()).await.ok(),
                // A server that never stops sending never lets a time limit alone get its turn.
                false => None,
            };
            let Some(received) = received else {
                let action = current.kind();
                let rows = self.exchange.current_rows();
                return Ok(Some(TimedAnswer {
                    action: current,
                    result: Err(ActionError::Timeout { action, rows, after }),
                    elapsed: self.turn.elapsed(),
                }));
            };
            received?;
            self.decode();
        }
    }

    /// Gives the connection up: the actions without a whole answer, the one that the server was
    /// working on first, each with the number of its rows that had come.
    #[must_use]
    pub fn abandon(mut self) -> Vec<(Action, u64)> {
        self.exchange.abandon()
    }

    /// Closes a connection that has not logged in. Nothing is said but that this is the end.
    pub async fn close(mut self) {
        // Over TLS that is a message, and the other end need not read it.
        let _ = timeout(Duration::from_secs(1), self.writer.shutdown()).await;
    }

    /// Says goodbye behind everything that was asked, so that no round trip of its own is needed.
    /// Nothing can be asked after it.
    pub fn say_goodbye(&mut self) {
        if !self.said_goodbye {
            self.said_goodbye = true;
            self.ask_session(&[("Action", "Logoff")]);
        }
    }

    /// Says goodbye, where that was not done yet, and waits, briefly, for the server to close.
    pub async fn logoff(mut self) {
        self.say_goodbye();
        // Whatever happens now, all answers are in.
        let goodbye = async {
            let _ = self.session_response().await;
            // Over TLS the server waits for the client's word that this is the end, too.
            self.writer.shutdown().await
        };
        let _ = timeout(Duration::from_secs(1), goodbye).await;
    }

    /// Receives some bytes while writing what is left to write, so that neither side ever waits
    /// for the other with full buffers.
    async fn receive(&mut self) -> Result<(), Error> {
        let received = self.receive_some().await;
        if let (Some(listener), Err(error)) = (&mut self.listener, &received) {
            listener.failed(error);
        }
        received
    }

    async fn receive_some(&mut self) -> Result<(), Error> {
        const ROOM: usize = 64 << 10;
        /// Of pause for each byte received: half a megabyte is worth a millisecond.
        const PAUSE: Duration = Duration::from_nanos(2);
        if self.is_drained && self.out.is_empty() && !self.unflushed {
            let received = u32::try_from(self.received).unwrap_or(u32::MAX);
            std::thread::sleep(self.options.gather.min(PAUSE.saturating_mul(received)));
        }
        let closed = |reason: String| Error::Closed { reason };
        loop {
            let piece = match (&self.link.secured, self.ends.front()) {
                (Some(_), Some(end)) => record(&self.out, *end),
                _ => &self.out,
            };
            let space = self.decoder.space(ROOM);
            tokio::select! {
                biased;
                read = self.reader.read_buf(space) => {
                    let count = match read {
                        // TLS that ends without a word of farewell; blocks tell what is whole.
                        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => 0,
                        Err(error) if error.kind() == io::ErrorKind::ConnectionReset => {
                            return Err(closed(format!("the server closed it: {error}")));
                        }
                        read => read.map_err(|e| closed(e.to_string()))?,
                    };
                    if count == 0 {
                        let torn = match self.decoder.is_between_blocks() {
                            true => "the server closed it",
                            false => "the server closed it in the middle of a message",
                        };
                        return Err(closed(torn.to_owned()));
                    }
                    self.received += count;
                    self.is_drained = count < ROOM && self.exchange.current().is_some();
                    if let Some(listener) = &mut self.listener {
                        let pending = self.decoder.pending();
                        listener.received(pending.get(pending.len() - count..).unwrap_or_default());
                    }
                    if self.received > self.options.limits.run {
                        return Err(Error::TooMuch { limit: self.options.limits.run });
                    }
                    return Ok(());
                }
                written = write_or_flush(&mut self.writer, piece), if !piece.is_empty() || self.unflushed => {
                    let count = written.map_err(|e| closed(e.to_string()))?;
                    self.unflushed = count > 0;
                    if let Some(listener) = &mut self.listener {
                        listener.written(count);
                    }
                    discard(&mut self.out, count);
                    self.ends = self.ends.iter().filter_map(|end| end.checked_sub(count)).collect();
                    self.ends.retain(|end| *end > 0);
                }
            }
        }
    }

    fn decode(&mut self) {
        while let Some(block) = self.decoder.next_block() {
            match block {
                Block::Text(text) => self.exchange.accept(&text),
                Block::Oversized => self.exchange.accept_oversized(),
            }
        }
    }
}

/// What goes into one TLS record: an action.
///
/// Asterisk reads at most 1,024 bytes of a TLS record and then waits for more to come on the
/// socket, while the rest lies in its TLS library (seen on 16 and 22). An action that is longer than
/// that, such as a login with very long names, goes out in several records that end with a line.
fn record(out: &[u8], end: usize) -> &[u8] {
    const LONGEST: usize = 1_024;
    let action = out.get(..end).unwrap_or(out);
    let Some(first) = action.get(..LONGEST + 1) else {
        return action;
    };
    let lines = first.get(..LONGEST).and_then(|bytes| memchr::memrchr(b'\n', bytes));
    // A line is shorter than that, or Asterisk would refuse it anyway.
    action.get(..lines.map_or(LONGEST, |at| at + 1)).unwrap_or(action)
}

/// Takes bytes off the front and leaves nothing of them in memory.
fn discard(out: &mut Vec<u8>, count: usize) {
    let count = count.min(out.len());
    let left = out.len() - count;
    out.copy_within(count.., 0);
    if let Some(written) = out.get_mut(left..) {
        written.zeroize();
    }
    out.truncate(left);
}

/// Writes some bytes, or flushes where there are none.
async fn write_or_flush(
    writer: &mut WriteHalf<Box<dyn Stream>>,
    bytes: &[u8],
) -> io::Result<usize> {
    if bytes.is_empty() { writer.flush().await.map(|()| 0) } else { writer.write(bytes).await }
}

/// Secures a connection.
async fn handshake(
    stream: TcpStream,
    host: &str,
    address: SocketAddr,
    tls: &Tls,
) -> Result<(Box<dyn Stream>, Secured), Error> {
    let name = tls.server_name(host)?;
    let (connector, shown) = tls.connector();
    let failed = |reason| Error::Tls { address, reason, fingerprint: shown.fingerprint() };
    let stream =
        connector.connect(name, stream).await.map_err(|error| failed(tls::failure(&error)))?;
    let version = match stream.get_ref().1.protocol_version() {
        Some(rustls::ProtocolVersion::TLSv1_3) => "TLS 1.3",
        _ => "TLS 1.2",
    };
    let none = || failed(TlsFailure::Other("it presented no certificate".to_owned()));
    let fingerprint = shown.fingerprint().ok_or_else(none)?;
    let certificate = shown.certificate().ok_or_else(none)?.to_vec();
    Ok((Box::new(stream), Secured { version, fingerprint, certificate }))
}

/// Connects to the first address that answers, beginning a further attempt every quarter of a
/// second, so that a dead address costs no more than that.
async fn first_to_connect(addresses: &[SocketAddr]) -> Result<(TcpStream, SocketAddr), Error> {
    const STAGGER: Duration = Duration::from_millis(250);
    let mut attempts = JoinSet::new();
    let mut left = addresses.iter().copied();
    let mut last = None;
    loop {
        if let Some(address) = left.next() {
            attempts.spawn(async move { (TcpStream::connect(address).await, address) });
        }
        let more = left.len() > 0;
        tokio::select! {
            ended = attempts.join_next() => match ended {
                Some(Ok((Ok(stream), address))) => return Ok((stream, address)),
                Some(Ok((Err(source), address))) => last = Some(Error::Connect { address, source }),
                Some(Err(_)) | None => {}
            },
            () = sleep(STAGGER), if more => {}
        }
        if attempts.is_empty() && !more {
            return Err(last.unwrap_or(Error::Resolve {
                host: String::new(),
                source: io::Error::other("no address"),
            }));
        }
    }
}

/// A few letters that make the ActionIDs of this connection its own.
fn action_id_prefix() -> String {
    use std::hash::{BuildHasher, Hasher, RandomState};
    let random = RandomState::new().build_hasher().finish();
    format!("fs{:04x}-", random & 0xffff)
}

/// The beginning of foreign bytes, fit for a message.
fn printable(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes)
        .chars()
        .take(60)
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect::<String>()
        .trim_end()
        .to_owned()
}

#[cfg(test)]
mod tests {
    use tokio::io::{DuplexStream, duplex};

    use super::*;

    const PASSWORD: &str = "unit-test-secret";

    /// A client of a server at that address, which says these things one after the other, each
    /// after it was told something; and all that it was told.
    async fn login(
        address: &str,
        method: LoginMethod,
        says: &[&str],
    ) -> (Result<(), Error>, String) {
        async fn server(mut stream: DuplexStream, says: Vec<String>) -> String {
            let mut told = Vec::new();
            stream.write_all(b"Asterisk Call Manager/5.0.4\r\n").await.unwrap();
            for answer in says {
                let mut chunk = [0; 4096];
                match stream.read(&mut chunk).await.unwrap() {
                    0 => break,
                    count => told.extend_from_slice(&chunk[..count]),
                }
                let text = String::from_utf8_lossy(&told).into_owned();
                let id = text.rsplit("ActionID: ").next().unwrap().lines().next().unwrap();
                stream.write_all(answer.replace("{id}", id).as_bytes()).await.unwrap();
            }
            let _ = stream.read_to_end(&mut told).await;
            String::from_utf8(told).unwrap()
        }
        let (near, far) = duplex(1 << 16);
        let says = says.iter().map(ToString::to_string).collect();
        let server = tokio::spawn(server(far, says));
        let address = address.parse().unwrap();
        let link = Link { address, connected_after: Duration::ZERO, secured: None };
        let mut client = Client::begin(Box::new(near), link, Options::default()).await.unwrap();
        let credentials = Credentials::new("snapshot", Password::new(PASSWORD.to_owned()));
        let result = client.login(&credentials.with_method(method), []).await;
        drop(client);
        (result, server.await.unwrap())
    }

    const NO_CHALLENGE: &str = "Response: Error\r\nActionID: {id}\r\nMessage: Invalid\r\n\r\n";
    const ACCEPTED: &str = "Response: Success\r\nActionID: {id}\r\nMessage: accepted\r\n\r\n";

    #[tokio::test]
    async fn nobody_on_the_network_can_ask_for_the_password_by_knowing_no_challenge() {
        let (result, told) =
            login("192.0.2.1:5038", LoginMethod::Challenge, &[NO_CHALLENGE, ACCEPTED]).await;
        assert!(matches!(result, Err(Error::NoChallenge { .. })), "{result:?}");
        assert!(told.contains("Challenge") && !told.contains(PASSWORD), "{told}");
    }

    #[tokio::test]
    async fn a_server_without_challenge_gets_it_on_loopback_and_where_the_user_says_so() {
        for (address, method, says) in [
            ("127.0.0.1:1", LoginMethod::Challenge, &[NO_CHALLENGE, ACCEPTED][..]),
            ("[::1]:1", LoginMethod::Challenge, &[NO_CHALLENGE, ACCEPTED]),
            ("[::ffff:127.0.0.1]:1", LoginMethod::Challenge, &[NO_CHALLENGE, ACCEPTED]),
            ("192.0.2.1:5038", LoginMethod::Plain, &[ACCEPTED]),
        ] {
            let (result, told) = login(address, method, says).await;
            assert!(result.is_ok(), "{address}: {result:?}");
            assert!(told.contains(PASSWORD), "{told}");
        }
    }

    #[test]
    fn a_record_is_one_action_and_no_longer_than_asterisk_reads_at_once() {
        let out = b"Action: Ping\r\n\r\nAction: QueueStatus\r\n\r\n";
        assert_eq!(record(out, 16), b"Action: Ping\r\n\r\n");
        let user = format!("Username: {}\r\n", "u".repeat(800));
        let secret = format!("Secret: {}\r\n\r\n", "s".repeat(900));
        let login = format!("{user}{secret}Action: Ping\r\n\r\n");
        let end = user.len() + secret.len();
        assert_eq!(record(login.as_bytes(), end), user.as_bytes());
        let rest = &login.as_bytes()[user.len()..];
        assert_eq!(record(rest, secret.len()), secret.as_bytes());
        let line = vec![b'x'; 3_000];
        assert_eq!(record(&line, 3_000).len(), 1_024);
    }

    #[test]
    fn what_was_written_is_overwritten() {
        let mut out = b"Secret: hunter2\r\n\r\nPing".to_vec();
        discard(&mut out, 19);
        assert_eq!(out, b"Ping");
        // The allocation still holds the bytes behind the end; none of them is the secret.
        out.resize(23, b'?');
        assert_eq!(out, b"Ping???????????????????");
        discard(&mut out, 100);
        assert!(out.is_empty());
    }
}
