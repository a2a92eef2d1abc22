//! Handshake messages, as far as they can be read in the clear.
//!
//! Read first: RFC 8446 sections 4 (message types), 4.1.2 (ClientHello), 4.1.3 (ServerHello), 4.2 (extensions).
//! Only for describing: what counts is decided by rustls.

use std::ops::Range;

use framewise_core::read::{u8_at, u16_at};

/// A message's type and place in a record's fragment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The number of its type.
    pub number: u8,
    /// Its header (4 bytes) and body in the fragment.
    pub bytes: Range<usize>,
}

impl Message {
    /// The type's name in the RFC.
    pub fn name(&self) -> &'static str {
        match self.number {
            0 => "hello_request",
            1 => "client_hello",
            2 => "server_hello",
            4 => "new_session_ticket",
            5 => "end_of_early_data",
            8 => "encrypted_extensions",
            11 => "certificate",
            12 => "server_key_exchange",
            13 => "certificate_request",
            14 => "server_hello_done",
            15 => "certificate_verify",
            16 => "client_key_exchange",
            20 => "finished",
            22 => "certificate_status",
            24 => "key_update",
            _ => "unknown",
        }
    }

    /// What the message is for, in one sentence.
    pub fn meaning(&self) -> &'static str {
        match self.number {
            1 => {
                "the client says which versions, ciphers and server name it wants, and sends its half of the keys"
            }
            2 => "the server has chosen, and sends its half of the keys",
            4 => "the server gives a ticket by which the client can come back without a certificate",
            8 => "the server answers the rest of what the client asked for, now sealed",
            11 => "a certificate: who the sender is, and who says so",
            12 => "the server's half of the keys, signed with its certificate's key",
            13 => "the server asks the client for a certificate",
            14 => "the server has said all",
            15 => "the sender proves that it has the certificate's key",
            16 => "the client's half of the keys",
            20 => "a checksum of the whole conversation, to prove that nobody meddled with it",
            24 => "the sender takes a fresh key",
            _ => "a handshake message",
        }
    }
}

/// The messages that begin in this fragment and are whole in it, of a handshake record that is not sealed.
pub fn messages(fragment: &[u8]) -> Vec<Message> {
    let (mut found, mut begin) = (Vec::new(), 0);
    while let (Some(number), Some(high), Some(low)) =
        (u8_at(fragment, begin), u8_at(fragment, begin + 1), u16_at(fragment, begin + 2))
    {
        let end = begin + 4 + (usize::from(high) << 16 | usize::from(low));
        if end > fragment.len() {
            break;
        }
        found.push(Message { number, bytes: begin..end });
        begin = end;
    }
    found
}

/// What a ClientHello asks for, each with its place in the fragment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ClientHello {
    /// Names of the cipher suites in order of preference.
    pub cipher_suites: Option<(Range<usize>, Vec<String>)>,
    /// The name of the server (RFC 6066, section 3).
    pub server_name: Option<(Range<usize>, String)>,
    /// The protocols offered (RFC 7301).
    pub alpn: Option<(Range<usize>, Vec<String>)>,
    /// The versions offered (RFC 8446, section 4.2.1).
    pub versions: Option<(Range<usize>, Vec<String>)>,
}

impl ClientHello {
    /// Reads the ClientHello in `message` of `fragment`; what can't be read is left out.
    pub fn read(fragment: &[u8], message: &Message) -> Self {
        let mut hello = ClientHello::default();
        let body = Reader {
            bytes: fragment.get(..message.bytes.end).unwrap_or_default(),
            // Past the message's header, the legacy version and the random number.
            at: message.bytes.start + 4 + 2 + 32,
        };
        hello.read_fields(body);
        hello
    }

    fn read_fields(&mut self, mut body: Reader<'_>) -> Option<()> {
        let _session_id = body.vector8()?;
        let suites = body.vector16()?;
        self.cipher_suites = Some((suites.range(), suites.numbers().map(cipher_suite).collect()));
        let _compression_methods = body.vector8()?;
        let mut extensions = body.vector16()?;
        while let (Some(number), Some(content)) = (extensions.u16(), extensions.vector16()) {
            self.read_extension(number, content);
        }
        Some(())
    }

    fn read_extension(&mut self, number: u16, mut content: Reader<'_>) -> Option<()> {
        let range = content.range();
        match number {
            0 => {
                let mut names = content.vector16()?;
                names.u8().filter(|kind| *kind == 0)?;
                self.server_name = Some((range, names.vector16()?.text()));
            }
            16 => {
                let mut names = content.vector16()?;
                let names = std::iter::from_fn(|| names.vector8()).map(|name| name.text());
                self.alpn = Some((range, names.collect()));
            }
            43 => {
                let versions = content.vector8()?;
                self.versions = Some((range, versions.numbers().map(version).collect()));
            }
            _ => {}
        }
        Some(())
    }
}

/// The version with this number, as people write it.
pub fn version(number: u16) -> String {
    match number {
        0x0300 => "SSL 3.0".to_owned(),
        0x0301 => "TLS 1.0".to_owned(),
        0x0302 => "TLS 1.1".to_owned(),
        0x0303 => "TLS 1.2".to_owned(),
        0x0304 => "TLS 1.3".to_owned(),
        other => format!("{other:#06x}"),
    }
}

/// The cipher suite's name in its RFC, or its number.
pub fn cipher_suite(number: u16) -> String {
    let name = match number {
        0x1301 => "TLS_AES_128_GCM_SHA256",
        0x1302 => "TLS_AES_256_GCM_SHA384",
        0x1303 => "TLS_CHACHA20_POLY1305_SHA256",
        0xc02b => "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
        0xc02c => "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
        0xc02f => "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
        0xc030 => "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
        0xcca8 => "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
        0xcca9 => "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
        0x00ff => "TLS_EMPTY_RENEGOTIATION_INFO_SCSV",
        other => return format!("{other:#06x}"),
    };
    name.to_owned()
}

/// Reads vectors that say their own length (RFC 8446, section 3.4), and keeps track of where they are.
#[derive(Clone)]
struct Reader<'a> {
    /// Everything up to the end of what is read here, so that places count from the fragment's beginning.
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn range(&self) -> Range<usize> {
        self.at..self.bytes.len()
    }

    fn u8(&mut self) -> Option<u8> {
        let value = u8_at(self.bytes, self.at)?;
        self.at += 1;
        Some(value)
    }

    fn u16(&mut self) -> Option<u16> {
        let value = u16_at(self.bytes, self.at)?;
        self.at += 2;
        Some(value)
    }

    fn vector8(&mut self) -> Option<Reader<'a>> {
        let length = self.u8()?.into();
        self.inner(length)
    }

    fn vector16(&mut self) -> Option<Reader<'a>> {
        let length = self.u16()?.into();
        self.inner(length)
    }

    fn inner(&mut self, length: usize) -> Option<Reader<'a>> {
        let begin = self.at;
        let bytes = self.bytes.get(..begin + length)?;
        self.at = begin + length;
        Some(Reader { bytes, at: begin })
    }

    fn numbers(&self) -> impl Iterator<Item = u16> + use<'a> {
        let mut rest = self.clone();
        std::iter::from_fn(move || rest.u16())
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(self.bytes.get(self.range()).unwrap_or_default()).into_owned()
    }
}
