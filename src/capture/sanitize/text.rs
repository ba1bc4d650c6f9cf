//! Text, token by token: addresses, hosts, numbers, identifiers and words, wherever they stand.
//!
//! Every token is replaced by a function of itself alone, whatever it is part of. So `trunk-main` is
//! called the same in the name of a channel, in a URI and in a hint.

use super::{
    Sanitizer,
    headers::Kind,
    known::LONGEST_EXTENSION,
    rewrite::is_placeholder,
    shapes::{hardware_address, host, ip_address, is_anonymous, is_serial, laid_out, port},
    vocabulary,
};

/// What stands before a channel's own name, where a number of eight digits tells channels apart.
const TECHNOLOGIES: [&str; 12] = [
    "PJSIP",
    "SIP",
    "IAX2",
    "Local",
    "DAHDI",
    "Zap",
    "Agent",
    "Message",
    "Console",
    "UnicastRTP",
    "MulticastRTP",
    "Recorder",
];

/// What FreePBX puts before an extension to name its WebRTC client.
const TWIN: &str = "99";

/// Where in a text the scan stands.
#[derive(Default)]
struct Scan {
    /// The character before.
    before: Option<char>,
    /// The word before that, where a single character stands between.
    word: String,
    /// Within a name such as `PJSIP/100-0000002a`.
    in_channel: bool,
    /// Within parentheses.
    in_parentheses: bool,
}

/// A token that was found at the beginning of a text: its length, and what is to stand there.
type Token = (usize, String);

impl Sanitizer {
    /// A text with everything replaced.
    pub(super) fn text(&mut self, value: &str, kind: Kind) -> String {
        let is_name = matches!(kind, Kind::Name | Kind::EscapedName);
        if is_name && is_placeholder(value) {
            return value.to_owned();
        }
        let mut out = String::with_capacity(value.len());
        let mut scan = Scan::default();
        let mut rest = value;
        while let Some(c) = rest.chars().next() {
            let at_start = scan.before.is_none_or(|before| !before.is_alphanumeric());
            let escape = escaped(rest, kind);
            let token = match escape {
                Some(_) => None,
                None if at_start => self.token(rest, kind, &mut scan),
                None => None,
            };
            let length = token.as_ref().map(|(length, _)| *length).or(escape);
            let length = length.unwrap_or(c.len_utf8());
            let Some((taken, left)) = rest.split_at_checked(length) else { break };
            out.push_str(token.as_ref().map_or(taken, |(_, given)| given));
            if token.is_none() {
                if c.is_whitespace() || matches!(c, ',' | '&' | '|' | '(' | ')') {
                    scan.in_channel = false;
                }
                if matches!(c, '(' | ')') {
                    scan.in_parentheses = c == '(';
                }
                if c == '/' && TECHNOLOGIES.contains(&scan.word.as_str()) {
                    scan.in_channel = true;
                }
                scan.word.clear();
            } else {
                taken.clone_into(&mut scan.word);
            }
            // What is escaped is no letter of the word that follows.
            scan.before = if escape.is_some() { Some('\\') } else { taken.chars().last() };
            rest = left;
        }
        out
    }

    /// The token that a text begins with.
    fn token(&mut self, text: &str, kind: Kind, scan: &mut Scan) -> Option<Token> {
        if kind != Kind::Fact {
            if let Some((length, digits)) = hardware_address(text) {
                return Some((length, self.hardware(text.get(..length)?, &digits)));
            }
            if let Some(token) = self.address(text, kind) {
                return Some(token);
            }
        }
        let first = text.chars().next().filter(|c| c.is_alphanumeric())?;
        let is_name = matches!(kind, Kind::Name | Kind::EscapedName);
        if first.is_ascii_digit()
            && (is_name || scan.before == Some('+'))
            && let Some(token) = self.spaced_number(text)
        {
            return Some(token);
        }
        if !is_name && let Some(name) = self.known.identifier_at(text) {
            return Some((name.len(), self.replacements.identifier(name)));
        }
        if !is_name
            && kind != Kind::Fact
            && let Some(name) = host(text)
        {
            let given =
                if is_anonymous(name) { name.to_owned() } else { self.replacements.host(name) };
            let port = port(text.get(name.len()..)?);
            return Some((name.len() + port.len(), given + port));
        }
        let length = text.find(|c: char| !c.is_alphanumeric()).unwrap_or(text.len());
        let (word, after) = text.split_at_checked(length)?;
        let is_suffix = scan.in_channel
            && scan.before == Some('-')
            && word.len() == 8
            && word.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
            && after.chars().next().is_none_or(|c| c != '@');
        let given = if is_suffix { word.to_owned() } else { self.word(word, kind, scan) };
        Some((length, given))
    }

