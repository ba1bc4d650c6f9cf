//! The writer under failure and concurrency: a reader sees the old file or the new one.
use std::{
    io::Write as _,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

use freepbx_snapshot::{
    output::{Error, Lock, Target, keep, read_kept, read_previous, write, write_with},
    snapshot::Baseline,
};
use fs_err as fs;

fn put(bytes: &[u8], path: &Path) -> Result<(), Error> {
    write(bytes, &Target { path, mode: 0o640 })
}

/// A folder and the file in it that is written.
fn place() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    // Other users may enter it, for the tests that give up being root.
    fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    let path = folder.path().join("cache/freepbx.json");
    (folder, path)
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().mode() & 0o7777
}

/// Names in the folder of a file.
fn names(path: &Path) -> Vec<String> {
    let entries = fs::read_dir(path.parent().unwrap()).unwrap();
    let mut names: Vec<_> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn one_line(error: &Error, path: &Path) -> String {
    let line = error.to_string();
    assert!(!line.contains('\n'), "{line}");
    line.replace(path.parent().unwrap().parent().unwrap().to_str().unwrap(), "DIR")
}

/// A document that shows when it is torn: its first line says how long it is.
fn document(size: usize, letter: u8) -> Vec<u8> {
    let mut bytes = format!("{size:012}\n").into_bytes();
    bytes.resize(size, letter);
    bytes
}

fn is_whole(bytes: &[u8]) -> bool {
    let length = bytes.get(..12).and_then(|text| std::str::from_utf8(text).ok()?.parse().ok());
    let rest = bytes.get(13..).unwrap_or_default();
    length == Some(bytes.len()) && rest.iter().all(|byte| Some(byte) == rest.first())
}

/// This very test binary as another process that runs [`helper`].
fn helper_process(role: &str, path: &Path) -> Command {
    as_helper(Command::new(std::env::current_exe().unwrap()), role, path)
}

/// The same through a shell script that ends with `exec "$@"`.
fn helper_in_shell(script: &str, role: &str, path: &Path) -> Command {
    let mut shell = Command::new("sh");
    shell.args(["-c", script, "sh"]).arg(std::env::current_exe().unwrap());
    as_helper(shell, role, path)
}

fn as_helper(mut command: Command, role: &str, path: &Path) -> Command {
    command
        .args(["--exact", "output::helper", "--ignored", "--nocapture"])
        .env("HELPER_ROLE", role)
        .env("HELPER_PATH", path)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
}

#[test]
#[ignore = "not a test: other tests run it as a process of its own"]
fn helper() {
    let path = PathBuf::from(std::env::var_os("HELPER_PATH").unwrap());
    let report = |result: Result<(), Error>| {
        let text = result.err().map_or("written".to_owned(), |error| error.to_string());
        fs::write(std::env::var_os("HELPER_REPORT").unwrap(), text).unwrap();
    };
    match std::env::var("HELPER_ROLE").unwrap().as_str() {
        "write once" => report(put(&document(300_000, b'n'), &path)),
        "write forever" => {
            let _lock = Lock::acquire(&path).unwrap();
            for letter in (b'a'..=b'z').cycle() {
                put(&document(300_000, letter), &path).unwrap();
            }
        }
        "hold the lock" => {
            let _lock = Lock::acquire(&path).unwrap();
            fs::write(path.with_extension("held"), "").unwrap();
            std::thread::sleep(Duration::from_secs(60));
        }
        role => panic!("unknown role {role}"),
    }
}

/// Runs a helper that writes once, and returns what came of it; `None` where the shell could not
/// make the circumstances.
fn written_by(mut command: Command, report: &Path) -> Option<String> {
    let status = command.env("HELPER_REPORT", report).status().unwrap();
    status.success().then(|| fs::read_to_string(report).unwrap())
}

/// A process that is killed at the end of its test.
struct Killed(Child);

impl Killed {
    fn kill(mut self) -> ExitStatus {
        self.0.kill().unwrap();
        self.0.wait().unwrap()
    }
}

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn wait_for(path: &Path) {
    let start = Instant::now();
    while !path.exists() {
        assert!(start.elapsed() < Duration::from_secs(20), "{} does not come", path.display());
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn the_first_file_comes_with_its_directory_and_mode() {
    let (_folder, path) = place();
    put(b"{}\n", &path).unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"{}\n");
    assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o640, 0o750));
    assert_eq!(names(&path), ["freepbx.json"]);
}

