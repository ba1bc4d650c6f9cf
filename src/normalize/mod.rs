//! Turns answers into the snapshot. Pure: no sockets, no files, no clock.

mod clock;
mod contacts;
mod device_state;
mod devices;
pub(crate) mod extensions;
pub(crate) mod fields;
#[cfg(test)]
pub(crate) mod testing;
pub(crate) mod trunks;
