//! Integration tests: the library on recordings, the binary on scripted and real servers.

mod codec;
