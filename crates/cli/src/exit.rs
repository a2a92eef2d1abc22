//! How the command ends: one number for each kind of failure, one sentence, and what to do next.

use framewise_trace::words::printable;
use std::fmt;
use std::net::IpAddr;
use std::process::ExitCode;

use framewise::core::seams::exchange::ExchangeError;
use framewise::core::seams::resolve::ResolveError;
use framewise::core::seams::stream::{CloseReason, TlsErrorKind};
use framewise::http::{Url, UrlError};
use framewise::{FetchError, FieldError, RedirectError, ServeError};

/// What `--help` says about exit codes.
pub(crate) const HELP: &str = "\
Exit codes:
  0  done
  1  a file or a stream could not be read or written
  2  the command was not understood
  3  the name has no address
  4  no connection
  5  TLS refused
  6  not HTTP, cut short, or redirected in a circle
  7  too slow
  8  a device or a right is missing, or the doctor found something
  9  in a replay the host did something else than was expected";

/// Why the command ends without having done what was asked.
#[derive(Debug)]
pub(crate) struct Failure {
    kind: Kind,
    sentence: String,
    next: Option<String>,
}

/// The kinds of failure, by exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    File = 1,
    Usage = 2,
    Name = 3,
    Connection = 4,
    Tls = 5,
    Http = 6,
    Time = 7,
    Device = 8,
    Replay = 9,
}

impl Failure {
    /// A failure of this kind, told in one sentence.
    pub(crate) fn new(kind: Kind, sentence: impl fmt::Display) -> Self {
        Failure { kind, sentence: sentence.to_string(), next: None }
    }

    /// The same, with what to do next: a command, or a short phrase.
    pub(crate) fn next(mut self, next: impl Into<String>) -> Self {
        self.next = Some(next.into());
        self
    }

    /// What went wrong, in one sentence.
    #[cfg(target_os = "linux")]
    pub(crate) fn sentence(&self) -> String {
        self.sentence.clone()
    }

    /// The same, with what the operating system said of it.
    pub(crate) fn in_the_systems_words(mut self, words: &str) -> Self {
        self.sentence = format!("{} (the operating system says of {words})", self.sentence);
        self
    }

    /// The same, where nobody could be on this TAP: it was made for this run.
    pub(crate) fn on_a_new_tap(mut self, name: &str) -> Self {
        if matches!(self.kind, Kind::Name | Kind::Connection | Kind::Time) {
            self.sentence = format!(
                "{}; {name} was not there, so it was made just now, and nobody is at its other end",
                self.sentence
            );
            self.next = Some(format!(
                "framewise tap up {name} --address 192.0.2.1/24     (gives this computer an address there)"
            ));
        }
        self
    }

    /// Says it, and gives the exit code. Names, URLs and what a server said are in it: they are shown, not obeyed.
    pub(crate) fn report(self) -> ExitCode {
        anstream::eprintln!("framewise: {}", printable(&self.sentence));
        if let Some(next) = self.next {
            anstream::eprintln!("  try: {}", printable(&next));
        }
        ExitCode::from(self.kind as u8)
    }

    /// Why a fetch of `url` failed.
    pub(crate) fn of_fetch(error: &FetchError, url: &str) -> Self {
        Failure::new(kind_of_fetch(error), with_causes(error)).next(next_after(error, url))
    }

    /// Why something of the file system could not be used.
    pub(crate) fn of_file(error: &dyn std::error::Error) -> Self {
        Failure::new(Kind::File, with_causes(error))
    }

