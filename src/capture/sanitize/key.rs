//! The key that replacements are made with: without it nobody can try which original gives one.

use std::io;

use hmac::{Hmac, KeyInit as _, Mac as _};
use rustix::rand::{GetRandomFlags, getrandom};
use sha2::Sha256;
use zeroize::Zeroizing;

/// A secret of one capture, never written anywhere and overwritten when dropped.
///
/// Telephone numbers are few: anybody could hash all of them. So the hash has a key.
#[derive(Clone)]
pub struct Key(Zeroizing<[u8; 32]>);

impl Key {
    /// A key that nobody knows.
    ///
    /// # Errors
    ///
    /// When the system has no random numbers.
    pub fn random() -> io::Result<Self> {
        let mut bytes = Zeroizing::new([0; 32]);
        // The system call itself: it needs no /dev. So few bytes come whole.
        getrandom(bytes.as_mut_slice(), GetRandomFlags::empty())?;
        Ok(Self(bytes))
    }

    /// A known key, for tests: the same capture gives the same replacements.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// HMAC-SHA256 of a token of some kind; `attempt` gives another one where the first cannot be
    /// used.
    pub(super) fn hash(&self, kind: &str, token: &str, attempt: u32) -> [u8; 32] {
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&*self.0) else {
            unreachable!("HMAC takes keys of any length");
        };
        mac.update(kind.as_bytes());
        mac.update(&[0]);
        mac.update(&attempt.to_be_bytes());
        mac.update(token.as_bytes());
        mac.finalize().into_bytes().into()
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[redacted]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_hmac_sha256() {
        // `printf 'word\0\0\0\0\0Alice' | openssl dgst -sha256 -mac HMAC -macopt hexkey:0000...`
        let hash = Key::from_bytes([0; 32]).hash("word", "Alice", 0);
        let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, "11635fee20df5ef2fada33511df6961029b5634617b6dc9e29d13e685fedf3c0");
    }

    #[test]
    fn a_key_is_another_every_time_and_does_not_show() {
        let (one, other) = (Key::random().unwrap(), Key::random().unwrap());
        assert_ne!(one.hash("word", "Alice", 0), other.hash("word", "Alice", 0));
        assert_eq!(format!("{one:?}"), "[redacted]");
    }
}
