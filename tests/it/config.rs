//! The configuration: every message as a person sees it, and no password in any of them.
use std::{
    ffi::OsString,
    os::unix::fs::{PermissionsExt as _, symlink},
    path::{Path, PathBuf},
    time::Duration,
};

use freepbx_snapshot::config::{Config, Error, Kind};
use fs_err as fs;
use proptest::prelude::*;

/// A configuration with the least that is needed.
const LEAST: &str = "freepbx:\n  ami_username: snapshot\n  ami_password: hunter2\n";

fn no_environment(_: &str) -> Option<OsString> {
    None
}

fn parse(yaml: &str) -> Result<Config, Error> {
    let environment = |name: &str| match name {
        "PBX" => Some("pbx.example.com".into()),
        "NUMBER" => Some("7".into()),
        "WORD" => Some("hunter2".into()),
        "BYTES" => Some(std::os::unix::ffi::OsStringExt::from_vec(vec![0xff])),
        _ => None,
    };
    Config::parse(Path::new("/etc/c.yaml"), yaml.into(), &environment)
}

/// The one line that a wrong file gives.
fn wrong(yaml: &str) -> String {
    let error = parse(yaml).unwrap_err();
    let (line, debug) = (error.to_string(), format!("{error:?}"));
    assert!(!line.contains(char::is_control), "one line: {line:?}");
    assert!(!line.contains("hunter2") && !debug.contains("hunter2"), "no password: {debug}");
    line
}

/// The message for one more line under `freepbx`, which is the fourth line of the file.
fn wrong_freepbx(line: &str) -> String {
    wrong(&format!("{LEAST}  {line}\n"))
}

/// The message for one line under `cache`, which is the fifth line of the file.
fn wrong_cache(line: &str) -> String {
    wrong(&format!("{LEAST}cache:\n  {line}\n"))
}

#[test]
fn the_least_is_a_user_and_a_password() {
    let config = parse(LEAST).unwrap();
    assert_eq!((config.host.as_str(), config.port), ("127.0.0.1", 5038));
    assert_eq!(config.run_timeout, Duration::from_secs(120));
    let default = freepbx_snapshot::ami::Options::default();
    assert_eq!(format!("{:?}", config.ami), format!("{default:?}"));
    assert_eq!(config.cache.path, Path::new("/etc/cache/freepbx.json"));
    assert_eq!(config.cache.interval, Duration::from_secs(300));
    assert_eq!(config.cache.stale_after, Duration::from_secs(600));
    assert!(config.cache.pretty && !config.voicemail_counts && config.skip.is_empty());
    assert_eq!(config.cache.file_mode, 0o640);
    assert!(config.warnings.is_empty(), "{:?}", config.warnings);
    assert_eq!(config.kinds.kind("PJSIP", "100"), None);
}

#[test]
fn every_key_is_understood() {
    let config = parse(
        "home_assistant: {unknown: here}\n\
         freepbx:\n  ami_host: ${PBX}\n  ami_port: ${NONE:-503}${NUMBER}\n  ami_username: u\n  \
         ami_password: $${a}$b\n  ami_login: plain\n  \
         timeouts: {connect_seconds: 1.5, login_seconds: 2, action_seconds: 3, run_seconds: 4e1}\n  \
         skip: [parking, voicemail]\n  voicemail_counts: yes\n  extensions: [9*]\n  \
         trunks: ['*sbc*']\n  ignore: [anonymous, 0123]\n\
         cache:\n  directory: ../var\n  default_ttl_seconds: 60\n  stale_after_seconds: 90\n  \
         pretty: off\n  file_mode: 0600\n",
    )
    .unwrap();
    assert_eq!((config.host.as_str(), config.port), ("pbx.example.com", 5037));
    assert_eq!(config.ami.connect_timeout, Duration::from_millis(1500));
    assert_eq!(config.ami.login_timeout, Duration::from_secs(2));
    assert_eq!(config.ami.action_timeout, Duration::from_secs(3));
    assert_eq!(config.run_timeout, Duration::from_secs(40));
    assert!(config.skips("parking") && config.skips("voicemail") && !config.skips("trunks"));
    assert!(config.voicemail_counts && !config.cache.pretty);
    assert_eq!(config.kinds.kind("PJSIP", "9100"), Some(Kind::Extension));
    assert_eq!(config.kinds.kind("PJSIP", "my-sbc-1"), Some(Kind::Trunk));
    assert_eq!(config.kinds.kind("SIP", "0123"), Some(Kind::Ignored));
    assert_eq!(config.cache.path, Path::new("/etc/../var/freepbx.json"));
    assert_eq!(config.cache.file_mode, 0o600);
    assert!(format!("{:?}", config.credentials).contains("Plain"));
    assert_eq!(sent_password(&config), "${a}$b");
}

