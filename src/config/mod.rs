//! The configuration file.

mod kinds;

pub use kinds::{Kind, KindRules};
