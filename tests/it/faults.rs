//! The table of faults: the binary meets each of them, and every run must end in time and within
//! its memory, leave a whole file, and tell what happened by message, exit code and status file.
//!
//! `tests/faults` writes what came of it to `docs/faults.md`. An ordinary run of the tests compares
//! the results with that file, all but times and memory, so that it cannot go stale.

use std::{
    any::Any,
    collections::BTreeSet,
    net::{TcpListener, TcpStream, UdpSocket},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Command,
    sync::{LazyLock, Mutex},
    time::{Duration, Instant},
};

use freepbx_snapshot::{collect::Plan, output::Lock};
use serde_json::Value;

use super::{
    pbx::{Flood, Greeting, PASSWORD, Pbx, Reply, Script},
    program::{Program, assert_follows_schema},
};

/// A fault and what must come of it.
struct Fault {
    group: &'static str,
    name: String,
    world: Box<dyn Fn() -> World + Send + Sync>,
    code: Option<i32>,
    file: File,
    /// What standard error must hold.
    says: &'static str,
    /// Megabytes.
    peak: u64,
    /// Must have happened besides.
    check: fn(&Value),
}

/// What must have become of the file.
#[derive(Clone, Copy, PartialEq, Debug)]
enum File {
    /// As it was, to the byte.
    Untouched,
    /// A new one, which says what is missing where something is.
    New,
}

/// Where a fault happens.
struct World {
    program: Program,
    /// Goes around the program: a shell script that ends with `"$@"`.
    shell: Option<String>,
    /// Where the files stand afterwards.
    cache: &'static str,
    /// The whole run must end within this.
    within: Duration,
    /// Whether there is a status to read afterwards.
    status: bool,
    _kept: Vec<Box<dyn Any + Send>>,
}

/// Megabytes that an ordinary run may take, in a build without optimization.
const ORDINARY: u64 = 48;

/// Megabytes that the largest answers within the limits may take.
const LARGEST: u64 = 512;

impl World {
    fn of(program: Program, kept: Vec<Box<dyn Any + Send>>) -> Self {
        // The limit of a run is 6 s. Among other tests a process may wait long for its turn.
        let within = Duration::from_secs(if is_measured() { 8 } else { 30 });
        Self { program, shell: None, cache: "cache", within, status: true, _kept: kept }
    }

    fn with(script: Script) -> Self {
        let pbx = script.start();
        Self::of(Program::for_port(pbx.port), vec![Box::new(pbx)])
    }

    /// With time for much to be sent.
    fn patient(script: Script) -> Self {
        let pbx = script.start();
        let program = Program::with_config(&config("127.0.0.1", pbx.port, 40, 60));
        let within = Duration::from_secs(70);
        Self { within, ..Self::of(program, vec![Box::new(pbx)]) }
    }

    /// In a namespace of its own, in which `script` may mount what it likes.
    fn mounted(self, script: &str) -> Self {
        let shell = format!("exec unshare --map-root-user --mount sh -ec '{script}' sh \"$@\"");
        Self { shell: Some(shell), ..self }
    }
}

/// Whether times and memory are measured for the page, and nothing else runs.
fn is_measured() -> bool {
    std::env::var_os("FREEPBX_SNAPSHOT_WRITE_FAULTS").is_some()
}

fn config(host: &str, port: u16, action: u32, run: u32) -> String {
    format!(
        "freepbx:\n  ami_host: {host}\n  ami_port: {port}\n  ami_username: snapshot\n  \
         ami_password: {PASSWORD}\n  timeouts:\n    connect_seconds: 1\n    login_seconds: 2\n    \
         action_seconds: {action}\n    run_seconds: {run}\n"
    )
}

fn busy() -> Script {
    Script::recorded("16.28.0/busy")
}

/// The snapshot that stands there before: one of another PBX.
static OLD: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let pbx = Script::recorded("16.28.0/idle").start();
    let program = Program::for_port(pbx.port);
    assert_eq!(program.run(&[]).code, 0);
    program.file().unwrap()
});

/// What came of a fault.
struct Result {
    code: i32,
    /// In a few words, without what differs from run to run.
    told: String,
    took: Duration,
    /// Megabytes; `None` where GNU time is missing.
    peak: Option<u64>,
}

