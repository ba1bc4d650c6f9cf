//! Which snapshot file the readers read.

use std::path::{Path, PathBuf};

use crate::config::Config;

/// The file that was named, else the one that the configuration names, else the usual one.
pub(crate) fn path(file: Option<&Path>, config: Option<&Path>) -> PathBuf {
    if let Some(file) = file {
        return file.to_owned();
    }
    // A reader needs no configuration: it may run where there is none, or none that it may read.
    Config::load(config, &|name| std::env::var_os(name))
        .map_or_else(|_| PathBuf::from("cache/freepbx.json"), |config| config.cache.path)
}
