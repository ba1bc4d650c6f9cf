//! The metrics: what they say, and what Prometheus' own tools say of them, the alerts and the
//! dashboard.

use std::{
    collections::BTreeSet,
    io::Write as _,
    process::{Command, Stdio},
};

use freepbx_snapshot::views::prometheus::{MOST_EXTENSIONS, render};
use serde_json::{Value, json};

use super::{pbx::Script, program::Program, sample};

const ALERTS: &str = include_str!("../../contrib/prometheus/alerts.yml");
const DASHBOARD: &str = include_str!("../../contrib/grafana/freepbx-snapshot.json");

fn metrics(snapshot: &Value) -> String {
    render(&sample::typed(snapshot), sample::after(snapshot, 5))
}

/// A snapshot in which every value is known.
fn full() -> Value {
    let mut snapshot = sample::demo();
    snapshot["system_info"]["calls_processed"] = json!(1234);
    snapshot["system_info"]["max_calls"] = json!(60);
    snapshot["summary"]["new_voicemail_messages"] = json!(3);
    snapshot["queues"][0]["service_level_percent"] = json!(87.5);
    snapshot
}

/// The value of a series; `None` where it is absent.
fn value(text: &str, series: &str) -> Option<f64> {
    let series = series.replacen('{', "{pbx=\"127.0.0.1:36677\",", 1);
    let rest = text.lines().find_map(|line| line.strip_prefix(&series))?;
    rest.trim().parse().ok()
}

fn names(text: &str) -> BTreeSet<String> {
    let word = |c: char| c.is_ascii_lowercase() || c == '_' || c == ':';
    let words = text.split(|c| !word(c)).filter(|word| word.starts_with("freepbx_"));
    words.map(str::to_owned).collect()
}

fn declared(text: &str) -> BTreeSet<String> {
    let names = text.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    names.filter_map(|line| line.split(' ').next()).map(str::to_owned).collect()
}

#[test]
fn the_metrics_of_the_demonstration_pbx() {
    let mut snapshot = full();
    snapshot["source"]["port"] = json!(5038);
    snapshot["source"]["duration_ms"] = json!(62);
    snapshot["source"]["collector"]["version"] = json!("0.0.0");
    insta::assert_snapshot!(metrics(&snapshot));
}

#[test]
fn what_is_not_known_is_absent_and_none_is_zero() {
    let (denied, empty) = (metrics(&sample::denied()), metrics(&sample::empty()));
    let gone = [
        "freepbx_channels",
        "freepbx_calls",
        "freepbx_trunk_up",
        "freepbx_queue_callers",
        "freepbx_extension_online",
        "freepbx_extensions",
        "freepbx_call_longest_duration_seconds",
    ];
    for name in gone {
        assert!(!declared(&denied).contains(name), "{name}");
    }
    let port = sample::demo()["source"]["port"].clone();
    let series = format!("{{pbx=\"127.0.0.1:{port}\",section=\"trunks\"}}");
    assert!(denied.contains(&format!("freepbx_section_success{series} 0\n")));
    assert!(empty.contains(&format!("freepbx_section_success{series} 1\n")));
    assert!(empty.contains(&format!("freepbx_channels{{pbx=\"127.0.0.1:{port}\"}} 0\n")));
    assert!(empty.contains("direction=\"inbound\",state=\"on_hold\"} 0\n"));
    assert!(!empty.contains("freepbx_trunk_up"));
}

#[test]
fn a_trunk_that_nobody_watches_is_neither_up_nor_down() {
    let mut snapshot = full();
    snapshot["source"]["port"] = json!(36677);
    let text = metrics(&snapshot);
    let trunk = |metric: &str, name: &str, tech: &str| {
        value(&text, &format!("{metric}{{trunk=\"{name}\",tech=\"{tech}\"}}"))
    };
    assert_eq!(trunk("freepbx_trunk_up", "trunk-main", "PJSIP"), Some(1.0));
    assert_eq!(trunk("freepbx_trunk_registered", "trunk-main", "PJSIP"), Some(1.0));
    assert_eq!(trunk("freepbx_trunk_calls", "trunk-main", "PJSIP"), Some(9.0));
    assert_eq!(trunk("freepbx_trunk_up", "trunk-badpw", "PJSIP"), Some(0.0));
    assert_eq!(trunk("freepbx_trunk_registered", "trunk-badpw", "PJSIP"), Some(0.0));
    assert_eq!(trunk("freepbx_trunk_up", "ip-unmonitored", "PJSIP"), None);
    assert_eq!(trunk("freepbx_trunk_up", "ip-static-dead", "PJSIP"), Some(0.0));
    assert_eq!(trunk("freepbx_trunk_registered", "ip-static-dead", "PJSIP"), None);
}

#[test]
fn a_stale_snapshot_says_only_that_it_is() {
    let snapshot = sample::demo();
    let text = render(&sample::typed(&snapshot), sample::after(&snapshot, 601));
    assert!(text.contains("freepbx_snapshot_stale_after_timestamp_seconds{"));
    assert!(text.contains("freepbx_section_success{"));
    for name in ["freepbx_calls", "freepbx_trunk_up", "freepbx_extension_online"] {
        assert!(!text.contains(name), "{name}");
    }
}

