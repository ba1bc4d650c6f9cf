//! Messages as text that was checked once: a row is a view, a header a slice of it.

use std::{borrow::Cow, sync::Arc};

use super::{
    ReadAction,
    layout::{Index, Layout, Layouts},
};

/// One block of headers: a response, or an event that is a row of a list.
///
/// A row borrows the text of its [`Answer`]. The rows of a list share their names, so that looking a
/// header up in one does not walk its lines. Use [`Row::columns`] where several are needed.
#[derive(Debug, Clone, Copy)]
pub struct Row<'a> {
    text: &'a str,
    /// `None` where the lines have to be walked.
    index: Option<Index<'a>>,
}

impl<'a> Row<'a> {
    /// Views a block as a row. Lines may end in CRLF or LF.
    #[must_use]
    pub fn new(text: &'a str) -> Self {
        Self { text, index: None }
    }

    /// All headers in the order in which Asterisk sent them, values trimmed.
    pub fn headers(self) -> impl Iterator<Item = (&'a str, &'a str)> {
        let walked = if self.index.is_some() { "" } else { self.text };
        let indexed = self.index.into_iter().flat_map(move |index| index.headers(self.text));
        indexed.chain(lines(walked).filter_map(split_header))
    }

    /// The value of the first header of that name, whatever its case; may be empty.
    #[must_use]
    pub fn get(self, key: &str) -> Option<&'a str> {
        let [value] = self.columns([key]);
        value
    }

    /// The values of all headers of that name, for headers that repeat (`Variable`, `Contacts`).
    pub fn all(self, key: &str) -> impl Iterator<Item = &'a str> {
        let walked = if self.index.is_some() { "" } else { self.text };
        let indexed = self.index.into_iter().flat_map(move |index| index.all(self.text, key));
        let named = move |(name, _): &(&str, &str)| name.eq_ignore_ascii_case(key);
        indexed.chain(lines(walked).filter_map(split_header).filter(named).map(|(_, v)| v))
    }

    /// The values of several headers in one pass: the first of each name, whatever its case.
    ///
    /// Fastest when `keys` stand in the order in which Asterisk sends them; any order is right.
    #[must_use]
    pub fn columns<const N: usize>(self, keys: [&str; N]) -> [Option<&'a str>; N] {
        if let Some(index) = self.index {
            return index.columns(self.text, keys);
        }
        let mut found = [None; N];
        let mut next = 0;
        for (name, value) in self.headers() {
            let turned = keys.iter().enumerate().cycle().skip(next).take(N);
            for (at, key) in turned {
                if name.eq_ignore_ascii_case(key) {
                    if let Some(slot @ None) = found.get_mut(at) {
                        *slot = Some(value);
                    }
                    next = at + 1;
                    break;
                }
            }
        }
        found
    }

    /// The name of the event; `None` for a response.
    #[must_use]
    pub fn event(self) -> Option<&'a str> {
        self.headers().next().filter(|(name, _)| name.eq_ignore_ascii_case("Event")).map(|(_, v)| v)
    }

    /// The lines of `Command` output in either form: `Output` headers (Asterisk 14 and later), or
    /// the raw lines between the headers and `--END COMMAND--` (up to 13).
    pub fn command_output(self) -> impl Iterator<Item = &'a str> {
        let raw = self.get("Response").is_some_and(|r| r.eq_ignore_ascii_case("Follows"));
        let headers = if raw { raw_output_start(self.text) } else { 0 };
        lines(self.text).skip(headers).filter_map(move |line| {
            if raw {
                let body = line.strip_suffix(END_COMMAND).unwrap_or(line);
                (!(body.is_empty() && body.len() != line.len())).then_some(body)
            } else {
                let (name, _) = split_header(line)?;
                let value = line.get(name.len() + 1..)?;
                name.eq_ignore_ascii_case("Output")
                    .then(|| value.strip_prefix(' ').unwrap_or(value))
            }
        })
    }
}

/// Ends the output of `Command` up to Asterisk 13, perhaps on the same line as its last output.
pub(super) const END_COMMAND: &str = "--END COMMAND--";

/// How many lines of a raw `Command` answer are headers: up to 13 they are `Response`,
/// `Privilege` and, when it was sent, `ActionID`, in this order.
fn raw_output_start(text: &str) -> usize {
    lines(text)
        .take(3)
        .take_while(|line| {
            split_header(line).is_some_and(|(name, _)| {
                ["Response", "Privilege", "ActionID"].iter().any(|k| name.eq_ignore_ascii_case(k))
            })
        })
        .count()
}

/// The lines of a block without their line ends.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    let bytes = text.as_bytes();
    let mut start = 0;
    std::iter::from_fn(move || {
        if start >= bytes.len() {
            return None;
        }
        let rest = bytes.get(start..)?;
        let length = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
        let (from, to) = (start, start + length);
        start = to + 1;
        // By bytes: this is the innermost loop of decoding.
        let ends_in_cr = length > 0 && bytes.get(to - 1) == Some(&b'\r');
        text.get(from..to - usize::from(ends_in_cr))
    })
}

