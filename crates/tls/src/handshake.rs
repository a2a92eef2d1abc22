//! Handshake messages, as far as they can be read in the clear.
//!
//! Read first: RFC 8446 sections 4 (message types), 4.1.2 (ClientHello), 4.1.3 (ServerHello), 4.2 (extensions).
//! Only for describing: what counts is decided by rustls.

use std::ops::Range;

use framewise_core::read::{u8_at, u16_at};

use crate::vector::Reader;

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
            25 => "compressed_certificate",
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
            0 => "the server wants to begin anew",
            5 => "the client has sent all of the data that did not wait for the handshake",
            22 => "a fresh word of the issuer that the certificate still holds",
            25 => "a certificate, packed: who the sender is, and who says so",
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
        hello.read_fields(body_of(fragment, message));
        hello
    }

    fn read_fields(&mut self, mut body: Reader<'_>) -> Option<()> {
        let _legacy_version = body.u16()?;
        let _random: [u8; 32] = body.array()?;
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

/// What a ServerHello has chosen, each with its place in the fragment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ServerHello {
    /// The server's random number.
    pub random: Option<[u8; 32]>,
    /// The number of the cipher suite.
    pub cipher_suite: Option<(Range<usize>, u16)>,
    /// The number of the version: that of the extension, else the one in front (RFC 8446, section 4.2.1).
    pub version: Option<(Range<usize>, u16)>,
    /// The protocol chosen (RFC 7301), where it stands in the clear: in TLS 1.2.
    pub alpn: Option<(Range<usize>, String)>,
}

/// The random number by which a ServerHello says that the client is to ask again (RFC 8446, section 4.1.3).
const HELLO_RETRY_REQUEST: [u8; 32] = [
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2,
    0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
];

impl ServerHello {
    /// Reads the ServerHello in `message` of `fragment`; what can't be read is left out.
    pub fn read(fragment: &[u8], message: &Message) -> Self {
        let mut hello = ServerHello::default();
        hello.read_fields(body_of(fragment, message));
        hello
    }

    /// Whether it is a HelloRetryRequest: nothing is chosen yet.
    pub fn is_retry(&self) -> bool {
        self.random == Some(HELLO_RETRY_REQUEST)
    }

    fn read_fields(&mut self, mut body: Reader<'_>) -> Option<()> {
        let at = body.range().start;
        self.version = Some((at..at + 2, body.u16()?));
        self.random = Some(body.array()?);
        let _session_id = body.vector8()?;
        let at = body.range().start;
        self.cipher_suite = Some((at..at + 2, body.u16()?));
        let _compression_method = body.u8()?;
        let mut extensions = body.vector16()?;
        while let (Some(number), Some(mut content)) = (extensions.u16(), extensions.vector16()) {
            let range = content.range();
            match number {
                16 => self.alpn = only_name(&content).map(|name| (range, name)),
                43 => self.version = Some((range, content.u16()?)),
                _ => {}
            }
        }
        Some(())
    }
}

/// The protocol that the EncryptedExtensions in `message` of `fragment` choose (RFC 7301), with its place.
pub fn chosen_protocol(fragment: &[u8], message: &Message) -> Option<(Range<usize>, String)> {
    let mut extensions = body_of(fragment, message).vector16()?;
    while let (Some(number), Some(content)) = (extensions.u16(), extensions.vector16()) {
        if number == 16 {
            return only_name(&content).map(|name| (content.range(), name));
        }
    }
    None
}

/// Where the first certificate stands in the Certificate in `message` of `fragment`: that of the sender itself. TLS 1.3 has
/// a context in front of the list (RFC 8446, section 4.4.2), TLS 1.2 has not (RFC 5246, section 7.4.2).
pub fn first_certificate(fragment: &[u8], message: &Message, tls12: bool) -> Option<Range<usize>> {
    let mut body = body_of(fragment, message);
    if !tls12 {
        body.vector8()?;
    }
    Some(body.vector24()?.vector24()?.range())
}

/// The random number of the ClientHello in `message` of `fragment`.
pub fn client_random(fragment: &[u8], message: &Message) -> Option<[u8; 32]> {
    let mut body = body_of(fragment, message);
    body.u16()?;
    body.array()
}

/// What is in a message, past its type and length.
fn body_of<'b>(fragment: &'b [u8], message: &Message) -> Reader<'b> {
    Reader::new(fragment.get(..message.bytes.end).unwrap_or_default(), message.bytes.start.saturating_add(4))
}

/// The one name in a list of protocols (RFC 7301, section 3.1).
fn only_name(list: &Reader<'_>) -> Option<String> {
    Some(list.clone().vector16()?.vector8()?.text())
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
        0x1304 => "TLS_AES_128_CCM_SHA256",
        0x1305 => "TLS_AES_128_CCM_8_SHA256",
        0x0000 => "TLS_NULL_WITH_NULL_NULL",
        0x000a => "TLS_RSA_WITH_3DES_EDE_CBC_SHA",
        0x002f => "TLS_RSA_WITH_AES_128_CBC_SHA",
        0x0035 => "TLS_RSA_WITH_AES_256_CBC_SHA",
        0x003c => "TLS_RSA_WITH_AES_128_CBC_SHA256",
        0x003d => "TLS_RSA_WITH_AES_256_CBC_SHA256",
        0x009c => "TLS_RSA_WITH_AES_128_GCM_SHA256",
        0x009d => "TLS_RSA_WITH_AES_256_GCM_SHA384",
        0x009e => "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256",
        0x009f => "TLS_DHE_RSA_WITH_AES_256_GCM_SHA384",
        0xc009 => "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA",
        0xc00a => "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA",
        0xc013 => "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA",
        0xc014 => "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA",
        0xc023 => "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256",
        0xc024 => "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384",
        0xc027 => "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256",
        0xc028 => "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384",
        0xc02b => "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
        0xc02c => "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
        0xc02f => "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
        0xc030 => "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
        0xcca8 => "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
        0xcca9 => "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
        0xccaa => "TLS_DHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
        0x00ff => "TLS_EMPTY_RENEGOTIATION_INFO_SCSV",
        0x5600 => "TLS_FALLBACK_SCSV",
        other => return format!("{other:#06x}"),
    };
    name.to_owned()
}
