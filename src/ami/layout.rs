//! What the names of a block's headers say, judged once for all rows that share them.
//!
//! The rows of a list have the same headers in the same order. So the names of a block are kept, as
//! its layout, and the next block is only compared with them: that finds the headers that the
//! protocol needs, those that hold secrets, and where every value begins.

use std::sync::Arc;

/// What a header's name says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mark {
    Event,
    Response,
    ActionId,
    EventList,
    ListItems,
    /// The login digest, except in rows of AstDB, where it is the entry's name.
    Key,
    Secret,
    /// No header is without a name: its beginning is lost, and with it what it was.
    Nameless,
}

impl Mark {
    /// `None` for a name that says nothing.
    fn of(name: &str) -> Option<Self> {
        const NAMES: [(&str, Mark); 6] = [
            ("Event", Mark::Event),
            ("Response", Mark::Response),
            ("ActionID", Mark::ActionId),
            ("EventList", Mark::EventList),
            ("ListItems", Mark::ListItems),
            ("Key", Mark::Key),
        ];
        if name.is_empty() {
            return Some(Self::Nameless);
        }
        let known = NAMES.iter().find(|(known, _)| name.eq_ignore_ascii_case(known));
        let is_secret = || super::secrets::is_secret_header(name);
        known.map(|(_, mark)| *mark).or_else(|| is_secret().then_some(Self::Secret))
    }
}

/// What one walk over a block found.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Inspection<'a> {
    /// `Response` or `Event` where that is the first header's name.
    pub(super) first: Option<&'static str>,
    /// Value of the first header.
    pub(super) value_of_first: &'a str,
    pub(super) action_id: Option<&'a str>,
    pub(super) event_list: Option<&'a str>,
    pub(super) list_items: Option<&'a str>,
    /// Of the header `Key`.
    pub(super) key: Option<&'a str>,
    /// A line without a colon, or a second `Event` or `Response`: lines were lost on the wire.
    pub(super) damaged: bool,
    /// There is a header that must not be passed on.
    pub(super) secret: bool,
}

impl<'a> Inspection<'a> {
    fn note(&mut self, mark: Mark, at_first: bool, value: &'a str) {
        match mark {
            Mark::Event | Mark::Response if !at_first => self.damaged = true,
            Mark::Event => (self.first, self.value_of_first) = (Some("Event"), value),
            Mark::Response => (self.first, self.value_of_first) = (Some("Response"), value),
            Mark::ActionId => _ = self.action_id.get_or_insert(value),
            Mark::EventList => _ = self.event_list.get_or_insert(value),
            Mark::ListItems => _ = self.list_items.get_or_insert(value),
            Mark::Key => _ = self.key.get_or_insert(value),
            Mark::Secret => self.secret = true,
            Mark::Nameless => self.damaged = true,
        }
    }
}

/// Walks over a block whose layout is not known.
pub(super) fn inspect(block: &str) -> Inspection<'_> {
    let mut seen = Inspection::default();
    for (at, line) in block.split_inclusive('\n').enumerate() {
        match line.split_once(':') {
            Some((name, value)) => {
                if let Some(mark) = Mark::of(name) {
                    seen.note(mark, at == 0, value.trim_ascii());
                }
            }
            None => seen.damaged |= !line.trim_ascii().is_empty(),
        }
    }
    seen
}

/// The names of a block's headers in their order.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Layout {
    /// All names, each with its colon.
    names: String,
    headers: Vec<Header>,
    /// Of each header the [`print`] of its name, so that a look-up compares few names.
    prints: Vec<u8>,
    /// The headers whose names say something.
    marks: Vec<(usize, Mark)>,
}

#[derive(Debug, PartialEq, Eq)]
struct Header {
    /// Where its name, with its colon, begins among the names, and where it ends.
    from: usize,
    to: usize,
    /// No header of that name stands before it.
    is_first: bool,
}

