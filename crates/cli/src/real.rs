//! What every host of ours needs that deals with the real world: its time, its keys, its authorities.

use std::fs;
use std::net::IpAddr;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use framewise::KnownAddress;
use framewise::http::Url;
use framewise::tls::{CertificateChain, Crypto, MaterialError, Roots, TimeSource};

use crate::args;
use crate::exit::{Failure, Kind};

/// TLS with real keys and the real time.
pub(crate) fn tls_config() -> framewise::tls::Config {
    framewise::tls::Config::new(TimeSource::starting_at(unix_seconds()), Crypto::Real)
}

/// The time since 1970.
pub(crate) fn unix_time() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// Seconds since 1970.
pub(crate) fn unix_seconds() -> u64 {
    unix_time().as_secs()
}

/// Whom a fetch believes.
pub(crate) fn roots(args: &args::Fetch) -> Result<Vec<Roots>, Failure> {
    if let Some(file) = &args.tls.cacert {
        let pem = fs::read(file).map_err(|error| {
            Failure::new(Kind::File, format!("{} can't be read: {error}", file.display()))
        })?;
        CertificateChain::from_pem(&pem).map_err(|error| no_certificate(file, &pem, &error))?;
        return Ok(vec![Roots::Pem(pem)]);
    }
    // A redirect may lead to https.
    let may_be_https = args.http.location || Url::parse(&args.url).is_ok_and(|url| url.is_https());
    Ok(if may_be_https && !args.tls.insecure { vec![Roots::System] } else { Vec::new() })
}

/// Why there is nobody in this file whom to believe.
fn no_certificate(file: &Path, content: &[u8], error: &MaterialError) -> Failure {
    let file = file.display();
    let failure = Failure::new(Kind::File, format!("{file}: {error}"));
    // DER begins with a SEQUENCE (RFC 5280, section 4.1), PEM with text.
    match content.first() {
        Some(0x30) => {
            failure.next(format!("openssl x509 -in {file} -out authority.pem     (writes it as PEM)"))
        }
        _ => failure.next("--cacert FILE with the authority's certificate: BEGIN CERTIFICATE stands in it"),
    }
}

/// `HOST:PORT:ADDRESS`, as curl writes it.
pub(crate) fn known_address(entry: &str) -> Result<KnownAddress, Failure> {
    let wrong = || {
        Failure::new(Kind::Usage, format!("{entry:?} does not say which name, port and address"))
            .next("--resolve shop.test:443:192.0.2.80")
    };
    let mut parts = entry.splitn(3, ':');
    let (Some(host), Some(port), Some(addresses)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(wrong());
    };
    let address = |text: &str| text.trim_matches(['[', ']']).parse::<IpAddr>().map_err(|_| wrong());
    Ok(KnownAddress {
        host: host.to_ascii_lowercase(),
        port: if port == "*" { None } else { Some(port.parse().map_err(|_| wrong())?) },
        addresses: addresses.split(',').map(address).collect::<Result<_, _>>()?,
    })
}
