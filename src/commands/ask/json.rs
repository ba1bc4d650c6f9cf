//! Answers as JSON: strings as Asterisk wrote them, a header that repeats as an array.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::exchange::Said;
use crate::{
    ami::{Answer, Row, redact},
    error::Error,
};

/// One array, with an object for each action.
pub(super) fn array(answers: &[Said]) -> Result<String, Error> {
    let all = answers.iter().map(|said| {
        let action = &said.action;
        let mut object = Map::new();
        object.insert("action".to_owned(), action.kind().name().into());
        let arguments = action.given().map(|(key, value)| (key.to_owned(), value.into()));
        object.insert("arguments".to_owned(), Value::Object(arguments.collect()));
        match &said.outcome {
            Ok(answer) => {
                object.insert("rows".to_owned(), rows(answer).map(Value::Object).collect());
                for (name, count) in
                    [("damaged", answer.damaged()), ("withheld", answer.withheld())]
                {
                    if count > 0 {
                        object.insert(name.to_owned(), count.into());
                    }
                }
            }
            Err(failure) => {
                object.insert("rows".to_owned(), Value::Null);
                let error = json!({ "kind": Said::kind(failure), "message": said.problem() });
                object.insert("error".to_owned(), error);
            }
        }
        Value::Object(object)
    });
    let text = serde_json::to_string_pretty(&all.collect::<Vec<_>>());
    Ok(text.map_err(|error| internal(&error))? + "\n")
}

/// One line for each row of each action, with the action's name in it.
pub(super) fn lines(answers: &[Said]) -> Result<String, Error> {
    let mut text = String::new();
    for said in answers {
        let Ok(answer) = &said.outcome else { continue };
        for row in rows(answer) {
            let mut object = Map::new();
            object.insert("Action".to_owned(), said.action.kind().name().into());
            object.extend(row);
            text += &serde_json::to_string(&object).map_err(|error| internal(&error))?;
            text.push('\n');
        }
    }
    Ok(text)
}

fn internal(error: &serde_json::Error) -> Error {
    Error::Internal(error.to_string())
}

/// The rows of a list, or the one block of another answer.
pub(super) fn blocks(answer: &Answer) -> Vec<Row<'_>> {
    match answer.action().is_list() {
        true => answer.rows().collect(),
        false => vec![answer.response()],
    }
}

fn rows(answer: &Answer) -> impl Iterator<Item = Map<String, Value>> {
    blocks(answer).into_iter().map(object)
}

/// A row's headers, without the ActionID, which is ours. Names that differ in case alone are one.
fn object(row: Row<'_>) -> Map<String, Value> {
    let mut object = Map::new();
    let mut spelt: HashMap<String, &str> = HashMap::new();
    for (name, value) in row.headers() {
        if name.eq_ignore_ascii_case("ActionID") {
            continue;
        }
        let name = *spelt.entry(name.to_ascii_lowercase()).or_insert(name);
        let value = Value::from(redact(value));
        match object.get_mut(name) {
            None => {
                object.insert(name.to_owned(), value);
            }
            Some(Value::Array(values)) => values.push(value),
            Some(first) => *first = Value::Array(vec![first.take(), value]),
        }
    }
    object
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_stand_as_they_came_and_repeated_headers_are_arrays() {
        let row = Row::new(
            "Event: Status\r\nActionID: x1\r\nUniqueid: 0012.50\r\nChanVariable: a=1\r\n\
             ChanVariable: PIN_PASSWORD=2\r\nchanvariable: c=3\r\nCallerIDName: O\\'Brien\r\nEmpty:\r\n",
        );
        let expected = json!({
            "Event": "Status",
            "Uniqueid": "0012.50",
            "ChanVariable": ["a=1", "PIN_PASSWORD=[redacted]", "c=3"],
            "CallerIDName": "O\\'Brien",
            "Empty": ""
        });
        assert_eq!(Value::Object(object(row)), expected);
    }
}
