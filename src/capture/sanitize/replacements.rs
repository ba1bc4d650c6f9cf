//! What stands for what: tokens and their replacements, the same for the same token all through a
//! capture, and another for every other.

use std::{
    collections::{BTreeMap, HashSet},
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

use super::Key;

/// The replacements that have been given so far.
#[derive(Debug)]
pub(super) struct Replacements {
    key: Key,
    /// By kind and token.
    given: BTreeMap<(&'static str, String), String>,
    /// What cannot be given: what stands in the capture, and what has been given.
    taken: HashSet<String>,
}

/// The bytes of a hash as an endless source of numbers.
struct Dice<'a> {
    bytes: std::iter::Cycle<std::slice::Iter<'a, u8>>,
}

impl Dice<'_> {
    /// A number below `sides`, of as few bytes as make one: there are 32.
    fn roll(&mut self, sides: u32) -> u32 {
        let bytes = match sides {
            ..=16 => 1,
            17..=0xffff => 2,
            _ => 4,
        };
        let number = (0..bytes)
            .fold(0, |number: u32, _| (number << 8) | u32::from(*self.bytes.next().unwrap_or(&0)));
        number % sides
    }

    fn pick<'a>(&mut self, from: &'a [u8]) -> &'a u8 {
        let sides = u32::try_from(from.len()).unwrap_or(1);
        let at = usize::try_from(self.roll(sides)).unwrap_or(0);
        from.get(at).unwrap_or(&b'a')
    }

    fn digits(&mut self, count: usize) -> String {
        (0..count).map(|_| char::from(*self.pick(b"0123456789"))).collect()
    }
}

impl Replacements {
    /// None yet. `present` is what stands in the capture, in lower case, and must not be given: a
    /// replacement that is also somebody's name would say something untrue.
    pub(super) fn new(key: Key, present: HashSet<String>) -> Self {
        Self { key, given: BTreeMap::new(), taken: present }
    }

    /// All tokens that were replaced, each with what stands for it.
    pub(super) fn pairs(self) -> Vec<(String, String)> {
        self.given.into_iter().map(|((_, token), given)| (token, given)).collect()
    }

