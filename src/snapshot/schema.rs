//! The contract as a JSON Schema (draft 2020-12), made from the types and their documentation.

use schemars::{
    JsonSchema, Schema,
    generate::SchemaSettings,
    transform::{RecursiveTransform, Transform as _},
};
use serde_json::{Map, Value, json};

use super::{SCHEMA_VERSION, Snapshot};

/// The JSON Schema of a snapshot file of [`SCHEMA_VERSION`].
///
/// It describes what this program writes: every key is required, since a missing fact is `null`
/// and never a missing key. Keys that it does not name are allowed, since additions are free.
#[must_use]
pub fn schema() -> Schema {
    let mut described = schema_of::<Snapshot>(Contract::File);
    if let Some(version) = described.pointer_mut("/properties/schema_version") {
        *version = json!({
            "description": version.get("description"),
            "type": "integer",
            "const": SCHEMA_VERSION,
        });
    }
    // A name, not an address: there is nothing to fetch, and it changes with the contract only.
    let mut schema = Map::from_iter([
        ("$schema".to_owned(), json!("https://json-schema.org/draft/2020-12/schema")),
        ("$id".to_owned(), json!(format!("urn:freepbx-snapshot:schema:{SCHEMA_VERSION}"))),
    ]);
    schema.extend(described.as_object().cloned().unwrap_or_default());
    schema.into()
}

/// What a schema describes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Contract {
    /// A file: what a type is written as, each type once and referred to by name.
    File,
    /// What a type is written as, all in one piece, for readers that cannot follow `$ref`.
    Output,
    /// What a type is read from, all in one piece.
    Input,
}

/// The schema of a type, in the words of draft 2020-12 only, with descriptions for people.
#[must_use]
pub fn schema_of<T: JsonSchema>(contract: Contract) -> Schema {
    let settings = SchemaSettings::draft2020_12();
    let settings = match contract {
        Contract::File | Contract::Output => settings.for_serialize(),
        Contract::Input => settings.for_deserialize(),
    };
    let inline = contract != Contract::File;
    let settings = settings.with(|settings| settings.inline_subschemas = inline);
    let mut schema = settings.into_generator().into_root_schema_for::<T>();
    RecursiveTransform(plain).transform(&mut schema);
    schema
}

/// Rewrites one level of a schema: prose without rustdoc's links, enumerations as `enum`, and no
/// `format` that strict validators refuse because the draft does not know it.
fn plain(schema: &mut Schema) {
    let Some(object) = schema.as_object_mut() else { return };
    if let Some(Value::String(text)) = object.get_mut("description") {
        *text = prose(text);
    }
    let of_rust = |format: &Value| {
        let format = format.as_str().unwrap_or_default();
        format.starts_with("int") || format.starts_with("uint") || format == "double"
    };
    if object.get("format").is_some_and(of_rust) {
        object.shift_remove("format");
    }
    if let Some((words, list)) = object.get("oneOf").and_then(enumeration) {
        object.shift_remove("oneOf");
        let about = object.get("description").and_then(Value::as_str).unwrap_or_default();
        let description = format!("{about}\n\n{list}").trim().to_owned();
        object.insert("description".to_owned(), description.into());
        object.insert("type".to_owned(), "string".into());
        object.insert("enum".to_owned(), words);
    }
}

/// The words of an enumeration that schemars writes as alternatives of one constant each, and a
/// list of what they mean. `None` for alternatives of any other kind.
fn enumeration(alternatives: &Value) -> Option<(Value, String)> {
    let alternatives = alternatives.as_array()?;
    let mut words = Vec::with_capacity(alternatives.len());
    let mut list = Vec::with_capacity(alternatives.len());
    for alternative in alternatives {
        let word = alternative.get("const")?.as_str()?;
        words.push(Value::from(word));
        let meaning = alternative.get("description").and_then(Value::as_str).unwrap_or_default();
        list.push(format!("- `{word}`: {}", prose(meaning)));
    }
    Some((words.into(), list.join("\n")))
}

/// Documentation as running text: lines of a paragraph joined, links to items left as their names.
fn prose(text: &str) -> String {
    let paragraphs = text.split("\n\n").map(|paragraph| paragraph.trim().replace('\n', " "));
    let text = paragraphs.collect::<Vec<_>>().join("\n\n");
    let mut plain = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some((before, link)) = rest.split_once("[`") {
        plain.push_str(before);
        let Some((name, after)) = link.split_once("`]") else {
            rest = link;
            plain.push_str("[`");
            continue;
        };
        plain.push_str(&format!("`{name}`"));
        rest = match after.strip_prefix('(').and_then(|target| target.split_once(')')) {
            Some((_, after)) => after,
            None => after,
        };
    }
    plain.push_str(rest);
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documentation_becomes_running_text() {
        assert_eq!(
            prose("See [`Foo::bar`] and\n[`Baz`](crate::Baz), not [x].\n\nEnd [`"),
            "See `Foo::bar` and `Baz`, not [x].\n\nEnd [`"
        );
    }

    #[test]
    fn an_enumeration_is_a_fixed_set_with_meanings() {
        let schema = schema_of::<super::super::Direction>(Contract::Output);
        assert_eq!(
            schema.get("enum"),
            Some(&json!(["internal", "inbound", "outbound", "unknown"]))
        );
        let description = schema.get("description").and_then(Value::as_str).unwrap();
        assert!(description.contains("\n- `inbound`: From a trunk."), "{description}");
        assert!(schema.get("oneOf").is_none());
    }

    #[test]
    fn nothing_of_rust_is_left() {
        let text = serde_json::to_string(&schema()).unwrap();
        for word in ["[`", "\"uint", "\"int32", "\"double\"", "oneOf"] {
            assert!(!text.contains(word), "{word}");
        }
    }

    #[test]
    fn every_key_is_required_and_more_are_allowed() {
        fn visit(schema: &Value, path: &str) {
            if let Some(properties) = schema.get("properties").and_then(Value::as_object) {
                let required = schema.get("required").and_then(Value::as_array).unwrap();
                assert_eq!(required.len(), properties.len(), "{path}");
                assert!(schema.get("additionalProperties").is_none(), "{path}");
                for (key, value) in properties {
                    assert!(value.get("description").is_some(), "{path}/{key}");
                }
            }
            for (key, value) in schema.as_object().into_iter().flatten() {
                visit(value, &format!("{path}/{key}"));
            }
        }
        visit(schema().as_value(), "");
    }
}
