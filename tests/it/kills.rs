//! The binary is killed at random moments while readers parse the file all the time: it is never
//! torn, never missing, and the next run leaves nothing behind but itself.
//!
//! A few rounds by default; `FREEPBX_SNAPSHOT_KILL_ROUNDS=1000` is what CI does.

use std::{
    collections::BTreeSet,
    os::unix::process::ExitStatusExt as _,
    path::Path,
    process::{Child, Stdio},
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    time::{Duration, Instant},
};

use freepbx_snapshot::output::Lock;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use super::{
    pbx::{Reply, Script},
    program::Program,
};

/// Small random numbers, the same in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

fn names(folder: &Path) -> BTreeSet<String> {
    std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

fn temporary(folder: &Path) -> usize {
    // A run may remove one between listing and looking.
    let entries = std::fs::read_dir(folder).unwrap().flatten();
    entries.filter(|entry| entry.file_name().to_string_lossy().ends_with(".tmp")).count()
}

fn signal(child: &Child, signal: Signal) {
    let pid = Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    kill_process(pid, signal).unwrap();
}

/// A whole document of its kind, however many bytes it has.
fn is_whole(bytes: &[u8]) -> bool {
    #[derive(serde::Deserialize)]
    struct Whole {
        schema_version: u32,
    }
    bytes.ends_with(b"}\n")
        && serde_json::from_slice::<Whole>(bytes).is_ok_and(|it| it.schema_version == 1)
}

#[test]
fn a_run_killed_at_any_moment_leaves_whole_files_and_the_next_cleans_up() {
    let rounds: u64 = std::env::var("FREEPBX_SNAPSHOT_KILL_ROUNDS")
        .map_or(60, |rounds| rounds.parse().expect("a number of rounds"));
    let pbx = Script::recorded("16.28.0/idle").start();
    let program = Program::for_port(pbx.port);
    let folder = program.path("cache");
    let begun = Instant::now();
    assert_eq!(program.run(&[]).code, 0);
    let usual = begun.elapsed();
    let everything = names(&folder);
    assert_eq!(
        everything.iter().map(String::as_str).collect::<Vec<_>>(),
        [".freepbx.json.baseline", ".freepbx.json.lock", "freepbx.json", "freepbx.status.json"]
    );
    let over = AtomicBool::new(false);
    let (reads, torn, missing) = (AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0));
    let (mut killed, mut terminated, mut finished, mut interrupted, mut leftovers) =
        (0, 0, 0, 0, 0);
    std::thread::scope(|scope| {
        for name in ["freepbx.json", "freepbx.json", "freepbx.status.json"] {
            let path = folder.join(name);
            let (over, reads, torn, missing) = (&over, &reads, &torn, &missing);
            scope.spawn(move || {
                while !over.load(Ordering::Relaxed) {
                    match std::fs::read(&path) {
                        Ok(bytes) if is_whole(&bytes) => {}
                        Ok(_) => drop(torn.fetch_add(1, Ordering::Relaxed)),
                        Err(_) => drop(missing.fetch_add(1, Ordering::Relaxed)),
                    }
                    reads.fetch_add(1, Ordering::Relaxed);
                    // On two cores the runs need one.
                    std::thread::sleep(Duration::from_micros(200));
                }
            });
        }
        let mut random = Random(0x5eed_0fa1_1fed);
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            for round in 0..rounds {
                let mut child = program
                    .command(&[])
                    .stdout(Stdio::null())
                    .stderr(Stdio::null())
                    .spawn()
                    .unwrap();
                let start = Instant::now();
                if round % 2 == 0 {
                    // Any moment of a run, and a little after it.
                    let whole = u64::try_from(usual.as_micros()).unwrap() * 11 / 10;
                    std::thread::sleep(Duration::from_micros(random.below(whole)));
                } else {
                    // The moments that matter most: from the first temporary file to the end.
                    while temporary(&folder) == 0 && child.try_wait().unwrap().is_none() {
                        assert!(start.elapsed() < Duration::from_secs(20), "it does not write");
                        std::thread::yield_now();
                    }
                    std::thread::sleep(Duration::from_micros(random.below(8_000)));
                }
                let which = if round % 3 == 2 { Signal::TERM } else { Signal::KILL };
                // A process that was waited for has no number any more.
                if child.try_wait().unwrap().is_none() {
                    signal(&child, which);
                }
                let status = child.wait().unwrap();
                leftovers += u64::try_from(temporary(&folder)).unwrap();
                match (status.code(), status.signal()) {
                    (Some(0), _) => finished += 1,
                    (None, Some(9)) if which == Signal::KILL => killed += 1,
                    // By signal where it came before the program had begun with anything: a shell
                    // says 143 to both.
                    (Some(143), _) | (None, Some(15)) if which == Signal::TERM => terminated += 1,
                    other => panic!("round {round}: {other:?} after {which:?}"),
                }
                if which == Signal::TERM {
                    let status = std::fs::read(folder.join("freepbx.status.json")).unwrap();
                    let status: Value = serde_json::from_slice(&status).unwrap();
                    interrupted += u64::from(status["outcome"] == "interrupted");
                }
                drop(Lock::acquire(&folder.join("freepbx.json")).expect("no lock is left"));
                if round % 10 == 9 {
                    assert_eq!(program.run(&[]).code, 0);
                    assert_eq!(names(&folder), everything);
                }
            }
            assert_eq!(program.run(&[]).code, 0);
            assert_eq!(names(&folder), everything);
        }));
        over.store(true, Ordering::Relaxed);
        result.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
    });
    println!(
        "{rounds} rounds: {killed} killed, {terminated} terminated, {finished} finished before; \
         {leftovers} left a temporary file; {interrupted} said so in their status; {reads:?} reads, \
         {torn:?} torn, {missing:?} missing"
    );
    assert_eq!((torn.into_inner(), missing.into_inner()), (0, 0));
    // Where the machine is busy with other tests, moments of a usual run come late or early.
    assert!((killed + terminated) * 5 > rounds, "too few runs were cut short");
    assert!(rounds < 500 || leftovers * 50 > rounds, "too few died while they wrote");
}

