//! What the program can do, one file per command.

pub mod check;
pub mod collect;
pub mod demo;
