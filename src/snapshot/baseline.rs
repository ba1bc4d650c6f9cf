//! What of a snapshot the next one is compared with.

use serde::{Deserialize, Serialize};

use super::{
    AgentStatus, CallState, ExtensionStatus, Sections, Snapshot, Source, Timestamp, TrunkState,
};

/// As much of a snapshot as telling what has changed since takes.
///
/// It is read from a snapshot's JSON in a fraction of the time and memory that the whole takes; the
/// keys are those of [`Snapshot`].
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
pub struct Baseline {
    /// See [`Snapshot::schema_version`].
    pub schema_version: u32,
    /// See [`Snapshot::collected_at`].
    pub collected_at: Timestamp,
    /// See [`Snapshot::stale_after`].
    pub stale_after: Timestamp,
    /// See [`Snapshot::complete`].
    pub complete: bool,
    /// See [`Snapshot::source`].
    pub source: Source,
    /// See [`Snapshot::sections`].
    pub sections: Sections,
    /// See [`Snapshot::system_info`].
    pub system_info: Option<BaselineSystem>,
    /// See [`Snapshot::trunks`].
    pub trunks: Option<Vec<BaselineTrunk>>,
    /// See [`Snapshot::queues`].
    pub queues: Option<Vec<BaselineQueue>>,
    /// See [`Snapshot::active_calls`].
    pub active_calls: Option<Vec<BaselineCall>>,
    /// See [`Snapshot::extensions`].
    pub extensions: Option<Vec<BaselineExtension>>,
    /// See [`Snapshot::conferences`].
    pub conferences: Option<Vec<BaselineConference>>,
}

/// Of [`SystemInfo`](super::SystemInfo).
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
pub struct BaselineSystem {
    /// See [`SystemInfo::started_at_local`](super::SystemInfo::started_at_local).
    pub started_at_local: Option<String>,
}

/// Of [`Trunk`](super::Trunk).
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
pub struct BaselineTrunk {
    /// See [`Trunk::name`](super::Trunk::name).
    pub name: String,
    /// See [`Trunk::tech`](super::Trunk::tech).
    pub tech: String,
    /// See [`Trunk::state`](super::Trunk::state).
    pub state: TrunkState,
}

/// Of [`Queue`](super::Queue).
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
pub struct BaselineQueue {
    /// See [`Queue::name`](super::Queue::name).
    pub name: String,
    /// See [`Queue::agents`](super::Queue::agents).
    pub agents: Option<Vec<BaselineAgent>>,
}

/// Of [`Agent`](super::Agent).
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
pub struct BaselineAgent {
    /// See [`Agent::interface`](super::Agent::interface).
    pub interface: String,
    /// See [`Agent::name`](super::Agent::name).
    pub name: Option<String>,
    /// See [`Agent::status`](super::Agent::status).
    pub status: AgentStatus,
    /// See [`Agent::paused`](super::Agent::paused).
    pub paused: Option<bool>,
}

/// Of [`Call`](super::Call).
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
pub struct BaselineCall {
    /// See [`Call::call_id`](super::Call::call_id).
    pub call_id: String,
    /// See [`Call::description`](super::Call::description).
    pub description: String,
    /// See [`Call::state`](super::Call::state).
    pub state: CallState,
}

/// Of [`Extension`](super::Extension).
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
pub struct BaselineExtension {
    /// See [`Extension::extension`](super::Extension::extension).
    pub extension: String,
    /// See [`Extension::name`](super::Extension::name).
    pub name: Option<String>,
    /// See [`Extension::status`](super::Extension::status).
    pub status: ExtensionStatus,
    /// See [`Extension::online`](super::Extension::online).
    pub online: Option<bool>,
}

/// Of [`Conference`](super::Conference).
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
pub struct BaselineConference {
    /// See [`Conference::name`](super::Conference::name).
    pub name: String,
}

impl From<&Snapshot> for Baseline {
    fn from(snapshot: &Snapshot) -> Self {
        let system_info = snapshot
            .system_info
            .as_ref()
            .map(|system| BaselineSystem { started_at_local: system.started_at_local.clone() });
        let trunks = snapshot.trunks.as_ref().map(|trunks| {
            let kept = |trunk: &super::Trunk| BaselineTrunk {
                name: trunk.name.clone(),
                tech: trunk.tech.clone(),
                state: trunk.state,
            };
            trunks.iter().map(kept).collect()
        });
        let agents = |queue: &super::Queue| {
            let kept = |agent: &super::Agent| BaselineAgent {
                interface: agent.interface.clone(),
                name: agent.name.clone(),
                status: agent.status,
                paused: agent.paused,
            };
            queue.agents.as_ref().map(|agents| agents.iter().map(kept).collect())
        };
        let queues = snapshot.queues.as_ref().map(|queues| {
            let kept = |queue: &super::Queue| BaselineQueue {
                name: queue.name.clone(),
                agents: agents(queue),
            };
            queues.iter().map(kept).collect()
        });
        let active_calls = snapshot.active_calls.as_ref().map(|calls| {
            let kept = |call: &super::Call| BaselineCall {
                call_id: call.call_id.clone(),
                description: call.description.clone(),
                state: call.state,
            };
            calls.iter().map(kept).collect()
        });
        let extensions = snapshot.extensions.as_ref().map(|extensions| {
            let kept = |extension: &super::Extension| BaselineExtension {
                extension: extension.extension.clone(),
                name: extension.name.clone(),
                status: extension.status,
                online: extension.online,
            };
            extensions.iter().map(kept).collect()
        });
        let conferences = snapshot.conferences.as_ref().map(|conferences| {
            let kept = |it: &super::Conference| BaselineConference { name: it.name.clone() };
            conferences.iter().map(kept).collect()
        });
        Self {
            schema_version: snapshot.schema_version,
            collected_at: snapshot.collected_at,
            stale_after: snapshot.stale_after,
            complete: snapshot.complete,
            source: snapshot.source.clone(),
            sections: snapshot.sections.clone(),
            system_info,
            trunks,
            queues,
            active_calls,
            extensions,
            conferences,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{collect::Plan, normalize::testing};

    #[test]
    fn the_file_of_a_snapshot_gives_what_the_snapshot_gives() {
        for folder in ["16.28.0/busy", "22.10.1/busy"] {
            let snapshot = testing::snapshot(&testing::recorded(folder), &Plan::default());
            let file = serde_json::to_string(&snapshot).unwrap();
            let read: Baseline = serde_json::from_str(&file).unwrap();
            assert_eq!(read, Baseline::from(&snapshot));
            assert!(read.trunks.is_some_and(|trunks| !trunks.is_empty()));
            assert!(read.queues.is_some_and(|queues| queues.iter().any(|it| it.agents.is_some())));
            assert!(read.active_calls.is_some() && read.extensions.is_some());
            assert!(read.conferences.is_some_and(|conferences| !conferences.is_empty()));
        }
    }
}
