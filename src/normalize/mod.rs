//! Turns answers into the snapshot. Pure: no sockets, no files, no clock.
//!
//! One file per section. Each reads the rows it needs from the
//! [`Answers`](crate::collect::Answers) and gives its part of the snapshot, or `None` where the PBX
//! did not answer; sections that build on others (calls on channels, extensions on calls) take
//! them as arguments.

mod calls;
mod changes;
mod channels;
mod clock;
mod contacts;
mod device_state;
mod devices;
mod extensions;
mod fields;
mod queues;
mod reports;
mod rooms;
mod summary;
mod system;
#[cfg(test)]
pub(crate) mod testing;
mod trunks;
mod words;

use crate::{
    collect::{AstDb, Collected, Directory, Plan},
    snapshot::{
        Baseline, Collector, SCHEMA_VERSION, Section, SectionStatus, Sections, Snapshot, Source,
        Summary, SystemInfo, Timestamp,
    },
};

/// What a snapshot says about its own making.
#[derive(Debug, Clone)]
pub struct Context {
    /// Host from the configuration.
    pub host: String,
    /// Port from the configuration.
    pub port: u16,
    /// Whether the connection was encrypted.
    pub tls: bool,
    /// Whether the PBX is the embedded demonstration.
    pub demo: bool,
    /// When the collection began.
    pub collected_at: Timestamp,
    /// Seconds after which the snapshot must not be presented as current.
    pub stale_after_seconds: u64,
}

/// Makes the snapshot of what was collected.
///
/// `previous` is the snapshot that stands in the file so far, for `changes` and for what a person
/// should look at.
#[must_use]
pub fn snapshot(
    collected: &Collected,
    plan: &Plan,
    context: &Context,
    previous: Option<&Baseline>,
) -> Snapshot {
    let answers = &collected.answers;
    let collected_at = context.collected_at;
    let wants = |section| !plan.skip.contains(&section);
    let astdb = AstDb::read(answers);
    let directory = Directory::read(answers, &astdb, &plan.kinds);

    // Channels and calls are read even where the configuration leaves them out of the file, because
    // extensions and trunks count their calls.
    let mut channels = channels::channels(answers);
    let calls =
        channels.as_mut().map(|channels| calls::calls(answers, channels, &directory, collected_at));
    let ids = channels::CallIds::of(channels.as_deref().unwrap_or_default());
    let queues = queues::queues(answers, &directory, &ids);
    let parking = rooms::parking(answers, &ids);
    let conferences = rooms::conferences(answers, &directory, &ids);
    let voicemail = rooms::mailboxes(answers);
    let clock = clock::Clock::read(answers, collected_at);
    let devices = devices::Devices::read(answers, &astdb, clock);
    let activity = channels.as_deref().map(device_state::Activity::read);
    let sources = extensions::Sources {
        answers,
        astdb: &astdb,
        directory: &directory,
        devices: &devices,
        activity: activity.as_ref(),
        queues: queues.as_deref(),
        mailboxes: voicemail.as_deref(),
        clock,
    };
    let extensions = extensions::extensions(&sources).filter(|_| wants(Section::Extensions));
    let trunks = trunks::trunks(&sources).filter(|_| wants(Section::Trunks));
    // Both look at the channels, which are moved now.
    drop((activity, ids));
    let queues = queues.filter(|_| wants(Section::Queues));
    let parking = parking.filter(|_| wants(Section::Parking));
    let conferences = conferences.filter(|_| wants(Section::Conferences));
    let voicemail = voicemail.filter(|_| wants(Section::Voicemail));
    let channels = channels.filter(|_| wants(Section::Channels));
    let active_calls = calls.filter(|_| wants(Section::ActiveCalls));
    let calls_active = active_calls.as_ref().map(|calls| count(calls.len()));
    let system_info = system::system_info(answers, context, collected, calls_active)
        .filter(|_| wants(Section::SystemInfo));

    let report = |section, has_data| reports::report(section, answers, &plan.skip, has_data);
    let sections = Sections {
        system_info: report(Section::SystemInfo, system_info.is_some()),
        trunks: report(Section::Trunks, trunks.is_some()),
        queues: report(Section::Queues, queues.is_some()),
        active_calls: report(Section::ActiveCalls, active_calls.is_some()),
        channels: report(Section::Channels, channels.is_some()),
        extensions: report(Section::Extensions, extensions.is_some()),
        parking: report(Section::Parking, parking.is_some()),
        conferences: report(Section::Conferences, conferences.is_some()),
        voicemail: report(Section::Voicemail, voicemail.is_some()),
    };
    let complete = sections.iter().all(|(_, report)| is_whole(report.status));
    let mut snapshot = Snapshot {
        schema_version: SCHEMA_VERSION,
        collected_at,
        stale_after: collected_at
            .plus_seconds(i64::try_from(context.stale_after_seconds).unwrap_or(i64::MAX)),
        complete,
        summary: Summary::default(),
        source: source(context, collected, system_info.as_ref()),
        sections,
        system_info,
        trunks,
        queues,
        active_calls,
        channels,
        extensions,
        parking,
        conferences,
        voicemail,
        changes: None,
    };
    snapshot.changes = previous.and_then(|previous| changes::changes(previous, &snapshot));
    snapshot.summary = summary::summary(&snapshot, previous.is_none());
    snapshot
}

