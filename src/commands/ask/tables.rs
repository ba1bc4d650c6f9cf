//! Answers as tables for a person: bounded, and harmless to a terminal.

use super::{exchange::Said, json::blocks};
use crate::{
    ami::{Row, redact},
    terminal::{
        clean,
        page::{Ink, Page, counted, cut, width},
        table::{Cell, Column, draw},
    },
};

/// Rows of one kind that are shown; JSON has all.
const MOST_ROWS: usize = 1_000;
/// Columns of one table; JSON has all.
const MOST_COLUMNS: usize = 60;
/// Columns of a terminal that one value may take.
const WIDEST: usize = 200;

/// All answers, one below the other. What failed is told elsewhere.
pub(super) fn text(answers: &[Said], page: Page) -> String {
    let mut text = String::new();
    for said in answers {
        let Ok(answer) = &said.outcome else { continue };
        if !text.is_empty() {
            text.push('\n');
        }
        let given: String =
            said.action.given().map(|(key, value)| format!(" {key}={value}")).collect();
        let name = format!("{}{given}", said.action.kind());
        let rows = blocks(answer);
        if !answer.action().is_list() {
            text += &page.title(&name);
        } else if rows.is_empty() {
            text += &page.title(&format!("{name}: none"));
        } else {
            let count = counted(u64::try_from(rows.len()).unwrap_or(u64::MAX), "row");
            text += &page.title(&format!("{name}: {count}"));
        }
        let groups = grouped(&rows);
        let are_named = groups.len() > 1;
        for (event, rows) in groups {
            if are_named {
                text += &format!("\n{}", page.title(event));
            }
            text += &match rows.as_slice() {
                [one] => headers(*one, page),
                several => table(several, page),
            };
        }
    }
    text
}

/// The rows by their events, in the order in which these first came.
fn grouped<'a>(rows: &[Row<'a>]) -> Vec<(&'a str, Vec<Row<'a>>)> {
    let mut groups: Vec<(&str, Vec<Row<'_>>)> = Vec::new();
    for row in rows {
        let event = row.event().unwrap_or_default();
        match groups.iter_mut().find(|(name, _)| *name == event) {
            Some((_, rows)) => rows.push(*row),
            None => groups.push((event, vec![*row])),
        }
    }
    groups
}

/// What tells a person nothing: our own id, and what the title says.
fn is_known(name: &str) -> bool {
    ["ActionID", "Event", "Response"].iter().any(|known| name.eq_ignore_ascii_case(known))
}

/// One row: a line for each header.
fn headers(row: Row<'_>, page: Page) -> String {
    let shown = || row.headers().filter(|(name, _)| !is_known(name));
    let widest = shown().map(|(name, _)| width(name)).max().unwrap_or(0).min(40);
    let mut text = String::new();
    for (name, value) in shown().take(MOST_ROWS) {
        let padding = " ".repeat(widest.saturating_sub(width(name)) + 2);
        let value = cut(&clean(&redact(value)), 10 * WIDEST);
        text += &page.paragraph(&format!("{}{padding}", cut(&clean(name), 40)), &value, Ink::Plain);
    }
    let more = shown().count().saturating_sub(MOST_ROWS);
    text + &left_out(more, "header", page)
}

/// Several rows: a column for each header that says something in one of them.
fn table(rows: &[Row<'_>], page: Page) -> String {
    let shown = rows.get(..MOST_ROWS).unwrap_or(rows);
    let mut names: Vec<&str> = Vec::new();
    let mut more = 0;
    for (name, value) in shown.iter().flat_map(|row| row.headers()) {
        let is_known = is_known(name) || names.iter().any(|known| known.eq_ignore_ascii_case(name));
        if !is_known && !value.is_empty() {
            match names.len() < MOST_COLUMNS {
                true => names.push(name),
                false => more += 1,
            }
        }
    }
    // The first headers tell what a row is about, so that the last give way first.
    let importance = |at: usize| u8::try_from(MOST_COLUMNS - at).unwrap_or(u8::MAX);
    let column = |(at, name): (usize, &&str)| {
        Column::titled(cut(&clean(name), 40).to_uppercase(), importance(at), 10)
    };
    let columns: Vec<_> = names.iter().enumerate().map(column).collect();
    let cell = |row: &Row<'_>, name: &str| {
        let values: Vec<_> = row.all(name).map(redact).collect();
        Cell::new(cut(&clean(&values.join(", ")), WIDEST))
    };
    let cells: Vec<Vec<_>> =
        shown.iter().map(|row| names.iter().map(|name| cell(row, name)).collect()).collect();
    let mut text = draw(&columns, &cells, page);
    text += &left_out(rows.len() - shown.len(), "row", page);
    text + &left_out(more, "further value", page)
}

fn left_out(count: usize, what: &str, page: Page) -> String {
    let Some(count) = u64::try_from(count).ok().filter(|count| *count > 0) else {
        return String::new();
    };
    let said = format!("({} not shown: see --json or --ndjson)", counted(count, what));
    page.paragraph("", &said, Ink::Faint)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: Page = Page { width: None, color: false };

    #[test]
    fn several_rows_are_a_table_and_one_is_a_list_of_headers() {
        let one = Row::new("Event: E\nActionID: x\nQueue: 400\nEmpty:\nName: a\u{1b}[31m");
        let other = Row::new("Event: E\nQueue: 401\nPhone: sip:u:pw@192.0.2.1");
        assert_eq!(headers(one, PAGE), "Queue  400\nEmpty  \nName   a?[31m\n");
        assert_eq!(
            table(&[one, other], PAGE),
            "QUEUE  NAME    PHONE\n400    a?[31m  -\n401    -       sip:u:[redacted]@192.0.2.1\n"
        );
    }

    #[test]
    fn what_a_server_sends_too_much_of_is_counted() {
        let rows = vec![Row::new("Event: E\nA: 1"); 1_500];
        assert!(table(&rows, PAGE).ends_with("\n(500 rows not shown: see --json or --ndjson)\n"));
        let many: String = (0..100).map(|n| format!("H{n}: 1\n")).collect();
        let rows = [Row::new(&many), Row::new("A: 1")];
        assert!(table(&rows, PAGE).contains("(41 further values not shown"), "60 of 101 columns");
        let long = format!("A: {}", "x".repeat(100_000));
        assert!(table(&[Row::new(&long), Row::new("A: 1")], PAGE).len() < 1_000);
        assert!(headers(Row::new(&long), PAGE).len() < 10_000);
    }
}
