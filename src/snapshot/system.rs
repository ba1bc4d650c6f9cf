//! The Asterisk server itself.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Timestamp;

/// The Asterisk server: what CoreSettings and CoreStatus tell.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SystemInfo {
    /// Asterisk's version, such as `20.7.0` (CoreSettings `AsteriskVersion`).
    pub version: Option<String>,
    /// Version of the manager interface (CoreSettings `AMIversion`).
    pub ami_version: Option<String>,
    /// `systemname` of asterisk.conf, `null` when unset (CoreSettings `SystemName`).
    pub system_name: Option<String>,
    /// Seconds since Asterisk started. `null` when the server's time zone is not known.
    pub uptime_seconds: Option<u64>,
    /// When Asterisk started. CoreStatus tells server-local time; `null` when its zone is not
    /// known.
    pub started_at: Option<Timestamp>,
    /// When the configuration was last reloaded, like `started_at`.
    pub reloaded_at: Option<Timestamp>,
    /// Start time in the server's local time, as Asterisk tells it, such as
    /// `2026-11-21 08:15:00`.
    pub started_at_local: Option<String>,
    /// The server's offset from UTC in seconds (Getvar of the function STRFTIME, or the
    /// collector's own zone where it runs on the same machine).
    pub utc_offset_seconds: Option<i32>,
    /// The server's clock minus the collector's, in milliseconds (Ping).
    pub clock_skew_ms: Option<i64>,
    /// Calls in progress, counted as in `active_calls`.
    pub calls_active: Option<u64>,
    /// Channels in use, `CoreCurrentCalls` of CoreStatus: despite its name it counts channels,
    /// internal ones too, in every version.
    pub channels_active: Option<u64>,
    /// Calls since start (CoreStatus `CoreProcessedCalls`, Asterisk 20.12, 21.7, 22.2 and later).
    pub calls_processed: Option<u64>,
    /// Limit on calls, `null` when there is none (CoreSettings `CoreMaxCalls`).
    pub max_calls: Option<u64>,
    /// Load average above which new calls are refused, `null` when there is no limit
    /// (CoreSettings `CoreMaxLoadAvg`).
    pub max_load_average: Option<f64>,
    /// Limit on open files, `null` when there is none (CoreSettings `CoreMaxFilehandles`).
    pub max_file_handles: Option<u64>,
    /// System user that Asterisk runs as (CoreSettings `CoreRunUser`).
    pub run_user: Option<String>,
    /// System group that Asterisk runs as (CoreSettings `CoreRunGroup`).
    pub run_group: Option<String>,
    /// Whether a realtime backend is configured (CoreSettings `CoreRealTimeEnabled`).
    pub realtime_enabled: Option<bool>,
    /// Whether call detail records are written (CoreSettings `CoreCDRenabled`).
    pub cdr_enabled: Option<bool>,
    /// Whether the HTTP server is enabled (CoreSettings `CoreHTTPenabled`).
    pub http_enabled: Option<bool>,
}
