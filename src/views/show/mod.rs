//! `show`: a snapshot as tables for a person at a terminal, or its rows as JSON.
//!
//! One file per view. All of them are pure: a snapshot, the history of changes, a [`Request`], a
//! [`Page`] and the time go in, text comes out. The rules that all of them keep:
//!
//! - a stale snapshot is announced before anything else, and every view says how old it is;
//! - a section that could not be read is "not known" with the reason, never an empty table;
//! - in tables `-` is none and `?` is not known;
//! - text from the PBX passes [`crate::terminal::clean`], in `table::Cell` and [`Page`].

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::snapshot::{ChangeKind, RecordedChange, Section, Snapshot};

mod about;
mod args;
mod attention;
mod calls;
mod changes;
mod extensions;
mod head;
mod lookup;
mod needle;
mod queues;
mod summary;
mod trunks;

pub use crate::terminal::Page;
pub use args::{ColorWhen, ShowArgs, Since};

use crate::terminal::{
    page::{self, Ink},
    table,
};
use needle::{Needle, plain};

/// What somebody wants to see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    what: What,
    filters: Filters,
    json: bool,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// What goes to standard output.
    pub text: String,
    /// What a person is told on the side; with JSON alone, where it would disturb in between.
    pub notes: Vec<String>,
    /// False when something was looked up and is not there.
    pub found: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum What {
    View(View, Option<String>),
    Lookup(Option<Kind>, String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum View {
    Summary,
    Extensions,
    Trunks,
    Calls,
    Queues,
    Attention,
    Changes,
}

/// What has a view of its own for a single one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Extension,
    Trunk,
    Queue,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Filters {
    busy: bool,
    offline: bool,
    /// In the form of [`plain`].
    state: Option<String>,
    queue: Option<String>,
    since: Option<Since>,
    kind: Option<ChangeKind>,
}

impl Filters {
    fn is_state(&self, word: &str) -> bool {
        self.state.as_deref().is_none_or(|state| state == plain(word))
    }
}

/// Everything that a view needs to know.
#[derive(Debug)]
struct Ask<'a> {
    snapshot: &'a Snapshot,
    history: &'a [RecordedChange],
    filters: &'a Filters,
    needle: Option<Needle>,
    json: bool,
    page: Page,
    now: DateTime<Utc>,
}

impl Request {
    /// Understands the command line.
    ///
    /// # Errors
    ///
    /// When an option says nothing about the view; as one line.
    pub fn new(arguments: &ShowArgs) -> Result<Self, String> {
        let filters = Filters {
            busy: arguments.busy,
            offline: arguments.offline,
            state: arguments.state.as_deref().map(plain),
            queue: arguments.queue.clone(),
            since: arguments.since,
            kind: arguments.kind,
        };
        let what = What::new(&arguments.what, &filters)?;
        check(&what, &filters)?;
        Ok(Self { what, filters, json: arguments.json })
    }
}

impl What {
    /// A view's name wins over anything else of that name. A single one (`queue 400`) is looked up
    /// in its list alone. Any other word is a name or number.
    fn new(words: &[String], filters: &Filters) -> Result<Self, String> {
        let Some((first, rest)) = words.split_first() else {
            return Ok(Self::View(View::for_filters(filters), None));
        };
        let name = (!rest.is_empty()).then(|| rest.join(" "));
        let (view, kind) = match first.to_lowercase().as_str() {
            "summary" => (View::Summary, None),
            "extensions" => (View::Extensions, None),
            "extension" => (View::Extensions, Some(Kind::Extension)),
            "trunks" => (View::Trunks, None),
            "trunk" => (View::Trunks, Some(Kind::Trunk)),
            "calls" | "call" => (View::Calls, None),
            "queues" => (View::Queues, None),
            "queue" => (View::Queues, Some(Kind::Queue)),
            "attention" => (View::Attention, None),
            "changes" | "change" => (View::Changes, None),
            _ => return Ok(Self::Lookup(None, words.join(" "))),
        };
        match (kind, name) {
            (Some(kind), Some(name)) => Ok(Self::Lookup(Some(kind), name)),
            (None, Some(name)) if view == View::Summary => {
                Err(format!("summary takes no name; `show {name}` looks it up"))
            }
            (_, name) => Ok(Self::View(view, name)),
        }
    }
}

impl View {
    /// The view that somebody means who names only filters.
    fn for_filters(filters: &Filters) -> Self {
        if filters.since.is_some() || filters.kind.is_some() {
            Self::Changes
        } else if *filters == Filters::default() {
            Self::Summary
        } else {
            Self::Extensions
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::Summary => "summary",
            Self::Extensions => "extensions",
            Self::Trunks => "trunks",
            Self::Calls => "calls",
            Self::Queues => "queues",
            Self::Attention => "attention",
            Self::Changes => "changes",
        }
    }

    /// The words that `--state` accepts here.
    fn states(self) -> Vec<&'static str> {
        match self {
            Self::Extensions => extensions::STATES.iter().map(|state| state.as_str()).collect(),
            Self::Trunks => trunks::STATES.iter().map(|state| state.as_str()).collect(),
            Self::Calls => calls::STATES.iter().map(|state| state.as_str()).collect(),
            Self::Attention => attention::STATES.map(attention::word).to_vec(),
            Self::Summary | Self::Queues | Self::Changes => Vec::new(),
        }
    }
}

