//! A one-shot, read-only snapshot collector for FreePBX and Asterisk.
#![forbid(unsafe_code)]

pub mod ami;
pub mod collect;
pub mod config;
pub mod error;
pub mod normalize;
pub mod output;
pub mod snapshot;
