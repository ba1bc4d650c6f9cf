//! Lists in pages of a bounded size, so that no answer floods a model's context.
//!
//! A page says when it is not all and gives the cursor of the next one. A cursor belongs to one
//! snapshot and one question: a list put together from two snapshots would show a state that never
//! was, so a cursor that outlived its snapshot is refused, with what to do instead.

use std::{
    collections::BTreeMap,
    hash::{DefaultHasher, Hash as _, Hasher as _},
};

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

use super::about::About;
use crate::snapshot::Snapshot;

/// No text and no structure of an answer is longer, in characters.
pub(super) const LARGEST: usize = 20_000;

/// What rows may take of it; the rest is for what stands around them.
const LARGEST_ROWS: usize = 15_000;

/// One row takes no more: what is longer is shortened.
const LARGEST_ROW: usize = 7_000;

/// Rows of a page when the caller does not say.
const USUAL_ROWS: usize = 50;

/// Rows of a page, whatever the caller says.
const MOST_ROWS: usize = 200;

/// An answer in both its forms.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) text: String,
    pub(super) structured: Value,
}

/// A page of a list.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Page<T> {
    /// When and where the snapshot was taken.
    about: About,
    /// What is not known and why; `null` when everything asked for is known. With `items` `null`,
    /// nothing is known: that is not the same as there being none.
    not_known: Option<String>,
    /// How many match, on all pages together. `null` when not known.
    total: Option<u64>,
    /// How many of them come before this page.
    offset: u64,
    /// Those on this page. `null` when not known.
    items: Option<Vec<T>>,
    /// True when more follow: ask again with the same arguments and `next_cursor` as `cursor`.
    truncated: bool,
    /// Cursor of the next page; `null` on the last.
    next_cursor: Option<String>,
    /// True when long texts or lists inside an item were shortened (texts then end with `…`); the
    /// resource `freepbx://snapshot` has them whole.
    shortened: bool,
}

/// Which page of which question is asked for.
#[derive(Debug)]
pub(super) struct Asked {
    limit: usize,
    offset: usize,
    /// What a cursor must carry to belong to this question: the snapshot's time, and a
    /// fingerprint of tool and filters.
    bound_to: String,
}

impl Asked {
    /// Reads `limit` and `cursor` of a tool's arguments; the rest of them are its filters.
    ///
    /// # Errors
    ///
    /// When the cursor belongs to another snapshot or question. The text says what to do.
    pub(super) fn new(
        tool: &str,
        arguments: &Map<String, Value>,
        snapshot: &Snapshot,
    ) -> Result<Self, String> {
        let mut hasher = DefaultHasher::new();
        tool.hash(&mut hasher);
        let filters: BTreeMap<&String, String> = arguments
            .iter()
            .filter(|(key, value)| !matches!(key.as_str(), "limit" | "cursor") && !value.is_null())
            .map(|(key, value)| (key, value.to_string()))
            .collect();
        filters.hash(&mut hasher);
        let taken_at = snapshot.collected_at.utc().timestamp();
        let bound_to = format!("{taken_at:x}.{:x}", hasher.finish());
        let limit = arguments.get("limit").and_then(Value::as_u64);
        let limit = limit.and_then(|limit| usize::try_from(limit).ok());
        let offset = match arguments.get("cursor").and_then(Value::as_str) {
            None => 0,
            Some(cursor) => offset(cursor, &bound_to)?,
        };
        Ok(Self { limit: limit.unwrap_or(USUAL_ROWS).clamp(1, MOST_ROWS), offset, bound_to })
    }
}

fn offset(cursor: &str, bound_to: &str) -> Result<usize, String> {
    let malformed = || {
        "this cursor is none of mine: leave `cursor` out for the first page, then pass \
         `next_cursor` of the page before, unchanged"
            .to_owned()
    };
    let (bound, offset) = cursor.rsplit_once('.').ok_or_else(malformed)?;
    let offset = offset.parse().map_err(|_| malformed())?;
    if bound == bound_to {
        return Ok(offset);
    }
    if bound.split_once('.').map(|(taken_at, _)| taken_at)
        == bound_to.split_once('.').map(|(taken_at, _)| taken_at)
    {
        return Err("this cursor belongs to another question: pass the same filters with it, or \
                    leave it out for the first page"
            .to_owned());
    }
    Err("this cursor belongs to an earlier snapshot, which has been replaced since: leave it out \
         and begin again with the first page"
        .to_owned())
}

