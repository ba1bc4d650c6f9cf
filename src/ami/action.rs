//! What may be asked: the allow-list of read actions, and how each of them answers.
//!
//! An [`Action`] can be built only from a [`ReadAction`], so that nothing else can be sent. Each
//! one knows its answer's shape, because the shape decides where an answer ends: servers before
//! Asterisk 13.2 do not mark lists, and some empty lists are phrased as errors.

use std::fmt;

use super::Error;

/// The read actions that this client can send. None of them changes anything on the server.
///
/// Names follow Asterisk's; [`ReadAction::name`] gives the exact spelling on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ReadAction {
    /// Answers with the server's clock.
    Ping,
    /// Lists the actions that this account may run on this server now.
    ListCommands,
    /// Versions, limits and switches of the core.
    CoreSettings,
    /// Start and reload times, number of channels.
    CoreStatus,
    /// The server's offset from UTC: `Getvar` with the fixed, harmless function
    /// `STRFTIME(,,%z)`. No other variable can be asked for.
    UtcOffset,
    /// Channels.
    CoreShowChannels,
    /// Channels, with locks held and more detail than [`ReadAction::CoreShowChannels`].
    Status,
    /// Bridges, which join channels.
    BridgeList,
    /// The channels of one bridge (`BridgeUniqueid`).
    BridgeInfo,
    /// chan_sip peers (Asterisk 20 and earlier).
    SipPeers,
    /// One chan_sip peer (`Peer`).
    SipShowPeer,
    /// chan_sip outbound registrations.
    SipShowRegistry,
    /// PJSIP endpoints.
    PjsipShowEndpoints,
    /// One PJSIP endpoint with its objects (`Endpoint`).
    PjsipShowEndpoint,
    /// PJSIP contacts that registered (Asterisk 16 and later).
    PjsipShowContacts,
    /// PJSIP addresses of record (Asterisk 16 and later).
    PjsipShowAors,
    /// PJSIP contacts that registered, with their status (Asterisk 13.14 and later).
    PjsipShowRegistrationInboundContactStatuses,
    /// PJSIP outbound registrations. Servers add every trunk's plain password, which this client
    /// drops while decoding.
    PjsipShowRegistrationsOutbound,
    /// IAX2 peers.
    IaxPeerList,
    /// IAX2 peers in the older form, whose rows carry no `ActionID`.
    IaxPeers,
    /// IAX2 outbound registrations.
    IaxRegistry,
    /// Counts per queue.
    QueueSummary,
    /// Queues with members and callers.
    QueueStatus,
    /// Device states that Asterisk remembers.
    DeviceStateList,
    /// Hints and their states.
    ExtensionStateList,
    /// Presence states.
    PresenceStateList,
    /// Parked calls.
    ParkedCalls,
    /// Parking lots.
    Parkinglots,
    /// Conferences with somebody in them.
    ConfbridgeListRooms,
    /// Participants of one conference (`Conference`).
    ConfbridgeList,
    /// Voicemail boxes. Expensive: counts the messages of every box on disk.
    VoicemailUsersList,
    /// DAHDI channels.
    DahdiShowChannels,
    /// One AstDB value (`Family`, `Key`).
    DbGet,
    /// AstDB values below a family (`Family`, `Key`); Asterisk 16.28, 18.14, 19.6, 20 and later.
    DbGetTree,
}

/// How an action answers; the facts of one row of the AMI reference.
#[derive(Debug)]
struct Spec {
    name: &'static str,
    /// Classes of the `write` setting that allow it, any one of them; empty: none is needed.
    classes: &'static [&'static str],
    /// The module that registers it; empty for the core.
    module: &'static str,
    /// Header names that a caller may add.
    arguments: &'static [&'static str],
    shape: Shape,
}

#[derive(Debug)]
enum Shape {
    /// One block.
    Block,
    /// A response, rows, and a closing event.
    List(List),
}

#[derive(Debug)]
struct List {
    /// Event names of the rows that are kept.
    rows: &'static [&'static str],
    /// Event name that closes the list; it is the only end on servers before 13.2.
    complete: &'static str,
    /// `Message` of a `Response: Error` that means "there is none".
    empty_error: &'static str,
    /// `Message` of a `Response: Success` after which no closing event comes.
    empty_success: &'static str,
    /// Whether `ListItems` equals the number of rows when nothing was lost.
    honest: bool,
    /// Whether rows carry the `ActionID`.
    marked: bool,
}