#[test]
fn tabs_line_ends_and_marks_of_other_systems_are_no_obstacle() {
    assert!(parse(&format!("\u{feff}{}", LEAST.replace('\n', "\r\n"))).is_ok());
    assert!(parse("---\nfreepbx: {ami_username: u,\tami_password: p}\t# fine\n...\n").is_ok());
}

#[test]
fn a_password_is_taken_as_it_is_written() {
    for written in ["0123", "1e5", "0x1F", "yes", "12345678901234567890", "\"null\"", "'a: #b'"] {
        let config = parse(&LEAST.replace("hunter2", written)).unwrap();
        assert_eq!(sent_password(&config), written.trim_matches(['"', '\'']));
    }
}

#[test]
fn nothing_behind_a_key_is_as_good_as_no_key() {
    let config = parse(&format!("{LEAST}  ami_port:\n  timeouts:\n  skip: ~\ncache:\n")).unwrap();
    assert_eq!(config.port, 5038);
}

#[test]
fn a_short_interval_shortens_the_run() {
    let config = parse(&format!("{LEAST}cache: {{default_ttl_seconds: 60}}\n")).unwrap();
    assert_eq!(config.run_timeout, Duration::from_secs(48));
    assert_eq!(config.cache.stale_after, Duration::from_secs(120));
}

#[test]
fn what_is_missing_is_told_with_what_to_add() {
    insta::assert_snapshot!(wrong("other: 1\n"), @"/etc/c.yaml:1: freepbx: missing; expected a section with at least ami_username and ami_password");
    insta::assert_snapshot!(wrong("a: 1\nfreebpx: {}\n"), @"/etc/c.yaml:1: freepbx: missing (is it `freebpx` in line 2?); expected a section with at least ami_username and ami_password");
    insta::assert_snapshot!(wrong("a: 1\nfreepbx:\n"), @"/etc/c.yaml:2: freepbx.ami_username: missing; expected the name of a user of Asterisk's manager.conf");
    insta::assert_snapshot!(wrong("freepbx:\n  ami_username: u\n"), @"/etc/c.yaml:1: freepbx.ami_password: missing, and so are ami_password_file and the systemd credential ami_password; expected the secret of that user in manager.conf");
    insta::assert_snapshot!(wrong("freepbx:\n  ami_username: u\n  ami_password: ''\n"), @"/etc/c.yaml:3: freepbx.ami_password: is empty; expected the secret of that user in manager.conf");
}

