//! One integration binary: fast to link.

mod config;
mod output;
