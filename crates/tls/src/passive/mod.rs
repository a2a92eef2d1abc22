//! TLS as somebody sees it who only watches, and was told the secrets: what a capture with its key log shows.
//!
//! Read first: RFC 8446 sections 5.2 (records), 7.1 to 7.3 (keys); RFC 5246 sections 5 and 6.3, RFC 5288 and RFC 7905 (TLS
//! 1.2); RFC 9850 (the key log). What is opened here was sealed by others; nothing is trusted because of it.
//!
//! ```text
//!   records in the clear ──► Session: hellos, suite, random numbers ──┐
//!   key log ──► KeyLog: secrets by the client's random number ────────┤
//!                                                                     ▼
//!   records of one side, in order ──────────────────────────────► Opener ──► content, and its Seal
//!   a record and its Seal, at any time later ───────────────────► Opener::reopen ──► content again
//! ```
//!
//! The ciphers opened here are those with 16 bytes of tag behind the content: byte *i* of the ciphertext stands for byte
//! *i* of the content. What a client sends early counts as said, also where the server passes it over.
//!
//! ```
//! use framewise_tls::passive::{KeyLog, Session, Side, Unopened};
//! use framewise_tls::record::Record;
//!
//! let session = Session::default();
//! let mut opener = session.opener(Side::Client, &KeyLog::default());
//! let sealed = [&[23, 3, 3, 0, 20][..], &[0; 20]].concat();
//! let mut content = Vec::new();
//! assert_eq!(opener.open(&Record::parse(&sealed)?, &mut content), Err(Unopened::NoHello));
//! # Ok::<(), framewise_tls::record::RecordError>(())
//! ```

mod keys;
mod log;
mod messages;
mod opener;
mod progress;
mod session;
mod suite;

pub use log::{KeyLog, Label, MOST_SECRETS, Random};
pub use opener::{MOST_KEYS, Opened, Opener, Seal};
pub use progress::{MOST_LISTED, Progress};
pub use session::{Facts, Session};
pub use suite::is_openable;

use thiserror::Error;

use crate::handshake;

/// Who sent a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// The one that sent the ClientHello.
    Client,
    /// The other.
    Server,
}

/// Why a record stays sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Error)]
pub enum Unopened {
    /// The hellos were not seen.
    #[error("no hello of this connection was seen, so nobody knows which secrets are its own")]
    NoHello,
    /// The key log has not what is needed.
    #[error("the key log has no {label} for this connection")]
    NoSecret {
        /// Which secret.
        label: Label,
    },
    /// The secret has not the length that the suite needs.
    #[error("the {label} in the key log has a length that does not fit the cipher suite")]
    BadSecret {
        /// Which secret.
        label: Label,
    },
    /// A cipher suite that is not opened here.
    #[error("{} is none of the cipher suites that are opened here", handshake::cipher_suite(*number))]
    CipherSuite {
        /// Its number.
        number: u16,
    },
    /// A version that is not opened here.
    #[error("{} is no version that is opened here", handshake::version(*number))]
    Version {
        /// Its number.
        number: u16,
    },
    /// The tag does not fit.
    #[error("its tag is wrong: it was changed on the way, or sealed by another secret")]
    TagWrong,
    /// There is no content type within.
    #[error("there is nothing but padding in it")]
    NoContentType,
    /// TLS 1.2 has agreed on keys once more, which nobody tells to a key log of ours.
    #[error("keys were agreed on once more within the connection")]
    Renegotiated,
    /// Keys were changed more often than is followed.
    #[error("keys were changed more than {} times", MOST_KEYS)]
    TooManyKeys,
}

impl Unopened {
    /// The same in at most 34 characters, as in a [`Description`](framewise_core::Description).
    pub fn in_short(self) -> &'static str {
        match self {
            Unopened::NoHello => "sealed: its hellos were not seen",
            Unopened::NoSecret { .. } => "sealed: the key log has no secret",
            Unopened::BadSecret { .. } => "sealed: the secret does not fit",
            Unopened::CipherSuite { .. } => "sealed: by a suite not opened here",
            Unopened::Version { .. } => "sealed: of a version not opened",
            Unopened::TagWrong => "tag wrong: altered, or other key",
            Unopened::NoContentType => "nothing but padding",
            Unopened::Renegotiated => "sealed: keys were agreed on anew",
            Unopened::TooManyKeys => "sealed: too many changes of keys",
        }
    }
}
