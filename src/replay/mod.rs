//! A PBX that is none: serves a capture as an AMI server, for trying readers and for reproducing
//! reports.
//!
//! It knows logins, by challenge and in plain text, classes, and the actions of its capture, and
//! answers these with the recorded bytes under the ActionID of whoever asks. Everything else is as
//! unknown to it as to a real server. It listens on loopback only, and bounds what a client can cost
//! it: connections, time without a login, the size of an action, and how long a client may not read.
//! Nothing happens on it, so that it sends no events but `FullyBooted`.

mod answers;
mod classes;
mod faults;
mod session;

use std::{io, net::Ipv4Addr, sync::Arc};

use tokio::{net::TcpListener, task::JoinSet};
use tracing::debug;

pub use classes::{Classes, UnknownClass};
pub use faults::{Delay, Faults};

use crate::{ami::Password, capture::Capture};
use answers::Answers;

/// Who may log in.
#[derive(Debug, Clone, Default)]
pub struct Account {
    /// The only user; `None`: any.
    pub username: Option<String>,
    /// Its password; `None`: any is right.
    pub password: Option<Password>,
}

/// How a capture is served.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Who may log in.
    pub account: Account,
    /// The classes of the account's `write` setting; `None`: every action of the capture is
    /// permitted.
    pub write: Option<Classes>,
    /// What goes wrong on purpose.
    pub faults: Faults,
}

/// What all connections share.
#[derive(Debug)]
struct Shared {
    answers: Answers,
    options: Options,
}

/// A capture that is being served.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    shared: Arc<Shared>,
}

impl Server {
    /// Starts to listen on loopback. Port 0 is any free one.
    ///
    /// # Errors
    ///
    /// When the port cannot be had.
    pub async fn start(capture: Capture, port: u16, options: Options) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        let shared = Arc::new(Shared { answers: Answers::new(capture), options });
        Ok(Self { listener, shared })
    }

    /// The port that it listens on.
    ///
    /// # Errors
    ///
    /// When the system does not tell.
    pub fn port(&self) -> io::Result<u16> {
        Ok(self.listener.local_addr()?.port())
    }

    /// Serves until dropped; all connections end with it.
    pub async fn serve(&self) {
        /// Open at once. One more is closed before the banner, as Asterisk does past `authlimit`.
        const MOST: usize = 50;
        let mut sessions = JoinSet::new();
        loop {
            tokio::select! {
                accepted = self.listener.accept() => match accepted {
                    Ok((stream, client)) if sessions.len() < MOST => {
                        let shared = Arc::clone(&self.shared);
                        sessions.spawn(async move {
                            let ended = session::run(stream, &shared).await;
                            debug!(%client, ?ended, "the connection ended");
                        });
                    }
                    Ok((_, client)) => debug!(%client, "refused: too many connections"),
                    // Out of file descriptors: some will be given back.
                    Err(error) => {
                        debug!(%error, "not accepted");
                        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
                    }
                },
                Some(_) = sessions.join_next() => {}
            }
        }
    }
}
