//! From a host name to a stream: every address tried, secured where that is wanted.

use std::{
    io,
    net::SocketAddr,
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    task::JoinSet,
    time::{sleep, timeout_at},
};

use super::{Error, Options, Secured, Tls, TlsFailure, tls};

/// What a connection is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Link {
    /// The address that answered.
    pub address: SocketAddr,
    /// Time until it did, with the look-up of the name and TLS.
    pub connected_after: Duration,
    /// TLS; `None` for plain TCP.
    pub secured: Option<Secured>,
}

impl std::fmt::Display for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let tls = if self.secured.is_some() { " (TLS)" } else { "" };
        write!(f, "{}{tls}", self.address)
    }
}

impl Link {
    /// Whether the PBX is this machine, so that nothing crosses a network.
    #[must_use]
    pub fn is_local(&self) -> bool {
        self.address.ip().to_canonical().is_loopback()
    }
}

/// What a session runs over.
pub(super) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// Connects. All addresses of a host name are tried, and the first that answers wins.
///
/// # Errors
///
/// Those of [`Client::connect`](super::Client::connect) but for the banner.
pub(super) async fn open(
    host: &str,
    port: u16,
    options: &Options,
) -> Result<(Box<dyn Stream>, Link), Error> {
    let begun = Instant::now();
    let deadline = tokio::time::Instant::from_std(begun) + options.connect_timeout;
    let late = |address: &dyn std::fmt::Display| Error::ConnectTimeout {
        address: address.to_string(),
        after: options.connect_timeout,
    };
    let addresses = timeout_at(deadline, tokio::net::lookup_host((host, port)))
        .await
        .map_err(|_| Error::ResolveTimeout {
            host: host.to_owned(),
            after: options.connect_timeout,
        })?
        .map(Iterator::collect::<Vec<_>>)
        .and_then(|found| match found.is_empty() {
            true => Err(io::Error::other("no address")),
            false => Ok(found),
        })
        .map_err(|source| Error::Resolve { host: host.to_owned(), source })?;
    let (stream, address) = timeout_at(deadline, first_to_connect(&addresses))
        .await
        .map_err(|_| late(&format_args!("{host}:{port}")))??;
    // Small requests must not wait for the acknowledgement of earlier ones.
    stream.set_nodelay(true).map_err(|source| Error::Connect { address, source })?;
    let (stream, secured): (Box<dyn Stream>, _) = match &options.tls {
        None => (Box::new(stream), None),
        Some(tls) => {
            let after = options.connect_timeout;
            let (stream, secured) = timeout_at(deadline, handshake(stream, host, address, tls))
                .await
                .map_err(|_| Error::TlsTimeout { address, after })??;
            (stream, Some(secured))
        }
    };
    Ok((stream, Link { address, connected_after: begun.elapsed(), secured }))
}
/// Secures a connection.
async fn handshake(
    stream: TcpStream,
    host: &str,
    address: SocketAddr,
    tls: &Tls,
) -> Result<(Box<dyn Stream>, Secured), Error> {
    let name = tls.server_name(host)?;
    let (connector, shown) = tls.connector();
    let failed = |reason| Error::Tls { address, reason, fingerprint: shown.fingerprint() };
    let stream =
        connector.connect(name, stream).await.map_err(|error| failed(tls::failure(&error)))?;
    let version = match stream.get_ref().1.protocol_version() {
        Some(rustls::ProtocolVersion::TLSv1_3) => "TLS 1.3",
        _ => "TLS 1.2",
    };
    let none = || failed(TlsFailure::Other("it presented no certificate".to_owned()));
    let fingerprint = shown.fingerprint().ok_or_else(none)?;
    let certificate = shown.certificate().ok_or_else(none)?.to_vec();
    Ok((Box::new(stream), Secured { version, fingerprint, certificate }))
}

/// Connects to the first address that answers, beginning a further attempt every quarter of a
/// second, so that a dead address costs no more than that.
async fn first_to_connect(addresses: &[SocketAddr]) -> Result<(TcpStream, SocketAddr), Error> {
    const STAGGER: Duration = Duration::from_millis(250);
    let mut attempts = JoinSet::new();
    let mut left = addresses.iter().copied();
    let mut last = None;
    loop {
        if let Some(address) = left.next() {
            attempts.spawn(async move { (TcpStream::connect(address).await, address) });
        }
        let more = left.len() > 0;
        tokio::select! {
            ended = attempts.join_next() => match ended {
                Some(Ok((Ok(stream), address))) => return Ok((stream, address)),
                Some(Ok((Err(source), address))) => last = Some(Error::Connect { address, source }),
                Some(Err(_)) | None => {}
            },
            () = sleep(STAGGER), if more => {}
        }
        if attempts.is_empty() && !more {
            return Err(last.unwrap_or(Error::Resolve {
                host: String::new(),
                source: io::Error::other("no address"),
            }));
        }
    }
}