/// A filter that says nothing about a view is refused: showing all would look like an answer.
fn check(what: &What, filters: &Filters) -> Result<(), String> {
    use View::{Calls, Changes, Extensions, Queues, Trunks};
    let view = match what {
        What::View(view, _) => Some(*view),
        What::Lookup(..) => None,
    };
    let here = view.map_or("a look-up", View::as_str);
    let options: [(&str, bool, &[View]); 5] = [
        ("--busy", filters.busy, &[Extensions, Trunks, Queues]),
        ("--offline", filters.offline, &[Extensions, Trunks]),
        ("--queue", filters.queue.is_some(), &[Extensions, Calls, Queues]),
        ("--since", filters.since.is_some(), &[Changes]),
        ("--kind", filters.kind.is_some(), &[Changes]),
    ];
    for (option, is_given, views) in options {
        if is_given && !view.is_some_and(|view| views.contains(&view)) {
            let views: Vec<_> = views.iter().map(|view| view.as_str()).collect();
            return Err(format!("{option} says nothing about {here}, only {}", views.join(", ")));
        }
    }
    let Some(state) = &filters.state else { return Ok(()) };
    let states = view.map(View::states).unwrap_or_default();
    if states.is_empty() {
        return Err(format!(
            "--state says nothing about {here}, only extensions, trunks, calls, attention"
        ));
    }
    match states.iter().any(|word| plain(word) == *state) {
        true => Ok(()),
        false => Err(format!("--state of {here} is one of: {}", states.join(", "))),
    }
}

/// Shows what was asked for.
#[must_use]
pub fn show(
    snapshot: &Snapshot,
    history: &[RecordedChange],
    request: &Request,
    page: Page,
    now: DateTime<Utc>,
) -> Shown {
    let needle = match &request.what {
        What::View(_, name) => name.as_deref().map(Needle::new),
        What::Lookup(..) => None,
    };
    let json = request.json;
    let ask = Ask { snapshot, history, filters: &request.filters, needle, json, page, now };
    let mut shown = match &request.what {
        What::Lookup(kind, name) => lookup::look_up(name, *kind, &ask),
        What::View(view, _) => show_view(*view, &ask),
    };
    if json {
        let warning = head::warning(snapshot, now);
        shown.notes.splice(..0, warning);
    } else {
        shown.text = format!("{}\n{}", head::head(snapshot, now, page), shown.text);
    }
    shown
}