impl Fault {
    fn meet(&self) -> Option<Result> {
        // One at a time of those that do not just wait.
        static HEAVY: Mutex<()> = Mutex::new(());
        let heavy = (self.peak > ORDINARY).then(|| HEAVY.lock());
        let world = (self.world)();
        let program = &world.program;
        let cache = program.path("cache");
        if !cache.exists() && self.name != "the directory is missing" {
            std::fs::create_dir(&cache).unwrap();
            std::fs::write(cache.join("freepbx.json"), &*OLD).unwrap();
        }
        if let Some(shell) = &world.shell
            && !can_run(shell)
        {
            eprintln!("skipped, no right to do that here: {}", self.name);
            return None;
        }
        let peak = program.path("peak");
        let inner = program.command(&[]);
        let mut words: Vec<std::ffi::OsString> = Vec::new();
        let timed = Path::new("/usr/bin/time").exists();
        if let Some(shell) = &world.shell {
            words.extend(["sh", "-c", shell, "sh"].map(Into::into));
        }
        if timed {
            words.extend(["/usr/bin/time", "-q", "-f", "%M", "-o"].map(Into::into));
            words.push(peak.clone().into());
        }
        words.push(inner.get_program().into());
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]).current_dir(program.path("")).env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        let begun = Instant::now();
        let output = command.output().unwrap();
        let took = begun.elapsed();
        let stderr = String::from_utf8(output.stderr).expect("messages are UTF-8");
        let code = output.status.code().unwrap_or(-1);
        let peak = timed.then(|| {
            let text = std::fs::read_to_string(&peak).unwrap();
            text.trim().parse::<u64>().unwrap_or_else(|_| panic!("{text}")).div_ceil(1_024)
        });
        let name = format!("{}: {}", self.group, self.name);
        assert!(took < world.within, "{name}: took {took:?}");
        assert!(peak.is_none_or(|peak| peak <= self.peak), "{name}: took {peak:?} MB");
        assert!(self.code.is_none_or(|expected| expected == code), "{name}: {code}, {stderr}");
        assert!(stderr.contains(self.says), "{name}: {stderr}");
        assert!(stderr.lines().count() <= 1 && !stderr.contains(PASSWORD), "{name}: {stderr}");
        drop(heavy);
        let told = self.judge(&world, &name, code, &stderr);
        Some(Result { code, told, took, peak })
    }

    fn judge(&self, world: &World, name: &str, code: i32, stderr: &str) -> String {
        let folder = world.program.path(world.cache);
        let status = std::fs::read(folder.join("freepbx.status.json")).ok();
        let status: Option<Value> = status.map(|bytes| serde_json::from_slice(&bytes).unwrap());
        assert_eq!(status.is_some(), world.status, "{name}: {status:?}");
        let said = stderr.trim_end().trim_start_matches("freepbx-snapshot: ");
        if let Some(status) = &status {
            assert_status_follows_schema(status);
            assert_eq!(status["exit_code"], code, "{name}");
            // Cut where it is very long.
            let reason = status["reason"].as_str().unwrap_or_default();
            assert!(said.starts_with(reason), "{name}: {reason} for {said}");
            assert_eq!(reason.is_empty(), code == 0, "{name}");
            let failed = u32::from(!matches!(code, 0 | 3));
            assert_eq!(status["consecutive_failures"], failed, "{name}");
        }
        let left: BTreeSet<String> = std::fs::read_dir(&folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        assert!(!left.iter().any(|name| name.ends_with(".tmp")), "{name}: {left:?}");
        let path = folder.join("freepbx.json");
        match self.file {
            File::Untouched if path.is_file() => {
                assert!(std::fs::read(&path).unwrap() == *OLD, "{name}: the file was touched");
                format!("old file untouched; \"{}\"", self.shortened(said, world))
            }
            File::Untouched => format!("nothing written; \"{}\"", self.shortened(said, world)),
            File::New => {
                let snapshot: Value =
                    serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
                assert_follows_schema(&snapshot);
                assert_eq!(snapshot["complete"], code == 0, "{name}");
                assert_ne!(snapshot["collected_at"], Value::Null);
                let status = status.as_ref().unwrap_or(&Value::Null);
                assert_eq!(status["last_success_at"], snapshot["collected_at"], "{name}");
                assert_eq!(status["stale_after"], snapshot["stale_after"], "{name}");
                let sections = snapshot["sections"].as_object().unwrap();
                let missing: Vec<String> = sections
                    .iter()
                    .filter(|(_, report)| !matches!(word(report), "ok" | "disabled"))
                    .map(|(section, report)| {
                        // What could not be read is null, never empty.
                        let whole = matches!(word(report), "partial");
                        assert!(whole || snapshot[section].is_null(), "{name}: {section}");
                        format!("{section} {}", word(report))
                    })
                    .collect();
                for part in missing.iter().filter(|part| !part.ends_with("unsupported")) {
                    assert!(said.contains(part), "{name}: {part} is not in {said}");
                }
                (self.check)(&snapshot);
                match (code, missing.is_empty()) {
                    (_, true) => "new file, complete".to_owned(),
                    (0, false) => format!("new file, complete: {}", missing.join(", ")),
                    (_, false) => format!("new file, partial: {}", missing.join(", ")),
                }
            }
        }
    }

    /// The first part of a message, without what differs from run to run.
    fn shortened(&self, said: &str, world: &World) -> String {
        let folder = world.program.path("");
        let text = said.replace(folder.to_str().unwrap(), "DIR/").replace("DIR//", "DIR/");
        let text = text.split("; ").next().unwrap_or_default();
        let text: String = text.chars().take(160).collect();
        let mut shown = String::new();
        let mut digits = String::new();
        for c in text.chars().chain(['\0']) {
            if c.is_ascii_digit() {
                digits.push(c);
                continue;
            }
            // Ports and process numbers.
            shown.push_str(if digits.len() > 3 { "N" } else { &digits });
            digits.clear();
            shown.extend(Some(c).filter(|c| *c != '\0'));
        }
        shown.replace('|', "\\|")
    }
}

