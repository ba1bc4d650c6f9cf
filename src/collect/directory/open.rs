//! What the first answers leave open about devices, so that lists of every extension are asked for
//! only where they can tell something new.
//!
//! On a server whose phones are all PJSIP endpoints of FreePBX's device table, they cannot: table
//! and endpoints say whose a device is and what it does. A list is left out only where nothing in it
//! could change the snapshot.

use hashbrown::HashSet;

use super::{
    evidence::{Evidence, Table, users},
    judge::judge,
};
use crate::{
    collect::{Answers, AstDb, Family},
    config::{Kind, KindRules},
    snapshot::KindSource,
};

/// What is still to be asked about devices.
#[derive(Debug, Default)]
pub(crate) struct Open<'a> {
    /// PJSIP endpoints that are trunks, by name: no list says whether they can be reached.
    pub pjsip_trunks: Vec<&'a str>,
    /// Whether hints may change whose a device is, or are all that tells of an extension.
    pub hints: bool,
    /// Whether remembered device states may tell of a device what no list of devices does.
    pub states: bool,
    /// Whether FreePBX's list of each user's devices may tell whose a device is, or what device a
    /// user is without.
    pub users: bool,
}

impl<'a> Open<'a> {
    pub(super) fn read(answers: &'a Answers, astdb: &AstDb<'a>, rules: &KindRules) -> Self {
        let evidence = Evidence::read(answers, astdb);
        let mut open = Self::default();
        let mut owners = HashSet::new();
        let mut listed = HashSet::new();
        for (&(tech, name), seen) in &evidence.devices {
            let (kind, source) = judge(tech, name, seen, &evidence, rules);
            if kind == Kind::Extension {
                owners.insert(evidence.extension_of(tech, name));
            }
            if seen.listed {
                listed.insert(name);
            }
            if tech == "PJSIP" && seen.listed && kind == Kind::Trunk {
                open.pjsip_trunks.push(name);
            }
            let owned = evidence.user_of(tech, name).is_some();
            open.users |= !owned && matches!(evidence.table(tech, name), Table::Present(_));
            let settled = match source {
                // What the administrator calls an extension still needs its number.
                KindSource::Config => false,
                _ => {
                    kind == Kind::Ignored
                        || seen.registration_only
                        || evidence.is_registered(tech, name)
                }
            };
            // A hint stands in where nothing else tells what an extension does.
            let stateless = !seen.has_state && !seen.registration_only;
            open.hints |= !owned && !settled || stateless && kind == Kind::Extension;
            open.states |= stateless;
        }
        // The order of what is asked is that of names.
        open.pjsip_trunks.sort_unstable();
        let orphans = users(astdb).any(|user| !owners.contains(user));
        let unlisted = astdb.entries(Family::DeviceUser).any(|(id, _)| !listed.contains(id));
        let no_table = !evidence.table_read;
        open.hints |= orphans || unlisted || no_table;
        open.states |= unlisted || no_table;
        let is_freepbx = astdb.has_devices() || users(astdb).next().is_some();
        open.users = is_freepbx && (open.users || orphans || unlisted || no_table);
        open
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        ami::{Action, ReadAction},
        normalize::testing::answers,
    };

    /// What is open, in short: `hints states users`.
    fn open(answers: &Answers) -> String {
        let open = Open::read(answers, &AstDb::read(answers), &KindRules::default());
        let open = [(open.hints, "hints"), (open.states, "states"), (open.users, "users")];
        open.into_iter()
            .filter(|(open, _)| *open)
            .map(|(_, name)| name)
            .collect::<Vec<_>>()
            .join(" ")
    }

    fn endpoints(rows: &str) -> (Action, &str) {
        (ReadAction::PjsipShowEndpoints.into(), rows)
    }

    const PHONE: &str = "Event: EndpointList\nObjectName: 100\nDeviceState: Not in use";

    fn table(rows: &'static str) -> (Action, &'static str) {
        (Family::DeviceUser.tree(), rows)
    }

    const TABLE: &str = "Event: DBGetTreeResponse\nKey: /DEVICE/100/user\nVal: 100";

    fn names(rows: &'static str) -> (Action, &'static str) {
        (Family::UserName.tree(), rows)
    }

    const NAMES: &str = "Event: DBGetTreeResponse\nKey: /AMPUSER/100/cidname\nVal: Alice";

    #[test]
    fn where_table_and_endpoints_tell_all_nothing_is_open() {
        assert_eq!(open(&answers(&[endpoints(PHONE), table(TABLE), names(NAMES)])), "");
    }

    #[test]
    fn a_trunk_that_registers_needs_no_hint_and_another_does() {
        let rows =
            format!("{PHONE}\n\nEvent: EndpointList\nObjectName: out\nDeviceState: Not in use");
        let registration =
            "Event: OutboundRegistrationDetail\nObjectName: out\nEndpoint: out\nStatus: Registered";
        let registrations = (ReadAction::PjsipShowRegistrationsOutbound.into(), registration);
        let with = [endpoints(&rows), table(TABLE), names(NAMES), registrations];
        assert_eq!(open(&answers(&with)), "");
        assert_eq!(open(&answers(&with[..3])), "hints", "it may be a phone set up by hand");
    }

    #[test]
    fn the_endpoint_for_unknown_callers_needs_no_hint() {
        let rows =
            format!("{PHONE}\n\nEvent: EndpointList\nObjectName: anonymous\nDeviceState: Invalid");
        assert_eq!(open(&answers(&[endpoints(&rows), table(TABLE), names(NAMES)])), "");
    }

    #[test]
    fn what_no_list_of_endpoints_tells_is_open() {
        let with = |rows: &str| open(&answers(&[endpoints(rows), table(TABLE), names(NAMES)]));
        assert_eq!(
            with("Event: EndpointList\nObjectName: 100\nDeviceState: Unknown"),
            "hints states"
        );
        assert_eq!(with("Event: EndpointList\nObjectName: 100"), "hints states");
        assert_eq!(with(""), "hints states users", "its device is of a technology without a list");
        let peers = (ReadAction::SipPeers.into(), "Event: PeerEntry\nObjectName: 100");
        assert_eq!(open(&answers(&[peers, table(TABLE), names(NAMES)])), "hints states");
    }

    #[test]
    fn a_user_without_a_device_and_a_device_without_a_user_are_open() {
        let two = "Event: DBGetTreeResponse\nKey: /AMPUSER/100/cidname\nVal: Alice\n\n\
                   Event: DBGetTreeResponse\nKey: /AMPUSER/700/cidname\nVal: Box";
        let found = open(&answers(&[endpoints(PHONE), table(TABLE), names(two)]));
        assert_eq!(found, "hints users");
        let free = "Event: DBGetTreeResponse\nKey: /DEVICE/100/user\nVal: none";
        let found = open(&answers(&[endpoints(PHONE), table(free), names(NAMES)]));
        assert_eq!(found, "hints users");
    }

    #[test]
    fn without_freepbx_hints_and_states_are_open() {
        assert_eq!(open(&answers(&[endpoints(PHONE)])), "hints states");
        assert_eq!(open(&answers(&[endpoints(PHONE), names("")])), "hints states");
        let refused = open(&answers(&[endpoints(PHONE), names(NAMES)]));
        assert_eq!(refused, "hints states users", "its table was not read");
    }
}
