//! Any sequence of messages gives a snapshot that follows the schema; what is missing or damaged is
//! a typed error in its `sections`. A run of everything is asked, and the input is what comes back.
#![no_main]

use harness::{Asked, check};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let mut asked = Asked::everything();
    asked.take(data);
    let (collected, plan) = asked.collected();
    let first = check(&collected, &plan, None);
    // The same again changes nothing.
    let again = check(&collected, &plan, Some(&(&first).into()));
    assert_eq!(again.changes.as_deref(), Some(&[][..]));
});