#[test]
fn the_mode_does_not_depend_on_the_umask() {
    let (folder, path) = place();
    for umask in ["000", "077", "777"] {
        let script = format!("umask {umask}; exec \"$@\"");
        let report = folder.path().join("report");
        fs::write(&report, "").unwrap();
        let command = helper_in_shell(&script, "write once", &path);
        assert_eq!(written_by(command, &report).unwrap(), "written");
        assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o640, 0o750), "umask {umask}");
        fs::remove_dir_all(path.parent().unwrap()).unwrap();
    }
}

#[test]
fn a_reader_never_sees_a_torn_or_missing_file() {
    let (_folder, path) = place();
    put(&document(100, b'0'), &path).unwrap();
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for (turn, letter) in (b'a'..=b'z').cycle().take(200).enumerate() {
                put(&document(1_000 + turn * 997, letter), &path).unwrap();
            }
        });
        let mut reads = 0;
        while !writer.is_finished() {
            assert!(is_whole(&fs::read(&path).unwrap()));
            reads += 1;
        }
        assert!(reads > 100, "only {reads} reads");
    });
}

#[test]
fn a_writer_killed_at_any_moment_leaves_a_whole_file() {
    let (_folder, path) = place();
    put(&document(300_000, b'0'), &path).unwrap();
    let mut leftovers = 0;
    for turn in 0..25_u64 {
        let before = fs::metadata(&path).unwrap().ino();
        let child = Killed(helper_process("write forever", &path).spawn().unwrap());
        let start = Instant::now();
        while fs::metadata(&path).unwrap().ino() == before {
            // An fsync may take long on a disk that is busy with something else.
            assert!(start.elapsed() < Duration::from_secs(120), "it does not write");
        }
        // Moments spread over a write, which takes about a millisecond.
        std::thread::sleep(Duration::from_micros(turn * 131 % 2_000));
        assert!(!child.kill().success());
        assert!(is_whole(&fs::read(&path).unwrap()), "turn {turn}");
        leftovers += names(&path).iter().filter(|name| name.ends_with(".tmp")).count();
    }
    // The next run takes the dead one's lock and cleans up.
    let lock = Lock::acquire(&path).unwrap();
    put(&document(100, b'z'), &path).unwrap();
    assert_eq!(names(&path), [".freepbx.json.lock", "freepbx.json"], "{leftovers} seen before");
    drop(lock);
}

#[test]
fn leftovers_of_killed_runs_go_and_other_files_stay() {
    let (_folder, path) = place();
    put(b"{}", &path).unwrap();
    let beside = |name: &str| path.with_file_name(name);
    for name in [".freepbx.json.AbC123.tmp", ".freepbx.json.bak", "x.tmp", ".other.json.a.tmp"] {
        fs::write(beside(name), "{").unwrap();
    }
    fs::create_dir(beside(".freepbx.json.dir.tmp")).unwrap();
    let _lock = Lock::acquire(&path).unwrap();
    assert_eq!(
        names(&path),
        [
            ".freepbx.json.bak",
            ".freepbx.json.dir.tmp",
            ".freepbx.json.lock",
            ".other.json.a.tmp",
            "freepbx.json",
            "x.tmp"
        ]
    );
}

#[test]
fn a_link_stays_and_its_target_is_replaced() {
    let (folder, path) = place();
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let real = folder.path().join("elsewhere/real.json");
    symlink("../hop.json", &path).unwrap();
    symlink("elsewhere/real.json", folder.path().join("hop.json")).unwrap();
    for content in [b"first", b"later"] {
        put(content, &path).unwrap();
        assert_eq!(fs::read(&real).unwrap(), content);
        assert!(fs::symlink_metadata(&path).unwrap().is_symlink());
    }
    let _lock = Lock::acquire(&path).unwrap();
    assert_eq!(names(&real), [".real.json.lock", "real.json"], "all beside the real file");
    assert_eq!(names(&path), ["freepbx.json"]);
    assert!(matches!(Lock::acquire(&real), Err(Error::Locked { .. })), "one file, one lock");
}

