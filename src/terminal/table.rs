//! Tables that fit: on a narrow terminal the least important column gives way first.

use std::borrow::Cow;

use super::{
    clean,
    page::{Ink, Page, cut, width},
};

/// Text in a table, harmless to a terminal whoever chose it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cell {
    text: String,
    ink: Ink,
}

impl Cell {
    pub(crate) fn new(text: impl AsRef<str>) -> Self {
        Self::inked(text, Ink::Plain)
    }

    pub(crate) fn inked(text: impl AsRef<str>, ink: Ink) -> Self {
        match clean(text.as_ref()).trim() {
            "" => Self::none(),
            text => Self { text: text.to_owned(), ink },
        }
    }

    /// There is none.
    pub(crate) fn none() -> Self {
        Self { text: "-".to_owned(), ink: Ink::Faint }
    }

    /// It is not known.
    pub(crate) fn unknown() -> Self {
        Self { text: "?".to_owned(), ink: Ink::Faint }
    }

    /// A value whose absence means that it is not known.
    pub(crate) fn known(value: Option<impl ToString>) -> Self {
        value.map_or_else(Self::unknown, |value| Self::new(value.to_string()))
    }

    /// A value whose absence means that there is none.
    pub(crate) fn any(value: Option<impl ToString>) -> Self {
        value.map_or_else(Self::none, |value| Self::new(value.to_string()))
    }

    /// The text alone.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }
}

/// A column: its title, and how it behaves when there is too little room.
#[derive(Debug, Clone)]
pub(crate) struct Column {
    title: Cow<'static, str>,
    /// The lower, the sooner it gives way.
    importance: u8,
    /// Width to which its text may be cut, but never its title; `None` for a column that is shown
    /// whole or not at all.
    least: Option<usize>,
    right: bool,
}

impl Column {
    /// A column that is shown whole or not at all.
    pub(crate) const fn whole(title: &'static str, importance: u8) -> Self {
        Self { title: Cow::Borrowed(title), importance, least: None, right: false }
    }

    /// A column of numbers: whole, and aligned to the right.
    pub(crate) const fn number(title: &'static str, importance: u8) -> Self {
        Self { title: Cow::Borrowed(title), importance, least: None, right: true }
    }

    /// A column of text under a title that is known only now.
    pub(crate) fn titled(title: String, importance: u8, least: usize) -> Self {
        Self { title: Cow::Owned(title), importance, least: Some(least), right: false }
    }

    /// A column of text that may be cut to a width.
    pub(crate) const fn text(title: &'static str, importance: u8, least: usize) -> Self {
        Self { title: Cow::Borrowed(title), importance, least: Some(least), right: false }
    }
}

/// Draws a table, titles first. What had to be left out is said below it.
pub(crate) fn draw(columns: &[Column], rows: &[Vec<Cell>], page: Page) -> String {
    let natural: Vec<usize> = columns
        .iter()
        .enumerate()
        .map(|(at, column)| {
            let cells = rows.iter().filter_map(|row| row.get(at));
            cells.map(|cell| width(&cell.text)).max().unwrap_or(0).max(width(&column.title))
        })
        .collect();
    let widths = fitted(columns, &natural, page.width);
    let mut text = line(
        columns
            .iter()
            .map(|column| Cell { text: column.title.clone().into_owned(), ink: Ink::Strong }),
        columns,
        &widths,
        page,
    );
    for row in rows {
        text.push_str(&line(row.iter().cloned(), columns, &widths, page));
    }
    let hidden: Vec<_> = columns
        .iter()
        .zip(&widths)
        .filter(|(_, width)| width.is_none())
        .map(|(column, _)| column.title.to_lowercase())
        .collect();
    if !hidden.is_empty() {
        let said = format!("(too narrow for: {})", hidden.join(", "));
        text.push_str(&page.paragraph("", &said, Ink::Faint));
    }
    text
}

const GAP: usize = 2;