/// Splits a line at its first colon; values lose the blanks around them.
fn split_header(line: &str) -> Option<(&str, &str)> {
    let colon = memchr::memchr(b':', line.as_bytes())?;
    // Only ASCII blanks: Unicode spaces belong to the value.
    Some((line.get(..colon)?, line.get(colon + 1..)?.trim_ascii()))
}

/// Undoes the C escapes of channel blocks: `O\'Brien` becomes `O'Brien`.
///
/// Asterisk 13.5 and later escape `CallerIDName`, `ConnectedLineName` and `ChanVariable` of
/// channel snapshots: BEL, BS, FF, LF, CR, TAB, VT by letters and `\`, `'`, `"`, `?` by a
/// backslash. Rows of queues and peers are not escaped and must not be given to this function.
/// An unknown escape is left as it is.
#[must_use]
pub fn unescape(text: &str) -> Cow<'_, str> {
    if memchr::memchr(b'\\', text.as_bytes()).is_none() {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            plain.push(c);
            continue;
        }
        match chars.next() {
            Some('a') => plain.push('\u{7}'),
            Some('b') => plain.push('\u{8}'),
            Some('f') => plain.push('\u{c}'),
            Some('n') => plain.push('\n'),
            Some('r') => plain.push('\r'),
            Some('t') => plain.push('\t'),
            Some('v') => plain.push('\u{b}'),
            Some(quoted @ ('\\' | '\'' | '"' | '?')) => plain.push(quoted),
            Some(other) => plain.extend(['\\', other]),
            None => plain.push('\\'),
        }
    }
    Cow::Owned(plain)
}

/// The whole answer to one action: its response and, for a list, its rows.
///
/// Only answers that came whole become an `Answer`; whatever was cut off is an
/// [`ActionError`](super::ActionError).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    action: ReadAction,
    text: String,
    response: (usize, usize),
    rows: Vec<StoredRow>,
    complete: (usize, usize),
    layouts: Vec<Arc<Layout>>,
    /// Where in its row each value begins, for all rows that have a layout.
    values: Vec<u32>,
    pub(super) announced: Option<u64>,
    pub(super) damaged: u64,
    pub(super) withheld: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct StoredRow {
    text: (usize, usize),
    /// Which of the layouts, and where in `values` it begins.
    layout: Option<(u32, usize)>,
}

impl Answer {
    pub(super) fn empty(action: ReadAction) -> Self {
        Self {
            action,
            text: String::new(),
            response: (0, 0),
            rows: Vec::new(),
            complete: (0, 0),
            layouts: Vec::new(),
            values: Vec::new(),
            announced: None,
            damaged: 0,
            withheld: 0,
        }
    }

    pub(super) fn set_response(&mut self, block: &str) {
        self.response = self.push(block);
    }

    pub(super) fn add_row(&mut self, block: &str, index: Option<(&Arc<Layout>, &[u32])>) {
        let layout = index.and_then(|(layout, values)| {
            let at = self.layout(layout)?;
            let begin = self.values.len();
            self.values.extend_from_slice(values);
            Some((at, begin))
        });
        let text = self.push(block);
        self.rows.push(StoredRow { text, layout });
    }

    /// The place of a layout among those of this answer; `None` when there are too many.
    fn layout(&mut self, layout: &Arc<Layout>) -> Option<u32> {
        let found = self.layouts.iter().rposition(|known| Arc::ptr_eq(known, layout));
        let at = found.or_else(|| {
            (self.layouts.len() < Layouts::MOST).then(|| {
                self.layouts.push(Arc::clone(layout));
                self.layouts.len() - 1
            })
        });
        u32::try_from(at?).ok()
    }

    pub(super) fn set_complete(&mut self, block: &str) {
        self.complete = self.push(block);
    }

    fn push(&mut self, block: &str) -> (usize, usize) {
        let start = self.text.len();
        self.text.push_str(block);
        (start, self.text.len())
    }

