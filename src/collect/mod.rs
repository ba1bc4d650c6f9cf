//! Asks the PBX everything that a snapshot needs, in as few round trips as possible.

mod answers;
mod astdb;
pub(crate) mod boot;
mod directory;
pub(crate) mod lists;
mod plan;
mod run;

pub use answers::{Answers, Outcome};
pub use astdb::{AstDb, Family};
pub use directory::{DeviceEntry, Directory, Owner};
pub(crate) use directory::{PEER_LISTS, aor_of_contact, extension_hints, registered_contacts};
pub use plan::{Plan, Role, sources};
pub use run::{Collected, Foresight, Progress, Target, collect};
