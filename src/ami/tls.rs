//! AMI over TLS: implicit TLS on a port of its own (5039), as `tlsenable` in manager.conf offers it.
//!
//! Most PBX certificates are self-signed, so that the system's authorities do not know them. There
//! is no way to accept just anything: a server is trusted through an authority or through the
//! fingerprint of its certificate. An error tells the fingerprint that was presented, so that an
//! administrator can compare and pin it.

use std::{
    fmt,
    str::FromStr,
    sync::{Arc, OnceLock},
};

use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, OtherError, RootCertStore,
    SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
        verify_server_name,
    },
    crypto::{
        CryptoProvider, WebPkiSupportedAlgorithms, ring, verify_tls12_signature,
        verify_tls13_signature, verify_tls13_signature_with_raw_key,
    },
    server::ParsedCertificate,
};
use rustls_pki_types::{
    CertificateDer, ServerName, SubjectPublicKeyInfoDer, UnixTime, pem::PemObject,
};
use sha2::{Digest, Sha256};
use webpki::RawPublicKeyEntity;

/// SHA-256 over a certificate, by which a server can be pinned.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    fn of(certificate: &CertificateDer<'_>) -> Self {
        Self(Sha256::digest(certificate).into())
    }
}

impl fmt::Display for Fingerprint {
    /// As `openssl x509 -fingerprint -sha256` prints it: `AB:CD:...`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, byte) in self.0.iter().enumerate() {
            write!(f, "{}{byte:02X}", if at == 0 { "" } else { ":" })?;
        }
        Ok(())
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Fingerprint {
    type Err = String;

    /// Reads 64 hexadecimal digits, with or without colons, perhaps after `sha256:`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let expected = || "expected the 64 hexadecimal digits of a SHA-256 fingerprint".to_owned();
        let text = text.trim();
        let text = match text.get(..7) {
            Some(prefix) if prefix.eq_ignore_ascii_case("sha256:") => text.get(7..),
            _ => Some(text),
        };
        let digits: Vec<u8> = text
            .unwrap_or_default()
            .chars()
            .filter(|c| *c != ':')
            .map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
            .collect::<Option<_>>()
            .ok_or_else(expected)?;
        let bytes: Vec<u8> = digits
            .chunks_exact(2)
            .filter_map(|pair| match pair {
                [high, low] => Some(high << 4 | low),
                _ => None,
            })
            .collect();
        if digits.len() != 64 {
            return Err(expected());
        }
        bytes.try_into().map(Self).map_err(|_| expected())
    }
}

/// Whom to trust.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trust {
    /// The authorities that the system trusts.
    System,
    /// The certificates in this PEM text and no others: authorities, or servers themselves. Names
    /// and dates are checked either way.
    Authorities(Vec<u8>),
    /// The one certificate of this fingerprint, whoever issued it and whatever names and dates it
    /// carries.
    Pinned(Fingerprint),
}

/// Why TLS cannot be set up from what the caller gave.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsSetupError {
    /// There is no certificate of an authority to trust.
    #[error("no usable certificate of an authority: {0}")]
    NoAuthorities(String),
    /// The name is neither a DNS name nor an address.
    #[error("{0:?} is neither a host name nor an IP address that a certificate could be for")]
    ServerName(String),
}

/// Why a connection could not be secured.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TlsFailure {
    /// What answers is something else, such as AMI without TLS.
    #[error("it does not speak TLS")]
    NotTls,
    /// It accepted the connection and closed it again.
    #[error("it closed the connection in the TLS handshake")]
    Closed,
    /// The certificate's time is over.
    #[error("its certificate expired{}", on(.0.as_deref()))]
    Expired(Option<String>),
    /// The certificate's time has not come, or this machine's clock is wrong.
    #[error("its certificate is not valid before{}", on(.0.as_deref()))]
    NotYetValid(Option<String>),
    /// No authority that is trusted has issued it.
    #[error("its certificate is self-signed or of an unknown authority")]
    UnknownIssuer,
    /// The certificate is for other names; which ones.
    #[error("its certificate is for another name{}", among(.0))]
    OtherName(Vec<String>),
    /// Another certificate than the pinned one.
    #[error("its certificate is not the pinned one")]
    NotPinned,
    /// The handshake is not signed with the key of the certificate: somebody who has only the
    /// certificate; or a key too short to be accepted.
    #[error("it does not prove to hold its certificate's key (RSA needs 2,048 bits or more)")]
    BadKey,
    /// A form of certificate that has no names to check; it can only be pinned.
    #[error("its certificate is of X.509 version 1, which holds no host name")]
    OldVersion,
    /// Anything else, in the TLS library's own words.
    #[error("{0}")]
    Other(String),
}