/// The same for names that differ only in case, and most often not for others.
fn print(name: &str) -> u8 {
    let bytes = name.as_bytes();
    let [first, last] = [bytes.first(), bytes.last()].map(|byte| byte.map_or(0, |b| b | 0x20));
    first.wrapping_mul(31) ^ last.rotate_left(3) ^ bytes.len().to_le_bytes()[0]
}

impl Layout {
    /// More headers than any row of Asterisk has, and longer names. What exceeds it is read without
    /// a layout.
    const HEADERS: usize = 256;
    const NAMES: usize = 4 << 10;

    /// `None` for a block that is damaged or out of bounds.
    fn of(block: &str) -> Option<Self> {
        let mut layout = Self {
            names: String::new(),
            headers: Vec::new(),
            prints: Vec::new(),
            marks: Vec::new(),
        };
        for (at, line) in block.split_inclusive('\n').enumerate() {
            let (name, _) = line.split_once(':')?;
            let from = layout.names.len();
            if at == Self::HEADERS || from + name.len() >= Self::NAMES {
                return None;
            }
            let is_first = layout.names().all(|before| !before.eq_ignore_ascii_case(name));
            layout.names.push_str(name);
            layout.names.push(':');
            layout.headers.push(Header { from, to: layout.names.len(), is_first });
            layout.prints.push(print(name));
            layout.marks.extend(Mark::of(name).map(|mark| (at, mark)));
        }
        Some(layout)
    }

    /// How many headers there are.
    pub(super) fn len(&self) -> usize {
        self.headers.len()
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        self.headers.iter().map(|header| self.name(header))
    }

    fn name(&self, header: &Header) -> &str {
        self.names.get(header.from..header.to - 1).unwrap_or_default()
    }

    /// The places of all headers of that name, whatever its case, from `next` on.
    fn places(&self, key: &str, next: usize) -> impl Iterator<Item = usize> {
        let sought = print(key);
        let prints = self.prints.iter().enumerate().skip(next);
        let alike = prints.filter(move |(_, print)| **print == sought).map(|(at, _)| at);
        alike.filter(move |at| {
            let name = self.headers.get(*at).map(|header| self.name(header));
            // Most keys are spelt as Asterisk spells them, which is told faster.
            name.is_some_and(|name| name == key || name.eq_ignore_ascii_case(key))
        })
    }

    /// The place of the first header of that name, whatever its case. Fastest when it stands at
    /// `next` or soon after.
    fn find(&self, key: &str, next: usize) -> Option<usize> {
        let is_first = |at: &usize| self.headers.get(*at).is_some_and(|header| header.is_first);
        self.places(key, next)
            .find(is_first)
            .or_else(|| if next > 0 { self.places(key, 0).next() } else { None })
    }

    /// Finds where each value of a block begins; `None` for a block of another layout.
    fn compare(&self, block: &str, values: &mut Vec<u32>) -> Option<()> {
        values.clear();
        let mut rest = block.as_bytes();
        for header in &self.headers {
            let name = self.names.as_bytes().get(header.from..header.to)?;
            let line = rest.strip_prefix(name)?;
            values.push(u32::try_from(block.len() - line.len()).ok()?);
            let length = memchr::memchr(b'\n', line).map_or(line.len(), |at| at + 1);
            rest = line.get(length..)?;
        }
        rest.is_empty().then_some(())
    }
}

/// A row's layout, and where in its text each value begins.
#[derive(Debug, Clone, Copy)]
pub(super) struct Index<'a> {
    pub(super) layout: &'a Layout,
    pub(super) values: &'a [u32],
}

impl<'a> Index<'a> {
    /// All headers with their values.
    pub(super) fn headers(self, text: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.layout.names().enumerate().map(move |(at, name)| (name, self.value(text, at)))
    }

