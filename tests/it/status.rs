//! The monitoring plugin: one line, four verdicts.

use freepbx_snapshot::views::status::{Checks, Metric, Report, Rule, Verdict};
use serde_json::{Value, json};

use super::{
    program::{Ended, Program},
    sample,
};

fn report(snapshot: &Value, seconds: i64, rules: &[(Metric, &str)]) -> Report {
    let mut checks = Checks::default();
    for (metric, rule) in rules {
        checks.add(*metric, Rule::parse(*metric, rule).unwrap());
    }
    Report::of(&sample::typed(snapshot), &checks, sample::after(snapshot, seconds))
}

fn verdict(snapshot: &Value, rules: &[(Metric, &str)]) -> Verdict {
    report(snapshot, 5, rules).verdict
}

/// The line without performance data.
fn text(report: &Report) -> &str {
    report.line.split_once(" | ").unwrap().0
}

#[test]
fn the_lines_of_a_healthy_and_of_a_broken_pbx() {
    let [healthy, broken, empty] = [sample::healthy(), sample::demo(), sample::empty()]
        .map(|snapshot| report(&snapshot, 5, &[]).line);
    insta::assert_snapshot!(format!("{healthy}\n\n{broken}\n\n{empty}\n"));
}

#[test]
fn defaults_are_what_is_an_emergency_everywhere() {
    assert_eq!(verdict(&sample::healthy(), &[]), Verdict::Ok);
    assert_eq!(verdict(&sample::empty(), &[]), Verdict::Ok);
    assert_eq!(verdict(&sample::demo(), &[]), Verdict::Critical);
    let mut restarted = sample::healthy();
    restarted["system_info"]["uptime_seconds"] = json!(599);
    assert_eq!(verdict(&restarted, &[]), Verdict::Warning);
    let mut long = sample::healthy();
    long["active_calls"][0]["duration_seconds"] = json!(14_401);
    let report = report(&long, 5, &[]);
    assert_eq!(report.verdict, Verdict::Warning);
    assert!(
        text(&report).ends_with("longest call 4 h 0 min on PJSIP/100-00000000 (limit 14400 s)")
    );
}

