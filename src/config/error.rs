//! What can be wrong with the configuration, each as one line.

use std::path::{Path, PathBuf};

/// Why there is no configuration. No message repeats a value from the file, since any of them
/// could be a password that slipped into the wrong line.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There is no configuration file in any of the places.
    #[error(
        "no configuration file; tried {}; copy config.example.yaml to one of these places",
        tried.join(", ")
    )]
    NotFound {
        /// All places, in the order they were tried.
        tried: Vec<String>,
    },
    /// The configuration file cannot be read.
    #[error("no configuration: {problem}; expected a readable YAML file{}", given(*from))]
    Read {
        /// Which file, and why.
        problem: String,
        /// Who named the file: an option, an environment variable, or nobody.
        from: Option<&'static str>,
    },
    /// The file is not YAML, or not text.
    #[error("{}:{line}: {problem}; expected {expected}", shown(file))]
    Syntax {
        /// The file.
        file: PathBuf,
        /// Line where it was noticed, from 1.
        line: usize,
        /// What is wrong.
        problem: String,
        /// What would be right.
        expected: &'static str,
    },
    /// A value is missing or wrong.
    #[error("{}:{line}: {key}: {problem}; expected {expected}", shown(file))]
    Value {
        /// The file.
        file: PathBuf,
        /// Line of the key, or of the section where it is missing, from 1.
        line: usize,
        /// The key with its sections.
        key: String,
        /// What is wrong.
        problem: String,
        /// What would be right.
        expected: String,
    },
}

fn given(from: Option<&str>) -> String {
    from.map(|from| format!(" (named by {from})")).unwrap_or_default()
}

/// A path that stays on one line, whatever it is called.
pub(super) fn shown(path: &Path) -> String {
    escaped(&path.to_string_lossy())
}

/// A text that stays on one line.
pub(super) fn escaped(text: &str) -> String {
    let escape = |c: char| match c.is_control() {
        true => c.escape_default().to_string(),
        false => c.to_string(),
    };
    text.chars().map(escape).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_cannot_break_the_line() {
        assert_eq!(shown(Path::new("a\nb\u{1b}.yaml")), "a\\nb\\u{1b}.yaml");
    }
}