/// Puts one page of `rows` together; `None` is a list that is not known. `heading` says what they
/// are, `line` renders one of them.
pub(super) fn page<T: Serialize>(
    about: About,
    asked: &Asked,
    rows: Option<&[T]>,
    not_known: Option<String>,
    heading: &str,
    line: impl Fn(&T) -> String,
) -> Answer {
    let mut text = about.text();
    text.push('\n');
    let not_known = match rows {
        Some(_) => not_known,
        None => Some(not_known.unwrap_or_else(|| format!("{heading}: not known"))),
    }
    .map(|reason| clip(&reason, 1_000));
    if let Some(reason) = &not_known {
        text.push_str(&format!("Not known: {reason}\n"));
    }
    let total = rows.map(<[T]>::len);
    let (mut items, mut lines) = (Vec::new(), String::new());
    let (mut taken, mut shortened) = (0, false);
    for row in rows.unwrap_or_default().iter().skip(asked.offset).take(asked.limit) {
        let (item, cut) = shorten(&serde_json::to_value(row).unwrap_or_default());
        let line = format!("- {}\n", clip(&line(row), 1_500));
        let size = item.to_string().chars().count() + 1;
        let room = taken + size <= LARGEST_ROWS
            && lines.chars().count() + line.chars().count() <= LARGEST_ROWS;
        if !room && !items.is_empty() {
            break;
        }
        taken += size;
        shortened |= cut;
        items.push(item);
        lines.push_str(&line);
    }
    let end = asked.offset + items.len();
    let next_cursor = total
        .filter(|total| end < *total && !items.is_empty())
        .map(|_| format!("{}.{end}", asked.bound_to));
    if let Some(total) = total {
        text.push_str(&heading_line(heading, total, asked.offset, items.len()));
        text.push_str(&lines);
    }
    if shortened {
        text.push_str("Long texts or lists are shortened; freepbx://snapshot has them whole.\n");
    }
    if let Some(cursor) = &next_cursor {
        text.push_str(&format!(
            "CUT: this is not all. For the rest ask again with the same arguments and cursor \
             \"{cursor}\".\n"
        ));
    }
    let page = Page {
        about,
        not_known,
        total: total.map(count),
        offset: count(asked.offset),
        items: rows.is_some().then_some(items),
        truncated: next_cursor.is_some(),
        next_cursor,
        shortened,
    };
    Answer { text, structured: serde_json::to_value(page).unwrap_or_default() }
}

fn heading_line(heading: &str, total: usize, offset: usize, shown: usize) -> String {
    match (total, shown) {
        (0, _) => format!("{heading}: none.\n"),
        (_, 0) => format!("{heading}: {total}, none of them after the first {offset}.\n"),
        (_, shown) if shown == total => format!("{heading}: {total}.\n"),
        _ => format!("{heading}: {total}; number {} to {} follow.\n", offset + 1, offset + shown),
    }
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

/// The text in at most so many characters, with `…` where it was longer.
pub(super) fn clip(text: &str, longest: usize) -> String {
    match text.char_indices().nth(longest) {
        None => text.to_owned(),
        Some(_) => text.chars().take(longest.saturating_sub(1)).chain(['…']).collect(),
    }
}

/// Makes a row fit: ever shorter texts and lists, until it does. The second value says whether
/// anything was lost.
fn shorten(row: &Value) -> (Value, bool) {
    const STEPS: [(usize, usize); 4] = [(400, 100), (200, 30), (100, 10), (40, 3)];
    let mut shortened = row.clone();
    for (texts, items) in STEPS {
        shortened = row.clone();
        limit(&mut shortened, texts, items);
        if shortened.to_string().chars().count() <= LARGEST_ROW {
            break;
        }
    }
    let lost = shortened != *row;
    (shortened, lost)
}

fn limit(value: &mut Value, texts: usize, items: usize) {
    match value {
        Value::String(text) => *text = clip(text, texts),
        Value::Array(list) => {
            list.truncate(items);
            list.iter_mut().for_each(|item| limit(item, texts, items));
        }
        Value::Object(object) => {
            object.values_mut().for_each(|value| limit(value, texts, items));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_long_row_is_shortened_and_says_so() {
        let row = json!({ "name": "x".repeat(9_000), "list": vec!["y".repeat(300); 200] });
        let (short, lost) = shorten(&row);
        assert!(lost && short.to_string().len() <= LARGEST_ROW);
        assert!(short["name"].as_str().unwrap().ends_with('…'));
        let (same, lost) = shorten(&json!({ "name": "Zoë" }));
        assert!(!lost && same == json!({ "name": "Zoë" }));
    }

    #[test]
    fn a_cursor_belongs_to_one_snapshot_and_one_question() {
        assert_eq!(offset("6a.ff.50", "6a.ff"), Ok(50));
        assert!(offset("6a.fe.50", "6a.ff").unwrap_err().contains("another question"));
        assert!(offset("6b.ff.50", "6a.ff").unwrap_err().contains("earlier snapshot"));
        for wrong in ["", "50", "6a.ff.x", "6a.ff.-1"] {
            assert!(offset(wrong, "6a.ff").unwrap_err().contains("none of mine"), "{wrong}");
        }
    }

    #[test]
    fn texts_are_clipped_between_characters() {
        assert_eq!(clip("Zoë", 3), "Zoë");
        assert_eq!(clip("Zoë Wartende", 4), "Zoë…");
    }
}
