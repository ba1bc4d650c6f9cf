//! Where the configuration file is.

use std::{
    io::{ErrorKind, Read as _},
    path::{Path, PathBuf},
};

use super::{
    Environment, Error,
    error::{escaped, shown},
};

/// The environment variable that names the file.
pub const VARIABLE: &str = "FREEPBX_SNAPSHOT_CONFIG";

/// Places where the file is looked for when neither option nor variable names it.
pub const PLACES: [&str; 2] = ["config.yaml", "/etc/freepbx-snapshot/config.yaml"];

/// Finds the file and reads it.
///
/// A file that was named has to be there: falling back to another would collect from another PBX
/// than the one that was asked for. So has a file that is there but cannot be read.
pub(super) fn read(
    option: Option<&Path>,
    environment: Environment<'_>,
    places: &[&str],
) -> Result<(PathBuf, Vec<u8>), Error> {
    let variable = environment(VARIABLE).filter(|path| !path.is_empty()).map(PathBuf::from);
    if let Some(path) = option {
        return read_file(path, Some("--config"));
    }
    if let Some(path) = &variable {
        return read_file(path, Some(VARIABLE));
    }
    // Absolute, because cron's working directory is not where people think.
    let places = places.iter().map(|place| std::path::absolute(place).unwrap_or(place.into()));
    let mut tried = vec!["--config (not given)".to_owned(), format!("{VARIABLE} (not set)")];
    for place in places {
        match fs_err::metadata(&place) {
            Err(error) if error.kind() == ErrorKind::NotFound => tried.push(shown(&place)),
            _ => return read_file(&place, None),
        }
    }
    Err(Error::NotFound { tried })
}

fn read_file(path: &Path, from: Option<&'static str>) -> Result<(PathBuf, Vec<u8>), Error> {
    const LARGEST: u64 = 1 << 20;
    let fail = |problem: &str| Error::Read { problem: format!("{} {problem}", shown(path)), from };
    let open = || {
        let file = fs_err::File::open(path)?;
        if file.metadata()?.is_dir() {
            return Ok(None);
        }
        // As large as the file, because growing would leave copies of a password behind.
        let size = usize::try_from(file.metadata()?.len().min(LARGEST)).unwrap_or_default();
        let mut bytes = Vec::with_capacity(size + 2);
        file.take(LARGEST + 1).read_to_end(&mut bytes)?;
        Ok(Some(bytes))
    };
    let bytes = open()
        // Its text names the path.
        .map_err(|error: std::io::Error| Error::Read {
            problem: escaped(&error.to_string()),
            from,
        })?
        .ok_or_else(|| fail("is a directory"))?;
    if bytes.len() as u64 > LARGEST {
        return Err(fail("is larger than 1 MiB"));
    }
    Ok((path.to_owned(), bytes))
}