/// The width of each column, `None` for one that there is no room for.
fn fitted(columns: &[Column], natural: &[usize], room: Option<usize>) -> Vec<Option<usize>> {
    let mut widths: Vec<Option<usize>> = natural.iter().copied().map(Some).collect();
    let Some(room) = room else { return widths };
    let mut order: Vec<usize> = (0..columns.len()).collect();
    order.sort_by_key(|at| columns.get(*at).map(|column| column.importance));
    let smallest = |at: usize| -> usize {
        let natural = natural.get(at).copied().unwrap_or(0);
        let column = columns.get(at);
        let least = column.and_then(|column| Some(column.least?.max(width(&column.title))));
        least.map_or(natural, |least| natural.min(least))
    };
    // Columns go until the rest fits when cut as far as it may be. One always stays.
    for at in order.iter().take(order.len().saturating_sub(1)) {
        let kept = widths.iter().enumerate().filter(|(_, width)| width.is_some());
        let (count, sum) = kept.fold((0, 0), |(n, sum), (at, _)| (n + 1, sum + smallest(at)));
        if sum + GAP * usize::saturating_sub(count, 1) <= room {
            break;
        }
        if let Some(width) = widths.get_mut(*at) {
            *width = None;
        }
    }
    let kept = widths.iter().flatten().count();
    let total = widths.iter().flatten().sum::<usize>() + GAP * kept.saturating_sub(1);
    // Column by column, and of equally important ones the widest.
    for _ in room..total {
        let slack = |at: &usize| {
            let width = widths.get(*at).copied().flatten()?;
            let least = if kept == 1 { 1 } else { smallest(*at) };
            let importance = columns.get(*at)?.importance;
            (width > least).then_some((importance, std::cmp::Reverse(width)))
        };
        let next = order.iter().filter_map(|at| Some((slack(at)?, *at))).min();
        match next.and_then(|(_, at)| widths.get_mut(at)?.as_mut()) {
            Some(width) => *width -= 1,
            None => break,
        }
    }
    widths
}

fn line(
    cells: impl Iterator<Item = Cell>,
    columns: &[Column],
    widths: &[Option<usize>],
    page: Page,
) -> String {
    let mut text = String::new();
    // Written only when something follows, so that lines have no blanks at their end.
    let mut blanks = 0;
    let mut first = true;
    for ((cell, column), room) in cells.zip(columns).zip(widths) {
        let Some(room) = *room else { continue };
        if !first {
            blanks += GAP;
        }
        first = false;
        let shown = cut(&cell.text, room);
        let padding = room.saturating_sub(width(&shown));
        blanks += if column.right { padding } else { 0 };
        text.push_str(&" ".repeat(blanks));
        text.push_str(&page.paint(&shown, cell.ink));
        blanks = if column.right { 0 } else { padding };
    }
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: [Column; 4] = [
        Column::whole("EXT", 9),
        Column::text("NAME", 5, 6),
        Column::number("MS", 2),
        Column::text("PHONE", 1, 5),
    ];

    fn drawn(room: Option<usize>) -> String {
        let row = |cells: [&str; 4]| cells.iter().map(Cell::new).collect::<Vec<_>>();
        let rows = [
            row(["100", "Alice Example", "12", "LabPhone/1.0"]),
            row(["1001", "東京 Zoë", "", "x"]),
        ];
        draw(&COLUMNS, &rows, Page { width: room, color: false })
    }

    #[test]
    fn columns_stand_below_each_other_whatever_the_script() {
        assert_eq!(
            drawn(None),
            "EXT   NAME           MS  PHONE\n100   Alice Example  12  LabPhone/1.0\n1001  東京 Zoë        -  x\n"
        );
    }

    #[test]
    fn the_least_important_column_is_cut_first_and_goes_first() {
        assert_eq!(
            drawn(Some(31)),
            "EXT   NAME           MS  PHONE\n100   Alice Example  12  LabPh…\n1001  東京 Zoë        -  x\n"
        );
        assert_eq!(
            drawn(Some(20)),
            "EXT   NAME        MS\n100   Alice Exa…  12\n1001  東京 Zoë     -\n(too narrow for:\nphone)\n"
        );
        for room in 1..60 {
            let text = drawn(Some(room));
            let table = text.split("(too").next().unwrap();
            assert!(table.lines().all(|line| width(line) <= room), "{room}:\n{text}");
        }
    }

    #[test]
    fn nothing_that_steers_a_terminal_gets_into_a_cell() {
        assert_eq!(Cell::new("a\u{1b}]0;x\u{7}\nb").text(), "a?]0;x??b");
        assert_eq!(Cell::new("\u{202e}").text(), "-");
    }
}