#[test]
fn a_wrong_value_is_told_with_what_is_expected() {
    insta::assert_snapshot!(wrong_freepbx("ami_host: pbx:5038"), @"/etc/c.yaml:4: freepbx.ami_host: holds a port (it belongs under ami_port); expected a host name or an IP address, without a port (default 127.0.0.1)");
    insta::assert_snapshot!(wrong_freepbx("ami_port: hunter2"), @"/etc/c.yaml:4: freepbx.ami_port: is not a port; expected a TCP port from 1 to 65535 (default 5038)");
    insta::assert_snapshot!(wrong_freepbx("ami_port: {hunter2: 1}"), @"/etc/c.yaml:4: freepbx.ami_port: is not a single value; expected a TCP port from 1 to 65535 (default 5038)");
    insta::assert_snapshot!(wrong_freepbx("ami_login: md5"), @"/etc/c.yaml:4: freepbx.ami_login: is no way to log in; expected challenge or plain (default challenge)");
    insta::assert_snapshot!(wrong_freepbx("timeouts: {run_seconds: 300}"), @"/etc/c.yaml:4: freepbx.timeouts.run_seconds: the run could last until the next one, which begins after 300 s; expected seconds, 0.1 to 86400, fewer than cache.default_ttl_seconds (default 120)");
    insta::assert_snapshot!(wrong_freepbx("timeouts: {login_seconds: 10s}"), @"/etc/c.yaml:4: freepbx.timeouts.login_seconds: is not a number of seconds; expected seconds, 0.1 to 86400, such as 5 or 0.5 (default 10)");
    insta::assert_snapshot!(wrong_freepbx("timeouts: 30"), @"/etc/c.yaml:4: freepbx.timeouts: is not a section with further keys; expected a section such as `timeouts: {action_seconds: 30}`");
    insta::assert_snapshot!(wrong_freepbx("skip:\n    - trunks\n    - voicemial"), @"/etc/c.yaml:6: freepbx.skip: unknown section voicemial: did you mean voicemail?; expected a list of sections, such as [parking, voicemail]");
    insta::assert_snapshot!(wrong_freepbx("skip: [Hunter2]"), @"/etc/c.yaml:4: freepbx.skip: unknown section: system_info, trunks, queues, active_calls, channels, extensions, parking, conferences, voicemail; expected a list of sections, such as [parking, voicemail]");
    insta::assert_snapshot!(wrong_freepbx("skip: voicemail"), @"/etc/c.yaml:4: freepbx.skip: is not a list of plain values; expected a list of sections, such as [parking, voicemail]");
    insta::assert_snapshot!(wrong_freepbx("trunks: [a, '']"), @"/etc/c.yaml:4: freepbx.trunks: an item is empty; expected a list of names or patterns, such as [provider-a, \"SIP/9*\"]");
    insta::assert_snapshot!(wrong_freepbx("voicemail_counts: 2"), @"/etc/c.yaml:4: freepbx.voicemail_counts: is neither true nor false; expected true or false (default false)");
    insta::assert_snapshot!(wrong_cache("file_mode: 640"), @r#"/etc/c.yaml:5: cache.file_mode: is ambiguous without a leading zero; expected an octal mode in quotes, such as "0640", with no right to execute, no right to write for others, and at least 0600 (default "0640")"#);
    insta::assert_snapshot!(wrong_cache("directory: ~/cache"), @"/etc/c.yaml:5: cache.directory: begins with ~, which only a shell understands; expected a folder; ${HOME} is expanded, ~ is not (default ./cache)");
    insta::assert_snapshot!(wrong_cache("stale_after_seconds: 299"), @"/etc/c.yaml:5: cache.stale_after_seconds: every snapshot would be stale before the next one comes; expected seconds, no fewer than default_ttl_seconds (default 600)");
    insta::assert_snapshot!(wrong_cache("pretty: true\n  pretty: true"), @"/etc/c.yaml:6: cache.pretty: stands here for the second time; expected every key once");
    insta::assert_snapshot!(wrong(&format!("{LEAST}{LEAST}")), @"/etc/c.yaml:4: freepbx: stands here for the second time; expected every key once");
    insta::assert_snapshot!(wrong_freepbx("ami_password_file: secret"), @"/etc/c.yaml:4: freepbx.ami_password_file: ami_password is given too, and only one can be meant; expected a file that holds the password and nothing else");
    insta::assert_snapshot!(wrong("freepbx:\n  ami_username: u\n  ami_password: \"hunter2\\nEvil: 1\"\n"), @"/etc/c.yaml:3: freepbx.ami_password: holds more than one line; expected the secret of that user in manager.conf");
}

#[test]
fn what_is_no_yaml_is_told_with_its_line() {
    insta::assert_snapshot!(wrong(""), @"/etc/c.yaml:1: the file is empty; expected a `freepbx` section, as in config.example.yaml");
    insta::assert_snapshot!(wrong("# nothing\n"), @"/etc/c.yaml:1: freepbx: missing; expected a section with at least ami_username and ami_password");
    insta::assert_snapshot!(wrong("- hunter2\n"), @"/etc/c.yaml:1: the file holds no sections; expected `freepbx:` and the keys under it, as in config.example.yaml");
    insta::assert_snapshot!(wrong("freepbx:\n\tami_password: hunter2\n"), @"/etc/c.yaml:2: is not valid YAML: found character that cannot start any token; expected spaces, not tabs, before a key");
    insta::assert_snapshot!(wrong_freepbx("ami_password:hunter2"), @"/etc/c.yaml:4: is not valid YAML: could not find expected ':'; expected `key: value`, with a space after the colon and keys of a section indented alike, here and in the lines before");
    insta::assert_snapshot!(wrong_freepbx("ami_host: hunter2: 1"), @"/etc/c.yaml:4: is not valid YAML: mapping values are not allowed in this context; expected quotes around a value with a colon in it, and keys of a section indented alike");
    insta::assert_snapshot!(wrong_freepbx("trunks: [*]"), @"/etc/c.yaml:4: is not valid YAML: did not find expected alphabetic or numeric character; expected quotes around a value that begins with * or &");
    insta::assert_snapshot!(wrong_freepbx("ignore: *hunter2"), @"/etc/c.yaml:4: is not valid YAML: unknown anchor; expected quotes around a value that begins with * or &");
    insta::assert_snapshot!(wrong_freepbx("ami_host: @hunter2"), @"/etc/c.yaml:4: is not valid YAML: found character that cannot start any token; expected quotes around a value that begins with one of @ ` %, and no tabs");
    insta::assert_snapshot!(wrong_freepbx("ami_host: \"hunter2"), @"/etc/c.yaml:4: is not valid YAML: found unexpected end of stream; expected a closing quote");
    insta::assert_snapshot!(wrong(&format!("{LEAST} ami_port: 1\n")), @"/etc/c.yaml:4: is not valid YAML: did not find expected key; expected `key: value`, with a space after the colon and keys of a section indented alike, here and in the lines before");
    insta::assert_snapshot!(wrong(&format!("{LEAST}---\n{LEAST}")), @"/etc/c.yaml:4: a second document begins with `---`; expected one YAML document");
    insta::assert_snapshot!(wrong(&format!("{LEAST}# \u{7}\n")), @"/etc/c.yaml:4: holds a character that cannot be printed; expected printable text");
}

#[test]
fn a_variable_that_is_not_set_is_named() {
    insta::assert_snapshot!(wrong_freepbx("ami_host: ${PBX_HOST}"), @"/etc/c.yaml:4: freepbx.ami_host: environment variable PBX_HOST is not set (`$$` for a plain $); expected a host name or an IP address, without a port (default 127.0.0.1)");
    insta::assert_snapshot!(wrong_freepbx("ami_host: ${PBX_HOST"), @"/etc/c.yaml:4: freepbx.ami_host: `${` has no closing `}` (`$$` for a plain $); expected a host name or an IP address, without a port (default 127.0.0.1)");
    insta::assert_snapshot!(wrong_freepbx("ami_port: ${WORD}"), @"/etc/c.yaml:4: freepbx.ami_port: is not a port; expected a TCP port from 1 to 65535 (default 5038)");
    insta::assert_snapshot!(wrong_freepbx("trunks: [\"${BYTES}\"]"), @r#"/etc/c.yaml:4: freepbx.trunks: environment variable BYTES is not UTF-8; expected a list of names or patterns, such as [provider-a, "SIP/9*"]"#);
    let password =
        |text: &str| wrong(&format!("freepbx: {{ami_username: u, ami_password: '{text}'}}\n"));
    insta::assert_snapshot!(password("${AMI_PASSWORD}"), @"/etc/c.yaml:1: freepbx.ami_password: environment variable AMI_PASSWORD is not set (`$$` for a plain $); expected the secret of that user in manager.conf");
    insta::assert_snapshot!(password("x${hunter2}y"), @"/etc/c.yaml:1: freepbx.ami_password: environment variable is not set (`$$` for a plain $); expected the secret of that user in manager.conf");
    insta::assert_snapshot!(password("x${hunter2!}y"), @"/etc/c.yaml:1: freepbx.ami_password: `${...}` holds no name of a variable (`$$` for a plain $); expected the secret of that user in manager.conf");
}

#[test]
fn unknown_keys_are_warned_of_with_the_nearest_known_one() {
    let config = parse(&format!(
        "elsewhere: {{ami_prot: 1}}\n{LEAST}  ami_prot: 1\n  pretty: true\n  Zz9: hunter2\n  \
         timeouts:\n    conect_seconds: 1\n"
    ))
    .unwrap();
    assert_eq!(
        config.warnings,
        [
            "/etc/c.yaml:5: freepbx.ami_prot: unknown key, ignored; did you mean freepbx.ami_port?",
            "/etc/c.yaml:6: freepbx.pretty: unknown key, ignored; did you mean cache.pretty?",
            "/etc/c.yaml:7: freepbx: unknown key, ignored",
            "/etc/c.yaml:9: freepbx.timeouts.conect_seconds: unknown key, ignored; did you mean freepbx.timeouts.connect_seconds?",
        ]
    );
}

#[test]
fn many_unknown_keys_do_not_take_long() {
    let many: String = (0..20_000).map(|n| format!("  k{n}: 1\n")).collect();
    let config = parse(&format!("{LEAST}{many}")).unwrap();
    assert_eq!(config.warnings.len(), 20);
}

/// A folder with a configuration file in it.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new(yaml: &str) -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        folder.file("c.yaml", yaml, 0o640);
        folder
    }

    fn file(&self, name: &str, content: impl AsRef<[u8]>, mode: u32) -> PathBuf {
        let path = self.0.path().join(name);
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        path
    }

    fn load(&self) -> Result<Config, Error> {
        self.load_with(&no_environment)
    }

    fn load_with(&self, environment: &dyn Fn(&str) -> Option<OsString>) -> Result<Config, Error> {
        Config::load(Some(&self.0.path().join("c.yaml")), environment)
    }

    /// The one line that loading gives, without the folder's name.
    fn wrong(&self) -> String {
        let line = self.load().unwrap_err().to_string();
        assert!(!line.contains(char::is_control) && !line.contains("hunter2"), "{line:?}");
        line.replace(self.0.path().to_str().unwrap(), "DIR")
    }
}

