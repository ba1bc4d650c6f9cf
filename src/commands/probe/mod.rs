//! `probe`: is there an Asterisk Manager Interface, and which? Without a login.

use std::{
    io::Write,
    path::Path,
    time::{Duration, Instant},
};

use chrono::{DateTime, Utc};
use clap::Args;
use serde_json::{Value, json};

use super::{collect::print, load, show::Screen};
use crate::{
    ami::{self, Client, Link, Options, Tls, TlsFailure, Trust, asterisk_version},
    config,
    error::{Error, ExitCode},
    terminal::{
        clean,
        page::{Ink, Page},
    },
    views::show::ColorWhen,
};

mod certificate;
mod place;

use certificate::Certificate;
pub use place::Place;

/// Options of `probe`.
#[derive(Debug, Clone, Args)]
#[command(after_help = AFTER_HELP)]
pub struct ProbeArgs {
    /// Whom to connect to; otherwise whom the configuration names, or 127.0.0.1
    #[arg(value_name = "HOST[:PORT]")]
    pub place: Option<Place>,
    /// Speak TLS; without this option at port 5039, and where the configuration says so
    #[arg(long)]
    pub tls: bool,
    /// Print what was found as JSON
    #[arg(long)]
    pub json: bool,
}

const AFTER_HELP: &str = "\
Reads the banner and says nothing itself, so that it needs no account. The Asterisk version is
guessed from that of AMI. A certificate that is not trusted is shown all the same, with the reason.

Examples:
  freepbx-snapshot probe
  freepbx-snapshot probe pbx.example.com
  freepbx-snapshot probe [::1]:5038 --json
  freepbx-snapshot probe pbx.example.com:5039

Exit codes:
   0  an Asterisk Manager Interface answers
  69  no connection, or none that TLS can secure
  76  something else answers
 124  nothing is said in time, as by a web server, or by AMI over TLS without --tls";

const PLAIN: u16 = 5038;
const OVER_TLS: u16 = 5039;

/// Connects, reads the banner, and tells what there is.
///
/// # Errors
///
/// Those of [`Client::connect`]; a wrong configuration where no host is given; when the result
/// cannot be written.
pub async fn run(
    arguments: &ProbeArgs,
    config: Option<&Path>,
    now: DateTime<Utc>,
    out: &mut dyn Write,
) -> Result<ExitCode, Error> {
    let target = Target::of(arguments, config)?;
    let found = target.probe().await?;
    let text = match arguments.json {
        true => {
            let text = serde_json::to_string_pretty(&found.json(&target));
            text.map_err(|error| Error::Internal(error.to_string()))? + "\n"
        }
        false => found.text(now, Screen::now().page(ColorWhen::Auto)),
    };
    print(text.as_bytes(), out)?;
    Ok(ExitCode::Complete)
}

/// Whom to connect to, and how.
struct Target {
    host: String,
    port: u16,
    options: Options,
}

impl Target {
    fn of(arguments: &ProbeArgs, config: Option<&Path>) -> Result<Self, Error> {
        let mut target = match &arguments.place {
            Some(Place { host, port }) => {
                let port = port.unwrap_or(if arguments.tls { OVER_TLS } else { PLAIN });
                Self { host: host.clone(), port, options: Options::default() }
            }
            None => Self::configured(config, arguments.tls)?,
        };
        let wants_tls = arguments.tls || target.port == OVER_TLS;
        if wants_tls && target.options.tls.is_none() {
            target.options.tls = Some(Self::tls_of_the_system(&target.host)?);
        }
        Ok(target)
    }

    fn configured(config: Option<&Path>, tls: bool) -> Result<Self, Error> {
        use config::Error as E;
        match load(config) {
            Ok(config) => {
                let adds_tls = tls && config.ami.tls.is_none() && config.port == PLAIN;
                let port = if adds_tls { OVER_TLS } else { config.port };
                Ok(Self { host: config.host, port, options: config.ami })
            }
            // Nobody named one: this machine is what is left.
            Err(Error::Config(E::NotFound { .. } | E::Read { from: None, .. })) => Ok(Self {
                host: "127.0.0.1".to_owned(),
                port: if tls { OVER_TLS } else { PLAIN },
                options: Options::default(),
            }),
            Err(error) => Err(error),
        }
    }

    /// TLS with the system's authorities; where it has none, with one that nothing can match, so
    /// that the certificate is shown and not trusted.
    fn tls_of_the_system(host: &str) -> Result<Tls, Error> {
        let nothing = || "0".repeat(64).parse().map(Trust::Pinned).map_err(Error::Internal);
        // The name is tried now, because the connection would blame the configuration.
        let tls = Tls::new(&Trust::System, Some(host)).or_else(|error| match error {
            ami::TlsSetupError::NoAuthorities(_) => {
                Tls::new(&nothing()?, Some(host)).map_err(|error| Error::Usage(error.to_string()))
            }
            error => Err(Error::Usage(error.to_string())),
        })?;
        Ok(tls)
    }