#[test]
fn what_is_no_file_is_left_alone() {
    let (_folder, path) = place();
    fs::create_dir_all(&path).unwrap();
    let error = put(b"{}", &path).unwrap_err();
    insta::assert_snapshot!(one_line(&error, &path), @"cannot write DIR/cache/freepbx.json: it is a directory; move it away or set cache.directory");
    fs::remove_dir(&path).unwrap();
    symlink("freepbx.json", &path).unwrap();
    let error = put(b"{}", &path).unwrap_err();
    insta::assert_snapshot!(one_line(&error, &path), @"cannot write DIR/cache/freepbx.json: it is a symbolic link to itself; move it away or set cache.directory");
    let error = put(b"{}", Path::new("/dev/full")).unwrap_err();
    insta::assert_snapshot!(error.to_string(), @"cannot write /dev/full: it is a device, pipe or socket; move it away or set cache.directory");
    assert!(put(b"{}", Path::new("/")).is_err() && put(b"{}", Path::new("..")).is_err());
}

#[test]
fn a_file_in_place_of_the_directory_is_told() {
    let (folder, path) = place();
    fs::write(folder.path().join("cache"), "").unwrap();
    insta::assert_snapshot!(one_line(&put(b"{}", &path).unwrap_err(), &path), @"cannot write DIR/cache/freepbx.json: File exists (os error 17) while creating its directory; a part of its path is a file: move that away or set cache.directory; the previous snapshot is untouched");
    insta::assert_snapshot!(one_line(&Lock::acquire(&path).unwrap_err(), &path), @"cannot write DIR/cache/freepbx.json: File exists (os error 17) while creating its directory; a part of its path is a file: move that away or set cache.directory; the previous snapshot is untouched");
    let deep = path.with_file_name("a").join("freepbx.json");
    assert!(put(b"{}", &deep).unwrap_err().to_string().contains("a part of its path is a file"));
}

#[test]
fn a_directory_without_write_permission_is_told_and_the_old_file_stays() {
    let (folder, path) = place();
    put(b"old", &path).unwrap();
    let directory = path.parent().unwrap();
    fs::set_permissions(directory, std::fs::Permissions::from_mode(0o555)).unwrap();
    let report = folder.path().join("report");
    fs::write(&report, "").unwrap();
    fs::set_permissions(&report, std::fs::Permissions::from_mode(0o666)).unwrap();
    // Root may write everywhere, so it has to become somebody else.
    let script = "case $(id -u) in 0) set -- setpriv --reuid=65534 --regid=65534 --clear-groups \
                  -- \"$@\";; esac; exec \"$@\"";
    let result = written_by(helper_in_shell(script, "write once", &path), &report);
    let Some(result) = result else {
        eprintln!("skipped: cannot become another user here");
        return;
    };
    let result = result.replace(folder.path().to_str().unwrap(), "DIR");
    insta::assert_snapshot!(result, @"cannot write DIR/cache/freepbx.json: Permission denied (os error 13) while creating a temporary file beside it; the user that runs this needs write permission for the directory (chown), or set cache.directory to another place; the previous snapshot is untouched");
    assert_eq!(fs::read(&path).unwrap(), b"old");
}

#[test]
fn a_file_too_large_is_told_and_the_old_file_stays() {
    let (folder, path) = place();
    put(b"old", &path).unwrap();
    let report = folder.path().join("report");
    // A limit that works without rights and on every file system; a full disk is below.
    let script = "trap '' XFSZ; ulimit -f 64; exec \"$@\"";
    let result = written_by(helper_in_shell(script, "write once", &path), &report).unwrap();
    let result = result.replace(folder.path().to_str().unwrap(), "DIR");
    insta::assert_snapshot!(result, @"cannot write DIR/cache/freepbx.json: File too large (os error 27) while writing a temporary file beside it; a limit on the size of files is in force (see ulimit -f); the previous snapshot is untouched");
    assert_eq!(fs::read(&path).unwrap(), b"old");
    assert_eq!(names(&path), ["freepbx.json"], "nothing half-written is left");
}

