//! The line that a monitoring plugin prints: `FREEPBX OK - text | performance data`.

use super::{Levels, Report, Verdict};
use crate::terminal::clean;

/// The line as it grows.
#[derive(Debug, Default)]
pub(super) struct Line {
    problems: Vec<(Verdict, String)>,
    data: Vec<String>,
    items: Vec<String>,
}

impl Line {
    /// Notes what is wrong.
    pub(super) fn problem(&mut self, verdict: Verdict, text: String) {
        self.problems.push((verdict, text));
    }

    /// Notes a value of the whole PBX.
    pub(super) fn data(&mut self, label: &str, value: u64, unit: &str, levels: &Levels) {
        self.data.push(datum(label, value, unit, levels));
    }

    /// Notes a value of one trunk or queue. Their number is bounded, because monitoring systems cut
    /// what is too long in the middle of a value.
    pub(super) fn item(&mut self, label: &str, value: u64, unit: &str, levels: &Levels) {
        const MOST: usize = 60;
        if self.items.len() < MOST {
            self.items.push(datum(label, value, unit, levels));
        }
    }

    /// The whole line: problems worst first, or the overview where there is none.
    pub(super) fn finish(mut self, overview: String) -> Report {
        const MOST: usize = 8;
        self.problems.sort_by_key(|(verdict, _)| std::cmp::Reverse(*verdict));
        let verdict = self.problems.first().map_or(Verdict::Ok, |(verdict, _)| *verdict);
        let mut texts: Vec<String> = Vec::new();
        for (of, text) in self.problems.iter().take(MOST) {
            // Only what differs from the verdict of the whole needs to say so.
            let mark = if *of == verdict { String::new() } else { format!("{}: ", of.as_str()) };
            texts.push(format!("{mark}{text}"));
        }
        if self.problems.len() > MOST {
            texts.push(format!("and {} more", self.problems.len() - MOST));
        }
        if texts.is_empty() {
            texts.push(overview);
        }
        let text = plain(&texts.join("; "));
        self.data.append(&mut self.items);
        let data = match self.data.as_slice() {
            [] => String::new(),
            data => format!(" | {}", data.join(" ")),
        };
        Report { verdict, line: format!("FREEPBX {} - {text}{data}", verdict.as_str()) }
    }
}

/// A value as the guidelines want it: `label=value[unit];warning;critical;minimum`.
fn datum(label: &str, value: u64, unit: &str, levels: &Levels) -> String {
    let range = |range: &Option<_>| range.as_ref().map(ToString::to_string).unwrap_or_default();
    let (warning, critical) = (range(&levels.warning), range(&levels.critical));
    format!("{}={value}{unit};{warning};{critical};0", quoted(label))
}

/// Text without what a terminal or the reader of the line obeys: everything behind a `|` would be
/// performance data.
fn plain(text: &str) -> String {
    clean(text).replace('|', "/")
}

/// A label as the guidelines want it: no `=`, in quotes where it is more than a word.
fn quoted(label: &str) -> String {
    let label = plain(label).replace(['=', '\''], "_");
    let is_word = label.chars().all(|c| c.is_ascii_alphanumeric() || "_-.".contains(c));
    if is_word { label } else { format!("'{label}'") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_break_the_line() {
        assert_eq!(quoted("queue_a'b=c|d\n_wait"), "'queue_a_b_c/d?_wait'");
        assert_eq!(quoted("queue_400_wait"), "queue_400_wait");
        let mut line = Line::default();
        line.problem(Verdict::Warning, "trunk a|b\nc".to_owned());
        assert_eq!(line.finish(String::new()).line, "FREEPBX WARNING - trunk a/b?c");
    }

    #[test]
    fn the_worst_comes_first_and_others_say_what_they_are() {
        let mut line = Line::default();
        for (verdict, text) in [
            (Verdict::Unknown, "a"),
            (Verdict::Warning, "b"),
            (Verdict::Critical, "c"),
            (Verdict::Critical, "d"),
        ] {
            line.problem(verdict, text.to_owned());
        }
        line.data("age", 5, "s", &"10,20:".parse().unwrap());
        let report = line.finish("unused".to_owned());
        assert_eq!(report.verdict, Verdict::Critical);
        assert_eq!(
            report.line,
            "FREEPBX CRITICAL - c; d; WARNING: b; UNKNOWN: a | age=5s;10;20:;0"
        );
    }
}
