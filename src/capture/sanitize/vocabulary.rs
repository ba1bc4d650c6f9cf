//! The words of Asterisk and FreePBX, which say nothing about whose PBX it is.

use std::{collections::HashSet, sync::LazyLock};

/// Words that stay wherever they stand, but for names of people.
const WORDS: &str = "
    pjsip sip sips iax iax2 local dahdi zap misdn agent message console custom custompresence devstate
    tel udp tcp tls ws wss transport ob lr maddr rinstance alias x ast orig host line hide
    hint park queue confbridge conference meetme presence mwi stasis calendar
    pause paused avail ext from to internal external trunk pstn did app macro sub gosub outrt outbound
    inbound outisbusy allroutes ivr timeconditions timecondition daynight disa ringgroup ringgroups
    group grps findmefollow followme fmgr fmpr fmgl grp qagi vm vmu vmx vmb vmail voicemail
    default parkedcalls parking lot space all none unknown anonymous invalid null n a
    context extension extensions exten priority s h i t o r e
    yes no true false on off enabled disabled always never auto
    available unavailable inuse notinuse idle busy ringing ring ringinuse hold onhold use not in
    registered unregistered rejected reachable unreachable unmonitored lagged nonqualified created
    removed failed timeout success error start complete completed
    up down rsrvd offhook dialing prering
    outgoing calls line appdial appqueue dial wait echo playback background
    answer hangup goto set noop read record dictate directory milliwatt musiconhold moh retrydial
    chanspy extenspy pickup bridge bridgewait page originate transfer
    ampuser device devices cf cfb cfu cw dnd registrar contact contacts cidname cidnum cid user users
    dial tech type fixed adhoc emergency outboundcid ringtimer cwtone accountcode novm
    followme strategy screen annmsg prering grptime grpnum grplist recording priority policy
    ondemand intercom concurrency limit callwaiting answermode noanswer busy chanunavail dest
    edevice hotdesk language queuepenalty blacklist zulu sipsettings
    auth aor identify endpoint registration oauth iauth reg
    redacted localhost example com net org asterisk freepbx
    ulaw alaw gsm g722 g729 slin opus ilbc speex h264 vp8 rfc4733 rfc2833 inband info
    strftime z
    callerid name num number pres dnid rdnis connectedline number redirecting
    simple bridge native rtp softmix holding basic base
    static dynamic realtime ringall rrmemory rrordered leastrecent fewestcalls random wrandom linear
    request sent authentication ok ms presentation allowed not screened unspecified follows follow
    permission denied command action listcommands no entry found such database
    en us de fr es it
";

/// Words that a number may follow without a sign between, such as `DND100`.
const NUMBERED: [&str; 20] = [
    "dnd",
    "cf",
    "cfb",
    "cfu",
    "devdnd",
    "devcf",
    "devcfb",
    "devcfu",
    "followme",
    "devfollowme",
    "vmu",
    "vm",
    "daynight",
    "timecondition",
    "tc",
    "queue",
    "devstate",
    "ext",
    "line",
    "park",
];

/// Words that stay in the name of a person, too: ways of saying that there is no name.
const NO_NAMES: [&str; 9] = [
    "unknown",
    "anonymous",
    "restricted",
    "unavailable",
    "withheld",
    "null",
    "none",
    "device",
    "cid",
];

/// Contexts that FreePBX's rules are about. An object of the same name keeps it.
const CONTEXTS: [&str; 12] = [
    "from-internal",
    "from-internal-xfer",
    "from-trunk",
    "from-pstn",
    "from-queue",
    "from-digital",
    "from-analog",
    "from-sip-external",
    "from-dahdi",
    "ext-local",
    "ext-queues",
    "app-blackhole",
];

static STAYS: LazyLock<HashSet<&str>> = LazyLock::new(|| WORDS.split_whitespace().collect());

/// Whether a word, in lower case, is one of Asterisk's or FreePBX's.
pub(super) fn stays(folded: &str) -> bool {
    STAYS.contains(folded)
}

/// Whether a word, in lower case, means that a name is not known.
pub(super) fn is_no_name(folded: &str) -> bool {
    NO_NAMES.contains(&folded)
}

/// Whether a word, in lower case, is one by which telephones say what they are made of.
pub(super) fn is_of_a_telephone(folded: &str) -> bool {
    const WORDS: [&str; 17] = [
        "ios", "iphone", "ipad", "android", "windows", "win32", "win64", "macos", "mac", "linux",
        "x86", "arm", "belle", "build", "release", "s", "v",
    ];
    WORDS.contains(&folded) || stays(folded)
}

/// Whether a whole identifier, in lower case, is a context's name.
pub(super) fn is_context(folded: &str) -> bool {
    CONTEXTS.contains(&folded)
}

/// Splits `DND100` into its word and its number.
pub(super) fn numbered(word: &str) -> Option<(&str, &str)> {
    let letters = word.find(|c: char| c.is_ascii_digit())?;
    let (prefix, digits) = word.split_at_checked(letters)?;
    let known = NUMBERED.contains(&prefix.to_ascii_lowercase().as_str());
    (known && digits.bytes().all(|byte| byte.is_ascii_digit())).then_some((prefix, digits))
}

/// Endings by which FreePBX names the objects that belong to an endpoint, such as `100-auth`.
pub(super) fn without_ending(identifier: &str) -> &str {
    const ENDINGS: [&str; 6] = ["-auth", "-identify", "-aor", "-reg", "-oauth", "-iauth"];
    let stripped = ENDINGS.iter().find_map(|ending| identifier.strip_suffix(ending));
    stripped.unwrap_or(identifier)
}

/// What files end with: `hello.wav` is no host.
pub(super) fn is_file_ending(label: &str) -> bool {
    const ENDINGS: [&str; 14] = [
        "wav", "wav49", "gsm", "ulaw", "alaw", "sln", "mp3", "agi", "php", "py", "sh", "conf",
        "pem", "lua",
    ];
    ENDINGS.iter().any(|ending| ending.eq_ignore_ascii_case(label))
}
