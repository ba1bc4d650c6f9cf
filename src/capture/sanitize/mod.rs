//! Takes out of a capture what tells whose PBX it is, and keeps what makes it behave as it does.
//!
//! Replaced are names, telephone numbers, addresses, host names, e-mail addresses, hardware addresses
//! and serial numbers, names of trunks, queues and users, and on request the numbers of extensions.
//! The same token has the same replacement wherever it stands, so that a channel still belongs to its
//! trunk; different tokens have different ones. Shape stays: a number keeps its length, its leading
//! zeros and its plus, a name its signs and the case of its letters. Secrets become a marker.
//!
//! States, codes, times, contexts and applications stay (but for the names of trunks in them, as in
//! `from-trunk-sip-acme`), and so does every word of Asterisk and
//! FreePBX themselves. Of anything else nothing stays: a header that is not known is taken for text,
//! and all words of a text are replaced.

mod headers;
mod key;
mod known;
mod replacements;
mod rewrite;
mod shapes;
mod text;
mod vocabulary;

pub use key::Key;

use super::{Capture, LOGIN, Recorded};
use known::Known;
use replacements::Replacements;

/// What is replaced beside what always is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Options {
    /// Numbers of extensions, queues, conferences and parking spaces, too.
    pub extensions: bool,
}

/// A capture without what tells whose it is.
#[derive(Debug)]
pub struct Sanitized {
    /// The capture.
    pub capture: Capture,
    /// Every token that was replaced, in lower case where its case made no difference, and what
    /// stands for it. Whoever has this can undo it all: for tests, and for nothing that is written.
    pub replacements: Vec<(String, String)>,
}

/// The state of one sanitization.
struct Sanitizer {
    options: Options,
    known: Known,
    replacements: Replacements,
}

/// Replaces all through a capture. Two captures have nothing in common unless their keys are equal.
#[must_use]
pub fn sanitize(capture: &Capture, key: &Key, options: Options) -> Sanitized {
    let mut known = Known::of(capture);
    let present = std::mem::take(&mut known.present);
    let replacements = Replacements::new(key.clone(), present);
    let mut sanitizer = Sanitizer { options, known, replacements };
    let mut done = Capture { banner: capture.banner.clone(), recorded: Vec::new() };
    for recorded in &capture.recorded {
        let request = sanitizer.blocks(&recorded.request);
        let begin = match recorded.question().action() {
            // What this version of Asterisk can do: its own words from end to end.
            "listcommands" => recorded.answer.len(),
            _ if recorded.name == LOGIN => {
                memchr::memchr(b'\n', &recorded.answer).map_or(0, |banner| banner + 1)
            }
            _ => 0,
        };
        let (stays, rest) = recorded.answer.split_at_checked(begin).unwrap_or_default();
        let answer = [stays, &sanitizer.blocks(rest)].concat();
        match recorded.name.as_str() {
            LOGIN => done.recorded.push(Recorded { name: LOGIN.to_owned(), request, answer }),
            _ => done.add(request, answer),
        }
    }
    Sanitized { capture: done, replacements: sanitizer.replacements.pairs() }
}

#[cfg(test)]
mod tests;