fn word(report: &Value) -> &str {
    report["status"].as_str().unwrap()
}

fn assert_status_follows_schema(status: &Value) {
    static SCHEMA: LazyLock<jsonschema::Validator> = LazyLock::new(|| {
        let schema = schemars::schema_for!(freepbx_snapshot::snapshot::RunStatus);
        jsonschema::validator_for(schema.as_value()).unwrap()
    });
    assert!(SCHEMA.is_valid(status), "{status:#}");
}

/// Whether the machinery of a shell wrapper works here at all.
fn can_run(shell: &str) -> bool {
    if !shell.contains("unshare") {
        return true;
    }
    let mut probe = Command::new("unshare");
    probe.args(["--map-root-user", "--mount", "mount", "-t", "tmpfs", "tmpfs", "/mnt"]);
    probe.output().is_ok_and(|output| output.status.success())
}

/// A port at which nobody listens.
fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A port that answers no attempt to connect: its queue is full.
fn black_hole(address: [u8; 4], port: u16) -> (u16, Vec<Box<dyn Any + Send>>) {
    use rustix::net::{AddressFamily, SocketAddrV4, SocketType, bind, listen, socket};
    let socket = socket(AddressFamily::INET, SocketType::STREAM, None).unwrap();
    bind(&socket, &SocketAddrV4::new(address.into(), port)).unwrap();
    listen(&socket, 0).unwrap();
    let listener = TcpListener::from(socket);
    let address = listener.local_addr().unwrap();
    let mut kept: Vec<Box<dyn Any + Send>> = vec![Box::new(listener)];
    while let Ok(stream) = TcpStream::connect_timeout(&address, Duration::from_millis(200)) {
        kept.push(Box::new(stream));
        assert!(kept.len() < 20, "the queue does not fill");
    }
    (address.port(), kept)
}

/// A host name that a file of ours resolves, and a bind mount to have it used.
fn named(program: Program, kept: Vec<Box<dyn Any + Send>>, hosts: &str, dns: &str) -> World {
    std::fs::write(program.path("hosts"), hosts).unwrap();
    std::fs::write(program.path("resolv"), dns).unwrap();
    World::of(program, kept)
        .mounted("mount --bind hosts /etc/hosts; mount --bind resolv /etc/resolv.conf; exec \"$@\"")
}

fn fault(
    group: &'static str,
    name: impl Into<String>,
    code: i32,
    file: File,
    says: &'static str,
    world: impl Fn() -> World + Send + Sync + 'static,
) -> Fault {
    let (name, world) = (name.into(), Box::new(world));
    Fault { group, name, world, code: Some(code), file, says, peak: ORDINARY, check: |_| {} }
}

fn faults() -> Vec<Fault> {
    let mut all = connection();
    all.extend(login());
    all.extend(stream());
    all.extend(large());
    all.extend(each_action());
    all.extend(disk());
    all
}

