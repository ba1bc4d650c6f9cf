//! A one-shot, read-only snapshot collector for FreePBX and Asterisk.
#![forbid(unsafe_code)]

pub mod ami;
pub mod cli;
pub mod collect;
pub mod commands;
pub mod config;
pub mod demo;
pub mod error;
pub mod normalize;
pub mod output;
pub mod snapshot;
pub mod terminal;
pub mod views;
