//! What is to be written, and how much of it at once.

use std::{collections::VecDeque, io};

use tokio::io::{AsyncWrite, AsyncWriteExt as _};
use zeroize::{Zeroize as _, Zeroizing};

/// Bytes that have not been written yet.
///
/// What has been written is overwritten at once: it may be the login with a password. Beyond this
/// program's reach are the copies that the TLS library and the system's socket buffer make of it.
pub(super) struct Outgoing {
    bytes: Zeroizing<Vec<u8>>,
    /// Where each action among them ends.
    ends: VecDeque<usize>,
    /// Written, but perhaps still in a buffer of the TLS layer.
    unflushed: bool,
    /// One action goes into one TLS record.
    secured: bool,
}

impl Outgoing {
    pub(super) fn new(secured: bool) -> Self {
        /// Holds the login and a first set of actions, so that it does not move while a password is
        /// in it, which would leave a copy behind.
        const ROOM: usize = 32 << 10;
        Self {
            bytes: Zeroizing::new(Vec::with_capacity(ROOM)),
            ends: VecDeque::new(),
            unflushed: false,
            secured,
        }
    }

    /// Has an action appended, and gives its bytes.
    pub(super) fn append(&mut self, encode: impl FnOnce(&mut Vec<u8>)) -> &[u8] {
        let from = self.bytes.len();
        encode(&mut self.bytes);
        self.ends.push_back(self.bytes.len());
        self.bytes.get(from..).unwrap_or_default()
    }

    /// Whether everything is on its way.
    pub(super) fn is_done(&self) -> bool {
        self.bytes.is_empty() && !self.unflushed
    }

    /// Writes some bytes, or flushes where there are none, and tells how many. Nothing is lost where
    /// it is cancelled.
    pub(super) async fn write(&mut self, to: &mut (impl AsyncWrite + Unpin)) -> io::Result<usize> {
        let piece = match self.ends.front() {
            Some(end) if self.secured => record(&self.bytes, *end),
            _ => &self.bytes,
        };
        let count = match piece {
            [] => to.flush().await.map(|()| 0)?,
            piece => to.write(piece).await?,
        };
        self.unflushed = count > 0;
        discard(&mut self.bytes, count);
        self.ends = self.ends.iter().filter_map(|end| end.checked_sub(count)).collect();
        self.ends.retain(|end| *end > 0);
        Ok(count)
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

#[cfg(test)]
mod tests {
    use super::*;

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
