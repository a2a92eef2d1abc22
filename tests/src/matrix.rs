//! The table that client and server are put through: every scheme, version of IP and form of body with each other.
//!
//! ```text
//!   http · https by TLS 1.2 · by TLS 1.3   ×   IPv4 · IPv6   ×   length · chunks · gzip   ×   sizes   ×   offload
//! ```

use crate::link::{Addresses, V4, V6, as_host};
use crate::process::finish;
use std::fmt;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// http, or https in one version of TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// Plain.
    Http,
    /// TLS 1.2 (RFC 5246).
    Tls12,
    /// TLS 1.3 (RFC 8446).
    Tls13,
}

/// How the receiver learns where a body ends, and what it is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// By `Content-Length`.
    Length,
    /// In chunks (RFC 9112, section 7.1).
    Chunked,
    /// Compressed; its length or its chunks count compressed bytes.
    Gzip,
}

/// What our side's device may leave to the kernel, as options of the command.
pub type Offload = &'static [&'static str];

/// All that it may be told.
pub const OFFLOADS: [Offload; 2] = [&["--offload", "on"], &["--offload", "off"]];

/// One row of the table. Its `Display` is its name in a failure.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// Over what.
    pub scheme: Scheme,
    /// Between which addresses.
    pub addresses: Addresses,
    /// How its body travels.
    pub form: Form,
    /// Bytes of the body, as it is before it is compressed.
    pub size: usize,
    /// What our device is told.
    pub offload: Offload,
}

impl Scheme {
    /// All of them.
    pub const ALL: [Scheme; 3] = [Scheme::Http, Scheme::Tls12, Scheme::Tls13];

    /// `http` or `https`.
    pub fn name(self) -> &'static str {
        if self == Scheme::Http { "http" } else { "https" }
    }

    /// The number of the version of TLS: `1.3`.
    pub fn tls(self) -> Option<&'static str> {
        match self {
            Scheme::Http => None,
            Scheme::Tls12 => Some("1.2"),
            Scheme::Tls13 => Some("1.3"),
        }
    }
}

impl Form {
    /// All of them.
    pub const ALL: [Form; 3] = [Form::Length, Form::Chunked, Form::Gzip];

    /// The folder in which peers serve pages in this form.
    pub fn folder(self) -> &'static str {
        match self {
            Form::Length => "length",
            Form::Chunked => "chunked",
            Form::Gzip => "gzip",
        }
    }

    /// What is wrong with the head of a response that should have a body in this form.
    pub fn check(self, head: &str) -> Result<(), String> {
        let head = head.to_ascii_lowercase();
        let (wanted, unwanted) = match self {
            Form::Length => ("\ncontent-length: ", "\ncontent-encoding: "),
            Form::Chunked => ("\ntransfer-encoding: chunked", "\ncontent-"),
            Form::Gzip => ("\ncontent-encoding: gzip", "\ncontent-encoding: identity"),
        };
        // A type is said of every body.
        let head = head.replace("\ncontent-type: ", "\ntype: ");
        if head.contains(wanted) && !head.contains(unwanted) {
            Ok(())
        } else {
            Err(format!("no body by {self:?} has this head: {head}"))
        }
    }
}

impl Row {
    /// Where the row's page is at a host: `http://[2001:db8:1::1]:80/chunked/1460`.
    pub fn url(&self, host: &str, port: u16) -> String {
        let (scheme, host) = (self.scheme.name(), as_host(host));
        format!("{scheme}://{host}:{port}/{}/{}", self.form.folder(), self.size)
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let version = if self.addresses.ours.contains(':') { "IPv6" } else { "IPv4" };
        write!(f, "{}", self.scheme.name())?;
        if let Some(tls) = self.scheme.tls() {
            write!(f, " (TLS {tls})")?;
        }
        write!(f, ", {version}, {}, {} bytes", self.form.folder(), self.size)?;
        self.offload.iter().try_for_each(|option| write!(f, " {option}"))
    }
}

/// Every combination with bodies of these forms and sizes.
pub fn rows(forms: &[Form], sizes: &[usize]) -> Vec<Row> {
    let mut rows = Vec::new();
    for offload in OFFLOADS {
        for scheme in Scheme::ALL {
            for addresses in [V4, V6] {
                for &form in forms {
                    let row = |&size: &usize| Row { scheme, addresses, form, size, offload };
                    rows.extend(sizes.iter().map(row));
                }
            }
        }
    }
    rows
}

/// Puts each row to `check`.
///
/// # Panics
///
/// Where a row fails; then with the names of all that do.
#[track_caller]
pub fn check_all(rows: &[Row], mut check: impl FnMut(&Row) -> Result<(), String>) {
    assert!(!rows.is_empty(), "a table without rows shows nothing");
    let failed: Vec<_> =
        rows.iter().filter_map(|row| check(row).err().map(|why| format!("{row}: {why}"))).collect();
    assert!(failed.is_empty(), "{} of {} rows failed:\n{}", failed.len(), rows.len(), failed.join("\n"));
}

/// Whether these bytes are those that were to come.
pub fn same(came: &[u8], sent: &[u8]) -> Result<(), String> {
    if came == sent {
        return Ok(());
    }
    let right = came.iter().zip(sent).take_while(|(came, sent)| came == sent).count();
    Err(format!("{} bytes were sent, {} came, the first {right} of them right", sent.len(), came.len()))
}

/// What a file whose name ends in `.gz` holds, decompressed by gzip itself.
///
/// # Panics
///
/// Where it is no such file.
#[track_caller]
pub fn gunzip(file: &Path) -> Vec<u8> {
    let mut gzip = Command::new("gzip");
    finish(gzip.args(["--decompress", "--stdout"]).arg(file), Duration::from_secs(20)).successful().stdout
}

/// Compresses a file; the result lies beside it, with `.gz` after its name.
///
/// # Panics
///
/// Where it cannot be read.
#[track_caller]
pub fn compress(file: &Path) {
    finish(Command::new("gzip").args(["--keep"]).arg(file), Duration::from_secs(20)).successful();
}