/// The password as a server receives it, since it cannot be printed.
fn sent_password(config: &Config) -> String {
    use freepbx_snapshot::ami::{Client, LoginMethod};
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let server = |listener: tokio::net::TcpListener| async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(b"Asterisk Call Manager/11.0.0\r\n").await.unwrap();
        let mut received = Vec::new();
        while !received.ends_with(b"\r\n\r\n") {
            stream.read_buf(&mut received).await.unwrap();
        }
        String::from_utf8(received).unwrap()
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let login = runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = tokio::spawn(server(listener));
        let mut client = Client::connect("127.0.0.1", port, config.ami.clone()).await.unwrap();
        let credentials = config.credentials.clone().with_method(LoginMethod::Plain);
        // The server hangs up instead of an answer.
        client.login(&credentials, []).await.unwrap_err();
        server.await.unwrap()
    });
    let secret = login.lines().find_map(|line| line.strip_prefix("Secret: "));
    secret.unwrap().to_owned()
}

#[test]
fn a_password_file_is_found_beside_the_configuration() {
    let folder = Folder::new("freepbx: {ami_username: u, ami_password_file: secret}\n");
    folder.file("secret", "hunter2\n", 0o600);
    let config = folder.load().unwrap();
    assert_eq!(sent_password(&config), "hunter2");
    assert!(config.warnings.is_empty(), "{:?}", config.warnings);

    for (content, line) in [
        ("", "is empty"),
        ("\n", "is empty"),
        ("hunter2\nhunter2\n", "holds more than one line"),
        (&"hunter2".repeat(1000), "is longer than a password (4096 bytes)"),
    ] {
        folder.file("secret", content, 0o600);
        assert_eq!(
            folder.wrong(),
            format!(
                "DIR/c.yaml:1: freepbx.ami_password_file: DIR/secret {line}; expected a file that \
                 holds the password and nothing else"
            )
        );
    }
    folder.file("secret", b"hunter2\xff", 0o600);
    assert!(folder.wrong().contains("DIR/secret is not UTF-8"));
    fs::remove_file(folder.0.path().join("secret")).unwrap();
    insta::assert_snapshot!(folder.wrong(), @"DIR/c.yaml:1: freepbx.ami_password_file: failed to open file `DIR/secret`: No such file or directory (os error 2); expected a file that holds the password and nothing else");
}