    fn word(&mut self, word: &str, kind: Kind, scan: &Scan) -> String {
        if word.bytes().all(|byte| byte.is_ascii_digit()) {
            return self.number(word, kind, scan);
        }
        let folded = word.to_lowercase();
        let is_hex = |word: &str| word.bytes().all(|byte| byte.is_ascii_hexdigit());
        let stays = match kind {
            Kind::Name | Kind::EscapedName => vocabulary::is_no_name(&folded),
            // Telephones of the pocket put what their owner calls them there: `(Mary's iPhone)`.
            Kind::UserAgent if scan.in_parentheses => vocabulary::is_of_a_telephone(&folded),
            Kind::Fact | Kind::Message | Kind::Dialplan | Kind::UserAgent => {
                !self.known.is_private(word, kind)
            }
            _ => vocabulary::stays(&folded),
        };
        let is_serial = kind == Kind::UserAgent && is_serial(word);
        if stays && !is_serial {
            word.to_owned()
        } else if is_serial || (word.len() >= 16 && is_hex(word)) {
            self.replacements.opaque(word)
        } else if let Some((prefix, digits)) =
            vocabulary::numbered(word).filter(|_| !matches!(kind, Kind::Name | Kind::EscapedName))
        {
            format!("{prefix}{}", self.number(digits, kind, scan))
        } else {
            self.replacements.word(word)
        }
    }

    /// A number that stands alone: that of an extension, a telephone number, or neither.
    fn number(&mut self, digits: &str, kind: Kind, scan: &Scan) -> String {
        if kind == Kind::Fact {
            return digits.to_owned();
        }
        let extensions = &self.known.extensions;
        // A feature code, perhaps with an extension behind it, such as `*76100`.
        if scan.before == Some('*') && digits.len() <= LONGEST_EXTENSION + 3 {
            let code = (1..=3).find_map(|code| {
                let (code, of) = digits.split_at_checked(code)?;
                extensions.contains(of).then_some((code, of))
            });
            if let Some((code, of)) = code {
                return format!("{code}{}", self.number(of, kind, &Scan::default()));
            }
        }
        if digits.len() <= LONGEST_EXTENSION && scan.before != Some('+') {
            let twin = digits.strip_prefix(TWIN).filter(|of| extensions.contains(*of));
            match (twin, extensions.contains(digits)) {
                (None, false) => {}
                _ if !self.options.extensions => return digits.to_owned(),
                (Some(of), _) => return self.replacements.twin(TWIN, of),
                (None, true) => return self.replacements.number(digits),
            }
        }
        let is_port = scan.before == Some(':')
            && digits.len() <= 5
            && !matches!(scan.word.as_str(), "sip" | "sips" | "tel");
        let shortest = if kind == Kind::UserAgent { 7 } else { 5 };
        let is_short = digits.len() < shortest && scan.before != Some('+');
        if is_port || is_short { digits.to_owned() } else { self.replacements.number(digits) }
    }

    /// A telephone number as people write it: `+49 (30) 5550-13`.
    fn spaced_number(&mut self, text: &str) -> Option<Token> {
        const FEWEST: usize = 7;
        let mut length = 0;
        let mut between = 0;
        for (at, c) in text.char_indices() {
            if c.is_ascii_digit() {
                (length, between) = (at + 1, 0);
            } else if matches!(c, ' ' | '-' | '.' | '/' | '(' | ')') && between < 2 {
                between += 1;
            } else {
                break;
            }
        }
        let (written, after) = text.split_at_checked(length)?;
        let digits: String = written.chars().filter(char::is_ascii_digit).collect();
        let is_one = digits.len() >= FEWEST
            && digits.len() < written.len()
            && after.chars().next().is_none_or(|c| !c.is_alphanumeric());
        if !is_one {
            return None;
        }
        Some((length, laid_out(&self.replacements.number(&digits), written)))
    }

    /// A hardware address in the spelling of another.
    fn hardware(&mut self, written: &str, digits: &str) -> String {
        let given = laid_out(&self.replacements.hardware(digits), written);
        if written.bytes().any(|byte| byte.is_ascii_uppercase()) {
            given.to_uppercase()
        } else {
            given
        }
    }

    /// An address of version 4 or 6, with its port.
    fn address(&mut self, text: &str, kind: Kind) -> Option<Token> {
        let (length, address) = ip_address(text)?;
        // A firmware has a version like that, too.
        if kind == Kind::UserAgent && !self.known.addresses.contains(&address) {
            return None;
        }
        let after = text.get(length..)?;
        let port = port(after.strip_prefix(']').unwrap_or(after));
        let bracket = if after.starts_with(']') { "]" } else { "" };
        let given = format!("{}{bracket}{port}", self.replacements.address(address));
        Some((length + bracket.len() + port.len(), given))
    }
}

/// How long the escape is that a text begins with: `\'` in a channel's name, `%23` in a URI.
fn escaped(text: &str, kind: Kind) -> Option<usize> {
    if kind == Kind::EscapedName && text.starts_with('\\') {
        return text.chars().nth(1).map(|c| 1 + c.len_utf8());
    }
    let code = text.strip_prefix('%')?.get(..2)?;
    code.bytes().all(|byte| byte.is_ascii_hexdigit()).then_some(3)
}
