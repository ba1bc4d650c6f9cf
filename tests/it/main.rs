//! Integration tests: the library on recordings, the binary on scripted and real servers.

mod codec;
mod config;
mod live;
mod output;
mod pbx;
mod program;
mod run;