fn connection() -> Vec<Fault> {
    use File::{New, Untouched};
    let fault = |name, code, file, says, world: fn() -> World| {
        fault("Connection", name, code, file, says, world)
    };
    vec![
        fault("refused", 69, Untouched, "refused", || {
            World::of(Program::for_port(free_port()), vec![])
        }),
        fault("unreachable", 69, Untouched, "unreachable", || {
            let yaml = config("203.0.113.1", 5038, 1, 6);
            let mut world = World::of(Program::with_config(&yaml), vec![]);
            // A network without any way out.
            world.shell = Some(
                "exec unshare --map-root-user --net sh -ec 'exec \"$@\"' sh \"$@\"".to_owned(),
            );
            world
        }),
        fault("black-holed", 69, Untouched, "within 1 s", || {
            let (port, kept) = black_hole([127, 0, 0, 1], 0);
            World::of(Program::for_port(port), kept)
        }),
        fault("DNS: no such host", 69, Untouched, "pbx.invalid", || {
            let program = Program::with_config(&config("pbx.invalid", 5038, 1, 6));
            named(program, vec![], "", "nameserver 127.53.53.54\noptions timeout:1 attempts:1\n")
        }),
        fault("DNS: the server is silent", 69, Untouched, "within 1 s", || {
            let program = Program::with_config(&config("pbx.test", 5038, 1, 6));
            // Taken by another instance of this test otherwise, which is as silent.
            let silent = UdpSocket::bind("127.53.53.53:53");
            named(program, vec![Box::new(silent)], "", "nameserver 127.53.53.53\n")
        }),
        fault("several addresses, the first refuses", 0, New, "", || {
            let pbx = busy().start();
            let program = Program::with_config(&config("pbx.test", pbx.port, 1, 6));
            let hosts = "127.7.7.7 pbx.test\n127.0.0.1 pbx.test\n";
            named(program, vec![Box::new(pbx)], hosts, "")
        }),
        fault("several addresses, the first is a black hole", 0, New, "", || {
            let pbx = busy().start();
            let (_, mut kept) = black_hole([127, 8, 8, 8], pbx.port);
            let program = Program::with_config(&config("pbx.test", pbx.port, 1, 6));
            kept.push(Box::new(pbx));
            named(program, kept, "127.8.8.8 pbx.test\n127.0.0.1 pbx.test\n", "")
        }),
        fault("closed before the banner", 69, Untouched, "before its banner", || {
            World::with(busy().greeting(Greeting::BytesThenClose(b"")))
        }),
        fault("accepted, then silence", 124, Untouched, "banner", || {
            World::with(busy().greeting(Greeting::Bytes(b"")))
        }),
        fault("the banner, then silence", 124, Untouched, "login", || {
            World::with(busy().greeting(Greeting::Bytes(b"Asterisk Call Manager/5.0.4\r\n")))
        }),
        fault("the banner, then closed", 69, Untouched, "the connection ended", || {
            let banner = b"Asterisk Call Manager/5.0.4\r\n";
            World::with(busy().greeting(Greeting::BytesThenClose(banner)))
        }),
        fault("half a banner", 124, Untouched, "banner", || {
            World::with(busy().greeting(Greeting::Bytes(b"Asterisk Call")))
        }),
        fault("an SSH server", 76, Untouched, "SSH-2.0", || {
            World::with(busy().greeting(Greeting::Bytes(b"SSH-2.0-OpenSSH_9.2p1\r\n")))
        }),
        fault("an HTTP server", 76, Untouched, "HTTP/1.1", || {
            let answer = b"HTTP/1.1 400 Bad Request\r\n\r\n";
            World::with(busy().greeting(Greeting::BytesThenClose(answer)))
        }),
        fault("a TLS server", 76, Untouched, "not an Asterisk Manager Interface", || {
            World::with(busy().greeting(Greeting::Bytes(b"\x15\x03\x01\x00\x02\x02\x0a")))
        }),
        fault("a banner without end", 76, Untouched, "not an Asterisk Manager Interface", || {
            World::with(busy().greeting(Greeting::Bytes(&[b'A'; 100_000])))
        }),
    ]
}