/// Whether a section of that status leaves nothing to be desired.
fn is_whole(status: SectionStatus) -> bool {
    matches!(status, SectionStatus::Ok | SectionStatus::Unsupported | SectionStatus::Disabled)
}

fn source(context: &Context, collected: &Collected, system: Option<&SystemInfo>) -> Source {
    Source {
        host: context.host.clone(),
        port: context.port,
        tls: context.tls,
        pbx_name: system.and_then(|system| system.system_name.clone()),
        asterisk_version: system.and_then(|system| system.version.clone()),
        ami_version: collected.ami_version.clone(),
        collector: Collector::this(),
        duration_ms: u64::try_from(collected.duration.as_millis()).unwrap_or(u64::MAX),
        demo: context.demo,
    }
}

/// A length as a snapshot counts.
fn count(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::Timestamp;

    fn busy(plan: &Plan) -> Snapshot {
        testing::snapshot(&testing::recorded("22.10.1/busy"), plan)
    }

    #[test]
    fn a_section_that_is_left_out_is_null_and_the_snapshot_complete_all_the_same() {
        for section in Section::ALL {
            let skip = [section, Section::Voicemail].into();
            let snapshot = busy(&Plan { skip, ..Plan::default() });
            let value = serde_json::to_value(&snapshot).unwrap();
            assert!(value[section.as_str()].is_null(), "{section:?}");
            assert_eq!(snapshot.sections.get(section).status, SectionStatus::Disabled);
            assert!(snapshot.complete, "{section:?}");
        }
    }

    #[test]
    fn calls_are_counted_where_they_stand_even_when_they_are_left_out_themselves() {
        let skip = [Section::ActiveCalls, Section::Channels].into();
        let without = busy(&Plan { skip, ..Plan::default() });
        let with = busy(&Plan::default());
        let counts = |snapshot: &Snapshot| -> Vec<Option<u64>> {
            let extensions = snapshot.extensions.iter().flatten().map(|item| item.active_calls);
            let trunks = snapshot.trunks.iter().flatten().map(|item| item.active_calls);
            extensions.chain(trunks).collect()
        };
        assert_eq!(counts(&without), counts(&with));
        assert!(counts(&with).contains(&Some(5)));
        assert_eq!((without.summary.channels, without.active_calls), (None, None));
    }

    #[test]
    fn every_channel_belongs_to_a_call_of_the_list() {
        let snapshot = busy(&Plan::default());
        let calls = snapshot.active_calls.unwrap();
        for channel in snapshot.channels.unwrap() {
            let call = channel.call_id.as_deref();
            let call = calls.iter().find(|item| Some(item.call_id.as_str()) == call).unwrap();
            assert!(call.channels.contains(&channel.channel), "{}", channel.channel);
        }
        assert_eq!(snapshot.system_info.unwrap().calls_active, Some(calls.len() as u64));
    }

    #[test]
    fn nothing_permitted_gives_nulls_and_says_so() {
        let snapshot = testing::snapshot(&testing::denied(), &Plan::default());
        assert!(!snapshot.complete);
        assert_eq!(snapshot.system_info, None);
        assert_eq!((snapshot.extensions, snapshot.trunks), (None, None));
        assert_eq!((snapshot.queues, snapshot.parking), (None, None));
        for (section, report) in snapshot.sections.iter() {
            let expected = match section {
                Section::Voicemail => SectionStatus::Disabled,
                _ => SectionStatus::Denied,
            };
            assert_eq!(report.status, expected, "{section:?}");
        }
    }

    #[test]
    fn nothing_there_gives_empty_lists() {
        let snapshot = testing::snapshot(&testing::nothing(), &Plan::default());
        assert!(snapshot.complete, "{:#?}", snapshot.sections);
        assert_eq!(snapshot.extensions.as_deref(), Some(&[][..]));
        assert_eq!(snapshot.trunks.as_deref(), Some(&[][..]));
        assert_eq!(snapshot.queues.as_deref(), Some(&[][..]));
        assert_eq!(snapshot.active_calls.as_deref(), Some(&[][..]));
        assert_eq!(snapshot.conferences.as_deref(), Some(&[][..]));
    }

    #[test]
    fn a_snapshot_grows_old_when_the_configuration_says_so() {
        let snapshot = busy(&Plan::default());
        assert_eq!(snapshot.stale_after.seconds_since(snapshot.collected_at), 600);
        let context = Context { stale_after_seconds: u64::MAX, ..testing::context() };
        let collected = testing::collected(&testing::nothing());
        let endless = super::snapshot(&collected, &Plan::default(), &context, None);
        assert!(endless.stale_after >= Timestamp::from_epoch(testing::NOW).unwrap());
    }

    #[test]
    fn without_a_previous_snapshot_there_is_nothing_to_compare() {
        let first = busy(&Plan::default());
        assert_eq!(first.changes, None);
        let collected = testing::collected(&testing::recorded("22.10.1/busy"));
        let second = super::snapshot(
            &collected,
            &Plan::default(),
            &testing::context(),
            Some(&Baseline::from(&first)),
        );
        assert_eq!(second.changes.as_deref(), Some(&[][..]));
    }
}