#[test]
fn a_hostile_name_stays_in_its_label() {
    let text = metrics(&sample::hostile());
    let odd = |line: &&str| !line.starts_with("# ") && !line.starts_with("freepbx_");
    assert_eq!(text.lines().find(odd), None);
    assert!(!text.contains("\n# TYPE x"), "a line that a name made");
    // The same name for all is one series, or node_exporter would refuse the whole file.
    let series: Vec<&str> = text
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.rsplit_once(' ').map(|(series, _)| series))
        .collect();
    assert_eq!(series.len(), series.iter().collect::<BTreeSet<_>>().len());
}

#[test]
fn the_number_of_series_is_bounded_and_says_so() {
    let mut snapshot = sample::demo();
    let one = snapshot["extensions"][0].clone();
    let many = (0..MOST_EXTENSIONS + 7).map(|number| {
        let mut extension = one.clone();
        extension["extension"] = json!(number.to_string());
        extension
    });
    snapshot["extensions"] = many.collect();
    let text = metrics(&snapshot);
    let online = text.lines().filter(|line| line.starts_with("freepbx_extension_online{"));
    assert_eq!(online.count(), MOST_EXTENSIONS);
    assert!(text.contains("metric=\"freepbx_extension\"} 7\n"));
    assert!(text.contains("status=\"in_use\"} 5007\n"), "the counts are of all");
}

#[test]
fn alerts_and_dashboard_name_only_metrics_that_exist() {
    let known = declared(&metrics(&full()));
    for (what, text) in [("alerts", ALERTS), ("dashboard", DASHBOARD)] {
        let unknown: Vec<_> = names(text).difference(&known).cloned().collect();
        assert_eq!(unknown, Vec::<String>::new(), "{what}");
    }
}

/// `collect` with outputs that work, and with outputs that do not.
#[test]
fn a_run_writes_its_outputs_and_survives_when_it_cannot() {
    let pbx = Script::recorded("16.28.0/busy").start();
    let program = Program::for_port(pbx.port);
    let config = std::fs::read_to_string(program.path("config.yaml")).unwrap();
    let outputs = "outputs:\n  html: www/index.html\n  prometheus: textfile/freepbx.prom\n";
    std::fs::write(program.path("config.yaml"), format!("{config}{outputs}")).unwrap();
    let ended = program.run(&[]);
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""));
    let page = std::fs::read_to_string(program.path("www/index.html")).unwrap();
    assert!(page.contains("<!DOCTYPE html>"));
    let metrics = program.path("textfile/freepbx.prom");
    assert!(std::fs::read_to_string(&metrics).unwrap().contains("freepbx_channels{"));
    let mode = |path| {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::metadata(program.path(path)).unwrap().permissions().mode() & 0o777
    };
    assert_eq!((mode("textfile/freepbx.prom"), mode("www/index.html")), (0o644, 0o640));

    let outputs = "outputs:\n  html: www\n  prometheus: config.yaml/freepbx.prom\n";
    std::fs::write(program.path("config.yaml"), format!("{config}{outputs}")).unwrap();
    std::fs::remove_dir_all(program.path("cache")).unwrap();
    let ended = program.run(&[]);
    assert_eq!(ended.code, 0, "{ended:?}");
    assert_eq!(ended.stderr.lines().filter(|line| line.contains("WARN")).count(), 2, "{ended:?}");
    assert_eq!(program.snapshot()["complete"], true);
}

#[test]
fn a_metrics_file_that_node_exporter_would_not_read_is_refused() {
    let config = "freepbx: {ami_username: x, ami_password: y}\noutputs: {prometheus: a.txt}\n";
    let ended = Program::with_config(config).run(&["collect"]);
    assert_eq!(ended.code, 78);
    assert!(ended.stderr.contains("config.yaml:2: outputs.prometheus: does not end in .prom"));
}

fn promtool(arguments: &[&str], input: &str) {
    let mut child = Command::new("promtool")
        .args(arguments)
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/contrib/prometheus"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("promtool is installed");
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    assert!(output.stderr.is_empty(), "{arguments:?}: {output:?}");
}

#[test]
#[ignore = "needs promtool: .ci/run"]
fn promtool_has_nothing_to_complain_about() {
    for snapshot in [full(), sample::empty(), sample::denied(), sample::hostile(), sample::large()]
    {
        promtool(&["check", "metrics"], &metrics(&snapshot));
    }
    promtool(&["check", "rules", "alerts.yml"], "");
    promtool(&["test", "rules", "alerts.test.yml"], "");

    // The dashboard's queries, as rules.
    let dashboard: Value = serde_json::from_str(DASHBOARD).unwrap();
    let panels = dashboard["panels"].as_array().unwrap().iter();
    let targets = panels.flat_map(|panel| panel["targets"].as_array().unwrap());
    let rules: Vec<Value> = targets
        .enumerate()
        .map(|(number, target)| json!({"record": format!("q{number}"), "expr": target["expr"]}))
        .collect();
    assert!(rules.len() > 15);
    let folder = tempfile::TempDir::new().unwrap();
    let file = folder.path().join("queries.yml");
    // JSON is YAML.
    let group = json!({"groups": [{"name": "dashboard", "rules": rules}]});
    std::fs::write(&file, group.to_string()).unwrap();
    promtool(&["check", "rules", file.to_str().unwrap()], "");
}
