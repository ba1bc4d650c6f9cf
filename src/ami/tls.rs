//! AMI over TLS: implicit TLS on a port of its own (5039), as `tlsenable` in manager.conf offers it.
//!
//! Most PBX certificates are self-signed, so that the system's authorities do not know them. There
//! is no way to accept just anything: a server is trusted through an authority or through the
//! fingerprint of its certificate. An error tells the fingerprint that was presented, so that an
//! administrator can compare and pin it.

use std::{fmt, str::FromStr, sync::Arc};

use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::{CryptoProvider, ring},
};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject};
use sha2::{Digest, Sha256};

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
    /// The authorities in this PEM text and no others.
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
    #[error("{0:?} is neither a host name nor an IP address")]
    ServerName(String),
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
            Trust::Pinned(pin) => Arc::new(Pinned { pin: *pin, provider }),
            Trust::System => authorities(system_roots()?, provider)?,
            Trust::Authorities(pem) => authorities(pem_roots(pem)?, provider)?,
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
        let shown = Arc::new(Shown { trust: self.trust.clone(), fingerprint: Default::default() });
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

fn name_of(host: &str) -> Result<ServerName<'static>, TlsSetupError> {
    ServerName::try_from(host.to_owned()).map_err(|_| TlsSetupError::ServerName(host.to_owned()))
}

fn authorities(
    roots: RootCertStore,
    provider: Arc<CryptoProvider>,
) -> Result<Arc<dyn ServerCertVerifier>, TlsSetupError> {
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build();
    Ok(verifier.map_err(|error| TlsSetupError::NoAuthorities(error.to_string()))?)
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

fn pem_roots(pem: &[u8]) -> Result<RootCertStore, TlsSetupError> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate =
            certificate.map_err(|error| TlsSetupError::NoAuthorities(format!("{error:?}")))?;
        roots.add(certificate).map_err(|error| TlsSetupError::NoAuthorities(error.to_string()))?;
    }
    match roots.is_empty() {
        true => Err(TlsSetupError::NoAuthorities("the PEM file holds none".to_owned())),
        false => Ok(roots),
    }
}

/// Trusts one certificate. That its owner is at the other end is proved by the handshake's
/// signature, which is checked as for any other certificate.
#[derive(Debug)]
struct Pinned {
    pin: Fingerprint,
    provider: Arc<CryptoProvider>,
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
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, cert, dss, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, cert, dss, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// Remembers the certificate that a server presented, and lets another decide on it.
#[derive(Debug)]
pub(super) struct Shown {
    trust: Arc<dyn ServerCertVerifier>,
    fingerprint: std::sync::OnceLock<Fingerprint>,
}

impl Shown {
    /// Fingerprint of the certificate that was presented, where the handshake came that far.
    pub(super) fn fingerprint(&self) -> Option<Fingerprint> {
        self.fingerprint.get().copied()
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
        self.fingerprint.get_or_init(|| Fingerprint::of(end_entity));
        self.trust.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
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

/// What a failed handshake means, in plain words.
pub(super) fn reason(error: &std::io::Error) -> String {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    let Some(rustls::Error::InvalidCertificate(certificate)) = inner else {
        return match inner {
            Some(rustls::Error::InvalidMessage(_)) => "it does not speak TLS".to_owned(),
            Some(other) => other.to_string(),
            None => error.to_string(),
        };
    };
    let date = |time: &UnixTime| {
        let seconds = i64::try_from(time.as_secs()).ok()?;
        Some(chrono::DateTime::from_timestamp(seconds, 0)?.format("%Y-%m-%d").to_string())
    };
    match certificate {
        CertificateError::Expired => "its certificate has expired".to_owned(),
        CertificateError::ExpiredContext { not_after, .. } => match date(not_after) {
            Some(date) => format!("its certificate expired on {date}"),
            None => "its certificate has expired".to_owned(),
        },
        CertificateError::NotValidYetContext { not_before, .. } => match date(not_before) {
            Some(date) => format!("its certificate is valid only from {date} on"),
            None => "its certificate is not valid yet".to_owned(),
        },
        CertificateError::UnknownIssuer => {
            "its certificate is self-signed or of an unknown authority".to_owned()
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "its certificate is for another host name".to_owned()
        }
        CertificateError::ApplicationVerificationFailure => {
            "its certificate is not the pinned one".to_owned()
        }
        other => format!("its certificate is not accepted ({other})"),
    }
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