fn show_view(view: View, ask: &Ask<'_>) -> Shown {
    let snapshot = ask.snapshot;
    match view {
        View::Summary if ask.json => {
            Shown { text: json(&snapshot.summary), notes: summary::lacks(snapshot), found: true }
        }
        View::Summary => Shown { text: summary::summary(ask), notes: Vec::new(), found: true },
        View::Extensions => List {
            section: Some(Section::Extensions),
            noun: "extension",
            all: snapshot.extensions.as_deref(),
            fits: extensions::fits,
            table: extensions::table,
        }
        .show(ask),
        View::Trunks => List {
            section: Some(Section::Trunks),
            noun: "trunk",
            all: snapshot.trunks.as_deref(),
            fits: trunks::fits,
            table: trunks::table,
        }
        .show(ask),
        View::Calls => List {
            section: Some(Section::ActiveCalls),
            noun: "call",
            all: snapshot.active_calls.as_deref(),
            fits: calls::fits,
            table: calls::table,
        }
        .show(ask),
        View::Queues => List {
            section: Some(Section::Queues),
            noun: "queue",
            all: snapshot.queues.as_deref(),
            fits: queues::fits,
            table: queues::table,
        }
        .show(ask),
        View::Attention => List {
            section: None,
            noun: "item",
            all: Some(&snapshot.summary.attention),
            fits: attention::fits,
            table: |rows, ask| attention::list(rows, ask.page) + &summary::more(ask, rows.len()),
        }
        .show(ask),
        View::Changes => {
            // Newest run first; within a run the order stays, in which the gravest is first.
            let mut newest_first = ask.history.to_vec();
            newest_first.sort_by_key(|recorded| std::cmp::Reverse(recorded.at));
            List {
                section: None,
                noun: "change",
                all: Some(&newest_first),
                fits: changes::fits,
                table: changes::table,
            }
            .show(ask)
        }
    }
}

/// A view that lists the items of one section.
struct List<'a, T> {
    section: Option<Section>,
    noun: &'static str,
    /// `None` when the section is not known.
    all: Option<&'a [T]>,
    fits: fn(&T, &Ask<'_>) -> bool,
    table: fn(&[&T], &Ask<'_>) -> String,
}

impl<T: Serialize> List<'_, T> {
    fn show(&self, ask: &Ask<'_>) -> Shown {
        let is_known = self.all.is_some();
        let rows: Option<Vec<&T>> =
            self.all.map(|all| all.iter().filter(|item| (self.fits)(item, ask)).collect());
        let is_empty = rows.as_ref().is_none_or(Vec::is_empty);
        let found = ask.needle.is_none() || !is_empty;
        if ask.json {
            let lack = self.section.and_then(|section| head::lack(ask.snapshot, section, is_known));
            return Shown { text: json(&rows), notes: lack.into_iter().collect(), found };
        }
        let mut text = String::new();
        if let Some(section) = self.section {
            text += &head::lack_line(ask.snapshot, section, is_known, ask.page);
        }
        if let Some(rows) = rows {
            if !rows.is_empty() {
                text += &(self.table)(&rows, ask);
                text.push('\n');
            }
            text += &ask.page.paragraph("", &self.count(rows.len()), Ink::Faint);
        }
        Shown { text, notes: Vec::new(), found }
    }

    /// How many there are, and how many of them are shown.
    fn count(&self, shown: usize) -> String {
        let number = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
        let all = self.all.map_or(0, <[T]>::len);
        match (shown, all) {
            (_, 0) => format!("No {}s.", self.noun),
            (0, all) => format!("None of {}.", page::counted(number(all), self.noun)),
            (shown, all) if shown == all => page::counted(number(all), self.noun),
            (shown, all) => format!("{shown} of {}", page::counted(number(all), self.noun)),
        }
    }
}

fn json(value: &impl Serialize) -> String {
    // Plain data with text keys: there is nothing that JSON cannot hold.
    let mut text = serde_json::to_string_pretty(value).unwrap_or_else(|_| "null".to_owned());
    text.push('\n');
    text
}
