//! A client for the Asterisk Manager Interface that reads and never changes anything.
//!
//! This module stands alone: it knows nothing of FreePBX, of JSON, or of the rest of this crate.
//!
//! # The protocol in one page
//!
//! AMI is a TCP protocol of text blocks. On connect the server sends one line, the banner
//! (`Asterisk Call Manager/5.0.4`). The client sends **actions**: `Key: Value` lines and an empty
//! line. The server runs the actions of a connection one after the other and answers each with a
//! **response** block. A **list action** goes on with one **event** block per row and a closing
//! event. Events that nobody asked for may stand between any two blocks.
//!
//! What makes this harder than it sounds, and where it is dealt with:
//!
//! - Whether an action answers with a list depends on the action: servers before 13.2 do not mark
//!   lists. Some empty lists are phrased as errors. [`ReadAction`] knows each action's shape.
//! - Some rows carry no `ActionID`, some values look like headers, keys change their case between
//!   actions, error messages contain line feeds: [`Decoder`], [`Exchange`] and [`Row`].
//! - Servers send secrets that nobody asked for. They are dropped while decoding; no [`Answer`]
//!   ever holds one.
//! - A server that cannot write for `writetimeout` (100 ms by default) closes the connection in
//!   the middle of a list. So [`Client`] keeps reading, whatever else it does.
//!
//! # Use
//!
//! The client runs on [tokio], with time and I/O enabled; one thread is enough. All actions are
//! written at once and the answers read back in order, so that a run costs one round trip and not
//! one per action:
//!
//! ```no_run
//! use freepbx_snapshot::ami::{Action, Client, Credentials, Error, Options, Password, ReadAction};
//!
//! #[tokio::main(flavor = "current_thread")]
//! async fn main() -> Result<(), Error> {
//!     let mut client = Client::connect("127.0.0.1", 5038, Options::default()).await?;
//!     let login = Credentials::new("snapshot", Password::new("secret".to_owned()));
//!     let queue = Action::new(ReadAction::QueueStatus).with("Queue", "400")?;
//!     client.login(&login, [Action::new(ReadAction::SipPeers), queue]).await?;
//!     while let Some(finished) = client.next_finished().await? {
//!         match finished.result {
//!             Ok(answer) => {
//!                 for row in answer.rows() {
//!                     println!("{:?} {:?}", row.event(), row.get("Status"));
//!                 }
//!             }
//!             // This action alone; the others are answered all the same.
//!             Err(error) => eprintln!("{error}"),
//!         }
//!     }
//!     client.logoff().await;
//!     Ok(())
//! }
//! ```
//!
//! `examples/list_action.rs` is a whole program.
//!
//! [tokio]: https://docs.rs/tokio
//!
//! ## Step by step
//!
//! 1. **Connect.** [`Client::connect`] tries all addresses of a name and reads the banner.
//!    [`Client::ami_version`] and [`asterisk_version`] tell who is there; [`Client::close`] leaves
//!    again without a login. [`Options::tls`] is AMI over TLS: [`Tls::new`] with the system's
//!    authorities, your own, or one pinned certificate ([`Trust`]).
//! 2. **Log in.** [`Client::login`] answers an MD5 challenge, so that the password does not cross
//!    the wire, and switches events off. A [`Password`] does not print.
//! 3. **Ask.** A [`ReadAction`] is a name on the allow-list; an [`Action`] is one with its arguments.
//!    [`ReadAction::named`] takes a name that somebody typed and says why it cannot be asked. Hand
//!    them to [`Client::login`], or later to [`Client::ask`].
//! 4. **Read.** [`Client::next_finished`] gives one [`TimedAnswer`] after the other. In an
//!    [`Answer`], [`rows`](Answer::rows) are the events of a list,
//!    [`response`](Answer::response) is the data of actions that answer with one block, and
//!    [`completion`](Answer::completion) holds totals. A [`Row`] finds a header by its name,
//!    whatever its case; [`Row::all`] gives those that repeat, and [`unescape`] undoes the escapes of
//!    channel blocks.
//! 5. **Leave.** [`Client::logoff`].
//!
//! ## When something goes wrong
//!
//! [`Error`] ends the connection: nobody there, no AMI, a login refused, the connection lost.
//! [`Client::abandon`] then tells what was outstanding, and [`Error::is_transient`] whether a second
//! try makes sense. [`ActionError`] concerns one action: not on this server, not permitted
//! ([`ReadAction::classes`] says what the account needs), refused in Asterisk's own words. After
//! [`ActionError::Timeout`] and [`ActionError::TooLarge`] the connection is of no more use, because
//! the rest of that answer stands before all others.
//!
//! What a server sends is bounded by [`Limits`]. Text comes as Asterisk sent it, with invalid UTF-8
//! replaced: it is what callers chose, so clean it before a terminal sees it, and pass whole values
//! through [`redact`] before you show them.
//!
//! ## Looking on, and recordings
//!
//! A [`Tap`] is told everything that is sent and received, byte for byte and with the time, without
//! secrets: for transcripts and recordings. [`decode_recording`] reads recorded bytes as the client
//! would have, and [`Decoder`] and [`Exchange`] are the two halves of the protocol without a socket.
//!
//! # What changes, and what does not
//!
//! No type of another library is part of this module's API, so that none of them can break it. Enums
//! and structs that may grow are `#[non_exhaustive]`.

mod action;
mod client;
mod codec;
mod connect;
mod credentials;
mod error;
mod exchange;
mod layout;
mod message;
mod outgoing;
mod password;
mod refused;
mod secrets;
mod tap;
mod tls;
mod version;

pub use action::{Action, ReadAction};
pub use client::{Client, Options, TimedAnswer};
pub use codec::{Block, Decoder, Limits};
pub use connect::Link;
pub use credentials::{Credentials, LoginMethod};
pub use error::{ActionError, Error};
pub use exchange::{Exchange, Finished, decode_recording};
pub use message::{Answer, Row, unescape};
pub use password::Password;
pub use refused::{NotReadable, WhyNot};
pub use secrets::{REDACTED, redact};
pub use tap::{Asked, Heard, Tap, Traffic};
pub use tls::{Fingerprint, Secured, Tls, TlsFailure, TlsSetupError, Trust};
pub use version::asterisk_version;
