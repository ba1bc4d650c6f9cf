//! The connection: connect, log in, ask everything at once, read until all is answered.

use std::{
    io,
    net::SocketAddr,
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, ReadHalf, WriteHalf},
    time::{timeout, timeout_at},
};

use super::{
    Action, ActionError, Answer, Block, Credentials, Decoder, Error, Exchange, Limits, Link,
    LoginMethod, Tls,
    connect::{self, Stream},
    exchange::SessionResponse,
    outgoing::Outgoing,
    tap::Listener,
    tap::Tap,
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
    /// None over TLS, where a read does not tell whether more is there.
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

/// A connection to an Asterisk Manager Interface.
pub struct Client {
    reader: ReadHalf<Box<dyn Stream>>,
    writer: WriteHalf<Box<dyn Stream>>,
    decoder: Decoder,
    exchange: Exchange,
    out: Outgoing,
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
        let (stream, link) = connect::open(host, port, &options).await?;
        Self::begin(stream, link, options).await
    }

    async fn begin(stream: Box<dyn Stream>, link: Link, options: Options) -> Result<Self, Error> {
        let address = link.address;
        let (reader, writer) = tokio::io::split(stream);
        let tap = options.tap.clone();
        let listener = tap.map(|tap| Listener::new(tap, &link, &options.limits));
        let mut client = Self {
            reader,
            writer,
            decoder: Decoder::new(options.limits),
            exchange: Exchange::new(&action_id_prefix(), options.limits),
            out: Outgoing::new(link.secured.is_some()),
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
        let challenge = match credentials.method() {
            LoginMethod::Plain => None,
            LoginMethod::Challenge => match self.challenge().await? {
                None if self.link.secured.is_none() && !self.link.is_local() => {
                    return Err(Error::NoChallenge { address: self.link.address });
                }
                challenge => challenge,
            },
        };
        let username = credentials.username();
        let mut headers = vec![("Action", "Login"), ("Username", username), ("Events", "off")];
        let key = challenge.map(|challenge| credentials.password().answer(&challenge));
        match &key {
            Some(key) => headers.extend([("AuthType", "MD5"), ("Key", key.as_str())]),
            None => headers.push(("Secret", credentials.password().expose())),
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
            let tapped = self.listener.is_some().then(|| action.clone());
            let bytes = self.out.append(|out| self.exchange.ask(action, out));
            if let Some(listener) = &mut self.listener {
                listener.asked(tapped.as_ref(), bytes);
            }
        }
    }

    fn ask_session(&mut self, headers: &[(&str, &str)]) {
        let bytes = self.out.append(|out| self.exchange.ask_session(headers, out));
        if let Some(listener) = &mut self.listener {
            listener.asked(None, bytes);
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

    /// Says goodbye, where that was not done yet, and does not wait for the answer: all else has been
    /// answered, and a round trip can be long. Over TLS it waits, because Asterisk logs an error where
    /// the other end has gone before it closes (seen on 16 and 22).
    pub async fn leave(mut self) {
        if self.link.secured.is_some() {
            return self.logoff().await;
        }
        self.say_goodbye();
        let goodbye = async {
            while !self.out.is_done() {
                let count = self.out.write(&mut self.writer).await?;
                if let Some(listener) = &mut self.listener {
                    listener.written(count);
                }
            }
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
        if self.is_drained && self.out.is_done() {
            let received = u32::try_from(self.received).unwrap_or(u32::MAX);
            std::thread::sleep(self.options.gather.min(PAUSE.saturating_mul(received)));
        }
        let closed = |reason: String| Error::Closed { reason };
        loop {
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
                    // Over TLS a read brings a few records, however many are there.
                    self.is_drained = count < ROOM
                        && self.link.secured.is_none()
                        && self.exchange.current().is_some();
                    if let Some(listener) = &mut self.listener {
                        let pending = self.decoder.pending();
                        listener.received(pending.get(pending.len() - count..).unwrap_or_default());
                    }
                    if self.received > self.options.limits.run {
                        return Err(Error::TooMuch { limit: self.options.limits.run });
                    }
                    return Ok(());
                }
                written = self.out.write(&mut self.writer), if !self.out.is_done() => {
                    let count = written.map_err(|e| closed(e.to_string()))?;
                    if let Some(listener) = &mut self.listener {
                        listener.written(count);
                    }
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
    use crate::ami::Password;

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
}