impl List {
    const fn new(rows: &'static [&'static str], complete: &'static str) -> Self {
        Self { rows, complete, empty_error: "", empty_success: "", honest: true, marked: true }
    }

    const fn empty_error(self, message: &'static str) -> Self {
        Self { empty_error: message, ..self }
    }

    const fn empty_success(self, message: &'static str) -> Self {
        Self { empty_success: message, ..self }
    }

    const fn uncounted(self) -> Self {
        Self { honest: false, ..self }
    }

    const fn unmarked(self) -> Self {
        Self { marked: false, ..self }
    }
}

const REPORTING: &[&str] = &["reporting", "system"];
const REPORTING_CALL: &[&str] = &["reporting", "call"];
const NONE: &[&str] = &[];

const fn block(
    name: &'static str,
    classes: &'static [&'static str],
    module: &'static str,
    arguments: &'static [&'static str],
) -> Spec {
    Spec { name, classes, module, arguments, shape: Shape::Block }
}

const fn list(
    name: &'static str,
    classes: &'static [&'static str],
    module: &'static str,
    arguments: &'static [&'static str],
    list: List,
) -> Spec {
    Spec { name, classes, module, arguments, shape: Shape::List(list) }
}

impl ReadAction {
    /// All of them, in the order of their documentation.
    pub const ALL: [Self; 34] = [
        Self::Ping,
        Self::ListCommands,
        Self::CoreSettings,
        Self::CoreStatus,
        Self::UtcOffset,
        Self::CoreShowChannels,
        Self::Status,
        Self::BridgeList,
        Self::BridgeInfo,
        Self::SipPeers,
        Self::SipShowPeer,
        Self::SipShowRegistry,
        Self::PjsipShowEndpoints,
        Self::PjsipShowEndpoint,
        Self::PjsipShowContacts,
        Self::PjsipShowAors,
        Self::PjsipShowRegistrationInboundContactStatuses,
        Self::PjsipShowRegistrationsOutbound,
        Self::IaxPeerList,
        Self::IaxPeers,
        Self::IaxRegistry,
        Self::QueueSummary,
        Self::QueueStatus,
        Self::DeviceStateList,
        Self::ExtensionStateList,
        Self::PresenceStateList,
        Self::ParkedCalls,
        Self::Parkinglots,
        Self::ConfbridgeListRooms,
        Self::ConfbridgeList,
        Self::VoicemailUsersList,
        Self::DahdiShowChannels,
        Self::DbGet,
        Self::DbGetTree,
    ];