fn on(date: Option<&str>) -> String {
    date.map(|date| format!(" {date}")).unwrap_or_default()
}

fn among(names: &[String]) -> String {
    const MOST: usize = 4;
    match names {
        [] => String::new(),
        names => {
            let first: Vec<_> = names.iter().take(MOST).map(String::as_str).collect();
            let more = if names.len() > MOST { ", ..." } else { "" };
            format!(" ({}{more})", first.join(", "))
        }
    }
}

/// How a connection is secured.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Secured {
    /// `TLS 1.3` or `TLS 1.2`.
    pub version: &'static str,
    /// Fingerprint of the server's certificate.
    pub fingerprint: Fingerprint,
    /// The certificate itself, as the server presented it (DER, RFC 5280).
    pub certificate: Vec<u8>,
}

/// How to speak TLS with a server: whom to trust, and which name to expect in its certificate.
#[derive(Clone)]
pub struct Tls {
    trust: Arc<dyn ServerCertVerifier>,
    server_name: Option<ServerName<'static>>,
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").field("server_name", &self.server_name).finish_non_exhaustive()
    }
}

impl Tls {
    /// TLS with that trust. `server_name` is the name to ask for (SNI) and to find in the
    /// certificate, where it differs from the host that is connected to.
    ///
    /// # Errors
    ///
    /// When there is no authority to trust, or the name is none.
    pub fn new(trust: &Trust, server_name: Option<&str>) -> Result<Self, TlsSetupError> {
        let provider = Arc::new(ring::default_provider());
        let verifier: Arc<dyn ServerCertVerifier> = match trust {
            Trust::Pinned(pin) => Arc::new(Pinned {
                pin: *pin,
                algorithms: provider.signature_verification_algorithms,
            }),
            Trust::System => authorities(system_roots()?, provider)?,
            Trust::Authorities(pem) => {
                let listed = certificates(pem)?;
                let inner = authorities(roots(&listed)?, provider)?;
                Arc::new(Listed { inner, listed })
            }
        };
        let server_name = server_name.map(name_of).transpose()?;
        Ok(Self { trust: verifier, server_name })
    }

    /// The name to expect of a host.
    pub(super) fn server_name(&self, host: &str) -> Result<ServerName<'static>, TlsSetupError> {
        self.server_name.clone().map_or_else(|| name_of(host), Ok)
    }

    /// A connector that remembers the fingerprint that it was shown.
    pub(super) fn connector(&self) -> (tokio_rustls::TlsConnector, Arc<Shown>) {
        let shown = Arc::new(Shown { trust: self.trust.clone(), certificate: OnceLock::new() });
        let provider = Arc::new(ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap_or_else(|_| unreachable!("ring implements TLS 1.2 and 1.3"));
        let config = builder
            .dangerous()
            .with_custom_certificate_verifier(shown.clone())
            .with_no_client_auth();
        (tokio_rustls::TlsConnector::from(Arc::new(config)), shown)
    }
}

/// A host as a certificate names it: without the zone of a link-local address.
fn name_of(host: &str) -> Result<ServerName<'static>, TlsSetupError> {
    let bare = host.split('%').next().unwrap_or(host);
    ServerName::try_from(bare.to_owned()).map_err(|_| TlsSetupError::ServerName(host.to_owned()))
}

fn authorities(
    roots: RootCertStore,
    provider: Arc<CryptoProvider>,
) -> Result<Arc<WebPkiServerVerifier>, TlsSetupError> {
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build();
    verifier.map_err(|error| TlsSetupError::NoAuthorities(error.to_string()))
}

fn system_roots() -> Result<RootCertStore, TlsSetupError> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    let (usable, _) = roots.add_parsable_certificates(found.certs);
    match (usable, found.errors.first()) {
        (0, Some(error)) => Err(TlsSetupError::NoAuthorities(error.to_string())),
        (0, None) => Err(TlsSetupError::NoAuthorities("the system has none".to_owned())),
        _ => Ok(roots),
    }
}

fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, TlsSetupError> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match found {
        Err(_) => Err(TlsSetupError::NoAuthorities("the PEM text is damaged".to_owned())),
        Ok(found) if found.is_empty() => {
            Err(TlsSetupError::NoAuthorities("no `BEGIN CERTIFICATE` in it".to_owned()))
        }
        Ok(found) => Ok(found),
    }
}

