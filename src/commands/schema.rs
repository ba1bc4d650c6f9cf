//! `schema` prints the contract as a JSON Schema, `validate` holds files against it.

use std::io::Write;

use super::collect;
use crate::error::{Error, ExitCode};

#[cfg(feature = "validate")]
pub use validate::validate;

/// The schemas as the types give them; a test holds the two against each other. As text, the program
/// needs nothing to make them.
const SNAPSHOT: &str = include_str!("../../schema/freepbx.schema.json");
const STATUS: &str = include_str!("../../schema/freepbx.status.schema.json");

/// Prints the JSON Schema of a snapshot, or of the status file beside it.
///
/// # Errors
///
/// When standard output cannot be written.
pub fn print(of_status: bool, out: &mut dyn Write) -> Result<ExitCode, Error> {
    let schema = if of_status { STATUS } else { SNAPSHOT };
    collect::print(schema.as_bytes(), out)?;
    Ok(ExitCode::Complete)
}

#[cfg(feature = "validate")]
mod validate {
    use std::{
        io::{Read as _, Write},
        path::{Path, PathBuf},
    };

    use serde_json::Value;

    use super::collect;
    use crate::{
        error::{Error, ExitCode},
        snapshot,
        terminal::clean,
    };

    /// Problems told of one file: a file of another kind has thousands.
    const MOST_PROBLEMS: usize = 50;

    /// Checks files against the schema: one line on `out` for each that is valid, one on `said`
    /// for each problem of one that is not.
    ///
    /// # Errors
    ///
    /// When standard output cannot be written. A file that is wrong is no error but an exit code.
    pub fn validate(
        files: &[PathBuf],
        out: &mut dyn Write,
        said: &mut dyn Write,
    ) -> Result<ExitCode, Error> {
        let schema = jsonschema::validator_for(snapshot::schema().as_value())
            .map_err(|error| Error::Internal(error.to_string()))?;
        let mut code = ExitCode::Complete;
        for file in files {
            let problems = match read(file) {
                Ok(bytes) => problems(&bytes, &schema),
                Err(error) => {
                    code = ExitCode::NoSnapshot;
                    say(said, &format!("cannot read: {error}"));
                    continue;
                }
            };
            let name = file.display();
            if problems.is_empty() {
                let line = format!("{name}: valid\n");
                collect::print(clean_line(&line).as_bytes(), out)?;
                continue;
            }
            if code == ExitCode::Complete {
                code = ExitCode::InvalidInput;
            }
            for problem in &problems {
                say(said, &format!("{name}: {problem}"));
            }
        }
        Ok(code)
    }

    fn read(file: &Path) -> std::io::Result<Vec<u8>> {
        if file == Path::new("-") {
            let mut bytes = Vec::new();
            std::io::stdin().read_to_end(&mut bytes)?;
            return Ok(bytes);
        }
        fs_err::read(file)
    }

    /// What is wrong with a file, each with its place (a JSON pointer) in front.
    fn problems(bytes: &[u8], schema: &jsonschema::Validator) -> Vec<String> {
        let value: Value = match serde_json::from_slice(bytes) {
            Ok(value) => value,
            Err(error) => return vec![format!("not JSON: {error}")],
        };
        let mut errors = schema.iter_errors(&value);
        let mut problems: Vec<String> = errors
            .by_ref()
            .take(MOST_PROBLEMS)
            .map(|error| {
                let place = error.instance_path().to_string();
                let place = if place.is_empty() { "/" } else { &place };
                // A value may be half the file.
                match error.instance().to_string().len() {
                    0..=60 => format!("{place}: {error}"),
                    _ => format!("{place}: {}", error.masked_with("the value")),
                }
            })
            .collect();
        let more = errors.count();
        if more > 0 {
            problems.push(format!("and {more} more problems"));
        }
        problems
    }

    fn say(said: &mut dyn Write, line: &str) {
        // Nobody listening is no reason to fail.
        let _ = writeln!(said, "{}", clean(line));
    }

    fn clean_line(line: &str) -> String {
        format!("{}\n", clean(line.trim_end()))
    }
}
