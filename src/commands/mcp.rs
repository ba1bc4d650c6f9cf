//! `mcp`: answers an assistant's questions about the snapshot.

use std::path::Path;

use chrono::Utc;

use super::snapshot_file;
use crate::{
    error::{Error, ExitCode},
    views::mcp::serve,
};

/// Serves on standard input and output until the client hangs up.
///
/// The clock is read here and not in `main`, because a server outlives the moment it was started
/// at; and it is the wall clock, because a monotonic one stands still while a laptop sleeps.
///
/// # Errors
///
/// When what is at standard input is no MCP client.
pub async fn run(file: Option<&Path>, config: Option<&Path>) -> Result<ExitCode, Error> {
    let path = snapshot_file::path(file, config);
    // Errors name the file to somebody who does not know this process' working directory.
    let path = std::path::absolute(&path).unwrap_or(path);
    let (input, output) = rmcp::transport::stdio();
    serve(path, Utc::now, input, output).await.map_err(Error::NoMcpClient)?;
    Ok(ExitCode::Complete)
}