    /// The facts, as read in Asterisk's source and seen on 16.28 and 22.10.
    const fn spec(self) -> &'static Spec {
        match self {
            Self::Ping => &const { block("Ping", NONE, "", NONE) },
            Self::ListCommands => &const { block("ListCommands", NONE, "", NONE) },
            Self::CoreSettings => &const { block("CoreSettings", REPORTING, "", NONE) },
            Self::CoreStatus => &const { block("CoreStatus", REPORTING, "", NONE) },
            Self::UtcOffset => &const { block("Getvar", REPORTING_CALL, "", NONE) },
            Self::CoreShowChannels => {
                &const {
                    let rows = List::new(&["CoreShowChannel"], "CoreShowChannelsComplete");
                    list("CoreShowChannels", REPORTING, "", NONE, rows)
                }
            }
            Self::Status => {
                &const {
                    let rows = List::new(&["Status"], "StatusComplete");
                    list("Status", &["reporting", "call", "system"], "", &["Channel"], rows)
                }
            }
            Self::BridgeList => {
                &const {
                    let rows = List::new(&["BridgeListItem"], "BridgeListComplete");
                    list("BridgeList", NONE, "", &["BridgeType"], rows)
                }
            }
            Self::BridgeInfo => {
                &const {
                    let rows = List::new(&["BridgeInfoChannel"], "BridgeInfoComplete");
                    list("BridgeInfo", NONE, "", &["BridgeUniqueid"], rows)
                }
            }
            Self::SipPeers => {
                &const {
                    let rows = List::new(&["PeerEntry"], "PeerlistComplete");
                    list("SIPpeers", REPORTING, "chan_sip", NONE, rows)
                }
            }
            Self::SipShowPeer => &const { block("SIPshowpeer", REPORTING, "chan_sip", &["Peer"]) },
            Self::SipShowRegistry => {
                &const {
                    let rows = List::new(&["RegistryEntry"], "RegistrationsComplete");
                    list("SIPshowregistry", REPORTING, "chan_sip", NONE, rows)
                }
            }
            // Counts its container even where a row could not be built.
            Self::PjsipShowEndpoints => {
                &const {
                    let rows = List::new(&["EndpointList"], "EndpointListComplete")
                        .empty_error("No endpoints found")
                        .uncounted();
                    list("PJSIPShowEndpoints", &["system"], "res_pjsip", NONE, rows)
                }
            }
            Self::PjsipShowEndpoint => {
                &const {
                    let rows = List::new(
                        &[
                            "EndpointDetail",
                            "AorDetail",
                            "TransportDetail",
                            "IdentifyDetail",
                            "ContactStatusDetail",
                        ],
                        "EndpointDetailComplete",
                    )
                    .uncounted();
                    list("PJSIPShowEndpoint", &["system"], "res_pjsip", &["Endpoint"], rows)
                }
            }
            Self::PjsipShowContacts => {
                &const {
                    let rows = List::new(&["ContactList"], "ContactListComplete")
                        .empty_error("No Contacts found")
                        .uncounted();
                    list("PJSIPShowContacts", &["system"], "res_pjsip", NONE, rows)
                }
            }
            Self::PjsipShowAors => {
                &const {
                    let rows = List::new(&["AorList"], "AorListComplete")
                        .empty_error("No AORs found")
                        .uncounted();
                    list("PJSIPShowAors", &["system"], "res_pjsip", NONE, rows)
                }
            }
            Self::PjsipShowRegistrationInboundContactStatuses => {
                &const {
                    let rows = List::new(&["ContactStatusDetail"], "ContactStatusDetailComplete");
                    list(
                        "PJSIPShowRegistrationInboundContactStatuses",
                        &["system"],
                        "res_pjsip",
                        NONE,
                        rows,
                    )
                }
            }
            // Counts neither its AuthDetail rows nor registrations without live state.
            Self::PjsipShowRegistrationsOutbound => {
                &const {
                    let rows = List::new(
                        &["OutboundRegistrationDetail"],
                        "OutboundRegistrationDetailComplete",
                    )
                    .uncounted();
                    list(
                        "PJSIPShowRegistrationsOutbound",
                        REPORTING,
                        "res_pjsip_outbound_registration",
                        NONE,
                        rows,
                    )
                }
            }
            Self::IaxPeerList => {
                &const {
                    let rows = List::new(&["PeerEntry"], "PeerlistComplete");
                    list("IAXpeerlist", REPORTING, "chan_iax2", NONE, rows)
                }
            }
            Self::IaxPeers => {
                &const {
                    let rows = List::new(&["PeerEntry"], "PeerlistComplete").unmarked();
                    list("IAXpeers", REPORTING, "chan_iax2", NONE, rows)
                }
            }
            Self::IaxRegistry => {
                &const {
                    let rows = List::new(&["RegistryEntry"], "RegistrationsComplete");
                    list("IAXregistry", REPORTING, "chan_iax2", NONE, rows)
                }
            }
            Self::QueueSummary => {
                &const {
                    let rows = List::new(&["QueueSummary"], "QueueSummaryComplete");
                    list("QueueSummary", NONE, "app_queue", &["Queue"], rows)
                }
            }
            Self::QueueStatus => {
                &const {
                    let rows = List::new(
                        &["QueueParams", "QueueMember", "QueueEntry"],
                        "QueueStatusComplete",
                    );
                    list("QueueStatus", NONE, "app_queue", &["Queue", "Member"], rows)
                }
            }
            Self::DeviceStateList => {
                &const {
                    let rows = List::new(&["DeviceStateChange"], "DeviceStateListComplete");
                    list("DeviceStateList", REPORTING_CALL, "res_manager_devicestate", NONE, rows)
                }
            }
            Self::ExtensionStateList => {
                &const {
                    let rows = List::new(&["ExtensionStatus"], "ExtensionStateListComplete")
                        .empty_error("No dialplan hints are available");
                    list("ExtensionStateList", REPORTING_CALL, "", NONE, rows)
                }
            }
            Self::PresenceStateList => {
                &const {
                    let rows = List::new(&["PresenceStateChange"], "PresenceStateListComplete");
                    list(
                        "PresenceStateList",
                        REPORTING_CALL,
                        "res_manager_presencestate",
                        NONE,
                        rows,
                    )
                }
            }
            Self::ParkedCalls => {
                &const {
                    let rows = List::new(&["ParkedCall"], "ParkedCallsComplete");
                    list("ParkedCalls", &["call"], "res_parking", &["ParkingLot"], rows)
                }
            }
            Self::Parkinglots => {
                &const {
                    let rows = List::new(&["Parkinglot"], "ParkinglotsComplete");
                    list("Parkinglots", &["call"], "res_parking", NONE, rows)
                }
            }
            Self::ConfbridgeListRooms => {
                &const {
                    let rows = List::new(&["ConfbridgeListRooms"], "ConfbridgeListRoomsComplete")
                        .empty_error("No active conferences.");
                    list("ConfbridgeListRooms", &["reporting"], "app_confbridge", NONE, rows)
                }
            }
            Self::ConfbridgeList => {
                &const {
                    let rows = List::new(&["ConfbridgeList"], "ConfbridgeListComplete")
                        .empty_error("No active conferences.");
                    list("ConfbridgeList", &["reporting"], "app_confbridge", &["Conference"], rows)
                }
            }
            Self::VoicemailUsersList => {
                &const {
                    let rows = List::new(&["VoicemailUserEntry"], "VoicemailUserEntryComplete")
                        .empty_success("There are no voicemail users currently defined.");
                    list("VoicemailUsersList", REPORTING_CALL, "app_voicemail", NONE, rows)
                }
            }
            Self::DahdiShowChannels => {
                &const {
                    let rows =
                        List::new(&["DAHDIShowChannels"], "DAHDIShowChannelsComplete").uncounted();
                    list("DAHDIShowChannels", NONE, "chan_dahdi", &["DAHDIChannel"], rows)
                }
            }
            Self::DbGet => {
                &const {
                    let rows = List::new(&["DBGetResponse"], "DBGetComplete")
                        .empty_error("Database entry not found");
                    list("DBGet", REPORTING, "", &["Family", "Key"], rows)
                }
            }
            // 16.28 announces one item for hundreds of rows.
            Self::DbGetTree => {
                &const {
                    let rows = List::new(&["DBGetTreeResponse"], "DBGetTreeComplete").uncounted();
                    list("DBGetTree", REPORTING, "", &["Family", "Key"], rows)
                }
            }
        }
    }

    /// The name on the wire.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.spec().name
    }

    /// The action of that name, whatever its case; `None` for every action that is not on the
    /// allow-list.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.name().eq_ignore_ascii_case(name))
    }

    /// The classes of the AMI user's `write` setting of which any one is enough; empty when none
    /// is needed. (It is `write` even for reading; `read` only filters events.)
    #[must_use]
    pub fn classes(self) -> &'static [&'static str] {
        self.spec().classes
    }

    /// The Asterisk module that registers the action; `None` for the core.
    #[must_use]
    pub fn module(self) -> Option<&'static str> {
        Some(self.spec().module).filter(|module| !module.is_empty())
    }

    /// The headers that the action takes besides its name.
    #[must_use]
    pub fn arguments(self) -> &'static [&'static str] {
        self.spec().arguments
    }

    /// True for actions that answer with rows.
    #[must_use]
    pub fn is_list(self) -> bool {
        self.list().is_some()
    }

    /// True where `ListItems` equals the number of rows unless something was lost.
    #[must_use]
    pub fn counts_honestly(self) -> bool {
        self.list().is_some_and(|list| list.honest)
    }

    fn list(self) -> Option<&'static List> {
        match &self.spec().shape {
            Shape::Block => None,
            Shape::List(list) => Some(list),
        }
    }

    /// Whether an event of that name is a row of this list.
    pub(super) fn has_row(self, event: &str) -> bool {
        self.list().is_some_and(|list| list.rows.iter().any(|r| r.eq_ignore_ascii_case(event)))
    }

    /// Whether an event of that name closes this list.
    pub(super) fn is_completed_by(self, event: &str) -> bool {
        self.list().is_some_and(|list| list.complete.eq_ignore_ascii_case(event))
    }

    /// Whether rows and closing event of this list carry the `ActionID`.
    pub(super) fn marks_rows(self) -> bool {
        self.list().is_none_or(|list| list.marked)
    }

    /// Whether an error of that text means that the list is empty.
    pub(super) fn is_empty_error(self, message: &str) -> bool {
        self.list().is_some_and(|list| {
            !list.empty_error.is_empty() && message.eq_ignore_ascii_case(list.empty_error)
        })
    }

    /// Whether a success of that text, without `EventList`, is the whole answer.
    pub(super) fn is_empty_success(self, message: &str) -> bool {
        self.list().is_some_and(|list| {
            !list.empty_success.is_empty() && message.eq_ignore_ascii_case(list.empty_success)
        })
    }
}

