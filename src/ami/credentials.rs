//! Who logs in, and how the password is proved.

use super::{Error, Password};

/// How the password is proved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LoginMethod {
    /// By answering an MD5 challenge, so that the password does not cross the wire. A server that
    /// knows no challenge gets it in plain text only over TLS or on loopback: anywhere else somebody
    /// between could ask for it by pretending to know none.
    #[default]
    Challenge,
    /// In plain text, whoever may listen.
    Plain,
}

/// Who logs in.
#[derive(Debug, Clone)]
pub struct Credentials {
    username: String,
    password: Password,
    method: LoginMethod,
}

impl Credentials {
    /// A user of manager.conf with its password, to be proved by challenge.
    #[must_use]
    pub fn new(username: impl Into<String>, password: Password) -> Self {
        Self { username: username.into(), password, method: LoginMethod::default() }
    }

    /// Proves the password in another way.
    #[must_use]
    pub fn with_method(self, method: LoginMethod) -> Self {
        Self { method, ..self }
    }

    /// The name that logs in.
    #[must_use]
    pub fn username(&self) -> &str {
        &self.username
    }

    /// How the password is proved.
    #[must_use]
    pub fn method(&self) -> LoginMethod {
        self.method
    }

    pub(super) fn password(&self) -> &Password {
        &self.password
    }

    /// Refuses what could begin another header or action.
    pub(super) fn check(&self) -> Result<(), Error> {
        let unfit = |text: &str| text.contains(['\r', '\n', '\0']) || text.len() > 900;
        if unfit(&self.username) {
            return Err(Error::Credentials { what: "user name" });
        }
        if unfit(self.password.expose()) {
            return Err(Error::Credentials { what: "password" });
        }
        Ok(())
    }
}
