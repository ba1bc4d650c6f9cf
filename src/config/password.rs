//! Where the password comes from, and who else can read it.

use std::{
    io::Read as _,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use zeroize::Zeroizing;

use super::{
    Error,
    error::{escaped, shown},
    values::Values,
};
use crate::ami::Password;

/// The password in the configuration file itself.
pub(super) const INLINE: &str = "freepbx.ami_password";
const IN_FILE: &str = "freepbx.ami_password_file";
/// Where systemd puts what `LoadCredential=` names.
const CREDENTIALS: &str = "CREDENTIALS_DIRECTORY";

/// Takes the password from the one place that is given.
pub(super) fn password(values: &Values<'_>, base: &Path) -> Result<Password, Error> {
    let document = values.document;
    match (document.value(INLINE), document.value(IN_FILE)) {
        (Some(_), Some(_)) => {
            Err(document.error(IN_FILE, "ami_password is given too, and only one can be meant"))
        }
        (Some(_), None) => {
            // `text` refuses an empty one.
            let text = values.text(INLINE)?.unwrap_or_default();
            one_line(&text).map_err(|problem| document.error(INLINE, problem))
        }
        (None, Some(_)) => {
            let path = file(values, base)?.unwrap_or_default();
            read(&path).map_err(|problem| document.error(IN_FILE, problem))
        }
        (None, None) => {
            let path = credential(values).ok_or_else(|| {
                document.error(
                    INLINE,
                    "missing, and so are ami_password_file and the systemd credential ami_password",
                )
            })?;
            read(&path).map_err(|problem| {
                document.error(
                    INLINE,
                    format!("missing, and the systemd credential cannot be used: {problem}"),
                )
            })
        }
    }
}

/// The password file's path.
pub(super) fn file(values: &Values<'_>, base: &Path) -> Result<Option<PathBuf>, Error> {
    Ok(values.text(IN_FILE)?.map(|path| base.join(path.as_str())))
}

/// Warns of a file that everybody on this machine can read or change. Without a secret in it,
/// reading does no harm.
pub(super) fn exposure(path: &Path, secret: bool) -> Option<String> {
    let mode = fs_err::metadata(path).ok()?.permissions().mode();
    let everybody = match (secret && mode & 0o004 != 0, mode & 0o002 != 0) {
        (false, false) => return None,
        (true, false) => "read the password in it",
        (false, true) => "change it",
        (true, true) => "read the password in it and change it",
    };
    let path = shown(path);
    Some(format!("{path}: every user of this machine can {everybody}; run: chmod o-rwx {path}"))
}

/// True where the password stands in the configuration file in plain text.
pub(super) fn is_inline(values: &Values<'_>) -> bool {
    let is_reference = |raw: &str| {
        let name = raw.strip_prefix("${").and_then(|rest| rest.strip_suffix('}'));
        name.is_some_and(|name| !name.contains(['$', ':']))
    };
    values.document.value(INLINE).is_some_and(|raw| !is_reference(raw))
}

fn credential(values: &Values<'_>) -> Option<PathBuf> {
    let path = PathBuf::from((values.environment)(CREDENTIALS)?).join("ami_password");
    path.exists().then_some(path)
}

/// Reads a password from a file: its first and only line.
///
/// # Errors
///
/// What is wrong with the file, in one line that names it.
pub fn read(path: &Path) -> Result<Password, String> {
    const LONGEST: usize = 4_096;
    let name = shown(path);
    // As large as it can become, because growing would leave copies behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(LONGEST + 2));
    fs_err::File::open(path)
        .and_then(|file| file.take(LONGEST as u64 + 1).read_to_end(&mut bytes))
        .map_err(|error| escaped(&error.to_string()))?;
    if bytes.len() > LONGEST {
        return Err(format!("{name} is longer than a password ({LONGEST} bytes)"));
    }
    let text = std::str::from_utf8(&bytes).map_err(|_| format!("{name} is not UTF-8"))?;
    let text = text.strip_suffix('\n').unwrap_or(text);
    let text = text.strip_suffix('\r').unwrap_or(text);
    if text.is_empty() {
        return Err(format!("{name} is empty"));
    }
    one_line(text).map_err(|problem| format!("{name} {problem}"))
}

/// Refuses what Asterisk could not take as one header.
fn one_line(text: &str) -> Result<Password, &'static str> {
    match text.contains(['\n', '\r', '\0']) {
        true => Err("holds more than one line"),
        false => Ok(Password::new(text.to_owned())),
    }
}
