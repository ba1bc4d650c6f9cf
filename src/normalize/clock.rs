//! The server's clock, for times that may have passed.

use crate::{ami::ReadAction, collect::Answers, snapshot::Timestamp};

/// What time it is on the server.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock {
    now: Timestamp,
    slack_seconds: i64,
}

impl Clock {
    /// Takes the time from Ping. Without it our own has to do, with more care, since nothing tells
    /// how far the two clocks differ.
    pub(crate) fn read(answers: &Answers, collected_at: Timestamp) -> Self {
        let told = || {
            let clock = answers.answer(ReadAction::Ping)?.response().get("Timestamp")?;
            Timestamp::from_epoch(clock.split('.').next()?.parse().ok()?)
        };
        match told() {
            Some(now) => Self { now, slack_seconds: 60 },
            None => Self { now: collected_at, slack_seconds: 900 },
        }
    }

    /// Whether a time has surely passed.
    pub(crate) fn is_past(self, time: Timestamp) -> bool {
        time.plus_seconds(self.slack_seconds) < self.now
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::normalize::testing::answers;

    #[test]
    fn the_servers_clock_counts_and_ours_only_roughly() {
        let at = |seconds| Timestamp::from_epoch(seconds).unwrap();
        let ping = answers(&[(ReadAction::Ping.into(), "Ping: Pong\nTimestamp: 5000.25")]);
        let clock = Clock::read(&ping, at(9_999));
        assert!(clock.is_past(at(4_939)));
        assert!(!clock.is_past(at(4_940)));
        let clock = Clock::read(&Answers::default(), at(9_999));
        assert!(clock.is_past(at(9_000)));
        assert!(!clock.is_past(at(9_100)));
    }
}