    /// Looks; where the certificate is not trusted a second time, for that one certificate. Nothing
    /// is said to the server, so that nothing can fall into wrong hands.
    async fn probe(&self) -> Result<Found, Error> {
        let failure = match self.connect(self.options.clone()).await {
            Ok(found) => return Ok(found),
            Err(failure) => failure,
        };
        let ami::Error::Tls { reason, fingerprint: Some(fingerprint), .. } = &failure else {
            return Err(failure.into());
        };
        let tls = Tls::new(&Trust::Pinned(*fingerprint), None).map_err(ami::Error::from)?;
        let options = Options { tls: Some(tls), ..self.options.clone() };
        match self.connect(options).await {
            Ok(found) => Ok(Found { distrust: Some(reason.clone()), ..found }),
            // No certificate can help.
            Err(ami::Error::Tls { .. }) => Err(failure.into()),
            Err(other) => Err(other.into()),
        }
    }

    async fn connect(&self, options: Options) -> Result<Found, ami::Error> {
        let begun = Instant::now();
        let client = Client::connect(&self.host, self.port, options).await?;
        let took = begun.elapsed();
        let link = client.link().clone();
        let found = Found {
            banner: client.banner().to_owned(),
            ami_version: client.ami_version().map(str::to_owned),
            banner_after: took.saturating_sub(link.connected_after),
            certificate: link.secured.as_ref().map(|tls| Certificate::read(&tls.certificate)),
            link,
            distrust: None,
        };
        client.close().await;
        Ok(found)
    }
}

/// What a server is.
struct Found {
    link: Link,
    banner: String,
    ami_version: Option<String>,
    banner_after: Duration,
    certificate: Option<Option<Certificate>>,
    /// Why the certificate is not trusted.
    distrust: Option<TlsFailure>,
}

impl Found {
    fn asterisk(&self) -> Option<&'static str> {
        asterisk_version(self.ami_version.as_deref()?)
    }

    fn text(&self, now: DateTime<Utc>, page: Page) -> String {
        let ami = self.ami_version.as_deref().unwrap_or("of no version");
        let asterisk = match self.asterisk() {
            Some(version) => format!("probably Asterisk {version}"),
            None => "of an Asterisk that this program does not know".to_owned(),
        };
        let address = self.link.address;
        let mut text = page.title(&format!(
            "{address} is an Asterisk Manager Interface: AMI {}, {asterisk}",
            clean(ami)
        ));
        let mut line = |label: &str, value: &str, ink: Ink| {
            text += &page.paragraph(&format!("  {label:<14}"), value, ink);
        };
        line("banner", &self.banner, Ink::Plain);
        let with_tls = if self.link.secured.is_some() { ", with TLS" } else { "" };
        let connected = format!("after {}{with_tls}", millis(self.link.connected_after));
        line("connected", &connected, Ink::Plain);
        line("banner came", &format!("{} later", millis(self.banner_after)), Ink::Plain);
        let Some(tls) = &self.link.secured else {
            line("TLS", "none: names and calls cross the network in plain text", Ink::Plain);
            return text;
        };
        line("TLS", tls.version, Ink::Plain);
        match &self.distrust {
            None => line("certificate", "trusted", Ink::Good),
            Some(reason) => line("certificate", &format!("not trusted: {reason}"), Ink::Bad),
        }
        match self.certificate.as_ref().and_then(Option::as_ref) {
            None => line("", "its content cannot be read", Ink::Faint),
            Some(it) => {
                line("  subject", &it.subject, Ink::Plain);
                line("  issuer", &it.issuer, Ink::Plain);
                line("  valid from", &it.not_before, Ink::Plain);
                let (until, ink) = match it.is_over(now) {
                    true => (format!("{}, which is over", it.not_after), Ink::Bad),
                    false => (it.not_after.clone(), Ink::Plain),
                };
                line("  valid until", &until, ink);
            }
        }
        line("fingerprint", &tls.fingerprint.to_string(), Ink::Plain);
        text
    }

    fn json(&self, target: &Target) -> Value {
        let tls = self.link.secured.as_ref().map(|tls| {
            let certificate = self.certificate.as_ref().and_then(Option::as_ref);
            json!({
                "version": tls.version,
                "fingerprint": tls.fingerprint.to_string(),
                "is_trusted": self.distrust.is_none(),
                "problem": self.distrust.as_ref().map(ToString::to_string),
                "subject": certificate.map(|it| &it.subject),
                "issuer": certificate.map(|it| &it.issuer),
                "not_before": certificate.map(|it| &it.not_before),
                "not_after": certificate.map(|it| &it.not_after),
            })
        });
        json!({
            "host": target.host,
            "port": target.port,
            "address": self.link.address.to_string(),
            "banner": self.banner,
            "ami_version": self.ami_version,
            "asterisk_version": self.asterisk(),
            "connected_ms": in_millis(self.link.connected_after),
            "banner_ms": in_millis(self.banner_after),
            "tls": tls,
        })
    }
}

fn millis(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1e3)
}

/// Milliseconds with three digits after the point.
fn in_millis(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e6).round() / 1e3
}