    fn give(
        &mut self,
        kind: &'static str,
        token: &str,
        make: impl Fn(&mut Dice<'_>, u32) -> String,
    ) -> String {
        if let Some(given) = self.given.get(&(kind, token.to_owned())) {
            return given.clone();
        }
        let mut attempt = 0;
        let found = loop {
            let hash = self.key.hash(kind, token, attempt);
            let made = make(&mut Dice { bytes: hash.iter().cycle() }, attempt);
            if self.taken.insert(made.to_lowercase()) {
                break made;
            }
            attempt += 1;
        };
        self.given.insert((kind, token.to_owned()), found.clone());
        found
    }

    /// For a word of a name or identifier: a word that can be spoken, with the case and the reach of
    /// its letters.
    pub(super) fn word(&mut self, word: &str) -> String {
        let folded = word.to_lowercase();
        let begins_upper = word.chars().next().is_some_and(char::is_uppercase);
        let rest_is_lower = word.chars().skip(1).all(|c| !c.is_uppercase());
        let is_upper = word.chars().count() > 1 && word.to_uppercase() == word && word != folded;
        // Spelled in no usual way: another spelling of it is another word.
        let token = if rest_is_lower || is_upper { &folded } else { word };
        let spoken = self.give("word", token, spoken);
        let spoken = if word.is_ascii() { spoken } else { accented(&spoken) };
        if is_upper {
            spoken.to_uppercase()
        } else if begins_upper {
            let mut letters = spoken.chars();
            letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect()
        } else {
            spoken
        }
    }

    /// For an identifier of several words, such as the name of a trunk.
    pub(super) fn identifier(&mut self, name: &str) -> String {
        self.give("identifier", &name.to_lowercase(), spoken)
    }

    /// For a host name: one below `example.com`.
    pub(super) fn host(&mut self, name: &str) -> String {
        let host = |dice: &mut Dice<'_>, attempt| spoken(dice, attempt) + ".example.com";
        self.give("host", &name.to_lowercase(), host)
    }

    /// For a telephone number: as long, with as many zeros before it, and with the area code 555,
    /// which nobody has, as far as there is room.
    pub(super) fn number(&mut self, digits: &str) -> String {
        let significant = digits.trim_start_matches('0');
        let zeros = digits.len() - significant.len();
        if significant.is_empty() {
            return digits.to_owned();
        }
        let length = significant.len();
        let given = self.give("number", significant, |dice, attempt| {
            let prefix = match length {
                10.. => "1555",
                7.. => "555",
                5.. => "5",
                _ => "",
            };
            let free = length - prefix.len();
            match (prefix, attempt) {
                // No number of this length is left: a longer one is wrong in its length alone.
                (_, 1_000..) => format!("{}{}", dice.roll(9) + 1, dice.digits(length)),
                ("", _) | (_, 50..) => {
                    format!("{}{}", dice.roll(9) + 1, dice.digits(length - 1))
                }
                _ => format!("{prefix}{}", dice.digits(free)),
            }
        });
        "0".repeat(zeros) + &given
    }

    /// For an extension that goes with another, as 99100 does with 100: the number of the other with
    /// the same digits before it.
    pub(super) fn twin(&mut self, prefix: &str, extension: &str) -> String {
        let given = format!("{prefix}{}", self.number(extension));
        self.taken.insert(given.clone());
        self.given.insert(("number", format!("{prefix}{extension}")), given.clone());
        given
    }

    /// For an address: one from the ranges for documentation, and for benchmarks when those are used
    /// up (RFC 5737, RFC 2544, RFC 3849). Loopback and what is no host's address stays.
    pub(super) fn address(&mut self, address: IpAddr) -> IpAddr {
        match address {
            IpAddr::V4(v4) if v4.is_loopback() || v4.is_unspecified() || is_mask(v4) => address,
            IpAddr::V6(v6) if v6.is_loopback() || v6.is_unspecified() => address,
            IpAddr::V6(v6) if v6.to_ipv4_mapped().is_some() => {
                let v4 = v6.to_ipv4_mapped().unwrap_or(Ipv4Addr::UNSPECIFIED);
                match self.address(v4.into()) {
                    IpAddr::V4(v4) => v4.to_ipv6_mapped().into(),
                    v6 @ IpAddr::V6(_) => v6,
                }
            }
            IpAddr::V4(_) => {
                let given = self.give("address", &address.to_string(), |dice, attempt| {
                    let host = dice.roll(254) + 1;
                    match (attempt, dice.roll(3)) {
                        (20.., _) => {
                            format!("198.{}.{}.{host}", 18 + dice.roll(2), dice.roll(256))
                        }
                        (_, 0) => format!("192.0.2.{host}"),
                        (_, 1) => format!("198.51.100.{host}"),
                        _ => format!("203.0.113.{host}"),
                    }
                });
                given.parse().unwrap_or(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)))
            }
            IpAddr::V6(_) => {
                let given = self.give("address", &address.to_string(), |dice, _| {
                    let mut group = || u16::try_from(dice.roll(0xffff) + 1).unwrap_or(1);
                    let parts =
                        [0x2001, 0xdb8, group(), group(), group(), group(), group(), group()];
                    Ipv6Addr::from(parts).to_string()
                });
                given.parse().unwrap_or(IpAddr::V6(Ipv6Addr::LOCALHOST))
            }
        }
    }

    /// For a hardware address, given as its 12 digits in lower case: one that is locally
    /// administered.
    pub(super) fn hardware(&mut self, digits: &str) -> String {
        self.give("hardware", digits, |dice, _| format!("02005e{:06x}", dice.roll(1 << 24)))
    }

    /// For a hash, an id or a serial number: as long, and of the same digits.
    pub(super) fn opaque(&mut self, token: &str) -> String {
        let token = token.to_lowercase();
        self.give("opaque", &token, |dice, _| {
            token.chars().map(|_| char::from(*dice.pick(b"0123456789abcdef"))).collect()
        })
    }
}

/// A netmask or broadcast address.
fn is_mask(address: Ipv4Addr) -> bool {
    let bits = address.to_bits();
    bits.leading_ones() + bits.trailing_zeros() == 32 && bits.leading_ones() > 7
}

/// Three syllables, and more of them when those are used up.
fn spoken(dice: &mut Dice<'_>, attempt: u32) -> String {
    let mut word = String::new();
    for _ in 0..3 + attempt / 20 {
        word.push(char::from(*dice.pick(b"bdfghjklmnprstvwz")));
        word.push(char::from(*dice.pick(b"aeiou")));
    }
    word
}

/// The word with a letter that is not ASCII, for one that had such letters: readers stumble over
/// these.
fn accented(word: &str) -> String {
    let mut done = false;
    let accent = |c| {
        let other = match c {
            'a' => 'ä',
            'e' => 'é',
            'i' => 'í',
            'o' => 'ö',
            'u' => 'ü',
            c => return c,
        };
        if std::mem::replace(&mut done, true) { c } else { other }
    };
    word.chars().map(accent).collect()
}
