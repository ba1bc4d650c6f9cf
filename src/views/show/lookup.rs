//! Finds what somebody means by a number or name.

use serde_json::json;

use super::{
    Ask, Kind, Needle, Shown, about,
    calls::{self, is_about},
    extensions::{self, Calls},
    head::lack,
    page::Ink,
    queues, trunks,
};
use crate::snapshot::{Call, Extension, Queue, Section, Trunk};

/// What answers to a name.
#[derive(Debug, Default)]
struct Found<'a> {
    extensions: Vec<&'a Extension>,
    trunks: Vec<&'a Trunk>,
    queues: Vec<&'a Queue>,
    calls: Vec<&'a Call>,
}

impl Found<'_> {
    /// How many extensions, trunks and queues.
    fn things(&self) -> usize {
        self.extensions.len() + self.trunks.len() + self.queues.len()
    }
}

/// Shows what has exactly this name, else what has it in its name or number: one with all about
/// it, several as lists.
pub(super) fn look_up(name: &str, kind: Option<Kind>, ask: &Ask<'_>) -> Shown {
    let mut found = exact(name, kind, ask);
    if found.things() == 0 {
        found = search(&Needle::new(name), kind, ask);
    }
    let in_detail = found.things() == 1 || exact(name, kind, ask).things() > 0;
    if found.things() == 0 && found.calls.is_empty() {
        return nothing(name, kind, ask);
    }
    if ask.json {
        return json(&mut found, in_detail, ask);
    }
    let text = if in_detail { details(&found, ask) } else { lists(&found, ask) };
    Shown { text, notes: Vec::new(), found: true }
}

fn exact<'a>(name: &str, kind: Option<Kind>, ask: &Ask<'a>) -> Found<'a> {
    let is = |own: &str| own.to_lowercase() == name.trim().to_lowercase();
    find(kind, ask, |e| is(&e.extension), |t| is(&t.name), |q| is(&q.name))
}

fn search<'a>(needle: &Needle, kind: Option<Kind>, ask: &Ask<'a>) -> Found<'a> {
    let mut found = find(
        kind,
        ask,
        |e| needle.is_in_any([Some(e.extension.as_str()), e.name.as_deref()]),
        |t| needle.is_in_any([Some(t.name.as_str()), t.host.as_deref(), t.username.as_deref()]),
        |q| needle.is_in(&q.name),
    );
    if kind.is_none() {
        let calls = ask.snapshot.active_calls.iter().flatten();
        found.calls = calls.filter(|call| is_about(call, needle)).collect();
    }
    found
}

fn find<'a>(
    kind: Option<Kind>,
    ask: &Ask<'a>,
    extension: impl Fn(&Extension) -> bool,
    trunk: impl Fn(&Trunk) -> bool,
    queue: impl Fn(&Queue) -> bool,
) -> Found<'a> {
    let wanted = |this: Kind| kind.is_none_or(|kind| kind == this);
    let snapshot = ask.snapshot;
    let mut found = Found::default();
    if wanted(Kind::Extension) {
        found.extensions =
            snapshot.extensions.iter().flatten().filter(|it| extension(it)).collect();
    }
    if wanted(Kind::Trunk) {
        found.trunks = snapshot.trunks.iter().flatten().filter(|it| trunk(it)).collect();
    }
    if wanted(Kind::Queue) {
        found.queues = snapshot.queues.iter().flatten().filter(|it| queue(it)).collect();
    }
    found
}

fn details(found: &Found<'_>, ask: &Ask<'_>) -> String {
    let extensions = found.extensions.iter().map(|it| about::extension(it, ask));
    let trunks = found.trunks.iter().map(|it| about::trunk(it, ask));
    let queues = found.queues.iter().map(|it| about::queue(it, ask));
    extensions.chain(trunks).chain(queues).collect::<Vec<_>>().join("\n")
}

