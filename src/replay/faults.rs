//! What goes wrong on purpose: answers that are late, slow, or cut off.

use std::{str::FromStr, time::Duration};

use tokio::{
    io::{self, AsyncWrite, AsyncWriteExt as _},
    time::{sleep, timeout},
};

/// What goes wrong on purpose. The default is nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Faults {
    /// Waits before answers begin. One that names the action comes before one for all.
    pub delays: Vec<Delay>,
    /// Every connection is closed after this many bytes.
    pub cut_after_bytes: Option<u64>,
    /// The connection is closed in the middle of the answer to these actions.
    pub cut_in: Vec<String>,
    /// Nothing is sent faster than this.
    pub bytes_per_second: Option<u64>,
}

/// A wait before answers: `250` for all of them, `QueueStatus=250` for one; milliseconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delay {
    /// Whose answer waits; `None`: each.
    pub action: Option<String>,
    /// How long.
    pub wait: Duration,
}

impl FromStr for Delay {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (action, number) = match text.split_once('=') {
            Some((action, number)) => (Some(action.trim()), number),
            None => (None, text),
        };
        if action.is_some_and(str::is_empty) {
            return Err("the name of an action is missing before `=`".to_owned());
        }
        let milliseconds = number.trim().parse().map_err(|_| {
            format!("{number:?} is no number of milliseconds; write `250` or `QueueStatus=250`")
        })?;
        Ok(Self { action: action.map(str::to_owned), wait: Duration::from_millis(milliseconds) })
    }
}

impl Faults {
    /// How long the answer to an action waits.
    fn delay(&self, action: &str) -> Duration {
        let named = self.delays.iter().find(|delay| {
            delay.action.as_ref().is_some_and(|name| name.eq_ignore_ascii_case(action))
        });
        let for_all = || self.delays.iter().find(|delay| delay.action.is_none());
        named.or_else(for_all).map_or(Duration::ZERO, |delay| delay.wait)
    }
}

/// Sends what a connection is sent, with its faults.
#[derive(Debug)]
pub(super) struct Sender<'a, W> {
    stream: W,
    faults: &'a Faults,
    sent: u64,
}

/// Whether a connection goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flow {
    /// It does.
    On,
    /// It is closed now.
    End,
}

impl<'a, W: AsyncWrite + Unpin> Sender<'a, W> {
    pub(super) fn new(stream: W, faults: &'a Faults) -> Self {
        Self { stream, faults, sent: 0 }
    }

    /// Sends the answer to an action.
    pub(super) async fn answer(&mut self, action: &str, bytes: &[u8]) -> io::Result<Flow> {
        let wait = self.faults.delay(action);
        if !wait.is_zero() {
            sleep(wait).await;
        }
        if self.faults.cut_in.iter().any(|name| name.eq_ignore_ascii_case(action)) {
            self.send(bytes.get(..bytes.len() / 2).unwrap_or_default()).await?;
            return Ok(Flow::End);
        }
        self.send(bytes).await
    }

    /// Sends bytes that no action asked for.
    pub(super) async fn send(&mut self, bytes: &[u8]) -> io::Result<Flow> {
        let left = self.faults.cut_after_bytes.map(|most| most.saturating_sub(self.sent));
        let left = left.map_or(usize::MAX, |left| usize::try_from(left).unwrap_or(usize::MAX));
        let bytes = bytes.get(..left).unwrap_or(bytes);
        match self.faults.bytes_per_second {
            None => self.write(bytes).await?,
            Some(rate) => {
                // Ten pieces a second, or one byte at a time where that is slower.
                let piece = usize::try_from((rate / 10).max(1)).unwrap_or(usize::MAX);
                for piece in bytes.chunks(piece) {
                    self.write(piece).await?;
                    let share = u64::try_from(piece.len()).unwrap_or(u64::MAX);
                    sleep(Duration::from_millis(share.saturating_mul(1_000) / rate.max(1))).await;
                }
            }
        }
        self.sent = self.sent.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        Ok(if bytes.len() < left { Flow::On } else { Flow::End })
    }

    /// Writes for as long as the client keeps reading.
    async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        const PIECE: usize = 64 << 10;
        /// What Asterisk calls `writetimeout`; more patient, because readers are being tried.
        const PATIENCE: Duration = Duration::from_secs(30);
        for piece in bytes.chunks(PIECE) {
            timeout(PATIENCE, self.stream.write_all(piece))
                .await
                .map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delay_is_for_one_action_or_for_all() {
        let faults = Faults {
            delays: vec!["5".parse().unwrap(), "QueueStatus=70".parse().unwrap()],
            ..Faults::default()
        };
        assert_eq!(faults.delay("queuestatus"), Duration::from_millis(70));
        assert_eq!(faults.delay("Ping"), Duration::from_millis(5));
        for wrong in ["", "x", "=5", "QueueStatus=", "5s", "-1"] {
            assert!(wrong.parse::<Delay>().is_err(), "{wrong:?}");
        }
    }

    async fn sent(faults: Faults, answers: &[(&str, &str)]) -> (String, Flow) {
        let mut out = Vec::new();
        let mut flow = Flow::On;
        let mut sender = Sender::new(&mut out, &faults);
        for (action, bytes) in answers {
            flow = sender.answer(action, bytes.as_bytes()).await.unwrap();
        }
        (String::from_utf8(out).unwrap(), flow)
    }

    #[tokio::test]
    async fn a_connection_is_cut_at_the_byte_or_in_the_middle_of_an_answer() {
        let cut = Faults { cut_after_bytes: Some(5), ..Faults::default() };
        assert_eq!(
            sent(cut.clone(), &[("a", "123"), ("b", "456")]).await,
            ("12345".into(), Flow::End)
        );
        assert_eq!(sent(cut, &[("a", "1234")]).await, ("1234".into(), Flow::On));
        let middle = Faults { cut_in: vec!["B".to_owned()], ..Faults::default() };
        assert_eq!(sent(middle, &[("a", "123"), ("b", "4567")]).await, ("12345".into(), Flow::End));
    }

    #[tokio::test(start_paused = true)]
    async fn slow_is_no_faster_than_it_says() {
        let begun = tokio::time::Instant::now();
        let slow = Faults { bytes_per_second: Some(100), ..Faults::default() };
        let (text, _) = sent(slow, &[("a", &"x".repeat(250))]).await;
        assert_eq!(text.len(), 250);
        let took = begun.elapsed();
        assert!((2_400..2_700).contains(&took.as_millis()), "{took:?}");
    }
}