#[test]
fn a_systemd_credential_serves_where_no_password_is_given() {
    let folder = Folder::new("freepbx: {ami_username: u}\n");
    let directory = folder.0.path().as_os_str().to_owned();
    let environment = |name: &str| (name == "CREDENTIALS_DIRECTORY").then(|| directory.clone());
    assert!(folder.load_with(&environment).is_err(), "no such credential");
    folder.file("ami_password", "hunter2", 0o400);
    assert_eq!(sent_password(&folder.load_with(&environment).unwrap()), "hunter2");
}

#[test]
fn a_wrong_threshold_is_no_reason_not_to_collect_and_is_warned_of() {
    let config = parse(&format!("{LEAST}status:\n  trunk_calls: [many]\n")).unwrap();
    assert_eq!(config.warnings.len(), 1, "{:?}", config.warnings);
    assert!(config.warnings[0].starts_with("/etc/c.yaml:"), "{}", config.warnings[0]);
    assert!(config.warnings[0].contains("status.trunk_calls"), "{}", config.warnings[0]);
}

#[test]
fn files_that_everybody_can_read_or_change_are_warned_of() {
    let warnings = |folder: &Folder| {
        let warnings = folder.load().unwrap().warnings.join("\n");
        warnings.replace(folder.0.path().to_str().unwrap(), "DIR")
    };
    let folder = Folder::new(LEAST);
    assert_eq!(warnings(&folder), "");
    folder.file("c.yaml", LEAST, 0o644);
    insta::assert_snapshot!(warnings(&folder), @"DIR/c.yaml: every user of this machine can read the password in it; run: chmod o-rwx DIR/c.yaml");
    folder.file("c.yaml", LEAST, 0o646);
    insta::assert_snapshot!(warnings(&folder), @"DIR/c.yaml: every user of this machine can read the password in it and change it; run: chmod o-rwx DIR/c.yaml");
    folder.file("c.yaml", "freepbx: {ami_username: u, ami_password_file: p}\n", 0o644);
    folder.file("p", "hunter2", 0o666);
    insta::assert_snapshot!(warnings(&folder), @"DIR/p: every user of this machine can read the password in it and change it; run: chmod o-rwx DIR/p");
    let folder = Folder::new("freepbx: {ami_username: u, ami_password: '${PW}'}\n");
    folder.file("c.yaml", "freepbx: {ami_username: u, ami_password: '${PW}'}\n", 0o644);
    let config = folder.load_with(&|_| Some("hunter2".into())).unwrap();
    assert!(config.warnings.is_empty(), "the password is not in the file");
}