    /// Why a device can't be had.
    #[cfg(target_os = "linux")]
    pub(crate) fn of_device(error: &(dyn std::error::Error + 'static)) -> Self {
        let kind = if is_mistyped(error) { Kind::Usage } else { Kind::Device };
        Failure::new(kind, with_causes(error))
    }

    /// Why serving failed.
    pub(crate) fn of_serve(error: &ServeError) -> Self {
        match error {
            ServeError::Listen(_) => Failure::new(Kind::Connection, error),
            ServeError::Io(_) => Failure::new(Kind::Device, error),
        }
    }
}

/// Whether a device can't be had because no device can have that name.
#[cfg(target_os = "linux")]
fn is_mistyped(error: &(dyn std::error::Error + 'static)) -> bool {
    matches!(error.downcast_ref(), Some(framewise::device::TapError::BadName { .. }))
}

fn kind_of_fetch(error: &FetchError) -> Kind {
    match error {
        FetchError::Url(_) | FetchError::Field(_) => Kind::Usage,
        FetchError::Name(_) => Kind::Name,
        FetchError::Connect { reason, .. } => kind_of_close(reason),
        FetchError::Exchange(ExchangeError::Connection(reason)) => kind_of_close(reason),
        FetchError::Exchange(ExchangeError::TimedOut(_)) => Kind::Time,
        FetchError::ConnectTimedOut { .. } | FetchError::TimedOut { .. } | FetchError::Stuck => Kind::Time,
        FetchError::Exchange(_) | FetchError::TooLarge { .. } | FetchError::Cancelled => Kind::Http,
        FetchError::Redirect(_) | FetchError::Coding(_) => Kind::Http,
        FetchError::Sink(_) | FetchError::Source(_) => Kind::File,
        FetchError::Device(_) => Kind::Device,
    }
}

fn kind_of_close(reason: &CloseReason) -> Kind {
    match reason {
        CloseReason::Tls(_) => Kind::Tls,
        CloseReason::TimedOut => Kind::Time,
        _ => Kind::Connection,
    }
}

/// The sentence of an error, and those of its causes that it does not repeat.
pub(crate) fn with_causes(error: &dyn std::error::Error) -> String {
    let mut sentence = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = error.to_string();
        if !sentence.contains(&text) {
            sentence = format!("{sentence}: {text}");
        }
        cause = error.source();
    }
    sentence
}

/// The same host by http; a URL of a file, or of mail, has none.
fn after_scheme(scheme: &str, url: &str) -> String {
    if !url.contains("://") {
        return format!("framewise url '{url}'     (what it is made of)");
    }
    if url.starts_with(&format!("{scheme}:///")) {
        return "framewise serve DIRECTORY --forward 127.0.0.1:8080     (pages from a folder of files)"
            .to_owned();
    }
    format!(
        "framewise fetch {}     (if the same page is there)",
        url.replacen(&format!("{scheme}:"), "http:", 1)
    )
}

/// What the user can do about it.
fn next_after(error: &FetchError, url: &str) -> String {
    let advice = match error {
        FetchError::Url(UrlError::Scheme { scheme }) => Some(after_scheme(scheme, url)),
        FetchError::Url(_) => {
            Some("framewise url 'https://shop.test/items/1?x=2'     (what a URL is made of)".to_owned())
        }
        FetchError::Connect { reason, .. } => after_close(reason, url),
        FetchError::Exchange(ExchangeError::Connection(reason)) => after_close(reason, url),
        FetchError::Exchange(ExchangeError::SpeaksTls) => {
            Some(format!("framewise fetch {}", url.replacen("http://", "https://", 1)))
        }
        FetchError::Exchange(error) => after_exchange(error, url),
        FetchError::Field(FieldError::Framing(_) | FieldError::Twice(_)) => {
            Some("the same without it".to_owned())
        }
        FetchError::Field(_) => Some("-u 'USER:PASSWORD'".to_owned()),
        FetchError::Redirect(RedirectError::TooMany { limit, .. }) => {
            Some(format!("the same with --max-redirs {}", limit.saturating_mul(2).max(20)))
        }
        FetchError::Redirect(_) => Some(format!("framewise fetch -i {url}     (the redirect itself)")),
        FetchError::Sink(_) => Some("the same with -o FILE, where there is room".to_owned()),
        FetchError::Source(_) => Some("the same with -T and a file that can be read to its end".to_owned()),
        FetchError::Coding(_) => Some("the same without --compressed: the page as it is sent".to_owned()),
        FetchError::Name(ResolveError::NoServer { name }) => {
            Some(format!("--dns ADDRESS of a name server, or --resolve {name}:*:ADDRESS"))
        }
        FetchError::ConnectTimedOut { .. } => Some("the same with a longer --connect-timeout".to_owned()),
        FetchError::TimedOut { .. } => Some("the same with a longer --max-time".to_owned()),
        _ => None,
    };
    advice.unwrap_or_else(|| {
        "framewise fetch https://shop.test/     (the page that is always there)".to_owned()
    })
}

/// What the user can do about an answer that is none, or not whole.
fn after_exchange(error: &ExchangeError, url: &str) -> Option<String> {
    match error {
        ExchangeError::NotHttp { .. } => {
            Some(format!("framewise url '{url}'     (shows which port that is)"))
        }
        ExchangeError::Malformed { .. }
        | ExchangeError::TooLong { .. }
        | ExchangeError::Truncated { .. }
        | ExchangeError::HeadCutShort { .. }
        | ExchangeError::OnlyInformational { .. }
        | ExchangeError::NoAnswer => {
            Some("the same with -w FILE, then framewise explain FILE     (every byte that came)".to_owned())
        }
        _ => None,
    }
}

/// What the user can do about a connection that ended so.
fn after_close(reason: &CloseReason, url: &str) -> Option<String> {
    match reason {
        CloseReason::Refused => Some(format!("framewise url {url}     (shows which port that is)")),
        CloseReason::NoRoute => {
            Some("the same with --gateway IP, the router on your device's network".to_owned())
        }
        CloseReason::Tls(error) => after_tls(error.kind, url),
        _ => None,
    }
}

fn after_tls(kind: TlsErrorKind, url: &str) -> Option<String> {
    match kind {
        TlsErrorKind::CertificateUnknownIssuer | TlsErrorKind::CertificateSelfSigned => Some(format!(
            "framewise fetch --cacert FILE {url}     (the certificate of whoever signed the server's)"
        )),
        TlsErrorKind::CertificateOfAuthority => Some(of_a_servers_own(url)),
        TlsErrorKind::PlainHttp if url.starts_with("https://") => {
            Some(format!("framewise fetch {}", url.replacen("https://", "http://", 1)))
        }
        _ => None,
    }
}

/// How a certificate is made that is a server's own: what OpenSSL signs with its own key is an authority's unless it is told.
fn of_a_servers_own(url: &str) -> String {
    let url = Url::parse(url).ok();
    let host = url.as_ref().map_or("h.test", Url::host).trim_matches(['[', ']']);
    let kind = if host.parse::<IpAddr>().is_ok() { "IP" } else { "DNS" };
    format!(
        "openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -subj /CN={host} \
         -addext subjectAltName={kind}:{host} -addext basicConstraints=critical,CA:FALSE     \
         (a certificate that is a server's own)"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_instead_of_an_answer_is_looked_into() {
        let next = |error| next_after(&FetchError::Exchange(error), "http://shop.test:22/");
        let not_http = ExchangeError::NotHttp { begins: "SSH-2.0".to_owned() };
        assert!(next(not_http).starts_with("framewise url 'http://shop.test:22/'"));
        let malformed = ExchangeError::Malformed { rule: String::new(), offset: 0 };
        for error in [malformed, ExchangeError::NoAnswer, ExchangeError::HeadCutShort { received: 1 }] {
            assert!(next(error).contains("framewise explain FILE"));
        }
    }

    #[test]
    fn plain_http_is_tried_only_where_it_was_answered() {
        let next = |kind| after_tls(kind, "https://shop.test/a").unwrap_or_default();
        assert_eq!(next(TlsErrorKind::PlainHttp), "framewise fetch http://shop.test/a");
        for attacked in [TlsErrorKind::Protocol, TlsErrorKind::Alert, TlsErrorKind::Altered] {
            assert!(!next(attacked).contains("http:"), "{attacked:?} leads away from TLS");
        }
    }

    #[test]
    fn who_shows_an_authoritys_certificate_is_told_how_to_make_a_servers() {
        let next = |url| after_tls(TlsErrorKind::CertificateOfAuthority, url).unwrap_or_default();
        for (url, name) in [
            ("https://shop.test:4433/a", "subjectAltName=DNS:shop.test "),
            ("https://192.0.2.80/", "subjectAltName=IP:192.0.2.80 "),
            ("https://[2001:db8::80]/", "subjectAltName=IP:2001:db8::80 "),
        ] {
            let next = next(url);
            assert!(next.contains(name) && next.contains("basicConstraints=critical,CA:FALSE"), "{next}");
            assert!(!next.contains("--cacert"), "that was done, or would not help: {next}");
        }
    }
}
