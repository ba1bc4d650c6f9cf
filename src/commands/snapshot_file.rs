//! Which snapshot a reader reads.

use std::path::{Path, PathBuf};

use clap::Args;
use tracing::info;

use crate::{
    config::{self, Cache, ForReaders},
    error::Error,
};

/// The option that every reader takes.
#[derive(Debug, Clone, Default, Args)]
pub struct FileArgs {
    /// Snapshot to read
    ///
    /// Otherwise the one that the configuration names, where there is a configuration that this
    /// user may read; otherwise ./cache/freepbx.json.
    #[arg(long, value_name = "FILE")]
    pub file: Option<PathBuf>,
}

/// The snapshot to read: the one that is named, else the one that the configuration names, else the
/// one in this folder. So it works on a machine that has the file and nothing else.
///
/// # Errors
///
/// When a configuration was found and is wrong: another snapshot might be another PBX's.
pub fn path(named: Option<&Path>, config: Option<&Path>) -> Result<PathBuf, Error> {
    match named {
        Some(file) => Ok(file.to_owned()),
        None => Ok(path_in(settings(config)?.as_ref())),
    }
}

/// The snapshot that a configuration names, or the one in this folder.
#[must_use]
pub fn path_in(settings: Option<&ForReaders>) -> PathBuf {
    settings.map_or_else(
        || Cache::in_directory(Path::new("cache")).path,
        |settings| settings.cache.path.clone(),
    )
}

/// As much of the configuration as concerns readers; `None` where there is none, or where nobody
/// named one and this user may not read it, as is right for a file with a password.
///
/// # Errors
///
/// When it is wrong, or named and not readable.
pub fn settings(config: Option<&Path>) -> Result<Option<ForReaders>, Error> {
    match ForReaders::load(config, &|name| std::env::var_os(name)) {
        Ok(settings) => Ok(Some(settings)),
        Err(error @ (config::Error::NotFound { .. } | config::Error::Read { from: None, .. })) => {
            info!("{error}");
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}
