//! `demo`: the collector's main job on an embedded PBX.

use crate::{
    ami::{Credentials, Options},
    collect::Target,
    demo::{self, USERNAME, password},
    error::Error,
    replay::Server,
};

/// Starts the demonstration PBX and runs `job` against it. The PBX ends with the job.
///
/// # Errors
///
/// When loopback has no free port, and those of the job.
pub async fn with_demo_pbx<T>(
    job: impl AsyncFnOnce(Target) -> Result<T, Error>,
) -> Result<T, Error> {
    let failed = |error: std::io::Error| Error::Listen { port: 0, reason: error.to_string() };
    let pbx = Server::start(demo::capture(), 0, demo::options()).await.map_err(failed)?;
    let target = Target {
        host: "127.0.0.1".to_owned(),
        port: pbx.port().map_err(failed)?,
        credentials: Credentials::new(USERNAME, password()),
        options: Options::default(),
        run_timeout: std::time::Duration::from_secs(30),
    };
    tokio::select! {
        done = job(target) => done,
        () = pbx.serve() => unreachable!("the demonstration PBX serves until it is dropped"),
    }
}
