//! Trunk or extension: the rules, best first.

use super::evidence::{Evidence, Seen, Table};
use crate::{
    collect::lists::names,
    config::{Kind, KindRules},
    snapshot::KindSource,
};

/// Judges one device; says by which sign.
///
/// A device missing in FreePBX's table is a trunk whatever its name and auth objects look like: a
/// PJSIP trunk to which the other side registers has the auth object of an extension. Only a hint
/// in `ext-local` speaks louder than the gap, because FreePBX writes those for users alone; then
/// somebody configured the device by hand.
pub(super) fn judge<'a>(
    tech: &'a str,
    name: &'a str,
    seen: &Seen<'a>,
    evidence: &Evidence<'a>,
    rules: &KindRules,
) -> (Kind, KindSource) {
    if let Some(kind) = rules.kind(tech, name) {
        return (kind, KindSource::Config);
    }
    if seen.registration_only {
        return (Kind::Trunk, KindSource::Registration);
    }
    let table = evidence.table(tech, name);
    let hinted = evidence.is_hinted(tech, name);
    let registered = evidence.is_registered(tech, name);
    match table {
        Table::Present(_) => return (Kind::Extension, KindSource::Astdb),
        // FreePBX's endpoint for unknown callers, there when guests are allowed.
        _ if tech == "PJSIP" && name == "anonymous" => return (Kind::Ignored, KindSource::Name),
        Table::Absent if hinted && !registered => return (Kind::Extension, KindSource::Hint),
        Table::Absent => return (Kind::Trunk, KindSource::Astdb),
        Table::Silent if registered => return (Kind::Trunk, KindSource::Registration),
        Table::Silent => {}
    }
    if let Some(kind) = by_auths(name, seen) {
        return (kind, KindSource::Auth);
    }
    if seen.static_contact {
        return (Kind::Trunk, KindSource::StaticContact);
    }
    if let Some(kind) = evidence.context(tech, name).and_then(by_context) {
        return (kind, KindSource::Context);
    }
    if hinted {
        return (Kind::Extension, KindSource::Hint);
    }
    if seen.fixed_address {
        return (Kind::Trunk, KindSource::FixedAddress);
    }
    let digits = name.bytes().all(|b| b.is_ascii_digit());
    (if digits { Kind::Extension } else { Kind::Trunk }, KindSource::Name)
}

/// FreePBX names a trunk's auth object after the trunk and an extension's `<extension>-auth`. A
/// trunk with authentication both ways has both, so the trunk's is looked for first.
fn by_auths(name: &str, seen: &Seen<'_>) -> Option<Kind> {
    if names(seen.auths).chain(names(seen.outbound_auths)).any(|auth| auth == name) {
        return Some(Kind::Trunk);
    }
    let own = |auth: &str| auth.strip_suffix("-auth") == Some(name);
    names(seen.auths).any(own).then_some(Kind::Extension)
}

/// FreePBX's contexts; anything else was chosen by hand and says nothing.
fn by_context(context: &str) -> Option<Kind> {
    const TRUNK: [&str; 5] =
        ["from-trunk", "from-pstn", "from-sip-external", "from-digital", "from-analog"];
    if context.starts_with("from-internal") {
        Some(Kind::Extension)
    } else {
        TRUNK.iter().any(|begin| context.starts_with(begin)).then_some(Kind::Trunk)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_trunks_own_auth_object_is_found_among_others() {
        let seen = |auths, outbound_auths| Seen { auths, outbound_auths, ..Seen::default() };
        assert_eq!(by_auths("in22", &seen("in22-auth", "in22")), Some(Kind::Trunk));
        assert_eq!(by_auths("555", &seen("", "a, 555")), Some(Kind::Trunk));
        assert_eq!(by_auths("100", &seen("100-auth", "99100-auth")), Some(Kind::Extension));
        assert_eq!(by_auths("100", &seen("9100-auth", "")), None);
    }

    #[test]
    fn only_freepbx_contexts_speak() {
        assert_eq!(by_context("from-internal-xfer"), Some(Kind::Extension));
        assert_eq!(by_context("from-trunk-sip-prov"), Some(Kind::Trunk));
        assert_eq!(by_context("from-pstn"), Some(Kind::Trunk));
        assert_eq!(by_context("from-nowhere"), None);
    }
}