/// Runs a helper with the cache directory on a small disk of its own.
fn written_on(disk: &str, path: &Path, report: &Path) -> Option<String> {
    let cache = path.parent().unwrap().display();
    let script = format!(
        "exec unshare --map-root-user --mount sh -c 'mount -t tmpfs -o size=64k tmpfs {cache} && \
         echo old > {} && {disk} && \"$@\" && test \"$(cat {})\" = old && \
         test \"$(ls -A {cache})\" = freepbx.json' sh \"$@\"",
        path.display(),
        path.display(),
    );
    let result = written_by(helper_in_shell(&script, "write once", path), report);
    if result.is_none() {
        // Told apart from a failed check: then there is a report.
        assert!(!report.exists(), "the old file was touched, or something was left beside it");
        eprintln!("skipped: no right to mount a disk here");
    }
    result
}

#[test]
fn a_full_disk_is_told_and_the_old_file_stays() {
    let (folder, path) = place();
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let Some(result) = written_on("true", &path, &folder.path().join("report")) else { return };
    let result = result.replace(folder.path().to_str().unwrap(), "DIR");
    insta::assert_snapshot!(result, @"cannot write DIR/cache/freepbx.json: No space left on device (os error 28) while writing a temporary file beside it; free some space on this disk (see df and df -i); the previous snapshot is untouched");
}

#[test]
fn a_read_only_disk_is_told_and_the_old_file_stays() {
    let (folder, path) = place();
    let cache = path.parent().unwrap();
    fs::create_dir_all(cache).unwrap();
    let disk = format!("mount -o remount,ro {}", cache.display());
    let Some(result) = written_on(&disk, &path, &folder.path().join("report")) else { return };
    let result = result.replace(folder.path().to_str().unwrap(), "DIR");
    insta::assert_snapshot!(result, @"cannot write DIR/cache/freepbx.json: Read-only file system (os error 30) while creating a temporary file beside it; this disk is mounted read-only: set cache.directory to another place, or in a systemd unit ReadWritePaths=; the previous snapshot is untouched");
}

#[test]
fn owner_and_group_are_kept_where_permitted() {
    let (_folder, path) = place();
    put(b"old", &path).unwrap();
    if std::os::unix::fs::chown(&path, Some(12_345), Some(54_321)).is_err() {
        eprintln!("skipped: only root can give a file away");
        return;
    }
    put(b"new", &path).unwrap();
    let it = fs::metadata(&path).unwrap();
    assert_eq!((it.uid(), it.gid(), mode(&path)), (12_345, 54_321, 0o640));
}

#[test]
fn the_second_run_is_told_who_is_at_work() {
    let (_folder, path) = place();
    let child = Killed(helper_process("hold the lock", &path).spawn().unwrap());
    wait_for(&path.with_extension("held"));
    let error = Lock::acquire(&path).unwrap_err();
    assert!(matches!(&error, Error::Locked { pid: Some(pid), .. } if *pid == child.0.id()));
    assert_eq!(
        one_line(&error, &path),
        format!(
            "another run is writing DIR/cache/freepbx.json (process {}); nothing to do, it will \
             finish",
            child.0.id()
        )
    );
    child.kill();
    let lock = Lock::acquire(&path).expect("a dead process holds no lock");
    let file = path.with_file_name(".freepbx.json.lock");
    assert_eq!(fs::read_to_string(&file).unwrap(), format!("{}\n", std::process::id()));
    drop(lock);
    assert_eq!(fs::read_to_string(&file).unwrap(), "", "the file stays, the number does not");
}

#[test]
fn a_lock_file_that_is_a_link_is_refused() {
    let (folder, path) = place();
    put(b"{}", &path).unwrap();
    let victim = folder.path().join("victim");
    fs::write(&victim, "precious").unwrap();
    symlink(&victim, path.with_file_name(".freepbx.json.lock")).unwrap();
    assert!(Lock::acquire(&path).is_err());
    assert_eq!(fs::read_to_string(&victim).unwrap(), "precious");
}

