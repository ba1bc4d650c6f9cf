//! Blocks, line by line: which value is what, and the value with its replacements in its place.

use super::{
    Sanitizer,
    headers::{self, Kind},
    vocabulary,
};
use crate::ami::REDACTED;

/// A header's value, where it stands.
#[derive(Debug)]
pub(super) struct Place<'a> {
    /// What stands before the value: the header's name, colon and blank.
    before: &'a [u8],
    /// The value, without the line's end.
    pub(super) value: &'a [u8],
    /// The line's end.
    after: &'a [u8],
    /// What it is.
    pub(super) kind: Kind,
    /// Whether it is the number of an extension, although its header holds other things, too.
    pub(super) is_extension: bool,
    /// Where the value is AstDB's name of an entry: that name from the root.
    pub(super) astdb_path: Option<String>,
}

/// What the lines before say about a line.
#[derive(Default)]
struct Context {
    /// The event's name; of an action its name.
    event: String,
    family: String,
    /// The last part of the name of an AstDB entry, in lower case.
    entry: Option<String>,
}

impl Context {
    fn is_astdb(&self) -> bool {
        let begins =
            |event: &str| event.get(..5).is_some_and(|begin| begin.eq_ignore_ascii_case("DBGet"));
        begins(&self.event)
    }
}

/// All values of a run of blocks.
pub(super) fn places(bytes: &[u8]) -> impl Iterator<Item = Place<'_>> {
    let mut context = Context::default();
    bytes.split_inclusive(|byte| *byte == b'\n').map(move |line| place(line, &mut context))
}

fn place<'a>(line: &'a [u8], context: &mut Context) -> Place<'a> {
    let text = line.trim_ascii_end();
    if text.is_empty() {
        *context = Context::default();
    }
    let colon = text.iter().position(|byte| *byte == b':').map_or(0, |at| at + 1);
    let blanks = text.get(colon..).unwrap_or_default();
    let begin = colon + blanks.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
    let (before, rest) = line.split_at_checked(begin).unwrap_or((line, &[]));
    let (value, after) =
        rest.split_at_checked(text.len().saturating_sub(begin)).unwrap_or((rest, &[]));
    let header =
        text.get(..colon.saturating_sub(1)).map(String::from_utf8_lossy).unwrap_or_default();
    let mut place = Place {
        before,
        value,
        after,
        kind: headers::kind(&context.event, &header),
        is_extension: false,
        astdb_path: None,
    };
    let said = || String::from_utf8_lossy(value).into_owned();
    match header.to_ascii_lowercase().as_str() {
        // Lines without a name are torn: nothing is known about them.
        "" => place.kind = Kind::Text,
        "event" | "action" => context.event = said(),
        "family" if context.is_astdb() => {
            context.family = said();
            place.kind = Kind::Text;
        }
        "key" if context.is_astdb() => {
            let key = said();
            let path =
                if key.starts_with('/') { key } else { format!("/{}/{key}", context.family) };
            context.entry = path.rsplit('/').next().map(str::to_lowercase);
            place.kind = Kind::Text;
            place.astdb_path = Some(path);
        }
        "val" if context.is_astdb() => {
            let entry = context.entry.clone().unwrap_or_default();
            place.kind = headers::kind("", &entry);
            if !matches!(place.kind, Kind::Name | Kind::Secret) {
                place.kind = Kind::Text;
            }
        }
        "exten" if context.event.eq_ignore_ascii_case("ExtensionStatus") => {
            place.is_extension = true;
        }
        _ => {}
    }
    place
}

impl Sanitizer {
    /// The bytes of an action or answer with everything replaced.
    pub(super) fn blocks(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(bytes.len());
        for place in places(bytes) {
            out.extend_from_slice(place.before);
            // Bytes that are no text stay, and separate what is.
            for chunk in place.value.utf8_chunks() {
                out.extend_from_slice(self.value(chunk.valid(), place.kind).as_bytes());
                out.extend_from_slice(chunk.invalid());
            }
            out.extend_from_slice(place.after);
        }
        out
    }

    /// A value with everything replaced.
    pub(super) fn value(&mut self, value: &str, kind: Kind) -> String {
        if value.is_empty() {
            return String::new();
        }
        match kind {
            Kind::Protocol => value.to_owned(),
            Kind::Secret => REDACTED.to_owned(),
            Kind::UniqueId => self.unique_id(value),
            Kind::Text if json_object(value).is_some() => self.json(value).unwrap_or_default(),
            kind => self.text(value, kind),
        }
    }

    /// `[system name-]time.number`, whose time must stay: calls are as old as it says.
    fn unique_id(&mut self, value: &str) -> String {
        let is_id = |text: &str| {
            let parts = text.split_once('.');
            let is_number =
                |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
            parts.is_some_and(|(time, number)| is_number(time) && is_number(number))
        };
        match value.rsplit_once('-') {
            Some((system, id)) if is_id(id) => {
                format!("{}-{id}", self.text(system, Kind::Identifier))
            }
            _ if is_id(value) => value.to_owned(),
            _ => self.text(value, Kind::Text),
        }
    }

    /// A JSON object of texts, each by its key.
    fn json(&mut self, value: &str) -> Option<String> {
        let mut object = json_object(value)?;
        for (key, value) in &mut object {
            if let serde_json::Value::String(text) = value {
                *text = self.value(text, headers::kind("", key));
            }
        }
        serde_json::to_string(&object).ok()
    }
}

/// A PJSIP contact as Asterisk keeps it in AstDB: an object of texts.
pub(super) fn json_object(value: &str) -> Option<serde_json::Map<String, serde_json::Value>> {
    if !value.starts_with('{') {
        return None;
    }
    let object: serde_json::Map<_, _> = serde_json::from_str(value).ok()?;
    object.values().all(serde_json::Value::is_string).then_some(object)
}

/// Whether a whole value says that there is none.
pub(super) fn is_placeholder(value: &str) -> bool {
    let inner = value.trim().trim_matches(['<', '>', '(', ')', '-']).to_lowercase();
    matches!(inner.as_str(), "not set" | "no name" | "n/a") || vocabulary::is_no_name(&inner)
}