impl fmt::Display for ReadAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A read action with its arguments, ready to be sent.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Action {
    kind: ReadAction,
    arguments: Vec<(&'static str, String)>,
}

/// Asterisk throws away a line of 1,024 bytes or more and refuses the action.
const MAX_ARGUMENT_BYTES: usize = 900;

impl Action {
    /// An action without arguments.
    #[must_use]
    pub fn new(kind: ReadAction) -> Self {
        Self { kind, arguments: Vec::new() }
    }

    /// Adds an argument.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] when the action takes no such header, when the value contains CR, LF
    /// or NUL (it could begin another action), or when it is too long for Asterisk's input line.
    pub fn with(mut self, key: &str, value: impl Into<String>) -> Result<Self, Error> {
        let value = value.into();
        let refuse =
            |reason| Err(Error::Argument { action: self.kind.name(), key: key.to_owned(), reason });
        let Some(key) =
            self.kind.arguments().iter().find(|argument| argument.eq_ignore_ascii_case(key))
        else {
            return refuse("the action takes no such argument");
        };
        if value.contains(['\r', '\n', '\0']) {
            return refuse("the value contains a line end or NUL");
        }
        if value.len() > MAX_ARGUMENT_BYTES {
            return refuse("the value is longer than Asterisk's input line");
        }
        self.arguments.push((key, value));
        Ok(self)
    }