#[test]
fn a_file_that_cannot_be_read_is_told_with_who_named_it() {
    let folder = Folder::new("");
    let directory = folder.0.path().to_owned();
    let line = |result: Result<Config, Error>| {
        result.unwrap_err().to_string().replace(directory.to_str().unwrap(), "DIR")
    };
    let none = directory.join("none.yaml");
    insta::assert_snapshot!(line(Config::load(Some(&none), &no_environment)), @"no configuration: failed to open file `DIR/none.yaml`: No such file or directory (os error 2); expected a readable YAML file (named by --config)");
    insta::assert_snapshot!(line(Config::load(Some(&directory), &no_environment)), @"no configuration: DIR is a directory; expected a readable YAML file (named by --config)");
    let variable =
        |name: &str| (name == "FREEPBX_SNAPSHOT_CONFIG").then(|| none.clone().into_os_string());
    insta::assert_snapshot!(line(Config::load(None, &variable)), @"no configuration: failed to open file `DIR/none.yaml`: No such file or directory (os error 2); expected a readable YAML file (named by FREEPBX_SNAPSHOT_CONFIG)");
    folder.file("c.yaml", vec![b'#'; 2 << 20], 0o600);
    insta::assert_snapshot!(line(folder.load()), @"no configuration: DIR/c.yaml is larger than 1 MiB; expected a readable YAML file (named by --config)");
    symlink("loop.yaml", directory.join("loop.yaml")).unwrap();
    let line = line(Config::load(Some(&directory.join("loop.yaml")), &no_environment));
    assert!(line.contains("symbolic links"), "{line}");
}