#[test]
fn a_terminated_run_ends_at_once_releases_the_lock_and_says_so() {
    for (which, code) in [(Signal::TERM, 143), (Signal::INT, 130)] {
        let pbx = Script::recorded("16.28.0/idle").on("QueueStatus", Reply::Silence).start();
        let program = Program::for_port(pbx.port);
        let path = program.path("cache/freepbx.json");
        let mut child = program.command(&[]).spawn().unwrap();
        let asked = || pbx.asked.lock().unwrap().iter().any(|action| action == "QueueStatus");
        while !asked() {
            std::thread::sleep(Duration::from_millis(2));
        }
        let begun = Instant::now();
        signal(&child, which);
        assert_eq!(child.wait().unwrap().code(), Some(code));
        assert!(begun.elapsed() < Duration::from_millis(800), "{:?}", begun.elapsed());
        Lock::acquire(&path).expect("the lock is released");
        let status = std::fs::read(program.path("cache/freepbx.status.json")).unwrap();
        let status: Value = serde_json::from_slice(&status).unwrap();
        assert_eq!(status["outcome"], "interrupted");
        assert_eq!(status["exit_code"], Value::Null);
        assert_eq!(status["consecutive_failures"], 1);
        assert_eq!(
            names(&program.path("cache")).into_iter().collect::<Vec<_>>(),
            [".freepbx.json.lock", "freepbx.status.json"]
        );
    }
}

#[test]
fn of_many_runs_at_once_each_writes_or_says_that_another_does() {
    let pbx = Script::recorded("16.28.0/idle").start();
    let program = Program::for_port(pbx.port);
    let spawn = |_| program.command(&[]).stderr(Stdio::null()).spawn().unwrap();
    let children: Vec<Child> = (0..8).map(spawn).collect();
    let mut codes: Vec<_> =
        children.into_iter().map(|mut child| child.wait().unwrap().code()).collect();
    codes.sort();
    assert_eq!(codes[0], Some(0));
    assert!(codes.iter().all(|code| matches!(code, Some(0 | 75))), "{codes:?}");
    assert!(is_whole(&program.file().unwrap()));
    let status = std::fs::read(program.path("cache/freepbx.status.json")).unwrap();
    let status: Value = serde_json::from_slice(&status).unwrap();
    assert_eq!((&status["outcome"], &status["exit_code"]), (&"complete".into(), &0.into()));
}

#[test]
fn after_the_clock_was_set_back_nothing_has_changed_since_the_future() {
    let pbx = Script::recorded("16.28.0/idle").start();
    let program = Program::for_port(pbx.port);
    assert_eq!(program.run(&[]).code, 0);
    let path = program.path("cache/freepbx.json");
    let mut old = program.snapshot();
    old["collected_at"] = "2099-01-01T00:00:00Z".into();
    old["stale_after"] = "2099-01-01T00:10:00Z".into();
    // Somebody has vanished since.
    let mut gone = old["extensions"][0].clone();
    gone["extension"] = "99999".into();
    old["extensions"].as_array_mut().unwrap().push(gone);
    std::fs::write(&path, old.to_string()).unwrap();
    assert_eq!(program.run(&[]).code, 0);
    let snapshot = program.snapshot();
    let time = |value: &Value| value.as_str().unwrap().to_owned();
    assert!(time(&snapshot["stale_after"]).as_str() < "2099");
    let changes = snapshot["changes"].as_array().unwrap();
    assert!(!changes.is_empty());
    assert!(changes.iter().all(|change| time(&change["since"]) <= time(&snapshot["collected_at"])));
    let status = std::fs::read(program.path("cache/freepbx.status.json")).unwrap();
    let status: Value = serde_json::from_slice(&status).unwrap();
    assert_eq!(status["last_success_at"], snapshot["collected_at"]);
}

#[test]
fn a_status_that_cannot_be_written_does_not_fail_the_run() {
    let pbx = Script::recorded("16.28.0/idle").start();
    let program = Program::for_port(pbx.port);
    std::fs::create_dir_all(program.path("cache/freepbx.status.json")).unwrap();
    let ended = program.run(&[]);
    assert_eq!(ended.code, 0);
    assert!(ended.stderr.contains("freepbx.status.json: it is a directory"), "{}", ended.stderr);
    assert!(program.file().is_some());
}

#[test]
fn the_status_has_the_mode_of_the_snapshot() {
    use std::os::unix::fs::PermissionsExt as _;
    let pbx = Script::recorded("16.28.0/idle").start();
    let program = Program::for_port(pbx.port);
    let config = program.path("config.yaml");
    let text = std::fs::read_to_string(&config).unwrap();
    std::fs::write(&config, format!("{text}cache:\n  file_mode: \"0604\"\n")).unwrap();
    assert_eq!(program.run(&[]).code, 0);
    for name in ["freepbx.json", "freepbx.status.json"] {
        let mode =
            std::fs::metadata(program.path("cache").join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o604, "{name}");
    }
}

#[test]
fn printing_leaves_no_status() {
    let pbx = Script::recorded("16.28.0/idle").start();
    let program = Program::for_port(pbx.port);
    assert_eq!(program.run(&["--stdout"]).code, 0);
    assert!(!program.path("cache").exists());
}
