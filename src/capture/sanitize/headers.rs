//! What each header holds, and so what must be replaced in it.
//!
//! Whatever is not known here is text: all of its words are replaced but those of Asterisk and
//! FreePBX. So a header that a later version adds loses too much rather than too little.

use std::{collections::HashMap, sync::LazyLock};

/// What a header's value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A word of the protocol: stays, whoever may be called so.
    Protocol,
    /// A state, a code, a time, an amount: stays, but for names that are known from elsewhere.
    Fact,
    /// The same, but its digits may be a telephone number, and addresses may stand in it.
    Message,
    /// The same, of the dialplan: FreePBX calls contexts by words that may be names elsewhere.
    Dialplan,
    /// Text, identifiers, addresses: all words are replaced that are not Asterisk's or FreePBX's.
    Text,
    /// The same, and what it names is an object of the PBX.
    Identifier,
    /// The name of somebody: all words are replaced.
    Name,
    /// The same, in the escapes of channel blocks ([`unescape`](crate::ami::unescape)).
    EscapedName,
    /// `[system name-]time.number`.
    UniqueId,
    /// What a telephone says it is: stays, but for what tells one apart from another.
    UserAgent,
    /// Replaced by a marker.
    Secret,
}

/// What the value of a header is, in an event or response of that name. Hyphens and underscores in
/// the header's name make no difference, so that the keys of JSON values find theirs, too.
pub(super) fn kind(event: &str, header: &str) -> Kind {
    let plain: String = header
        .chars()
        .filter(|c| !matches!(c, '-' | '_' | ' '))
        .flat_map(char::to_lowercase)
        .collect();
    if is_secret(&plain) {
        return Kind::Secret;
    }
    match plain.as_str() {
        "event" | "response" | "action" | "eventlist" | "listitems" => return Kind::Protocol,
        // Those of a channel hold anything.
        "variable" | "value" if !matches!(event, "" | "Getvar") => return Kind::Text,
        _ => {}
    }
    if plain == "name" && event.eq_ignore_ascii_case("Parkinglot") {
        return Kind::Identifier;
    }
    let is_channel = || CHANNELS.iter().any(|name| name.eq_ignore_ascii_case(event));
    match KNOWN.get(plain.as_str()) {
        Some(Kind::Name) if is_channel() => Kind::EscapedName,
        kind => kind.copied().unwrap_or(Kind::Text),
    }
}

/// Rows that describe a channel, whose names have escapes.
const CHANNELS: [&str; 5] =
    ["CoreShowChannel", "Status", "ParkedCall", "BridgeInfoChannel", "ConfbridgeList"];

static KNOWN: LazyLock<HashMap<&str, Kind>> = LazyLock::new(|| {
    let lists = [
        (FACTS, Kind::Fact),
        (MESSAGES, Kind::Message),
        (DIALPLAN, Kind::Dialplan),
        (IDENTIFIERS, Kind::Identifier),
        (NAMES, Kind::Name),
        (UNIQUE_IDS, Kind::UniqueId),
        (USER_AGENTS, Kind::UserAgent),
    ];
    let names = lists
        .into_iter()
        .flat_map(|(list, kind)| list.split_whitespace().map(move |name| (name, kind)));
    names.collect()
});

/// Whether a name says that what it names is a secret. More than the client drops: what is no
/// secret does no harm here when it is replaced.
pub(super) fn is_secret(plain: &str) -> bool {
    const WORDS: [&str; 11] = [
        "password",
        "passwd",
        "passphrase",
        "secret",
        "md5",
        "digest",
        "challenge",
        "token",
        "vmpwd",
        "privkey",
        "credential",
    ];
    // `MD5SecretExist`, `SecretExist`: whether there is one.
    !plain.ends_with("exist")
        && (WORDS.iter().any(|word| plain.contains(word))
            || matches!(plain, "pin" | "vmpin" | "key"))
}

const IDENTIFIERS: &str = "
    objectname endpointname endpoint aor aors auth auths outboundauth outboundauths queue conference
    username defaultusername contactuser fromuser peer systemname regserver parkinglot voicemailbox
    mailbox parkingspace bridgename accountcode parkeeaccountcode tenantid
";

const NAMES: &str = "
    calleridname connectedlinename effectiveconnectedlinename parkeecalleridname
    parkeeconnectedlinename fullname callerid description fromstring name membername cidname
    outboundcid emergencycid pausedreason calleridtag pager