fn login() -> Vec<Fault> {
    use File::{New, Untouched};
    let fault = |name, code, file, says, world: fn() -> World| {
        fault("Login", name, code, file, says, world)
    };
    vec![
        fault("refused", 77, Untouched, "Authentication failed", || {
            World::with(
                busy().greeting(Greeting::RefusesLogin(
                    "Authentication failed",
                    Duration::from_secs(1),
                )),
            )
        }),
        fault("already logged in elsewhere", 77, Untouched, "Login Already In Use", || {
            World::with(
                busy().greeting(Greeting::RefusesLogin(
                    "Login Already In Use",
                    Duration::from_secs(1),
                )),
            )
        }),
        fault("accepted after a second", 0, New, "", || {
            World::with(busy().greeting(Greeting::SlowLogin(Duration::from_secs(1))))
        }),
        fault("never answered", 124, Untouched, "login", || {
            World::with(busy().greeting(Greeting::SilentLogin))
        }),
        fault("everything denied", 3, New, "write =", || {
            let script = Script::recorded("16.28.0/busy/noperm");
            World::with(
                Plan::default()
                    .first()
                    .iter()
                    .fold(script, |script, action| script.on(action.kind().name(), Reply::Denied)),
            )
        }),
        fault("Asterisk is still starting", 0, New, "", || {
            let script = Script::recorded("16.28.0/idle");
            World::with(script.on("QueueStatus", Reply::UnknownAtFirst))
        }),
        fault("Asterisk restarts during the run", 0, New, "", || {
            World::with(busy().on("BridgeList", Reply::Restart(Duration::from_millis(2_500))))
        }),
        fault("Asterisk stops during the run", 3, New, "timeout", || {
            World::with(busy().on("BridgeList", Reply::Restart(Duration::from_secs(60))))
        }),
    ]
}

/// What can happen to the answer of one action: a list in the middle of the run.
fn stream() -> Vec<Fault> {
    use File::New;
    let one = |name: &str, code, says, action: &'static str, reply: Reply| {
        fault("Answers", name, code, New, says, move || {
            World::with(busy().on(action, reply.clone()))
        })
    };
    let list = "CoreShowChannels";
    let stray = b"Event: PeerlistComplete\r\nEventList: Complete\r\n\r\n\
                  Event: FullyBooted\r\nStatus: Fully Booted\r\n\r\n";
    let foreign = b"Response: Success\r\nActionID: other-1\r\nEventList: start\r\n\r\n\
                    Event: CoreShowChannel\r\nActionID: other-1\r\nChannel: SIP/666-1\r\n\r\n";
    let invalid = b"Event: \xff\xfe\r\nActionID: \xc3\r\n\r\nEvent: CoreShowChannel\r\n\
                    ActionID: {id}\r\nChannel: \xe2\x28\xa1\r\n\r\n";
    vec![
        fault("Answers", "everything at one byte a second", 124, File::Untouched, "banner", || {
            World::with(busy().greeting(Greeting::Trickle(1, Duration::from_secs(1))))
        }),
        one(
            "one list at one byte a second",
            3,
            "did not finish",
            list,
            Reply::Slow { piece: 1, pause: Duration::from_secs(1) },
        ),
        one("silence instead of an answer", 3, "did not finish", list, Reply::Silence),
        one("silence in mid-list", 3, "did not finish", list, Reply::HalfThenSilence),
        one("closed instead of an answer", 3, "connection ended", list, Reply::Close),
        one("closed in mid-list", 3, "connection ended", list, Reply::HalfThenClose),
        one("reset in mid-list", 3, "connection ended", list, Reply::HalfThenReset),
        one("a piece of the list is missing", 3, "damaged", list, Reply::Torn),
        one("NULs before the answer", 0, "", list, Reply::After(b"\0\0\0\r\n\r\n".repeat(1_000))),
        one("invalid UTF-8", 0, "", list, Reply::After(invalid.to_vec())),
        one("rows under another's ActionID", 0, "", list, Reply::After(foreign.to_vec())),
        one("the whole answer under another's ActionID", 3, "", list, Reply::UnderAnotherId),
        one("completions that nobody waits for", 0, "", list, Reply::After(stray.to_vec())),
        one("the answer twice", 0, "", list, Reply::Twice),
        one("answers in another order", 0, "", list, Reply::AfterTheNext),
    ]
}