    /// The value of the first header of each name, whatever its case.
    ///
    /// Fastest when `keys` stand in the order in which Asterisk sends them; any order is right.
    pub(super) fn columns<'t, const N: usize>(
        self,
        text: &'t str,
        keys: [&str; N],
    ) -> [Option<&'t str>; N] {
        let mut next = 0;
        keys.map(|key| {
            let at = self.layout.find(key, next)?;
            next = at + 1;
            Some(self.value(text, at))
        })
    }

    /// The values of all headers of that name, whatever its case.
    pub(super) fn all(self, text: &'a str, key: &str) -> impl Iterator<Item = &'a str> {
        self.layout.places(key, 0).map(move |at| self.value(text, at))
    }

    /// The value of the header at that place.
    fn value(self, text: &str, at: usize) -> &str {
        let begin = |at: usize| self.values.get(at).and_then(|place| usize::try_from(*place).ok());
        let Some(from) = begin(at) else { return "" };
        // The next line begins with its name.
        let next = begin(at + 1).zip(self.layout.headers.get(at + 1));
        let to = next.map_or(text.len(), |(begin, header)| begin - (header.to - header.from));
        text.get(from..to).unwrap_or_default().trim_ascii()
    }
}

/// The layouts of the blocks so far.
#[derive(Debug, Default)]
pub(super) struct Layouts {
    known: Vec<Arc<Layout>>,
    /// The one that the last block has.
    current: Option<usize>,
    /// Where the values of the last block begin, where it has a layout.
    values: Vec<u32>,
    /// What a further one replaces when there are enough.
    oldest: usize,
}

impl Layouts {
    /// More kinds of rows than one run meets. The bound is against servers that never send the same
    /// headers twice.
    pub(super) const MOST: usize = 64;