";

const UNIQUE_IDS: &str = "uniqueid linkedid parkeeuniqueid parkeelinkedid bridgeduniqueid";

const USER_AGENTS: &str = "useragent sipuseragent";

const MESSAGES: &str = "message privilege actionid";

const DIALPLAN: &str = "
    context parkeecontext subscribecontext messagecontext vmcontext overlapcontext exitcontext
    application exten parkeeexten
";

const FACTS: &str = "
    items total ping timestamp value variable
    asteriskversion amiversion corestartupdate corestartuptime corereloaddate corereloadtime
    corecurrentcalls coremaxcalls coremaxloadavg coremaxfilehandles coreprocessedcalls
    corecdrenabled corehttpenabled corerealtimeenabled
    channelstate channelstatedesc channeltype duration seconds priority language bridgeid
    bridgeuniqueid bridgetype bridgetechnology bridgecreator bridgenumchannels bridgevideosourcemode
    type state status statustext devicestate activechannels
    strategy calls callers holdtime talktime completed abandoned servicelevel servicelevelperf
    servicelevelperf2 weight max position wait penalty callstaken lastcall lastpause logintime incall
    paused ringinuse wrapuptime membership available loggedin longestholdtime
    qualifyfrequency qualifytimeout qualify2xxonly authenticatequalify roundtripusec regexpire
    expirationtime expiration pruneonboot viaport ipport port domainport addressport refresh
    registrationtime nextreg lastreg dynamic forcerport comedia realtimedevice trunk encryption
    codecs nativeformats readformat writeformat readtrans writetrans allow objecttype
    parkeechannelstate parkeechannelstatedesc parkeepriority parkeelanguage parkingduration
    parkingtimeout startspace stopspace parties marked locked muted admin markeduser waitmarked
    endmarked waiting talking answeredtime newmessagecount oldmessagecount maxmessagecount
    maxcontacts defaultexpiration maximumexpiration minimumexpiration supportpath removeexisting
    removeunavailable maxaudiostreams maxvideostreams dtmfmode directmedia mediaencryption
    contactsregistered totalcontacts registered notregistered retryinterval forbiddenretryinterval
    fatalretryinterval maxretries authrejectionpermanent supportoutbound protocol identifyby
    pathsupport tos cos tosaudio cosaudio tosvideo cosvideo timersminse timerssessexpires timers
    md5secretexist secretexist remotesecretexist perceivedport lastmsgssent maxforwards amaflags
    cidcallingpres transfermode siptextsupport sipsesstimers sipsessrefresh sipsessexpires sipsessmin
    siprtpengine sipt38maxdtgrm sipt38ec maxcallbr qualifyfreq timetohangup
    maxmessagelength saydurationminimum timezone authtype supportedalgorithmsuac
    supportedalgorithmsuas noncelifetime chanobjecttype
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_found_however_it_is_spelled() {
        assert_eq!(kind("", "UniqueID"), Kind::UniqueId);
        assert_eq!(kind("", "SIP-Useragent"), Kind::UserAgent);
        assert_eq!(kind("", "user_agent"), Kind::UserAgent);
        assert_eq!(kind("", "reg_server"), Kind::Identifier);
        assert_eq!(kind("QueueMember", "Name"), Kind::Name);
        assert_eq!(kind("Parkinglot", "Name"), Kind::Identifier);
        assert_eq!(kind("CoreShowChannel", "CallerIDName"), Kind::EscapedName);
        assert_eq!(kind("QueueEntry", "CallerIDName"), Kind::Name);
        assert_eq!(kind("", "SomethingNew"), Kind::Text);
        assert_eq!(kind("Getvar", "Variable"), Kind::Fact);
        assert_eq!(kind("Status", "Variable"), Kind::Text);
    }

    #[test]
    fn a_secret_is_one_by_its_name() {
        for name in ["Password", "Md5Cred", "PasswordDigest", "Key", "OauthSecret", "RefreshToken"]
        {
            assert_eq!(kind("AuthDetail", name), Kind::Secret, "{name}");
        }
        assert_eq!(kind("", "MD5SecretExist"), Kind::Fact);
        assert_eq!(kind("", "KeyThing"), Kind::Text);
    }
}
