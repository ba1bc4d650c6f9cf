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
//! All actions are written at once and the answers read back in order, so that a run costs one
//! round trip and not one per action:
//!
//! ```no_run
//! # async fn example() -> Result<(), freepbx_snapshot::ami::Error> {
//! use freepbx_snapshot::ami::{Action, Client, Credentials, Options, Password, ReadAction};
//!
//! let mut client = Client::connect("127.0.0.1", 5038, Options::default()).await?;
//! let login = Credentials::new("snapshot", Password::new("secret".to_owned()));
//! client.login(&login, [Action::new(ReadAction::SipPeers)]).await?;
//! while let Some(finished) = client.next_finished().await? {
//!     for row in finished.result.iter().flat_map(|answer| answer.rows()) {
//!         println!("{:?} {:?}", row.get("ObjectName"), row.get("Status"));
//!     }
//! }
//! client.logoff().await;
//! # Ok(())
//! # }
//! ```

mod action;
mod client;
mod codec;
mod error;
mod exchange;
mod message;
mod password;
mod refused;
mod secrets;
mod tap;
mod tls;
mod version;

pub use action::{Action, ReadAction};
pub use client::{Client, Credentials, Link, LoginMethod, Options, TimedAnswer};
pub use codec::{Block, Decoder, Limits};
pub use error::{ActionError, Error};
pub use exchange::{Exchange, Finished, decode_recording};
pub use message::{Answer, Row, unescape};
pub use password::Password;
pub use refused::{NotReadable, WhyNot};
pub use secrets::{REDACTED, redact};
pub use tap::{Asked, Heard, Tap, Traffic};
pub use tls::{Fingerprint, Secured, Tls, TlsFailure, TlsSetupError, Trust};
pub use version::asterisk_version;