fn large() -> Vec<Fault> {
    const LIST: &str = "Response: Success\r\nActionID: {id}\r\nEventList: start\r\n\r\n";
    let one = |name: &str, says, action: &'static str, flood: Flood| Fault {
        peak: LARGEST,
        ..fault("Too much", name, 3, File::New, says, move || {
            World::patient(busy().on(action, Reply::Flood(flood.clone())))
        })
    };
    let endless = |unit| Flood { before: LIST, unit, times: u64::MAX, after: "" };
    let peer = "Event: PeerEntry\r\nActionID: {id}\r\n";
    let x = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\
             0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    let mut all = vec![
        one(
            "an endless list",
            "larger than",
            "QueueStatus",
            endless("Event: QueueParams\r\nActionID: {id}\r\nQueue: q{n}\r\n\r\n"),
        ),
        one(
            "an endless list of nothing asked for",
            "larger than",
            "QueueStatus",
            endless("Event: Newexten\r\nContext: from-internal\r\nChannel: SIP/1\r\n\r\n"),
        ),
        one("an endless line", "larger than", "QueueStatus", endless(x)),
        one("endless line ends", "larger than", "QueueStatus", endless("\r\n")),
        one(
            "a line of 100 MB",
            "larger than",
            "SIPpeers",
            Flood { before: peer, unit: x, times: 100_000_000 / 128, after: "\r\n\r\n" },
        ),
        one(
            "a million headers",
            "larger than",
            "SIPpeers",
            Flood { before: peer, unit: "Name: value\r\n", times: 1_000_000, after: "\r\n" },
        ),
        one(
            "a million channels",
            "larger than",
            "CoreShowChannels",
            endless(
                "Event: CoreShowChannel\r\nActionID: {id}\r\nChannel: SIP/{n}-1\r\nUniqueid: {n}\r\n\r\n",
            ),
        ),
    ];
    // More than a run may receive, over all its connections together.
    let lists = ["CoreShowChannels", "BridgeList", "QueueStatus", "QueueSummary", "SIPpeers"];
    let line = endless(x);
    all.push(Fault {
        peak: LARGEST,
        ..fault("Too much", "endless lines in five lists", 3, File::New, "268435456", move || {
            let flood = |script: Script, list: &&str| script.on(list, Reply::Flood(line.clone()));
            World::patient(lists.iter().fold(busy(), flood))
        })
    });
    // As much as the limits allow, everywhere at once.
    all.push(Fault {
        peak: LARGEST,
        code: None,
        ..fault("Too much", "every list as long as the limits allow", 0, File::New, "", || {
            World::patient(everything_large())
        })
    });
    all
}

/// Lists of short rows, just under the limit each.
fn everything_large() -> Script {
    let lists: [(&str, &str, &str, u64); 7] = [
        ("CoreShowChannels", "CoreShowChannel", "Channel: SIP/{n}-1\r\nUniqueid: {n}\r\n", 20_000),
        ("SIPpeers", "PeerEntry", "ObjectName: {n}\r\nDynamic: yes\r\n", 55_000),
        ("PJSIPShowEndpoints", "EndpointList", "ObjectName: {n}\r\nAuths: a\r\n", 55_000),
        ("IAXpeerlist", "PeerEntry", "ObjectName: {n}\r\nDynamic: yes\r\n", 55_000),
        ("QueueStatus", "QueueParams", "Queue: {n}\r\n", 55_000),
        ("DeviceStateList", "DeviceStateChange", "Device: SIP/{n}\r\nState: INUSE\r\n", 300_000),
        ("ExtensionStateList", "ExtensionStatus", "Exten: {n}\r\nHint: SIP/{n}\r\n", 300_000),
    ];
    lists.into_iter().fold(busy(), |script, (action, event, row, times)| {
        let complete = match action {
            "SIPpeers" | "IAXpeerlist" => "PeerlistComplete".to_owned(),
            _ => format!("{action}Complete"),
        };
        let leak = |text: String| -> &'static str { text.leak() };
        let flood = Flood {
            before: "Response: Success\r\nActionID: {id}\r\nEventList: start\r\n\r\n",
            unit: leak(format!("Event: {event}\r\nActionID: {{id}}\r\n{row}\r\n")),
            times,
            after: leak(format!(
                "Event: {complete}\r\nActionID: {{id}}\r\nEventList: Complete\r\n\
                 ListItems: {{n}}\r\n\r\n"
            )),
        };
        script.on(action, Reply::Flood(flood))
    })
}

