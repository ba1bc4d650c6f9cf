//! Integration tests: the library on recordings, the binary on scripted and real servers.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stderr,
    unreachable_pub,
    reason = "a test that panics has failed, which is what it is for; helpers are one binary's own"
)]

mod alike;
mod ask;
mod capture;
mod captured;
mod codec;
mod config;
mod faults;
mod golden;
mod html;
mod kills;
mod large;
mod live;
#[cfg(feature = "mcp")]
mod mcp;
mod older;
mod output;
mod pbx;
mod probe;
mod program;
mod prometheus;
mod replay;
mod run;
mod sample;
mod schema;
mod secrets;
mod show;
mod status;
mod tap;
mod tidy;
mod tls;
mod transcript;
