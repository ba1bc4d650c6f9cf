//! `${NAME}` and `${NAME:-default}` in values.

use std::ffi::OsString;

use zeroize::Zeroizing;

/// Looks an environment variable up. A function, so that tests need not change the environment
/// of the whole process.
pub type Environment<'a> = &'a dyn Fn(&str) -> Option<OsString>;

/// Why a value cannot be expanded.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Problem {
    /// `${` without `}`.
    Unclosed,
    /// What stands in the braces is no name of a variable.
    NoName,
    /// The variable is not set, and there is no default.
    Unset(String),
    /// The variable's value is not UTF-8.
    NotText(String),
}

/// Replaces `${NAME}` by the variable's value, `${NAME:-default}` by the default where the variable
/// is unset or empty, and `$$` by `$`. Any other `$` stands for itself. Values are not expanded
/// again, so that a `$` in an environment variable is safe.
///
/// The result may be a password and is overwritten when dropped, and so are the copies on the way
/// to it. The environment itself keeps its own until the process ends.
pub(super) fn expand(
    text: &str,
    environment: Environment<'_>,
) -> Result<Zeroizing<String>, Problem> {
    let mut expanded = Zeroizing::new(String::with_capacity(text.len()));
    let mut push = |piece: &str| {
        if expanded.len() + piece.len() > expanded.capacity() {
            // Growing in place would leave a copy behind.
            let mut larger = String::with_capacity(2 * (expanded.len() + piece.len()));
            larger.push_str(&expanded);
            expanded = Zeroizing::new(larger);
        }
        expanded.push_str(piece);
    };
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('$') {
        push(before);
        if let Some(after) = after.strip_prefix('$') {
            push("$");
            rest = after;
        } else if let Some(after) = after.strip_prefix('{') {
            let (reference, after) = after.split_once('}').ok_or(Problem::Unclosed)?;
            push(&value(reference, environment)?);
            rest = after;
        } else {
            push("$");
            rest = after;
        }
    }
    push(rest);
    Ok(expanded)
}

fn value(reference: &str, environment: Environment<'_>) -> Result<Zeroizing<String>, Problem> {
    let (name, default) = match reference.split_once(":-") {
        Some((name, default)) => (name, Some(default)),
        None => (reference, None),
    };
    let begins_well = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    if !begins_well || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        return Err(Problem::NoName);
    }
    let set = environment(name)
        .map(|value| value.into_string().map_err(|_| Problem::NotText(name.to_owned())))
        .transpose()?
        .map(Zeroizing::new);
    match (set, default) {
        (Some(value), None) => Ok(value),
        (Some(value), Some(_)) if !value.is_empty() => Ok(value),
        (_, Some(default)) => Ok(Zeroizing::new(default.to_owned())),
        (None, None) => Err(Problem::Unset(name.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expanded(text: &str) -> Result<String, Problem> {
        let expanded = expand(text, &|name| match name {
            "HOST" => Some("pbx".into()),
            "EMPTY" => Some("".into()),
            "TRICKY" => Some("${HOST}$$".into()),
            _ => None,
        });
        expanded.map(|text| text.to_string())
    }

    #[test]
    fn variables_and_defaults_are_filled_in() {
        assert_eq!(expanded("a-${HOST}.${NONE:-lan}${EMPTY:-x}").unwrap(), "a-pbx.lanx");
        assert_eq!(expanded("${EMPTY}").unwrap(), "");
        assert_eq!(expanded("${NONE:-}").unwrap(), "");
    }

    #[test]
    fn a_dollar_can_stand_for_itself() {
        assert_eq!(
            expanded("pa$$word $$${HOST} $ $x $${HOST}").unwrap(),
            "pa$word $pbx $ $x ${HOST}"
        );
        assert_eq!(expanded("${TRICKY}").unwrap(), "${HOST}$$");
    }

    #[test]
    fn what_cannot_be_filled_in_is_named() {
        assert_eq!(expanded("${NONE}").unwrap_err(), Problem::Unset("NONE".into()));
        assert_eq!(expanded("${HOST").unwrap_err(), Problem::Unclosed);
        assert_eq!(expanded("${}").unwrap_err(), Problem::NoName);
        assert_eq!(expanded("${1a}").unwrap_err(), Problem::NoName);
    }
}
