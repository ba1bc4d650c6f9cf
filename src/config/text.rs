//! What can be wrong with a file before it is YAML, and what to make of YAML's own messages.

use std::path::Path;

use zeroize::{Zeroize as _, Zeroizing};

use super::Error;

/// Takes a file's bytes as text: UTF-8, without byte order mark and control characters.
pub(super) fn decode(file: &Path, bytes: Vec<u8>) -> Result<Zeroizing<String>, Error> {
    let text = String::from_utf8(bytes).map(Zeroizing::new).map_err(|error| {
        let good = error.as_bytes().get(..error.utf8_error().valid_up_to()).unwrap_or_default();
        let line = 1 + good.iter().filter(|byte| **byte == b'\n').count();
        error.into_bytes().zeroize();
        syntax(file, line, "is not UTF-8", "a text file saved as UTF-8")
    })?;
    let text = match text.strip_prefix('\u{feff}') {
        Some(text) => Zeroizing::new(text.to_owned()),
        None => text,
    };
    let unfit = |c: char| match c {
        '\t' | '\n' | '\r' | '\u{85}' => false,
        '\u{feff}' | '\u{fffe}' | '\u{ffff}' => true,
        c => c.is_control(),
    };
    if let Some((before, _)) = text.split_once(unfit) {
        let problem = "holds a character that cannot be printed";
        return Err(syntax(file, line_after(before), problem, "printable text"));
    }
    if text.trim().is_empty() {
        let expected = "a `freepbx` section, as in config.example.yaml";
        return Err(syntax(file, 1, "the file is empty", expected));
    }
    Ok(text)
}

/// Makes one line of a message of the YAML parser about syntax.
pub(super) fn syntax_error(file: &Path, text: &str, line: usize, message: &str) -> Error {
    if message.contains("more than one document") {
        let rest = text.strip_prefix("---").unwrap_or(text);
        let before = rest.split_once("\n---").map_or("", |(before, _)| before);
        let line = line_after(before) + 1;
        return syntax(file, line, "a second document begins with `---`", "one YAML document");
    }
    let line = match message.rsplit_once(" at line ") {
        // Where it began, and not the end of the file, where it was missed.
        Some((words, place)) if words.ends_with("quoted scalar") => {
            place.split(' ').next().and_then(|line| line.parse().ok()).unwrap_or(line)
        }
        // Never past the last line.
        _ => line.min(text.lines().count()),
    };
    let at = line.checked_sub(1).and_then(|line| text.lines().nth(line)).unwrap_or_default();
    let indent = at.split(|c: char| !c.is_whitespace()).next().unwrap_or_default();
    let begins = |c: char| at.split([':', '-']).any(|part| part.trim_start().starts_with(c));
    let expected = if indent.contains('\t') {
        "spaces, not tabs, before a key"
    } else if message.contains("alias") || message.contains("anchor") || begins('*') {
        "quotes around a value that begins with * or &"
    } else if message.contains("cannot start any token") || begins('%') {
        "quotes around a value that begins with one of @ ` %, and no tabs"
    } else if message.contains("mapping values are not allowed") {
        "quotes around a value with a colon in it, and keys of a section indented alike"
    } else if message.contains("quoted scalar") {
        "a closing quote"
    } else {
        "`key: value`, with a space after the colon and keys of a section indented alike, here \
         and in the lines before"
    };
    // Only the parser's own words, without the places that it adds.
    let words = message.split(" at line ").next().unwrap_or_default();
    let words = words.split(" at position ").next().unwrap_or_default();
    syntax(file, line, &format!("is not valid YAML: {words}"), expected)
}

fn syntax(file: &Path, line: usize, problem: &str, expected: &'static str) -> Error {
    Error::Syntax { file: file.to_owned(), line, problem: problem.to_owned(), expected }
}

fn line_after(before: &str) -> usize {
    1 + before.matches('\n').count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(bytes: &[u8]) -> String {
        match decode(Path::new("c.yaml"), bytes.to_vec()) {
            Ok(text) => text.to_string(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn what_is_no_text_is_told_with_its_line() {
        assert_eq!(decoded(b"\xef\xbb\xbfa: b\r\n"), "a: b\r\n");
        assert_eq!(
            decoded(b"a: b\nc: \xff\n"),
            "c.yaml:2: is not UTF-8; expected a text file saved as UTF-8"
        );
        assert_eq!(
            decoded(b"a: b\n\nc: \0\n"),
            "c.yaml:3: holds a character that cannot be printed; expected printable text"
        );
        assert_eq!(
            decoded(b"\xef\xbb\xbf \n"),
            "c.yaml:1: the file is empty; expected a `freepbx` section, as in config.example.yaml"
        );
    }
}