/// Every action that a run asks at once, denied and unknown.
fn each_action() -> Vec<Fault> {
    let mut names: Vec<&'static str> =
        Plan::default().first().iter().map(|action| action.kind().name()).collect();
    names.extend(["Ping", "PJSIPShowEndpoint", "ConfbridgeList", "Challenge"]);
    // DBGetTree is asked once a family.
    let mut seen = BTreeSet::new();
    names.retain(|name| seen.insert(*name));
    let denied = |name: &'static str| Fault {
        code: None,
        ..fault("Denied", name, 3, File::New, "", move || {
            World::with(busy().on(name, Reply::Denied))
        })
    };
    let unknown = |name: &'static str| {
        fault("Unknown (module absent)", name, 0, File::New, "", move || {
            World::with(match name {
                "Challenge" => busy().greeting(Greeting::NoChallenge),
                name => busy().on(name, Reply::Unknown),
            })
        })
    };
    let not_login = names.iter().copied().filter(|name| *name != "Challenge");
    not_login.map(denied).chain(names.iter().copied().map(unknown)).collect()
}

fn disk() -> Vec<Fault> {
    use File::{New, Untouched};
    let fault =
        |name, code, file, says, world: fn() -> World| fault("Disk", name, code, file, says, world);
    /// Runs with the cache on a disk of its own, whose content stands in `after` later.
    fn on_disk(size: usize, prepare: &str) -> World {
        let world = World::with(busy());
        std::fs::create_dir(world.program.path("after")).unwrap();
        std::fs::create_dir(world.program.path("cache")).unwrap();
        std::fs::write(world.program.path("old"), &*OLD).unwrap();
        let script = format!(
            "mount -t tmpfs -o size={size} tmpfs cache; cp old cache/freepbx.json; {prepare}; \
             set +e; \"$@\"; code=$?; cp -a cache/. after; exit $code"
        );
        World { cache: "after", ..world.mounted(&script) }
    }
    vec![
        fault("full", 73, Untouched, "No space left", || {
            on_disk(OLD.len().next_multiple_of(4_096) + 16_384, "true")
        }),
        fault("read-only", 73, Untouched, "Read-only file system", || {
            let world = on_disk(1 << 20, "mount -o remount,ro cache");
            World { status: false, ..world }
        }),
        fault("a limit on the size of files", 73, Untouched, "File too large", || {
            let mut world = World::with(busy());
            world.shell = Some("trap '' XFSZ; ulimit -f 64; exec \"$@\"".to_owned());
            world
        }),
        fault("no permission", 73, Untouched, "Permission denied", || {
            let mut world = World::with(busy());
            let program = world.program.path("");
            std::fs::create_dir(program.join("cache")).unwrap();
            std::fs::write(program.join("cache/freepbx.json"), &*OLD).unwrap();
            let folder = std::fs::Permissions::from_mode(0o777);
            std::fs::set_permissions(&program, folder).unwrap();
            let cache = std::fs::Permissions::from_mode(0o555);
            std::fs::set_permissions(program.join("cache"), cache).unwrap();
            // Root may write everywhere, so it has to become somebody else, who may run a copy.
            let script = "case $(id -u) in 0) for last; do :; done; cp \"$last\" program; \
                          chown 65534 config.yaml; set -- /usr/bin/time -q -f %M -o peak \
                          setpriv --reuid=65534 --regid=65534 --clear-groups ./program;; esac; \
                          exec \"$@\"";
            world.shell = Some(script.to_owned());
            World { status: false, ..world }
        }),
        fault("the directory is missing", 0, New, "", || World::with(busy())),
        fault("a symbolic link to another disk", 0, New, "", || {
            let world = World::with(busy());
            for folder in ["cache", "disk", "after"] {
                std::fs::create_dir(world.program.path(folder)).unwrap();
            }
            let link = world.program.path("cache/freepbx.json");
            std::os::unix::fs::symlink("../disk/real.json", link).unwrap();
            let script = "mount -t tmpfs tmpfs disk; set +e; \"$@\"; code=$?; \
                          test -L cache/freepbx.json || code=99; \
                          cp disk/real.json after/freepbx.json; \
                          cp cache/freepbx.status.json after; exit $code";
            World { cache: "after", ..world.mounted(script) }
        }),
        fault("the target is a directory", 73, Untouched, "it is a directory", || {
            let world = World::with(busy());
            std::fs::create_dir_all(world.program.path("cache/freepbx.json")).unwrap();
            world
        }),
        fault("a file in place of the directory", 73, Untouched, "a part of its path", || {
            let pbx: Pbx = busy().start();
            let yaml = config("127.0.0.1", pbx.port, 1, 6);
            let program = Program::with_config(&format!("{yaml}cache:\n  directory: file/cache\n"));
            std::fs::write(program.path("file"), "").unwrap();
            World { status: false, ..World::of(program, vec![Box::new(pbx)]) }
        }),
        fault("another run holds the lock", 75, Untouched, "nothing to do", || {
            let mut world = World::with(busy());
            let path = prepared(&world);
            world._kept.push(Box::new(Lock::acquire(&path).unwrap()));
            World { status: false, ..world }
        }),
        fault("the lock of a dead run", 0, New, "", || {
            let world = World::with(busy());
            let path = prepared(&world);
            std::fs::write(path.with_file_name(".freepbx.json.lock"), "4194303\n").unwrap();
            for name in [".freepbx.json.x1.tmp", ".freepbx.status.json.x2.tmp"] {
                std::fs::write(path.with_file_name(name), "{").unwrap();
            }
            world
        }),
        fault("the old file and status are torn", 0, New, "", || {
            let world = World::with(busy());
            let path = prepared(&world);
            std::fs::write(&path, &OLD[..OLD.len() / 2]).unwrap();
            std::fs::write(path.with_file_name("freepbx.status.json"), "{\"sch").unwrap();
            world
        }),
        fault("the clock was set back", 0, New, "", || {
            let world = World::with(busy());
            let path = prepared(&world);
            let mut old: Value = serde_json::from_slice(&OLD).unwrap();
            old["collected_at"] = "2099-01-01T00:00:00Z".into();
            old["stale_after"] = "2099-01-01T00:10:00Z".into();
            std::fs::write(&path, old.to_string()).unwrap();
            world
        }),
    ]
}

