//! What crosses the wire, for whoever wants to look on: a transcript, a recording.
//!
//! A [`Tap`] in [`Options`](super::Options) is told everything that the client sends and receives,
//! in order and byte for byte. It keeps its own view of the stream, so that a client without one
//! pays nothing and a client with one decodes as it always does.

use std::{
    collections::{HashMap, VecDeque},
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use super::{Action, Error, Limits, Link, Row, layout::inspect, secrets::marked};

/// Somebody who looks on while a [`Client`](super::Client) talks to a server.
///
/// One tap may look on at several connections, one after the other; each begins with
/// [`Traffic::Connected`].
///
/// ```
/// use freepbx_snapshot::ami::{Options, Tap, Traffic};
///
/// let tap = Tap::new(|heard| {
///     if let Traffic::Request(asked, bytes) = &heard.traffic {
///         eprintln!("+{:.3} {} is {} bytes", heard.at.as_secs_f64(), asked.name, bytes.len());
///     }
/// });
/// let options = Options { tap: Some(tap), ..Options::default() };
/// # let _ = options;
/// ```
#[derive(Clone)]
pub struct Tap {
    observer: Arc<Mutex<Observer>>,
    is_unfiltered: bool,
}

type Observer = dyn FnMut(&Heard<'_>) + Send;

impl fmt::Debug for Tap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tap").field("is_unfiltered", &self.is_unfiltered).finish_non_exhaustive()
    }
}

