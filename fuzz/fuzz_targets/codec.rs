//! The same bytes give the same blocks however they are cut, and no more is kept than the limits
//! allow. The first two bytes of an input say how it is cut.
#![no_main]

use freepbx_snapshot::ami::{Block, Decoder, Limits, Row, unescape};
use libfuzzer_sys::fuzz_target;

/// Small enough that a fuzzer meets them.
const LIMITS: Limits = Limits { line: 48, block: 160, list: 1 << 20, run: 1 << 20 };

fuzz_target!(|data: &[u8]| {
    let Some((&[piece, turn], wire)) = data.split_first_chunk::<2>() else { return };
    let whole = decode(&[wire]);
    let pieces: Vec<&[u8]> = wire.chunks(usize::from(piece).max(1)).collect();
    assert_eq!(decode(&pieces), whole, "in pieces of {piece}");
    let (one, other) = wire.split_at(usize::from(turn).min(wire.len()));
    assert_eq!(decode(&[one, other]), whole, "cut at {turn}");
    assert_eq!(decode(&wire.chunks(1).collect::<Vec<_>>()), whole, "byte by byte");
    for block in whole.iter().flatten() {
        let row = Row::new(block);
        for (key, value) in row.headers() {
            assert!(row.get(key).is_some());
            let _ = unescape(value);
        }
        assert_eq!(row.columns(["Event", "ActionID"]), [row.get("Event"), row.get("ActionID")]);
        assert!(row.command_output().all(|line| block.contains(line)));
    }
});

fn decode(pieces: &[&[u8]]) -> Vec<Option<String>> {
    let mut decoder = Decoder::new(LIMITS);
    let mut blocks = Vec::new();
    for piece in pieces {
        decoder.space(piece.len()).extend_from_slice(piece);
        while let Some(block) = decoder.next_block() {
            blocks.push(match block {
                // An invalid byte becomes a character of three.
                Block::Text(text) => {
                    assert!(text.len() <= 3 * LIMITS.block);
                    Some(text.into_owned())
                }
                Block::Oversized => None,
            });
        }
        assert!(decoder.pending().len() <= LIMITS.block + 1, "keeps {}", decoder.pending().len());
    }
    blocks
}
