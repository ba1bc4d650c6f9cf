//! `mcp`: answers an assistant's questions about the snapshot.

use std::path::Path;

use chrono::{DateTime, Utc};

use super::snapshot_file::{self, FileArgs};
use crate::{
    error::{Error, ExitCode},
    views::mcp::serve,
};

/// Serves on standard input and output until the client hangs up.
///
/// A server outlives the moment it was started at, so that it takes a clock and no time; and it is
/// the wall clock, because a monotonic one stands still while a laptop sleeps.
///
/// # Errors
///
/// When what is at standard input is no MCP client.
pub async fn run(
    file: &FileArgs,
    config: Option<&Path>,
    clock: fn() -> DateTime<Utc>,
) -> Result<ExitCode, Error> {
    let path = snapshot_file::path(file.file.as_deref(), config)?;
    // Errors name the file to somebody who does not know this process' working directory.
    let path = std::path::absolute(&path).unwrap_or(path);
    let (input, output) = rmcp::transport::stdio();
    serve(path, clock, input, output).await.map_err(Error::NoMcpClient)?;
    Ok(ExitCode::Complete)
}
