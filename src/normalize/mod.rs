//! Turns answers into the snapshot. Pure: no sockets, no files, no clock.

pub(crate) mod fields;
#[cfg(test)]
pub(crate) mod testing;