/// The smallest snapshot of this version.
fn snapshot() -> serde_json::Value {
    let report = serde_json::json!({"status": "ok", "message": null, "actions": []});
    let sections = [
        "system_info",
        "trunks",
        "queues",
        "active_calls",
        "channels",
        "extensions",
        "parking",
        "conferences",
        "voicemail",
    ];
    let sections: serde_json::Map<_, _> =
        sections.map(|name| (name.to_owned(), report.clone())).into_iter().collect();
    serde_json::json!({
        "schema_version": freepbx_snapshot::snapshot::SCHEMA_VERSION,
        "collected_at": "2026-11-21T08:15:00Z",
        "stale_after": "2026-11-21T08:25:00Z",
        "complete": true,
        "summary": {"text": "", "attention": [], "attention_total": 0},
        "source": {
            "host": "pbx", "port": 5038, "tls": false, "duration_ms": 1, "demo": false,
            "collector": {"name": "freepbx-snapshot", "version": "0.1.0"},
        },
        "sections": sections,
        "queues": [],
        "key_of_a_later_version": 1,
    })
}

#[test]
fn the_previous_snapshot_is_read_unless_its_schema_differs() {
    let (_folder, path) = place();
    let mut value = snapshot();
    put(value.to_string().as_bytes(), &path).unwrap();
    let previous = read_previous(&path).unwrap();
    assert_eq!((previous.queues, previous.trunks), (Some(Vec::new()), None));
    put(&value.to_string().as_bytes()[..200], &path).unwrap();
    assert!(read_previous(&path).is_none(), "torn");
    value["schema_version"] = 2.into();
    put(value.to_string().as_bytes(), &path).unwrap();
    assert!(read_previous(&path).is_none(), "another schema");
}

#[test]
fn what_was_kept_counts_for_the_very_file_that_it_was_made_with() {
    let (folder, path) = place();
    let target = Target { path: &path, mode: 0o640 };
    let text = snapshot().to_string();
    let baseline: Baseline = serde_json::from_str(&text).unwrap();
    let kept = path.with_file_name(".freepbx.json.baseline");
    let store = || {
        let written = write_with(&target, |file| file.write_all(text.as_bytes())).unwrap();
        keep(&baseline, written, &target);
    };
    let read = || read_kept(&path, u64::MAX);
    assert!(read().is_none(), "no snapshot");
    store();
    assert_eq!(read().as_ref(), Some(&baseline));
    assert_eq!(mode(&kept), 0o640);
    assert!(read_kept(&path, 10).is_none(), "larger than wanted");
    let whole = fs::read(&kept).unwrap();
    fs::write(&kept, &whole[..whole.len() / 2]).unwrap();
    assert!(read().is_none(), "torn");
    store();
    put(text.as_bytes(), &path).unwrap();
    assert!(read().is_none(), "replaced by another of the same bytes");
    store();
    fs::write(&path, text.replace("192", "198")).unwrap();
    assert!(read().is_none(), "written into");
    store();
    let link = folder.path().join("link.json");
    symlink(&path, &link).unwrap();
    assert!(read_kept(&link, u64::MAX).is_some(), "beside the real file");
    // What cannot be kept is no loss.
    fs::remove_file(&kept).unwrap();
    fs::create_dir(&kept).unwrap();
    store();
    assert!(read().is_none());
    assert_eq!(fs::read(&path).unwrap(), text.as_bytes());
}

#[test]
fn a_previous_snapshot_that_is_none_is_no_obstacle() {
    let (folder, path) = place();
    assert!(read_previous(&path).is_none(), "missing");
    assert!(read_previous(folder.path()).is_none(), "a directory");
    assert!(read_previous(Path::new("/dev/zero")).is_none(), "without end");
    let deep = "[".repeat(100_000);
    let contents =
        ["", "{", "null", "[]", "{\"schema_version\":1}", "{\"schema_version\":2}", "\u{0}", &deep];
    for content in contents {
        put(content.as_bytes(), &path).unwrap();
        assert!(read_previous(&path).is_none(), "{content:.30}");
    }
}