#[test]
fn paths_start_at_the_folder_of_the_file() {
    let folder = Folder::new(LEAST);
    let config = folder.load().unwrap();
    assert_eq!(config.cache.path, folder.0.path().join("cache/freepbx.json"));
    assert_eq!(config.file, folder.0.path().join("c.yaml"));
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "\\PC*") {
        let _ = parse(&text);
    }

    #[test]
    fn no_bytes_make_it_panic(bytes: Vec<u8>) {
        let _ = Config::parse(Path::new("c.yaml"), bytes, &no_environment);
    }

    /// A good file in which some places were damaged: letters lost, lines joined, quotes opened.
    #[test]
    fn the_password_never_shows(
        password in "[A-Za-z0-9!#%&*:@^-]{6,16}[0-9!]",
        damage in prop::collection::vec((any::<prop::sample::Index>(), damage()), 0..6),
    ) {
        let mut text = format!(
            "freepbx:\n  ami_host: pbx\n  ami_password: {password}\n  ami_username: u\n  \
             timeouts:\n    run_seconds: 5\n  skip: [parking]\ncache:\n  directory: x\n"
        );
        for (place, damage) in damage {
            let mut at = place.index(text.len());
            while !text.is_char_boundary(at) { at -= 1; }
            // The password itself stays whole, else there is nothing to look for.
            let Some(start) = text.find(&password) else { break };
            if at < start || at >= start + password.len() {
                match damage {
                    Damage::Remove => { text.remove(at); }
                    Damage::Insert(c) => text.insert(at, c),
                }
            }
        }
        let shown = match parse(&text) {
            Ok(config) => format!("{config:?}{}", config.warnings.join("\n")),
            Err(error) => {
                let line = error.to_string();
                prop_assert!(!line.contains(char::is_control), "{:?}", line);
                format!("{line}{error:?}")
            }
        };
        prop_assert!(!shown.contains(&password), "{} in {}", password, shown);
    }
}

#[derive(Debug, Clone)]
enum Damage {
    Remove,
    Insert(char),
}

fn damage() -> impl Strategy<Value = Damage> {
    prop_oneof![
        Just(Damage::Remove),
        prop::sample::select("\n\t :-#'\"[]{}&*!|>%@,?\\$a".chars().collect::<Vec<_>>())
            .prop_map(Damage::Insert),
    ]
}
