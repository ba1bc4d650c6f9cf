//! What a client can attach to a conversation as a whole: the summary and the snapshot.

use std::sync::Arc;

use rmcp::{
    ErrorData,
    model::{Resource, ResourceContents},
};

use super::{about::About, tools::overview};
use crate::snapshot::Snapshot;

const SUMMARY: &str = "freepbx://summary";
const SUMMARY_JSON: &str = "freepbx://summary.json";
const SNAPSHOT: &str = "freepbx://snapshot";
const FRESHNESS: &str = "freepbx://snapshot/freshness";

/// The resources that there are, whether or not the file is.
pub(super) fn list() -> Vec<Resource> {
    vec![
        Resource::new(SUMMARY, "summary")
            .with_title("Summary of the phone system")
            .with_description("What needs attention, counts, and how old the snapshot is; as text.")
            .with_mime_type("text/plain"),
        Resource::new(SUMMARY_JSON, "summary.json")
            .with_title("Summary of the phone system (JSON)")
            .with_description("What the tool `overview` answers, as JSON.")
            .with_mime_type("application/json"),
        Resource::new(SNAPSHOT, "snapshot")
            .with_title("Whole snapshot")
            .with_description(
                "Everything that the collector read, as JSON. Large: megabytes on a system with \
                 thousands of extensions. The tools answer most questions with far less.",
            )
            .with_mime_type("application/json"),
    ]
}

/// The contents of one of them; `read` reads the file.
///
/// # Errors
///
/// When there is no such resource, or those of `read`.
pub(super) fn read(
    uri: &str,
    read: &dyn Fn() -> Result<(Arc<Snapshot>, About), ErrorData>,
) -> Result<Vec<ResourceContents>, ErrorData> {
    let json = |text: String, uri: &str| {
        ResourceContents::text(text, uri).with_mime_type("application/json")
    };
    let contents = match uri {
        SUMMARY => {
            let (snapshot, about) = read()?;
            vec![ResourceContents::text(overview(&snapshot, about).text, uri)]
        }
        SUMMARY_JSON => {
            let (snapshot, about) = read()?;
            vec![json(format!("{:#}", overview(&snapshot, about).structured), uri)]
        }
        SNAPSHOT => {
            let (snapshot, about) = read()?;
            let text = serde_json::to_string(&*snapshot)
                .map_err(|error| ErrorData::internal_error(error.to_string(), None))?;
            // The snapshot itself cannot say how old it is by now.
            vec![json(text, uri), ResourceContents::text(about.text(), FRESHNESS)]
        }
        _ => {
            let message =
                format!("no such resource; there are {SUMMARY}, {SUMMARY_JSON} and {SNAPSHOT}");
            return Err(ErrorData::resource_not_found(message, None));
        }
    };
    Ok(contents)
}
