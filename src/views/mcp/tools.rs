//! The questions that can be asked, one file per subject. All of them only read.

use schemars::{JsonSchema, Schema, transform::RecursiveTransform, transform::Transform as _};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::{
    about::About,
    page::{Answer, Asked},
};
use crate::snapshot::{Contract, Snapshot, schema_of};

mod calls;
mod changes;
mod extensions;
mod overview;
mod queues;
mod trunks;

pub(super) use overview::overview;

/// A question that can be asked.
pub(super) struct Tool {
    pub(super) name: &'static str,
    pub(super) title: &'static str,
    /// What a model reads to choose among them.
    pub(super) description: &'static str,
    pub(super) input: fn() -> Map<String, Value>,
    pub(super) output: fn() -> Map<String, Value>,
    pub(super) answer: fn(&Question<'_>) -> Result<Answer, String>,
}

/// All of them, the most useful first.
pub(super) const TOOLS: [Tool; 7] = [
    overview::OVERVIEW,
    extensions::FIND,
    extensions::LIST,
    calls::LIST,
    trunks::LIST,
    queues::LIST,
    changes::LIST,
];

/// A call of a tool.
pub(super) struct Question<'a> {
    pub(super) tool: &'a str,
    pub(super) arguments: &'a Map<String, Value>,
    pub(super) snapshot: &'a Snapshot,
    pub(super) about: About,
}

impl Question<'_> {
    /// The arguments as the tool's own type.
    ///
    /// # Errors
    ///
    /// When they are none; the text tells the model which and what is allowed.
    fn arguments<T: DeserializeOwned>(&self) -> Result<T, String> {
        serde_json::from_value(Value::Object(self.arguments.clone()))
            .map_err(|error| format!("wrong arguments for {}: {error}", self.tool))
    }

    fn asked(&self) -> Result<Asked, String> {
        Asked::new(self.tool, self.arguments, self.snapshot)
    }
}

/// The schema of a tool's arguments. Optional ones may be left out, which says enough: without the
/// `null` that many clients cannot show in a form.
fn input<T: JsonSchema>() -> Map<String, Value> {
    let mut schema = schema_of::<T>(Contract::Input);
    RecursiveTransform(without_null).transform(&mut schema);
    object(&schema)
}

fn output<T: JsonSchema>() -> Map<String, Value> {
    object(&schema_of::<T>(Contract::Output))
}

/// The schema without what only a document of its own needs.
fn object(schema: &Schema) -> Map<String, Value> {
    let mut object = schema.as_object().cloned().unwrap_or_default();
    for key in ["$schema", "title", "description"] {
        object.shift_remove(key);
    }
    object
}

fn without_null(schema: &mut Schema) {
    let Some(object) = schema.as_object_mut() else { return };
    if let Some(Value::Array(types)) = object.get_mut("type") {
        types.retain(|kind| kind != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            object.insert("type".to_owned(), only);
        }
    }
    let Some(Value::Array(alternatives)) = object.get("anyOf") else { return };
    let mut some = alternatives
        .iter()
        .filter(|schema| schema.get("type").and_then(Value::as_str) != Some("null"));
    if let (Some(Value::Object(only)), None) = (some.next().cloned(), some.next()) {
        let about = object.get("description").cloned();
        *object = only;
        if let Some(about) = about {
            object.insert("description".to_owned(), about);
        }
    }
}

/// Whether a name or number contains what was asked for, whatever its case.
fn contains(text: Option<&String>, part: &str) -> bool {
    text.is_some_and(|text| text.to_lowercase().contains(&part.to_lowercase()))
}

/// A party or an extension: its number and its name, as far as known.
fn named(number: Option<&str>, name: Option<&str>) -> String {
    match (number, name) {
        (Some(number), Some(name)) if number != name => format!("{number} {name}"),
        (Some(one), _) | (None, Some(one)) => one.to_owned(),
        (None, None) => "unknown".to_owned(),
    }
}
