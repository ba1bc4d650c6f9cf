//! Turns answers into the snapshot. Pure: no sockets, no files, no clock.

pub(crate) mod calls;
pub(crate) mod channels;
pub(crate) mod fields;
pub(crate) mod queues;
pub(crate) mod rooms;
#[cfg(test)]
pub(crate) mod testing;
