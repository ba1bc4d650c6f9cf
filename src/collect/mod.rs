//! Asks the PBX everything that a snapshot needs, in as few round trips as possible.

mod answers;
mod astdb;
mod directory;

pub use answers::{Answers, Outcome};
pub use astdb::{AstDb, Family};
pub use directory::{DeviceEntry, Directory, Owner};
