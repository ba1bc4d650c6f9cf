//! Reads a snapshot: `cargo run --example read_snapshot -- cache/freepbx.json`
#![expect(clippy::print_stdout, reason = "an example")]

use std::{error::Error, path::Path, time::SystemTime};

use freepbx_snapshot::{
    snapshot::ExtensionStatus::{Busy, InUse, OnHold, Ringing},
    views::{Freshness, load},
};

fn main() -> Result<(), Box<dyn Error>> {
    let file = std::env::args().nth(1).unwrap_or_else(|| "cache/freepbx.json".to_owned());
    let snapshot = load(Path::new(&file))?;
    if Freshness::of(&snapshot, SystemTime::now()).is_stale {
        return Err(format!("stale: collected {}", snapshot.collected_at).into());
    }
    // `None` is "not known": an empty list would be a wrong answer.
    for extension in snapshot.extensions.ok_or("extensions are not known")? {
        if matches!(extension.status, InUse | Ringing | Busy | OnHold) {
            println!("busy {}", extension.extension);
        }
    }
    for call in snapshot.active_calls.ok_or("calls are not known")? {
        println!("call {}", call.description);
    }
    for trunk in snapshot.trunks.ok_or("trunks are not known")? {
        println!("trunk {} {}", trunk.name, trunk.state.as_str());
    }
    for queue in snapshot.queues.ok_or("queues are not known")? {
        if let Some(waiting @ 1..) = queue.calls {
            println!("queue {} {waiting}", queue.name);
        }
    }
    Ok(())
}
