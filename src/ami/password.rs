//! A password that cannot be printed by accident.

use md5::{Digest, Md5};
use zeroize::Zeroizing;

/// A password: no `Debug` or `Display` of its content, no `Serialize`, overwritten when dropped.
///
/// Clones are overwritten like the first, and so is what this client makes of it: the answer to a
/// challenge and the bytes of the login. The MD5 function's own 64 bytes of working memory are not.
#[derive(Clone)]
pub struct Password(Zeroizing<String>);

impl Password {
    /// Takes a password over. The caller's copy is moved, not duplicated.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// True when there is nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The text itself, for the plain text login alone.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }

    /// The answer to a login challenge: lower-case hex of MD5(challenge + password). Asterisk
    /// compares it case-sensitively, in every version.
    pub(crate) fn answer(&self, challenge: &str) -> Zeroizing<String> {
        let digest = Md5::new().chain_update(challenge).chain_update(self.0.as_bytes()).finalize();
        Zeroizing::new(digest.iter().map(|byte| format!("{byte:02x}")).collect())
    }
}

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[redacted]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_challenge_is_answered_in_lower_case_hex() {
        // MD5 of "12345secret", as computed by md5sum.
        let key = Password::new("secret".into()).answer("12345");
        assert_eq!(*key, "d6bf7523a8407696bb9448d0d0fecca8".to_owned());
    }

    #[test]
    fn a_password_does_not_show() {
        assert_eq!(format!("{:?}", Password::new("hunter2".into())), "[redacted]");
    }
}