fn lists(found: &Found<'_>, ask: &Ask<'_>) -> String {
    let mut blocks = Vec::new();
    if !found.extensions.is_empty() {
        blocks.push(ask.page.title("Extensions") + &extensions::table(&found.extensions, ask));
    }
    if !found.trunks.is_empty() {
        blocks.push(ask.page.title("Trunks") + &trunks::table(&found.trunks, ask));
    }
    if !found.queues.is_empty() {
        blocks.push(ask.page.title("Queues") + &queues::table(&found.queues, ask));
    }
    if !found.calls.is_empty() {
        blocks.push(ask.page.title("Calls") + &calls::table(&found.calls, ask));
    }
    blocks.join("\n")
}

/// The same as items of the snapshot, under its keys; the calls are those of what was found.
fn json<'a>(found: &mut Found<'a>, in_detail: bool, ask: &Ask<'a>) -> Shown {
    if in_detail {
        let calls = Calls::of(ask.snapshot);
        let of_extensions =
            found.extensions.iter().flat_map(|it| calls.iter().flat_map(|calls| calls.with(it)));
        let over = found.trunks.iter().filter_map(|it| about::calls_over(&it.name, ask)).flatten();
        let within = found.queues.iter().filter_map(|it| about::calls_in(&it.name, ask)).flatten();
        found.calls = of_extensions.chain(over).chain(within).collect();
    }
    let calls = ask.snapshot.active_calls.as_ref().map(|_| &found.calls);
    let value = json!({
        "collected_at": ask.snapshot.collected_at,
        "stale_after": ask.snapshot.stale_after,
        "extensions": found.extensions,
        "trunks": found.trunks,
        "queues": found.queues,
        "active_calls": calls,
    });
    Shown { text: format!("{value:#}\n"), notes: Vec::new(), found: true }
}

/// Nothing of that name, the nearest ones, and where it may be because it could not be read.
fn nothing(name: &str, kind: Option<Kind>, ask: &Ask<'_>) -> Shown {
    let what = match kind {
        None => "Nothing",
        Some(Kind::Extension) => "No extension",
        Some(Kind::Trunk) => "No trunk",
        Some(Kind::Queue) => "No queue",
    };
    let near = nearest(name, kind, ask);
    let near = near.map(|near| format!(" Did you mean {near}?")).unwrap_or_default();
    let mut notes = vec![format!("{what} has {name:?} in its name or number.{near}")];
    let sections = [
        (Section::Extensions, ask.snapshot.extensions.is_some(), Kind::Extension),
        (Section::Trunks, ask.snapshot.trunks.is_some(), Kind::Trunk),
        (Section::Queues, ask.snapshot.queues.is_some(), Kind::Queue),
    ];
    for (section, is_known, this) in sections {
        if kind.is_none_or(|kind| kind == this) {
            notes.extend(lack(ask.snapshot, section, is_known));
        }
    }
    if ask.json {
        return Shown { text: String::new(), notes, found: false };
    }
    let text = notes.iter().map(|note| ask.page.paragraph("", note, Ink::Plain)).collect();
    Shown { text, notes: Vec::new(), found: false }
}

fn nearest(name: &str, kind: Option<Kind>, ask: &Ask<'_>) -> Option<String> {
    const ALIKE: f64 = 0.85;
    let all = find(kind, ask, |_| true, |_| true, |_| true);
    let extensions =
        all.extensions.iter().flat_map(|it| [Some(it.extension.as_str()), it.name.as_deref()]);
    let trunks = all.trunks.iter().map(|it| Some(it.name.as_str()));
    let queues = all.queues.iter().map(|it| Some(it.name.as_str()));
    let name = name.to_lowercase();
    extensions
        .chain(trunks)
        .chain(queues)
        .flatten()
        .map(|own| (strsim::jaro_winkler(&name, &own.to_lowercase()), own))
        .filter(|(likeness, _)| *likeness >= ALIKE)
        .max_by(|one, other| one.0.total_cmp(&other.0))
        .map(|(_, own)| own.to_owned())
}