    fn slice(&self, (start, end): (usize, usize)) -> Row<'_> {
        Row::new(self.text.get(start..end).unwrap_or_default())
    }

    /// The action that was asked.
    #[must_use]
    pub fn action(&self) -> ReadAction {
        self.action
    }

    /// The direct response: the data of actions that answer with one block.
    #[must_use]
    pub fn response(&self) -> Row<'_> {
        self.slice(self.response)
    }

    /// The rows of a list in the order in which Asterisk sent them; empty for other actions.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = Row<'_>> {
        self.rows.iter().map(|row| Row { index: self.index(*row), ..self.slice(row.text) })
    }

    fn index(&self, row: StoredRow) -> Option<Index<'_>> {
        let (at, begin) = row.layout?;
        let layout = self.layouts.get(usize::try_from(at).ok()?)?;
        let values = self.values.get(begin..begin + layout.len())?;
        Some(Index { layout, values })
    }

    /// The rows with that event name, for lists of several kinds of rows (`QueueStatus`).
    pub fn events<'a>(&'a self, name: &'a str) -> impl Iterator<Item = Row<'a>> {
        self.rows().filter(move |row| row.event().is_some_and(|e| e.eq_ignore_ascii_case(name)))
    }

    /// The event that closed the list; some carry totals. Empty where there was none.
    #[must_use]
    pub fn completion(&self) -> Row<'_> {
        self.slice(self.complete)
    }

    /// How many rows the server said it sent (`ListItems`), where it counts honestly; see
    /// [`ReadAction::counts_honestly`].
    #[must_use]
    pub fn announced(&self) -> Option<u64> {
        self.announced
    }

    /// How many rows were damaged on the wire and left out.
    #[must_use]
    pub fn damaged(&self) -> u64 {
        self.damaged
    }

    /// How many rows were left out because all of each is a secret: entries of AstDB that are named
    /// like a password or PIN.
    #[must_use]
    pub fn withheld(&self) -> u64 {
        self.withheld
    }

    /// Bytes that the answer keeps in memory.
    #[must_use]
    pub fn size(&self) -> usize {
        self.text.len()
            + self.rows.len() * size_of::<StoredRow>()
            + self.values.len() * size_of::<u32>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_compare_without_case_and_keep_colons() {
        let row = Row::new("Event: X\r\nUniqueID: 1.5\r\nName: Event: Newchannel\nEmpty:\r\n");
        assert_eq!(row.get("uniqueid"), Some("1.5"));
        assert_eq!(row.get("NAME"), Some("Event: Newchannel"));
        assert_eq!(row.get("Empty"), Some(""));
        assert_eq!(row.get("Nam"), None);
        assert_eq!(row.event(), Some("X"));
    }

    #[test]
    fn columns_come_in_one_pass_in_any_order_and_first_wins() {
        let row = Row::new("Event: X\r\nB: 2\r\nA: 1\r\nB: 3\r\n");
        assert_eq!(row.columns(["A", "B", "C"]), [Some("1"), Some("2"), None]);
        assert_eq!(row.all("b").collect::<Vec<_>>(), ["2", "3"]);
    }

    #[test]
    fn rows_share_layouts_and_those_beyond_the_bound_are_walked() {
        let mut layouts = Layouts::default();
        let mut answer = Answer::empty(ReadAction::QueueStatus);
        answer.set_response("Response: Success\r\n");
        let block = |number: usize| format!("Event: X\r\nN{number}: {number}\r\n");
        for number in 0..Layouts::MOST + 1 {
            for _ in 0..2 {
                layouts.inspect(&block(number));
                answer.add_row(&block(number), layouts.current());
            }
        }
        assert_eq!(answer.response().get("Response"), Some("Success"));
        assert_eq!(answer.layouts.len(), Layouts::MOST);
        let indexed = answer.rows().filter(|row| row.index.is_some()).count();
        assert_eq!((indexed, answer.rows().len()), (2 * Layouts::MOST, 2 * Layouts::MOST + 2));
        for (at, row) in answer.rows().enumerate() {
            let number = (at / 2).to_string();
            assert_eq!(row.get(&format!("n{number}")), Some(number.as_str()));
        }
        let rows = answer.rows.len() * size_of::<StoredRow>();
        assert_eq!(answer.size(), answer.text.len() + rows + 4 * answer.values.len());
    }

    #[test]
    fn escapes_of_channel_blocks_are_undone() {
        assert_eq!(unescape(r#"Quote \"Q\" O\'Brien \? \\ \t"#), "Quote \"Q\" O'Brien ? \\ \t");
        assert_eq!(unescape(r"C:\path\"), r"C:\path\");
        assert!(matches!(unescape("plain"), Cow::Borrowed("plain")));
    }

    #[test]
    fn both_forms_of_command_output_give_the_same_lines() {
        let new = "Response: Success\r\nMessage: Command output follows\r\nOutput: a: 1\r\n\
                   Output: \r\nOutput:   b\r\n";
        let old = "Response: Follows\r\nPrivilege: Command\r\nActionID: 1\r\na: 1\n\n  b\n\
                   --END COMMAND--\r\n";
        let glued = "Response: Follows\r\nPrivilege: Command\r\na: 1\n\n  b--END COMMAND--\r\n";
        for text in [new, old, glued] {
            let lines: Vec<_> = Row::new(text).command_output().collect();
            assert_eq!(lines, ["a: 1", "", "  b"], "{text}");
        }
    }
}