    /// Which action it is.
    #[must_use]
    pub fn kind(&self) -> ReadAction {
        self.kind
    }

    /// The arguments that were added, in the order in which they are sent.
    pub fn given(&self) -> impl ExactSizeIterator<Item = (&'static str, &str)> {
        self.arguments.iter().map(|(key, value)| (*key, value.as_str()))
    }

    /// The value of an argument that was added.
    #[must_use]
    pub fn argument(&self, key: &str) -> Option<&str> {
        self.arguments.iter().find(|(k, _)| k.eq_ignore_ascii_case(key)).map(|(_, v)| v.as_str())
    }

    /// Appends the action as it goes over the wire.
    pub(super) fn encode(&self, id: &str, out: &mut Vec<u8>) {
        let mut line = |key: &str, value: &str| {
            out.extend_from_slice(key.as_bytes());
            out.extend_from_slice(b": ");
            out.extend_from_slice(value.as_bytes());
            out.extend_from_slice(b"\r\n");
        };
        line("Action", self.kind.name());
        line("ActionID", id);
        if self.kind == ReadAction::UtcOffset {
            line("Variable", "STRFTIME(,,%z)");
        }
        for (key, value) in &self.arguments {
            line(key, value);
        }
        out.extend_from_slice(b"\r\n");
    }
}

impl From<ReadAction> for Action {
    fn from(kind: ReadAction) -> Self {
        Self::new(kind)
    }
}

impl fmt::Display for Action {
    /// The name, followed by its arguments' values in parentheses.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind.name())?;
        for (at, (_, value)) in self.arguments.iter().enumerate() {
            write!(f, "{}{value}", if at == 0 { "(" } else { "/" })?;
        }
        f.write_str(if self.arguments.is_empty() { "" } else { ")" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_action_that_changes_something_can_be_built() {
        for name in [
            "Command",
            "Originate",
            "Hangup",
            "Redirect",
            "DBPut",
            "DBDel",
            "Setvar",
            "QueueReset",
            "BridgeKick",
            "Reload",
            "ModuleLoad",
            "PJSIPQualify",
            "UpdateConfig",
            "Events",
        ] {
            assert_eq!(ReadAction::from_name(name), None, "{name}");
        }
        assert_eq!(ReadAction::from_name("sippeers"), Some(ReadAction::SipPeers));
    }

    #[test]
    fn every_action_is_listed_once() {
        let mut names: Vec<_> = ReadAction::ALL.iter().map(|a| a.name()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), ReadAction::ALL.len());
    }

    #[test]
    fn an_argument_cannot_smuggle_a_second_action() {
        for value in ["100\r\nAction: Hangup", "100\n", "\0", &"x".repeat(2_000)] {
            let refused = Action::new(ReadAction::PjsipShowEndpoint).with("Endpoint", value);
            assert!(matches!(refused, Err(Error::Argument { .. })), "{value:?}");
        }
        assert!(Action::new(ReadAction::UtcOffset).with("Variable", "SHELL(id)").is_err());
    }

    #[test]
    fn an_action_is_encoded_with_its_id_and_arguments() {
        let action = Action::new(ReadAction::DbGet).with("family", "DND").unwrap();
        let action = action.with("Key", "100").unwrap();
        let mut out = Vec::new();
        action.encode("x1", &mut out);
        let wire = b"Action: DBGet\r\nActionID: x1\r\nFamily: DND\r\nKey: 100\r\n\r\n";
        assert_eq!(out, wire);
        assert_eq!(action.to_string(), "DBGet(DND/100)");
    }
}