#[test]
fn a_rule_for_one_item_overrules_that_for_all() {
    let demo = sample::demo();
    let quiet =
        [(Metric::QueueUnattended, "off"), (Metric::QueueWait, "off"), (Metric::Uptime, "off")];
    let with = |rules: &[(Metric, &'static str)]| {
        let all: Vec<_> = quiet.iter().chain(rules).copied().collect();
        report(&demo, 5, &all)
    };
    assert_eq!(with(&[(Metric::TrunkDown, "off")]).verdict, Verdict::Ok);
    assert_eq!(
        with(&[(Metric::TrunkDown, "*dead=off"), (Metric::TrunkDown, "~:2,~:9")]).verdict,
        Verdict::Ok
    );
    let one = with(&[(Metric::TrunkDown, "trunk-badpw=0"), (Metric::TrunkDown, "off")]);
    assert_eq!(text(&one), "FREEPBX WARNING - trunk trunk-badpw is down (Rejected)");
    let calls = with(&[
        (Metric::TrunkDown, "off"),
        (Metric::TrunkCalls, "trunk-main=8,10"),
        (Metric::TrunkCalls, ",1"),
    ]);
    assert_eq!(
        text(&calls),
        "FREEPBX CRITICAL - trunk sip-trunk: calls 2 (limit 1); \
         WARNING: trunk trunk-main: calls 9 (limit 8)"
    );
    let phone = with(&[(Metric::TrunkDown, "off"), (Metric::Offline, "111=,0")]);
    assert_eq!(text(&phone), "FREEPBX CRITICAL - extension 111 is offline (Unavailable)");
}

#[test]
fn what_is_not_known_is_never_ok() {
    let denied = sample::denied();
    let report_of_denied = report(&denied, 5, &[]);
    assert_eq!(report_of_denied.verdict, Verdict::Unknown);
    assert!(text(&report_of_denied).contains("trunks not known: trunks was denied; queues not"));
    // One failed section does not hide what another shows.
    let mut partly = sample::demo();
    sample::lose(&mut partly, "queues", "timeout");
    let partly = report(&partly, 5, &[]);
    assert_eq!(partly.verdict, Verdict::Critical);
    assert!(text(&partly).ends_with("UNKNOWN: queues not known: queues was timeout"));

    let mut trunk = sample::healthy();
    trunk["trunks"][0]["state"] = json!("Unknown");
    assert_eq!(verdict(&trunk, &[]), Verdict::Unknown);
    assert_eq!(verdict(&trunk, &[(Metric::TrunkDown, "1,2")]), Verdict::Ok, "one is allowed");
    let mut phones = sample::healthy();
    phones["extensions"][0]["online"] = Value::Null;
    assert_eq!(verdict(&phones, &[(Metric::Offline, "6")]), Verdict::Unknown);
    assert_eq!(verdict(&phones, &[(Metric::Offline, "7")]), Verdict::Ok);
    let mut wait = sample::healthy();
    wait["queues"][0]["longest_wait_seconds"] = Value::Null;
    assert_eq!(verdict(&wait, &[]), Verdict::Unknown);
    let mut call = sample::healthy();
    call["active_calls"][0]["duration_seconds"] = Value::Null;
    assert_eq!(verdict(&call, &[]), Verdict::Unknown);
}

#[test]
fn what_a_pbx_does_not_have_is_left_out_unless_asked_for() {
    let mut snapshot = sample::healthy();
    sample::lose(&mut snapshot, "queues", "unsupported");
    sample::lose(&mut snapshot, "trunks", "disabled");
    assert_eq!(verdict(&snapshot, &[]), Verdict::Ok);
    assert_eq!(verdict(&snapshot, &[(Metric::QueueWait, "60")]), Verdict::Unknown);
    assert_eq!(verdict(&snapshot, &[(Metric::QueueWait, "off")]), Verdict::Ok);

    let mut snapshot = sample::healthy();
    snapshot["system_info"]["uptime_seconds"] = Value::Null;
    assert_eq!(verdict(&snapshot, &[]), Verdict::Ok, "the time zone may never be known");
    assert_eq!(verdict(&snapshot, &[(Metric::Uptime, "600:")]), Verdict::Unknown);
}

#[test]
fn an_unmonitored_trunk_counts_only_by_name() {
    let mut snapshot = sample::healthy();
    snapshot["trunks"][0]["state"] = json!("Unmonitored");
    assert_eq!(verdict(&snapshot, &[]), Verdict::Ok);
    assert_eq!(verdict(&snapshot, &[(Metric::TrunkDown, "SIP_Trunk_IP=,0")]), Verdict::Unknown);
}

#[test]
fn of_a_stale_snapshot_only_the_age_is_told() {
    let snapshot = sample::demo();
    let stale = report(&snapshot, 3_600, &[]);
    assert_eq!(stale.verdict, Verdict::Critical);
    assert!(stale.line.starts_with("FREEPBX CRITICAL - no fresh data: collected at 2026-11-21T"));
    assert!(stale.line.ends_with(" | age=3600s;;;0"), "{}", stale.line);
    assert!(!stale.line.contains("trunk"));
    let mut checks = Checks::default();
    checks.set_stale(Verdict::Unknown);
    let now = sample::after(&snapshot, 3_600);
    assert_eq!(Report::of(&sample::typed(&snapshot), &checks, now).verdict, Verdict::Unknown);
    let aged = report(&sample::healthy(), 300, &[(Metric::Age, "200,400")]);
    assert_eq!(text(&aged), "FREEPBX WARNING - data age 5 min (limit 200 s)");
}

#[test]
fn a_snapshot_from_the_future_has_no_age() {
    let snapshot = sample::healthy();
    assert_eq!(report(&snapshot, -30, &[]).verdict, Verdict::Ok);
    let ahead = report(&snapshot, -3_600, &[]);
    assert_eq!(ahead.verdict, Verdict::Unknown);
    assert!(text(&ahead).contains("in the future"));
}

#[test]
fn a_hostile_name_stays_in_its_place() {
    let report =
        report(&sample::hostile(), 5, &[(Metric::TrunkCalls, "0"), (Metric::Offline, "0")]);
    assert!(!report.line.contains(char::is_control) && !report.line.contains('\u{202e}'));
    assert_eq!(report.line.matches('|').count(), 1);
    let (_, data) = report.line.split_once(" | ").unwrap();
    let quotes = data.matches('\'').count();
    assert!(quotes > 0 && quotes % 2 == 0);
    let values = data.split('\'').step_by(2).flat_map(str::split_whitespace);
    for value in values {
        assert_eq!(value.matches('=').count(), 1, "{value}");
        assert_eq!(value.matches(';').count(), 3, "{value}");
    }
}

fn program(config: &str, snapshot: &Value) -> Program {
    let program = Program::with_config(config);
    std::fs::create_dir(program.path("cache")).unwrap();
    std::fs::write(program.path("cache/freepbx.json"), snapshot.to_string()).unwrap();
    program
}

#[track_caller]
fn assert_says(ended: &Ended, code: i32, begins: &str) {
    assert_eq!(ended.code, code, "{ended:?}");
    assert_eq!(ended.stdout.lines().count(), 1, "{ended:?}");
    assert!(ended.stdout.starts_with(begins), "{ended:?}");
}

/// A monitoring system's user reads the snapshot, not the password.
#[test]
fn the_program_needs_no_password_and_takes_thresholds_from_the_configuration() {
    let config = "freepbx: {ami_username: x, ami_password: \"${NOT_SET}\"}\nstatus:\n  trunk_down: \
                  [\"off\"]\n  queue_unattended: [\"off\"]\n  uptime: [\"off\"]\n  queue_wait:\n    \
                  - 403=100,\n    - off\n";
    let program = program(config, &sample::collected_now(sample::demo()));
    let ended = program.run(&["status"]);
    assert_says(&ended, 1, "FREEPBX WARNING - queue 403: longest wait 3 min (limit 100 s) | age=");
    assert_eq!(ended.stderr, "");
    // The command line comes first.
    let ended = program.run(&["status", "--queue-wait", "403=10,20"]);
    assert_says(&ended, 2, "FREEPBX CRITICAL - queue 403: longest wait 3 min (limit 20 s) |");
    let ended = program.run(&["status", "--queue-wait", "*=off", "--offline", "10,20"]);
    assert_says(&ended, 0, "FREEPBX OK - pbx16 (demonstration PBX): 5 of 13 trunks up (2 not");
}

#[test]
fn whatever_goes_wrong_is_unknown() {
    let program = program("status: {trunk_down: [x]}\n", &sample::collected_now(sample::healthy()));
    assert_says(&program.run(&["status"]), 3, "FREEPBX UNKNOWN - ");
    assert!(program.run(&["status"]).stdout.contains("config.yaml:1: status.trunk_down: is no"));
    let nowhere = Program::with_config("other: 1\n");
    let ended = nowhere.run(&["status"]);
    assert_says(&ended, 3, "FREEPBX UNKNOWN - ");
    assert!(ended.stdout.contains("freepbx.json does not exist"));
    let ended = nowhere.run(&["status", "--config", "gone.yaml"]);
    assert_says(&ended, 3, "FREEPBX UNKNOWN - no configuration: ");
    assert_says(&nowhere.run(&["status", "--file", "config.yaml"]), 3, "FREEPBX UNKNOWN - ");
    let ended = nowhere.run(&["status", "--queue-wait", "x"]);
    assert_says(&ended, 3, "FREEPBX UNKNOWN - the command line is wrong");
    assert!(ended.stderr.contains("is no range"));
    assert_eq!(nowhere.run(&["export", "--wrong"]).code, 64);
}

#[test]
fn a_stale_file_is_critical_or_what_was_chosen() {
    let program = program("other: 1\n", &sample::demo());
    assert_says(&program.run(&["status"]), 2, "FREEPBX CRITICAL - no fresh data: ");
    assert_says(&program.run(&["status", "--stale", "unknown"]), 3, "FREEPBX UNKNOWN - no fresh");
    assert_says(&program.run(&["status", "--stale", "warning"]), 1, "FREEPBX WARNING - no fresh");
}

#[test]
fn the_help_tells_its_own_exit_codes() {
    let ended = Program::with_config("other: 1\n").run(&["status", "--help"]);
    assert_eq!(ended.code, 0);
    assert!(ended.stdout.contains("those of monitoring plugins, not those of the other commands"));
    assert!(ended.stdout.contains("--queue-wait <[NAME=]WARN,CRIT>"));
}
