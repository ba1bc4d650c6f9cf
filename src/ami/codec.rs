//! Bytes to blocks, and nothing else: no sockets, no clock, no idea of actions.
//!
//! A block is what stands between two empty lines. Empty lines between blocks are skipped,
//! because PJSIP's error messages carry a line feed of their own (`Message: No endpoints found`,
//! LF, CRLF, CRLF: every version). Lines end in CRLF or LF.

use std::borrow::Cow;

use super::message::END_COMMAND;

/// Limits on what a server may send. They are generous: 25,000 endpoints, 5,000 channels and
/// 1,000 queues fit many times over. Past one, what is too large fails and the rest goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes in one line.
    pub line: usize,
    /// Bytes in one block.
    pub block: usize,
    /// Bytes received of one answer, and bytes kept of one list, where each row counts for more
    /// than its own bytes.
    pub list: usize,
    /// Bytes read in one run, all connections together.
    pub run: usize,
}

impl Default for Limits {
    /// 256 KiB a line, 1 MiB a block, 64 MiB a list, 256 MiB a run.
    fn default() -> Self {
        Self { line: 256 << 10, block: 1 << 20, list: 64 << 20, run: 256 << 20 }
    }
}

/// What the decoder found.
#[derive(Debug, PartialEq, Eq)]
pub enum Block<'a> {
    /// A block with its line ends, without the empty line after it. Invalid UTF-8 is replaced.
    Text(Cow<'a, str>),
    /// A block larger than the limits; its content is gone.
    Oversized,
}

/// Cuts a stream of bytes into blocks, however the bytes arrive.
#[derive(Debug)]
pub struct Decoder {
    buffer: Vec<u8>,
    /// Begin of the current block.
    start: usize,
    /// Begin of the first line of it that has not been looked at.
    scan: usize,
    /// Content of the current block was thrown away.
    oversized: bool,
    /// The first bytes at `scan` continue a line that was thrown away.
    mid_line: bool,
    /// The block is raw `Command` output, which empty lines do not end (up to Asterisk 13).
    raw: bool,
    limits: Limits,
}