impl Tap {
    /// A tap that sees [`REDACTED`](super::REDACTED) in the place of every secret.
    #[must_use]
    pub fn new(observer: impl FnMut(&Heard<'_>) + Send + 'static) -> Self {
        Self { observer: Arc::new(Mutex::new(observer)), is_unfiltered: false }
    }

    /// A tap that sees the answers to read actions exactly as they came, **with the secrets that a
    /// PBX sends unasked**: passwords of trunks, digests, PINs. For a recorder that keeps the bytes
    /// in memory until it has replaced them.
    ///
    /// What concerns the login is filtered all the same: neither the account's password nor the
    /// challenge nor the answer to it is ever handed out.
    #[must_use]
    pub fn unfiltered(observer: impl FnMut(&Heard<'_>) + Send + 'static) -> Self {
        Self { is_unfiltered: true, ..Self::new(observer) }
    }

    fn tell(&self, at: Duration, traffic: Traffic<'_>) {
        // An observer that panicked once does not silence what is told to it later.
        let mut observer = self.observer.lock().unwrap_or_else(PoisonError::into_inner);
        observer(&Heard { at, traffic });
    }
}

/// One thing that a [`Tap`] is told.
#[derive(Debug)]
#[non_exhaustive]
pub struct Heard<'a> {
    /// Time since the client began to connect.
    pub at: Duration,
    /// What happened.
    pub traffic: Traffic<'a>,
}

/// What happened on a connection. All bytes are those of the wire, with their line ends, but for
/// secrets where the tap is filtered.
///
/// The bytes of [`Traffic::Banner`], [`Traffic::Block`], [`Traffic::BlankLine`] and
/// [`Traffic::Torn`], one after the other, are the stream that the server sent, unless it sent a
/// block beyond the limits.
#[derive(Debug)]
#[non_exhaustive]
pub enum Traffic<'a> {
    /// The connection is there, and secured where it is to be.
    Connected(&'a Link),
    /// The server's first line, or, where it sent no whole one, the beginning of it.
    Banner(&'a [u8]),
    /// The client has handed a request to the system to be sent: all its lines and the empty one
    /// after them. In a login, the values of `Key` and `Secret` are replaced.
    Request(Asked<'a>, &'a [u8]),
    /// A block came: all its lines and the empty one after them, and what it answers. `None` for
    /// an event that nobody asked for.
    Block(Option<Asked<'a>>, &'a [u8]),
    /// A further empty line came, which belongs to the answer before it (every error message of
    /// PJSIP ends with one).
    BlankLine(Option<Asked<'a>>, &'a [u8]),
    /// The connection ended within a block: its whole lines. The beginning of another line is left
    /// out.
    Torn(Option<Asked<'a>>, &'a [u8]),
    /// A block came that is larger than [`Limits::block`]: that many bytes of it are left out,
    /// here and up to its end.
    LeftOut(usize),
    /// The connection is over: by this failure, or because the client is done with it.
    Ended(Option<&'a Error>),
}

/// A request that a [`Tap`] was told of.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Asked<'a> {
    /// The action's name on the wire, such as `Login` or `QueueStatus`.
    pub name: &'a str,
    /// Its `ActionID`.
    pub id: &'a str,
    /// The read action; `None` for what concerns the session: `Challenge`, `Login`, `Logoff`.
    pub action: Option<&'a Action>,
}

/// A tap on one connection.
pub(super) struct Listener {
    tap: Tap,
    begun: Instant,
    requests: Vec<Request>,
    by_id: HashMap<String, usize>,
    /// The requests that have not been written whole: their lengths, and what of them is shown.
    unwritten: VecDeque<(usize, Vec<u8>)>,
    /// Bytes of the first of them that have been written.
    written: usize,
    received: Splitter,
    /// The request whose answer came last.
    current: Option<usize>,
    has_ended: bool,
}

struct Request {
    name: String,
    id: String,
    action: Option<Action>,
}

impl Listener {
    /// Begins to look on at a connection that has just been made.
    pub(super) fn new(tap: Tap, link: &Link, limits: &Limits) -> Box<Self> {
        let now = Instant::now();
        let begun = now.checked_sub(link.connected_after).unwrap_or(now);
        tap.tell(begun.elapsed(), Traffic::Connected(link));
        Box::new(Self {
            tap,
            begun,
            requests: Vec::new(),
            by_id: HashMap::new(),
            unwritten: VecDeque::new(),
            written: 0,
            received: Splitter::new(limits.block),
            current: None,
            has_ended: false,
        })
    }

    /// A request waits to be written, behind all others. Its secrets are not copied.
    pub(super) fn asked(&mut self, action: Option<&Action>, bytes: &[u8]) {
        let shown = match action {
            // A read action holds what the caller asked for, and no secret.
            Some(_) => bytes.to_vec(),
            None => marked(bytes),
        };
        let text = String::from_utf8_lossy(&shown);
        let [name, id] = Row::new(&text).columns(["Action", "ActionID"]);
        let [name, id] = [name, id].map(|value| value.unwrap_or_default().to_owned());
        self.by_id.insert(id.clone(), self.requests.len());
        self.requests.push(Request { name, id, action: action.cloned() });
        self.unwritten.push_back((bytes.len(), shown));
    }

    /// So many bytes of what was asked have been written.
    pub(super) fn written(&mut self, count: usize) {
        self.written += count;
        while self.unwritten.front().is_some_and(|(length, _)| *length <= self.written)
            && let Some((length, shown)) = self.unwritten.pop_front()
        {
            self.written -= length;
            let at = self.requests.len() - self.unwritten.len() - 1;
            if let Some(asked) = self.request(Some(at)) {
                self.tell(Traffic::Request(asked, &shown));
            }
        }
    }

    /// These bytes came.
    pub(super) fn received(&mut self, bytes: &[u8]) {
        self.received.push(bytes);
        while let Some(piece) = self.received.next() {
            self.hear(piece);
        }
    }

    /// The connection failed.
    pub(super) fn failed(&mut self, error: &Error) {
        self.end(Some(error));
    }

    fn end(&mut self, error: Option<&Error>) {
        if std::mem::replace(&mut self.has_ended, true) {
            return;
        }
        if let Some(piece) = self.received.rest() {
            self.hear(piece);
        }
        self.tell(Traffic::Ended(error));
    }

    fn hear(&mut self, piece: Piece) {
        match piece {
            Piece::Banner(bytes) => self.tell(Traffic::Banner(&bytes)),
            Piece::Block(bytes) => {
                let asked = self.attribute(&bytes);
                self.tell(Traffic::Block(self.request(asked), &self.shown(asked, bytes)));
            }
            Piece::Torn(bytes) => {
                let asked = self.attribute(&bytes);
                self.tell(Traffic::Torn(self.request(asked), &self.shown(asked, bytes)));
            }
            Piece::BlankLine(bytes) => {
                self.tell(Traffic::BlankLine(self.request(self.current), &bytes));
            }
            Piece::LeftOut(count) => self.tell(Traffic::LeftOut(count)),
        }
    }

    /// Which request a block answers. The client judges by the same marks (see
    /// [`Exchange`](super::Exchange)), with more care.
    fn attribute(&mut self, block: &[u8]) -> Option<usize> {
        let text = String::from_utf8_lossy(block);
        let seen = inspect(&text);
        let found = match seen.action_id {
            Some(id) => self.by_id.get(id).copied(),
            // A row of a list whose rows carry no id.
            None => self.current.filter(|at| {
                let action = self.requests.get(*at).and_then(|request| request.action.as_ref());
                action.map(Action::kind).is_some_and(|kind| {
                    let event = seen.value_of_first;
                    !kind.marks_rows() && (kind.has_row(event) || kind.is_completed_by(event))
                })
            }),
        };
        self.current = found.or(self.current);
        found
    }

    /// What may be shown of a block.
    fn shown(&self, asked: Option<usize>, bytes: Vec<u8>) -> Vec<u8> {
        let is_read = self.request(asked).is_some_and(|asked| asked.action.is_some());
        if self.tap.is_unfiltered && is_read { bytes } else { marked(&bytes) }
    }

    fn request(&self, at: Option<usize>) -> Option<Asked<'_>> {
        let Request { name, id, action } = self.requests.get(at?)?;
        Some(Asked { name, id, action: action.as_ref() })
    }

    fn tell(&self, traffic: Traffic<'_>) {
        self.tap.tell(self.begun.elapsed(), traffic);
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.end(None);
    }
}

/// Cuts what is received into what a tap is told of, without losing a byte.
struct Splitter {
    buffer: Vec<u8>,
    /// Where the first piece begins that has not been told.
    start: usize,
    /// Begin of the first line that has not been looked at.
    scan: usize,
    /// Most bytes in one block.
    limit: usize,
    has_banner: bool,
    /// Bytes of the current block that have been thrown away.
    left_out: usize,
    /// The first bytes at `scan` continue a line that was thrown away.
    mid_line: bool,
}

enum Piece {
    Banner(Vec<u8>),
    Block(Vec<u8>),
    BlankLine(Vec<u8>),
    Torn(Vec<u8>),
    LeftOut(usize),
}

impl Splitter {
    fn new(limit: usize) -> Self {
        Self {
            buffer: Vec::new(),
            start: 0,
            scan: 0,
            limit,
            has_banner: false,
            left_out: 0,
            mid_line: false,
        }
    }