/// The file's path, with the old file in place.
fn prepared(world: &World) -> PathBuf {
    let path = world.program.path("cache/freepbx.json");
    std::fs::create_dir(path.parent().unwrap()).unwrap();
    std::fs::write(&path, &*OLD).unwrap();
    path
}

#[test]
fn every_fault_ends_as_the_table_says() {
    let all = faults();
    let turn = Mutex::new(0..all.len());
    let results: Vec<Mutex<Option<Result>>> = all.iter().map(|_| Mutex::new(None)).collect();
    let write = is_measured();
    // Most of them wait; those that do not are measured alone where the numbers are kept.
    let workers = if write { 2 } else { 4 };
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                loop {
                    let Some(at) = turn.lock().unwrap().next() else { return };
                    *results[at].lock().unwrap() = all[at].meet();
                }
            });
        }
    });
    let results: Vec<_> = results.into_iter().map(|it| it.into_inner().unwrap()).collect();
    let page = page(&all, &results);
    println!("{page}");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/faults.md");
    if write {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, &page).unwrap();
        return;
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    let stable = |page: &str| -> Vec<String> {
        let rows =
            page.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| Fault"));
        // Not the words: whether a connection was closed or reset is a race.
        rows.map(|row| row.split(" | ").step_by(2).take(2).collect::<Vec<_>>().join(" | "))
            .collect()
    };
    let kept = stable(&kept);
    for row in stable(&page) {
        assert!(kept.contains(&row), "not in docs/faults.md (write it with tests/faults): {row}");
    }
}

/// The results as a page of the documentation.
fn page(all: &[Fault], results: &[Option<Result>]) -> String {
    let mut page = format!(
        "# Faults\n\n\
         What the program does when things go wrong: each line is a run of the real binary that \
         met this fault.\n\
         Written by `tests/faults`; every run of the tests compares faults and exit codes.\n\n\
         - *Result*: what became of the file, and the beginning of the message. After every one, \
         `freepbx.status.json` said the same, unless its directory could not be written.\n\
         - *Time*: of the whole run, rounded up; limits were 1 s to connect, 2 s to log in, 1 s an \
         action, 6 s a run (40 s and 60 s under \"Too much\").\n\
         - *Memory*: the largest resident size, rounded up to a power of two; a build without \
         optimization. The tests fail above {ORDINARY} MB, and above {LARGEST} MB under \"Too \
         much\".\n"
    );
    let mut group = "";
    for (fault, result) in all.iter().zip(results) {
        let Some(result) = result else { continue };
        if fault.group != group {
            group = fault.group;
            page.push_str(&format!(
                "\n## {group}\n\n| Fault | Result | Exit | Time | Memory |\n| --- | --- | --- | \
                 --- | --- |\n"
            ));
        }
        let seconds = result.took.as_secs() + 1;
        let peak = result.peak.map_or("?".to_owned(), |mb| mb.next_power_of_two().to_string());
        page.push_str(&format!(
            "| {} | {} | {} | < {seconds} s | < {peak} MB |\n",
            fault.name, result.told, result.code
        ));
    }
    page
}