    /// Walks over a block, and keeps its layout for the next one.
    pub(super) fn inspect<'a>(&mut self, block: &'a str) -> Inspection<'a> {
        self.current = self.find(block);
        let Some((layout, values)) = self.current() else {
            return inspect(block);
        };
        let index = Index { layout, values };
        let mut seen = Inspection::default();
        for (at, mark) in &layout.marks {
            seen.note(*mark, *at == 0, index.value(block, *at));
        }
        seen
    }

    /// The layout of the block that was inspected last, and where its values begin.
    pub(super) fn current(&self) -> Option<(&Arc<Layout>, &[u32])> {
        Some((self.known.get(self.current?)?, &self.values))
    }

    fn find(&mut self, block: &str) -> Option<usize> {
        // A response comes once and is not a row.
        if !block.starts_with("Event:") {
            return None;
        }
        // Most blocks are like the one before.
        let last = self.current.into_iter();
        if let Some(at) = last.chain(0..self.known.len()).find(|at| self.fits(*at, block)) {
            return Some(at);
        }
        let layout = Layout::of(block)?;
        layout.compare(block, &mut self.values)?;
        Some(self.keep(Arc::new(layout)))
    }

    fn fits(&mut self, at: usize, block: &str) -> bool {
        self.known.get(at).is_some_and(|it| it.compare(block, &mut self.values).is_some())
    }

    fn keep(&mut self, layout: Arc<Layout>) -> usize {
        if self.known.len() < Self::MOST {
            self.known.push(layout);
            return self.known.len() - 1;
        }
        let at = self.oldest;
        if let Some(oldest) = self.known.get_mut(at) {
            *oldest = layout;
        }
        self.oldest = (at + 1) % Self::MOST;
        at
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ami::{Answer, ReadAction, Row};

    /// Every block of real servers, and of some of them what is left after a loss.
    fn blocks() -> Vec<String> {
        let mut blocks = Vec::new();
        for folder in ["16.28.0/busy", "22.10.1/busy"] {
            for entry in std::fs::read_dir(format!("tests/fixtures/{folder}")).unwrap() {
                let path = entry.unwrap().path();
                if path.extension().is_some_and(|extension| extension == "ami") {
                    let bytes = std::fs::read(path).unwrap();
                    let text = String::from_utf8_lossy(&bytes).into_owned();
                    let cut = text.split_inclusive("\r\n\r\n");
                    blocks.extend(cut.map(|block| block.trim_end_matches("\r\n").to_owned()));
                }
            }
        }
        let whole = blocks.clone();
        for block in whole.iter().step_by(40).filter(|block| block.is_ascii()) {
            blocks.extend((0..block.len()).step_by(7).map(|at| block[at..].to_owned()));
        }
        blocks
    }

    #[test]
    fn a_block_says_the_same_whether_its_layout_is_known_or_not() {
        let mut layouts = Layouts::default();
        let mut answer = Answer::empty(ReadAction::QueueStatus);
        let mut indexed = 0;
        let blocks = blocks();
        for block in &blocks {
            assert_eq!(layouts.inspect(block), inspect(block), "{block}");
            let is_row =
                block.starts_with("Event:") && block.lines().all(|line| line.contains(':'));
            assert_eq!(layouts.current().is_some(), is_row, "{block}");
            indexed += usize::from(is_row);
            answer.add_row(block, layouts.current());
        }
        for (row, block) in answer.rows().zip(&blocks) {
            let walked = Row::new(block);
            assert!(row.headers().eq(walked.headers()), "{block}");
            let keys = ["Uniqueid", "EVENT", "Queue", "Variable", "ObjectName", "Nothing"];
            assert_eq!(row.columns(keys), walked.columns(keys), "{block}");
        }
        assert!(indexed > 1_000, "{indexed}");
        assert!(layouts.known.len() <= Layouts::MOST);
    }

    #[test]
    fn a_repeated_header_is_found_where_it_stands_first() {
        let block = "Event: X\r\nB: 2\r\nA: 1\r\nb: 3\r\n";
        let mut layouts = Layouts::default();
        layouts.inspect(block);
        let (layout, values) = layouts.current().unwrap();
        let columns = Index { layout, values }.columns(block, ["A", "B", "C"]);
        assert_eq!(columns, [Some("1"), Some("2"), None]);
    }

    #[test]
    fn rows_of_two_kinds_have_two_layouts_however_they_alternate() {
        let mut layouts = Layouts::default();
        for _ in 0..3 {
            layouts.inspect("Event: QueueParams\r\nQueue: 400\r\n");
            layouts.inspect("Event: QueueMember\r\nName: Bob\r\n");
        }
        assert_eq!(layouts.known.len(), 2);
    }

    #[test]
    fn what_never_repeats_and_what_is_out_of_bounds_is_not_kept_for_ever() {
        let mut layouts = Layouts::default();
        for number in 0..1_000 {
            assert_eq!(
                layouts.inspect(&format!("Event: X\r\nN{number}: 1\r\n")).first,
                Some("Event")
            );
            assert!(layouts.current().is_some());
        }
        assert_eq!(layouts.known.len(), Layouts::MOST);
        let is_known = |number: usize| {
            let name = format!("N{number}");
            layouts.known.iter().any(|layout| layout.names().any(|known| known == name))
        };
        assert!((1_000 - Layouts::MOST..1_000).all(is_known), "the latest are kept");
        for block in [
            "A: 1\r\n".repeat(256),
            format!("{}: 1\r\n", "n".repeat(5_000)),
            format!("{}: 1\r\n", "n".repeat(50)).repeat(100),
        ] {
            layouts.inspect(&format!("Event: X\r\n{block}"));
            assert!(layouts.current().is_none());
        }
        layouts.inspect("Event: X\r\ntorn\r\n");
        assert!(layouts.current().is_none());
    }

    #[test]
    fn a_glued_or_torn_block_is_damaged() {
        assert!(inspect("Event: A\r\nName: x\r\nEvent: B\r\n").damaged);
        assert!(inspect("Event: A\r\nNam\r\n").damaged);
        assert!(inspect("Event: A\r\n:Secret: x\r\n").damaged);
        assert!(!inspect("Event: A\r\nName: Event: B\r\n\n").damaged);
        assert_eq!(inspect("Name: x\r\n").first, None);
    }
}
