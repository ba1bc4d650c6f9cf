//! The binary, run as cron runs it.

use std::{
    path::PathBuf,
    process::{Command, Output, Stdio},
    time::{Duration, Instant},
};

use serde_json::Value;
use tempfile::TempDir;

use super::pbx::PASSWORD;

/// A folder with a configuration, in which the binary is run.
pub struct Program {
    folder: TempDir,
}

/// How a run ended.
#[derive(Debug)]
pub struct Ended {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
    pub took: Duration,
}

impl Program {
    /// Configured for a server on loopback, with short time limits.
    pub fn for_port(port: u16) -> Self {
        Self::with_limits(port, 2, 10)
    }

    /// As [`Program::for_port`], with time to wait for a server that is not ready yet.
    pub fn patient(port: u16) -> Self {
        Self::with_limits(port, 20, 60)
    }

    fn with_limits(port: u16, action: u64, run: u64) -> Self {
        Self::with_config(&format!(
            "freepbx:\n  ami_host: 127.0.0.1\n  ami_port: {port}\n  ami_username: snapshot\n  \
             ami_password: {PASSWORD}\n  timeouts:\n    connect_seconds: 1\n    \
             login_seconds: 2\n    action_seconds: {action}\n    run_seconds: {run}\n"
        ))
    }

    pub fn with_config(yaml: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let config = folder.path().join("config.yaml");
        std::fs::write(&config, yaml).unwrap();
        #[cfg(unix)]
        std::fs::set_permissions(&config, std::os::unix::fs::PermissionsExt::from_mode(0o600))
            .unwrap();
        Self { folder }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The command with its configuration, its environment empty but for what the system needs.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_freepbx-snapshot"));
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .stdin(Stdio::null());
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Ended {
        let begun = Instant::now();
        let Output { status, stdout, stderr } = self.command(arguments).output().unwrap();
        Ended {
            code: status.code().unwrap_or(-1),
            stdout: String::from_utf8(stdout).expect("output is UTF-8"),
            stderr: String::from_utf8(stderr).expect("messages are UTF-8"),
            took: begun.elapsed(),
        }
    }

    /// The file's bytes; `None` when there is none.
    pub fn file(&self) -> Option<Vec<u8>> {
        std::fs::read(self.path("cache/freepbx.json")).ok()
    }

    /// The snapshot, which must follow the schema.
    pub fn snapshot(&self) -> Value {
        let snapshot = serde_json::from_slice(&self.file().expect("a snapshot")).unwrap();
        assert_follows_schema(&snapshot);
        snapshot
    }
}

/// Every snapshot that a test produces follows the schema that the types make.
pub fn assert_follows_schema(snapshot: &Value) {
    use std::sync::LazyLock;
    static SCHEMA: LazyLock<jsonschema::Validator> = LazyLock::new(|| {
        jsonschema::validator_for(freepbx_snapshot::snapshot::schema().as_value()).unwrap()
    });
    let errors: Vec<String> = SCHEMA
        .iter_errors(snapshot)
        .map(|error| format!("{} at {}", error, error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{errors:#?}");
}
