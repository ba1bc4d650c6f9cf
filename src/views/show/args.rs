//! The command line of `show`.

use std::path::PathBuf;

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use clap::{Args, ValueEnum};
use serde::Deserialize as _;

use crate::snapshot::{ChangeKind, Timestamp};

/// Options of `show`.
#[derive(Debug, Clone, Args)]
#[command(after_help = AFTER_HELP)]
pub struct ShowArgs {
    /// summary (the default), extensions, trunks, calls, queues, attention or changes, and a number
    /// or a part of a name to look up; or only that: an extension, a trunk, a queue
    #[arg(value_name = "WHAT")]
    pub what: Vec<String>,
    /// The snapshot; otherwise the one that the configuration names, or ./cache/freepbx.json
    #[arg(long, short, value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// Only extensions in a call or ringing, trunks with calls, queues with waiting callers
    #[arg(long, conflicts_with = "offline")]
    pub busy: bool,
    /// Only extensions without a reachable phone, trunks that are down
    #[arg(long)]
    pub offline: bool,
    /// Only what is in this state, such as available, on-hold, rejected, queued, critical
    #[arg(long, value_name = "WORD")]
    pub state: Option<String>,
    /// Only members of this queue, its calls, or the queue itself
    #[arg(long, value_name = "QUEUE")]
    pub queue: Option<String>,
    /// Only changes since: 45m, 1h, 2d, 2026-11-21T08:00Z, 2026-11-21
    #[arg(long, value_name = "TIME", value_parser = since)]
    pub since: Option<Since>,
    /// Only changes of this kind, such as trunk_lost or extension_offline
    #[arg(long, value_name = "KIND", value_parser = kind)]
    pub kind: Option<ChangeKind>,
    /// Print the rows as JSON, as they stand in the snapshot
    #[arg(long)]
    pub json: bool,
    /// Write one self-contained web page to this file instead, in one step
    #[arg(long, value_name = "FILE", conflicts_with_all = ["json", "watch"])]
    pub html: Option<PathBuf>,
    /// Print anew whenever the file changes, until Ctrl-C
    #[arg(long, short)]
    pub watch: bool,
    /// Colours; auto: on a terminal, unless NO_COLOR is set
    #[arg(long, value_enum, default_value_t, value_name = "WHEN")]
    pub color: ColorWhen,
}

/// When to use colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum ColorWhen {
    /// On a terminal, unless NO_COLOR is set
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// A beginning in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Since {
    /// So many seconds before now.
    Ago(i64),
    /// That moment.
    At(Timestamp),
}

impl Since {
    /// The moment, seen from now.
    #[must_use]
    pub fn moment(self, now: DateTime<Utc>) -> Timestamp {
        match self {
            Self::Ago(seconds) => Timestamp::new(now).plus_seconds(-seconds),
            Self::At(moment) => moment,
        }
    }
}

const AFTER_HELP: &str = "\
In tables, - is none and ? is not known. A stale snapshot is announced first.

Examples:
  freepbx-snapshot show
  freepbx-snapshot show extensions --busy
  freepbx-snapshot show queues --watch
  freepbx-snapshot show 100                       all about extension 100
  freepbx-snapshot show calls 100 --json
  freepbx-snapshot show changes trunk-main --kind trunk_lost

A word that is no view is an extension, trunk or queue of that name, else a part of names and
numbers. `show queue 400` and the like look in one list only.

Exit codes:
   0  shown, also when a filter leaves nothing
   1  what was looked up is not there
  64  the command line is wrong
  66  there is no snapshot, or it cannot be read
  78  the configuration is wrong (give the snapshot with --file)";

fn since(text: &str) -> Result<Since, String> {
    let text = text.trim();
    let ago = || {
        let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
        let size = match unit {
            "s" => 1,
            "m" => 60,
            "h" => 3_600,
            "d" => 86_400,
            "w" => 7 * 86_400,
            _ => return None,
        };
        let number = number.parse::<u32>().ok()?;
        i64::from(number).checked_mul(size).map(Since::Ago)
    };
    let moment = || {
        if let Ok(time) = DateTime::parse_from_rfc3339(text) {
            return Some(time.with_timezone(&Utc));
        }
        // To the minute, or a day. Without a zone: UTC, as everything in a snapshot.
        let plain = text.trim_end_matches('Z').replace(' ', "T");
        let time = NaiveDateTime::parse_from_str(&plain, "%Y-%m-%dT%H:%M")
            .or_else(|_| NaiveDateTime::parse_from_str(&plain, "%Y-%m-%dT%H:%M:%S"));
        let day = || NaiveDate::parse_from_str(&plain, "%Y-%m-%d").ok()?.and_hms_opt(0, 0, 0);
        time.ok().or_else(day).map(|time| time.and_utc())
    };
    let at = || moment().map(|time| Since::At(Timestamp::new(time)));
    ago().or_else(at).ok_or_else(|| {
        "expected a length of time such as 45m, 1h, 2d, or a moment such as 2026-11-21T08:00Z"
            .to_owned()
    })
}

fn kind(text: &str) -> Result<ChangeKind, String> {
    use serde::de::{IntoDeserializer as _, value::Error};
    let word = text.to_lowercase().replace('-', "_");
    ChangeKind::deserialize(word.as_str().into_deserializer())
        .map_err(|error: Error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_ago_or_moments() {
        let now = DateTime::parse_from_rfc3339("2026-11-21T09:00:00Z").unwrap().to_utc();
        let moment = |text| since(text).unwrap().moment(now).to_string();
        assert_eq!(moment("1h"), "2026-11-21T08:00:00Z");
        assert_eq!(moment("2d"), "2026-11-19T09:00:00Z");
        assert_eq!(moment("2026-11-21T08:00Z"), "2026-11-21T08:00:00Z");
        assert_eq!(moment("2026-11-21 08:00:30"), "2026-11-21T08:00:30Z");
        assert_eq!(moment("2026-11-21T08:00:00+01:00"), "2026-11-21T07:00:00Z");
        assert_eq!(moment("2026-11-21"), "2026-11-21T00:00:00Z");
        for wrong in ["", "h", "1", "-1h", "yesterday", "1hé", "é"] {
            assert!(since(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn kinds_are_the_words_of_the_snapshot() {
        assert_eq!(kind("trunk-lost"), Ok(ChangeKind::TrunkLost));
        assert!(kind("lost").unwrap_err().contains("`trunk_lost`"));
    }
}