    fn push(&mut self, bytes: &[u8]) {
        self.buffer.drain(..self.start);
        self.scan -= self.start;
        self.start = 0;
        self.buffer.extend_from_slice(bytes);
    }

    fn next(&mut self) -> Option<Piece> {
        loop {
            let rest = self.buffer.get(self.scan..)?;
            let Some(length) = memchr::memchr(b'\n', rest) else {
                if self.buffer.len() - self.start > self.limit {
                    self.leave_out(self.buffer.len());
                    self.mid_line = true;
                }
                return None;
            };
            let is_first = self.scan == self.start;
            let is_empty = matches!(rest.get(..length), Some(b"" | b"\r")) && !self.mid_line;
            self.mid_line = false;
            let end = self.scan + length + 1;
            self.scan = end;
            if !std::mem::replace(&mut self.has_banner, true) {
                return Some(Piece::Banner(self.take(end)));
            }
            if self.left_out > 0 || (end - self.start > self.limit && !is_empty) {
                self.leave_out(end);
                if is_empty {
                    return Some(Piece::LeftOut(std::mem::take(&mut self.left_out)));
                }
            } else if is_empty {
                let bytes = self.take(end);
                return Some(if is_first { Piece::BlankLine(bytes) } else { Piece::Block(bytes) });
            }
        }
    }

    /// What there is to tell when nothing more comes.
    fn rest(&mut self) -> Option<Piece> {
        if !self.has_banner {
            let begun = self.take(self.buffer.len());
            return (!begun.is_empty()).then_some(Piece::Banner(begun));
        }
        if self.left_out > 0 {
            return Some(Piece::LeftOut(std::mem::take(&mut self.left_out)));
        }
        let lines = self.take(self.scan);
        (!lines.is_empty()).then_some(Piece::Torn(lines))
    }

    fn take(&mut self, end: usize) -> Vec<u8> {
        let bytes = self.buffer.get(self.start..end).unwrap_or_default().to_vec();
        (self.start, self.scan) = (end, self.scan.max(end));
        bytes
    }