fn roots(listed: &[CertificateDer<'static>]) -> Result<RootCertStore, TlsSetupError> {
    let mut roots = RootCertStore::empty();
    for certificate in listed {
        let added = roots.add(certificate.clone());
        added.map_err(|error| TlsSetupError::NoAuthorities(error.to_string()))?;
    }
    Ok(roots)
}

/// Trusts authorities, and certificates of servers that stand in the list themselves.
///
/// `openssl req -x509` marks a self-signed certificate as an authority, and the standard verifier
/// does not accept an authority as a server, although here it is exactly the one that was named.
#[derive(Debug)]
struct Listed {
    inner: Arc<WebPkiServerVerifier>,
    listed: Vec<CertificateDer<'static>>,
}

impl ServerCertVerifier for Listed {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let verified = self.inner.verify_server_cert(
            end_entity,
            intermediates,
            server_name,
            ocsp_response,
            now,
        );
        match verified {
            // The dates have been checked before this is found, the name has not.
            Err(rustls::Error::InvalidCertificate(error))
                if is(&error, &webpki::Error::CaUsedAsEndEntity)
                    && self.listed.iter().any(|listed| listed == end_entity) =>
            {
                verify_server_name(&ParsedCertificate::try_from(end_entity)?, server_name)?;
                Ok(ServerCertVerified::assertion())
            }
            verified => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.inner.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.inner.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}

/// Whether an error is that one of the certificate library.
fn is(error: &CertificateError, what: &webpki::Error) -> bool {
    match error {
        CertificateError::Other(OtherError(inner)) => inner.downcast_ref() == Some(what),
        _ => false,
    }
}

/// Trusts one certificate. That its owner is at the other end is proved by the handshake's
/// signature, which is checked as for any other certificate.
#[derive(Debug)]
struct Pinned {
    pin: Fingerprint,
    algorithms: WebPkiSupportedAlgorithms,
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        match Fingerprint::of(end_entity) == self.pin {
            true => Ok(ServerCertVerified::assertion()),
            false => Err(CertificateError::ApplicationVerificationFailure.into()),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        if !is_version_1(cert) {
            return verify_tls12_signature(message, cert, dss, &self.algorithms);
        }
        let key = public_key(cert)?;
        let bad = || rustls::Error::from(CertificateError::BadSignature);
        let key = RawPublicKeyEntity::try_from(&key).map_err(|_| bad())?;
        let fits = |(scheme, _): &&(SignatureScheme, _)| *scheme == dss.scheme;
        let (_, algorithms) = self.algorithms.mapping.iter().find(fits).ok_or_else(bad)?;
        let verifies =
            |algorithm: &&_| key.verify_signature(**algorithm, message, dss.signature()).is_ok();
        algorithms.iter().find(verifies).ok_or_else(bad)?;
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        if !is_version_1(cert) {
            return verify_tls13_signature(message, cert, dss, &self.algorithms);
        }
        verify_tls13_signature_with_raw_key(message, &public_key(cert)?, dss, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

/// Whether a certificate is of the form that Asterisk's own `ast_tls_cert` made for many years. The
/// certificate library reads the public key of such a one only from an authority.
fn is_version_1(certificate: &CertificateDer<'_>) -> bool {
    let parsed = webpki::EndEntityCert::try_from(certificate);
    matches!(parsed, Err(webpki::Error::UnsupportedCertVersion))
}

/// The public key of a certificate of any version.
fn public_key(
    certificate: &CertificateDer<'_>,
) -> Result<SubjectPublicKeyInfoDer<'static>, rustls::Error> {
    let bad = |_| rustls::Error::from(CertificateError::BadEncoding);
    let anchor = webpki::anchor_from_trusted_cert(certificate).map_err(bad)?;
    let content: &[u8] = anchor.subject_public_key_info.as_ref();
    // The tag of a sequence and its length, which `anchor` leaves out.
    let length = content.len();
    let mut der = match length {
        0..=0x7f => vec![0x30],
        0x80..=0xff => vec![0x30, 0x81],
        _ => vec![0x30, 0x82],
    };
    let skip = if length > 0xff { 0 } else { 1 };
    let length = u16::try_from(length).map_err(|_| CertificateError::BadEncoding)?.to_be_bytes();
    der.extend(length.iter().skip(skip));
    der.extend_from_slice(content);
    Ok(SubjectPublicKeyInfoDer::from(der))
}

/// Remembers the certificate that a server presented, and lets another decide on it.
#[derive(Debug)]
pub(super) struct Shown {
    trust: Arc<dyn ServerCertVerifier>,
    certificate: OnceLock<CertificateDer<'static>>,
}

impl Shown {
    /// Fingerprint of the certificate that was presented, where the handshake came that far.
    pub(super) fn fingerprint(&self) -> Option<Fingerprint> {
        self.certificate.get().map(Fingerprint::of)
    }

    /// The certificate that was presented.
    pub(super) fn certificate(&self) -> Option<&[u8]> {
        self.certificate.get().map(AsRef::as_ref)
    }
}

impl ServerCertVerifier for Shown {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        self.certificate.get_or_init(|| end_entity.clone().into_owned());
        let verified = self.trust.verify_server_cert(
            end_entity,
            intermediates,
            server_name,
            ocsp_response,
            now,
        );
        match verified {
            // Issued under the name of an authority that is trusted, with another key: what a
            // self-signed certificate looks like after it was renewed.
            Err(rustls::Error::InvalidCertificate(CertificateError::BadSignature)) => {
                Err(CertificateError::UnknownIssuer.into())
            }
            verified => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.trust.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.trust.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.trust.supported_verify_schemes()
    }
}

/// What a failed handshake means.
pub(super) fn failure(error: &std::io::Error) -> TlsFailure {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    let Some(rustls::Error::InvalidCertificate(certificate)) = inner else {
        use std::io::ErrorKind as K;
        return match (inner, error.kind()) {
            (Some(rustls::Error::InvalidMessage(_)), _) => TlsFailure::NotTls,
            (Some(other), _) => TlsFailure::Other(other.to_string()),
            (None, K::UnexpectedEof | K::ConnectionReset | K::BrokenPipe) => TlsFailure::Closed,
            (None, _) => TlsFailure::Other(error.to_string()),
        };
    };
    let date = |time: &UnixTime| {
        let seconds = i64::try_from(time.as_secs()).ok()?;
        Some(chrono::DateTime::from_timestamp(seconds, 0)?.format("%Y-%m-%d").to_string())
    };
    match certificate {
        CertificateError::Expired => TlsFailure::Expired(None),
        CertificateError::ExpiredContext { not_after, .. } => TlsFailure::Expired(date(not_after)),
        CertificateError::NotValidYet => TlsFailure::NotYetValid(None),
        CertificateError::NotValidYetContext { not_before, .. } => {
            TlsFailure::NotYetValid(date(not_before))
        }
        // A self-signed certificate that calls itself an authority, and that nobody named.
        error if is(error, &webpki::Error::CaUsedAsEndEntity) => TlsFailure::UnknownIssuer,
        error if is(error, &webpki::Error::UnsupportedCertVersion) => TlsFailure::OldVersion,
        CertificateError::UnknownIssuer => TlsFailure::UnknownIssuer,
        CertificateError::NotValidForName => TlsFailure::OtherName(Vec::new()),
        CertificateError::NotValidForNameContext { presented, .. } => {
            TlsFailure::OtherName(presented.iter().map(|name| plain(name)).collect())
        }
        CertificateError::ApplicationVerificationFailure => TlsFailure::NotPinned,
        CertificateError::BadSignature => TlsFailure::BadKey,
        other => TlsFailure::Other(format!("its certificate is not accepted: {other}")),
    }
}

/// The name in `DnsName("pbx.example.test")` and `IpAddress(127.0.0.1)`.
fn plain(presented: &str) -> String {
    let inside = presented.split_once('(').map_or(presented, |(_, inside)| inside);
    inside.trim_end_matches(')').trim_matches('"').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_reads_what_it_prints_and_what_openssl_prints() {
        let pin = Fingerprint::of(&CertificateDer::from(vec![1, 2, 3]));
        assert_eq!(pin.to_string().parse(), Ok(pin));
        let plain = format!("sha256:{}", pin.to_string().replace(':', "").to_lowercase());
        assert_eq!(plain.parse(), Ok(pin));
        for wrong in ["", "sha256:", "AB", "zz", &format!("{pin}:00"), "ü"] {
            assert!(wrong.parse::<Fingerprint>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_text_without_certificates_is_no_authority() {
        let trust = Trust::Authorities(b"nothing".to_vec());
        assert!(matches!(Tls::new(&trust, None), Err(TlsSetupError::NoAuthorities(_))));
    }
}