impl Decoder {
    /// A decoder at the beginning of a stream.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self {
            buffer: Vec::new(),
            start: 0,
            scan: 0,
            oversized: false,
            mid_line: false,
            raw: false,
            limits,
        }
    }

    /// The buffer to append received bytes to, with room for at least `room` more.
    pub fn space(&mut self, room: usize) -> &mut Vec<u8> {
        if self.start == self.buffer.len() {
            self.buffer.clear();
        } else if self.start > 0 {
            self.buffer.drain(..self.start);
        }
        self.scan -= self.start;
        self.start = 0;
        self.buffer.reserve(room);
        &mut self.buffer
    }

    /// Takes the first line, which is the banner and not a block; `None` while it is incomplete.
    pub fn banner(&mut self) -> Option<String> {
        let rest = self.buffer.get(self.start..)?;
        let length = memchr::memchr(b'\n', rest)?;
        let line = String::from_utf8_lossy(rest.get(..length)?).trim_end().to_owned();
        self.start += length + 1;
        self.scan = self.start;
        Some(line)
    }

    /// Takes the next whole block; `None` when more bytes are needed.
    ///
    /// The same bytes give the same blocks however they are cut, also at the limits.
    pub fn next_block(&mut self) -> Option<Block<'_>> {
        let (from, to) = loop {
            self.skip_ordinary_lines();
            let rest = self.buffer.get(self.scan..)?;
            let Some(length) = memchr::memchr(b'\n', rest) else {
                self.bound();
                return None;
            };
            let line = rest.get(..length)?;
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            let first = self.scan == self.start && !self.oversized;
            let next = self.scan + length + 1;
            if first && line.eq_ignore_ascii_case(b"Response: Follows") {
                self.raw = true;
            }
            let ends = if self.raw {
                line.ends_with(END_COMMAND.as_bytes())
            } else {
                line.is_empty() && !self.mid_line
            };
            self.mid_line = false;
            if first && ends && !self.raw {
                (self.start, self.scan) = (next, next);
                continue;
            }
            // The empty line after a block is not part of it.
            let end = if ends && !self.raw { self.scan } else { next };
            self.oversized |= length > self.limits.line || end - self.start > self.limits.block;
            let block = (self.start, end);
            self.scan = next;
            if ends {
                self.start = next;
                self.raw = false;
                break block;
            }
            if self.oversized {
                self.start = next;
            }
        };
        if std::mem::take(&mut self.oversized) {
            return Some(Block::Oversized);
        }
        let bytes = self.buffer.get(from..to)?;
        // Nearly all blocks are valid, and to know only that is faster than to look for what to
        // replace.
        Some(Block::Text(match std::str::from_utf8(bytes) {
            Ok(text) => Cow::Borrowed(text),
            Err(_) => String::from_utf8_lossy(bytes),
        }))
    }

    /// Goes on to the first line that may end a block or be too long: most lines do neither.
    fn skip_ordinary_lines(&mut self) {
        if self.scan == self.start || self.raw || self.oversized || self.mid_line {
            return;
        }
        let rest = self.buffer.get(self.scan..).unwrap_or_default();
        let mut next = 0;
        for end in memchr::memchr_iter(b'\n', rest) {
            let length = end - next;
            // A carriage return alone is an empty line.
            if length < 2 || length > self.limits.line {
                break;
            }
            next = end + 1;
        }
        self.scan += next;
    }

    /// Throws away what has grown past the limits without a line end in sight.
    fn bound(&mut self) {
        /// As much as may be the beginning of the end of raw output.
        const TAIL: usize = END_COMMAND.len() + 1;
        let line = self.buffer.get(self.scan..).unwrap_or_default();
        // A carriage return alone may become the empty line after the block.
        let begun = if line == b"\r" && !self.raw && !self.mid_line { 0 } else { line.len() };
        let block = self.scan - self.start + begun;
        if line.len() > self.limits.line || block > self.limits.block {
            self.oversized = true;
        }
        if self.oversized && line.len() > TAIL {
            self.mid_line = true;
            self.start = self.buffer.len() - TAIL;
        } else if self.oversized {
            self.start = self.scan;
        }
        self.scan = self.scan.max(self.start);
    }

    /// Bytes of a block, or of a banner, that has not come whole.
    #[must_use]
    pub fn pending(&self) -> &[u8] {
        self.buffer.get(self.start..).unwrap_or_default()
    }

    /// True when the stream may end here: no block has begun.
    #[must_use]
    pub fn is_between_blocks(&self) -> bool {
        !self.oversized && self.pending().iter().all(|b| matches!(b, b'\r' | b'\n'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blocks(limits: Limits, chunks: &[&[u8]]) -> Vec<String> {
        let mut decoder = Decoder::new(limits);
        let mut found = Vec::new();
        for chunk in chunks {
            decoder.space(chunk.len()).extend_from_slice(chunk);
            while let Some(block) = decoder.next_block() {
                found.push(match block {
                    Block::Text(text) => text.into_owned(),
                    Block::Oversized => "(oversized)".to_owned(),
                });
            }
        }
        found
    }

    const SMALL: Limits = Limits { line: 20, block: 40, list: 100, run: 100 };

    #[test]
    fn a_bare_line_feed_inside_an_error_does_not_begin_a_block() {
        let wire = b"Response: Error\r\nMessage: No endpoints found\n\r\n\r\nEvent: X\r\n\r\n";
        let found = blocks(Limits::default(), &[wire]);
        assert_eq!(found, ["Response: Error\r\nMessage: No endpoints found\n", "Event: X\r\n"]);
    }

    #[test]
    fn raw_command_output_ends_at_its_marker_and_not_at_an_empty_line() {
        let wire = b"Response: Follows\r\nPrivilege: Command\r\na\n\nb\n--END COMMAND--\r\n\r\n\
                     Event: X\r\nName: --END COMMAND--\r\n\r\n";
        let found = blocks(Limits::default(), &[wire]);
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].ends_with("--END COMMAND--\r\n"));
    }

    #[test]
    fn what_is_too_large_is_thrown_away_and_the_next_block_is_whole() {
        let long = b"A: 56789012345678901234567890\r\n\r\nB: 1\r\n\r\n";
        assert_eq!(blocks(SMALL, &[long]), ["(oversized)", "B: 1\r\n"]);
        let many = b"A: 1\r\n".repeat(20);
        assert_eq!(blocks(SMALL, &[&many, b"\r\nB: 1\r\n\r\n"]), ["(oversized)", "B: 1\r\n"]);
    }

    #[test]
    fn an_endless_line_is_not_kept() {
        let mut decoder = Decoder::new(SMALL);
        for _ in 0..1_000 {
            decoder.space(10).extend_from_slice(b"0123456789");
            assert!(decoder.next_block().is_none());
            assert!(decoder.pending().len() <= 30);
        }
        decoder.space(2).extend_from_slice(b"\r\n");
        assert!(decoder.next_block().is_none(), "the line end belongs to the thrown-away line");
        decoder.space(12).extend_from_slice(b"\r\nB: 1\r\n\r\n");
        assert_eq!(decoder.next_block(), Some(Block::Oversized));
        assert_eq!(decoder.next_block(), Some(Block::Text("B: 1\r\n".into())));
        assert!(decoder.is_between_blocks());
    }

    #[test]
    fn invalid_utf8_is_replaced_and_shifts_nothing() {
        let found = blocks(Limits::default(), &[b"Event: X\r\nName: \xff\xc3\r\nB: 1\r\n\r\n"]);
        assert_eq!(found, ["Event: X\r\nName: \u{fffd}\u{fffd}\r\nB: 1\r\n"]);
    }

    #[test]
    fn blocks_near_the_limits_are_the_same_however_they_are_cut() {
        let row = b"A: 1\r\n".as_slice();
        let raw = b"Response: Follows\r\n".as_slice();
        for size in 14..48 {
            let long = vec![b'x'; size];
            let line = [&long[..size.min(22)], b"\r\n"].concat();
            let wires = [
                [&line[..], b"\r\nB: 1\r\n\r\n"].concat(),
                [&row.repeat(size / 6), &long[..size % 6], b"\r\n\r\nB: 1\r\n\r\n"].concat(),
                [&row.repeat(size / 6), &long[..size % 6], b"\n\nB: 1\n\n"].concat(),
                [raw, &long[..size - 14], b"--END COMMAND--\r\nB: 1\r\n\r\n"].concat(),
                [raw, &long[..size - 14], b"\n--END COMMAND--\nB: 1\n\n"].concat(),
                [raw, row, &row.repeat(size / 6), b"--END COMMAND--\r\nB: 1\r\n\r\n"].concat(),
            ];
            for wire in wires {
                let whole = blocks(SMALL, &[&wire]);
                assert_eq!(whole.last().map(|last| last.trim_end()), Some("B: 1"), "{wire:?}");
                assert_eq!(blocks(SMALL, &wire.chunks(1).collect::<Vec<_>>()), whole);
                for cut in 0..wire.len() {
                    let (one, other) = wire.split_at(cut);
                    assert_eq!(blocks(SMALL, &[one, other]), whole, "cut at {cut}: {wire:?}");
                }
            }
        }
    }

    #[test]
    fn a_block_of_exactly_the_limit_is_kept_and_one_byte_more_is_not() {
        let exact = [b"A: 1\r\n".repeat(6), b"B:\r\n".to_vec()].concat();
        assert_eq!(exact.len(), SMALL.block);
        assert_eq!(blocks(SMALL, &[&exact, b"\r", b"\n"]).len(), 1);
        assert_ne!(blocks(SMALL, &[&exact, b"\r", b"\n"]), ["(oversized)"]);
        let more = [b"A: 1\r\n".repeat(6), b"B: \r\n".to_vec()].concat();
        assert_eq!(blocks(SMALL, &[&more, b"\r", b"\n"]), ["(oversized)"]);
        let line = [&[b'x'; 19], &b"\r\n\r\n"[..]].concat();
        assert_ne!(blocks(SMALL, &[&line]), ["(oversized)"], "its carriage return counts");
        let line = [&[b'x'; 20], &b"\r\n\r\n"[..]].concat();
        assert_eq!(blocks(SMALL, &[&line]), ["(oversized)"]);
    }
}