    fn leave_out(&mut self, end: usize) {
        self.left_out += end - self.start;
        (self.start, self.scan) = (end, end);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ami::ReadAction;

    /// What a listener tells of these bytes, which come in these pieces, as `kind:name` and bytes.
    fn heard(limit: usize, asked: &[Action], chunks: &[&[u8]]) -> Vec<(String, Vec<u8>)> {
        let told = Arc::new(Mutex::new(Vec::new()));
        let keep = told.clone();
        let tap = Tap::unfiltered(move |heard| {
            let name = |asked: &Option<Asked<'_>>| asked.map_or("-", |a| a.name).to_owned();
            let (kind, bytes) = match &heard.traffic {
                Traffic::Banner(bytes) => ("banner".to_owned(), *bytes),
                Traffic::Block(asked, bytes) => (format!("block:{}", name(asked)), *bytes),
                Traffic::BlankLine(asked, bytes) => (format!("blank:{}", name(asked)), *bytes),
                Traffic::Torn(asked, bytes) => (format!("torn:{}", name(asked)), *bytes),
                Traffic::LeftOut(count) => (format!("left out {count}"), &b""[..]),
                _ => return,
            };
            keep.lock().unwrap().push((kind, bytes.to_vec()));
        });
        let address = ([127, 0, 0, 1], 5038).into();
        let link = Link { address, connected_after: Duration::ZERO, secured: None };
        let limits = Limits { block: limit, ..Limits::default() };
        let mut listener = Listener::new(tap, &link, &limits);
        for (at, action) in asked.iter().enumerate() {
            let mut bytes = Vec::new();
            action.encode(&format!("x{at}"), &mut bytes);
            listener.asked(Some(action), &bytes);
        }
        chunks.iter().for_each(|chunk| listener.received(chunk));
        drop(listener);
        std::mem::take(&mut *told.lock().unwrap())
    }

    #[test]
    fn no_byte_is_lost_however_it_is_cut_and_each_finds_its_action() {
        let wire: &[u8] = b"Asterisk Call Manager/5.0.4\r\n\
            Response: Error\r\nActionID: x0\r\nMessage: No Contacts found\n\r\n\r\n\
            Response: Success\r\nActionID: x1\r\n\r\n\
            Event: Foreign\r\nPassword: \xff\r\n\r\n\
            Event: PeerEntry\r\nSecret: hunter2\r\n\r\nEvent: PeerlistComplete\n\n\
            Response: Success\r\nActionID: x0\r\nTor";
        let asked = [ReadAction::PjsipShowContacts, ReadAction::IaxPeers].map(Action::new);
        let whole = heard(1 << 20, &asked, &[wire]);
        let kinds: Vec<_> = whole.iter().map(|(kind, _)| kind.as_str()).collect();
        let expected = [
            "banner",
            "block:PJSIPShowContacts",
            "blank:PJSIPShowContacts",
            "block:IAXpeers",
            "block:-",
            "block:IAXpeers",
            "block:IAXpeers",
            "torn:PJSIPShowContacts",
        ];
        assert_eq!(kinds, expected);
        let bytes = whole.iter().flat_map(|(_, bytes)| bytes.clone()).collect::<Vec<_>>();
        let shown = String::from_utf8_lossy(&bytes).replace("[redacted]", "\u{fffd}");
        let sent = String::from_utf8_lossy(wire);
        assert_eq!(shown, sent.strip_suffix("Tor").unwrap(), "unasked events are filtered");
        for cut in 0..wire.len() {
            let (one, other) = wire.split_at(cut);
            assert_eq!(heard(1 << 20, &asked, &[one, other]), whole, "cut at {cut}");
        }
        assert_eq!(heard(1 << 20, &asked, &wire.chunks(1).collect::<Vec<_>>()), whole);
    }

    #[test]
    fn what_is_beyond_the_limit_is_left_out_and_counted() {
        let long = format!("Name: {}\r\n", "x".repeat(100));
        let wire = format!("banner\r\nEvent: A\r\n{long}{long}\r\nEvent: B\r\n\r\n");
        for size in [1, 7, 1_000] {
            let told = heard(50, &[], &wire.as_bytes().chunks(size).collect::<Vec<_>>());
            let kinds: Vec<_> = told.iter().map(|(kind, _)| kind.as_str()).collect();
            assert_eq!(kinds, ["banner", "left out 228", "block:-"], "pieces of {size}");
        }
        let endless = heard(50, &[], &[b"banner\r\n", &[b'x'; 1_000], b"\n", &[b'x'; 10]]);
        assert_eq!(endless.last().unwrap().0, "left out 1001");
    }
}
