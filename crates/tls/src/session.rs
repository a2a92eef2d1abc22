//! One side's TLS session: the only file that names rustls' connections.
//!
//! Bytes in, bytes out: [`read`](Session::read) takes ciphertext, [`take_plaintext`](Session::take_plaintext) gives what
//! it held, [`seal`](Session::seal) takes plaintext, [`flush`](Session::flush) gives the records to send.
//! How much of each is whose business is decided by the callers, so rustls' own buffers never fill.

use std::io::{self, BufRead as _, IoSlice, Write as _};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};
use framewise_core::seams::stream::TlsInfo;
use rustls::{
    ClientConfig, ClientConnection, Connection, Error, HandshakeKind, InvalidMessage, IoState,
    ProtocolVersion, ServerConfig, ServerConnection,
};
use rustls_pki_types::ServerName;

/// A session of either side.
pub(crate) struct Session {
    connection: Connection,
    /// What a client asked for; a server learns it in the handshake.
    asked: Option<String>,
    peer_closed: bool,
    said_all: bool,
}

impl Session {
    pub(crate) fn client(config: Arc<ClientConfig>, name: ServerName<'static>) -> Result<Self, Error> {
        let asked = name.to_str().into_owned();
        let connection = ClientConnection::new(config, name)?;
        Ok(Session::new(connection.into(), Some(asked)))
    }

    pub(crate) fn server(config: Arc<ServerConfig>) -> Result<Self, Error> {
        Ok(Session::new(ServerConnection::new(config)?.into(), None))
    }

    fn new(mut connection: Connection, asked: Option<String>) -> Self {
        // The credit of the seam bounds what is given to it and taken from it at once.
        connection.set_buffer_limit(None);
        Session { connection, asked, peer_closed: false, said_all: false }
    }

    /// Takes some ciphertext (a few KiB at a time) off the front of `input` and opens what has become whole.
    pub(crate) fn read(&mut self, input: &mut Bytes) -> Result<(), Error> {
        let result = self.open(input);
        if let Err(Error::InvalidMessage(InvalidMessage::HandshakePayloadTooLarge)) = result {
            // rustls has no alert for it, and gives no means to send one but this.
            self.close_notify();
        }
        result
    }

    fn open(&mut self, input: &mut Bytes) -> Result<(), Error> {
        let mut slice: &[u8] = input;
        // The only failure left to the caller here is a handshake message that never ends.
        let taken = self
            .connection
            .read_tls(&mut slice)
            .map_err(|_| Error::InvalidMessage(InvalidMessage::HandshakePayloadTooLarge))?;
        if taken == 0 {
            // After close_notify whatever comes is ignored (RFC 8446, section 6.1).
            input.clear();
            return Ok(());
        }
        input.advance(taken);
        self.peer_closed = self.process()?.peer_has_closed();
        Ok(())
    }

    /// In debug builds rustls asserts that no alert follows our `close_notify`, though a peer can provoke one by a
    /// record that does not open (rustls issue 959). Bytes from outside must not make a layer panic; which of rustls'
    /// errors it was is lost with it, and the likeliest is told.
    fn process(&mut self) -> Result<IoState, Error> {
        if !self.said_all {
            return self.connection.process_new_packets();
        }
        let attempt = AssertUnwindSafe(|| self.connection.process_new_packets());
        catch_unwind(attempt).unwrap_or(Err(Error::DecryptError))
    }

    /// Appends what was opened to `into`.
    pub(crate) fn take_plaintext(&mut self, into: &mut BytesMut) {
        let mut reader = self.connection.reader();
        while let Ok(opened) = reader.fill_buf() {
            let length = opened.len();
            if length == 0 {
                return;
            }
            into.extend_from_slice(opened);
            reader.consume(length);
        }
    }

    /// Seals the pieces, as few records as they fit into. Only once the handshake is done.
    pub(crate) fn seal(&mut self, pieces: &[IoSlice<'_>]) -> io::Result<usize> {
        self.connection.writer().write_vectored(pieces)
    }

    /// Says that nothing more will be sent.
    pub(crate) fn close_notify(&mut self) {
        self.said_all = true;
        self.connection.send_close_notify();
    }

    /// Appends the records that are to be sent to `into`.
    pub(crate) fn flush(&mut self, into: &mut BytesMut) {
        let mut writer = into.writer();
        while self.connection.wants_write() && self.connection.write_tls(&mut writer).is_ok() {}
    }

    pub(crate) fn is_handshaking(&self) -> bool {
        self.connection.is_handshaking()
    }

    /// Whether `close_notify` came.
    pub(crate) fn peer_closed(&self) -> bool {
        self.peer_closed
    }

    /// What the handshake agreed on.
    pub(crate) fn info(&self, verified: bool) -> TlsInfo {
        let suite = self.connection.negotiated_cipher_suite();
        let alpn = self.connection.alpn_protocol();
        TlsInfo {
            version: match self.connection.protocol_version() {
                Some(ProtocolVersion::TLSv1_2) => "TLS 1.2",
                _ => "TLS 1.3",
            },
            // rustls sets the version before the name of a suite of TLS 1.3; RFC 8446, appendix B.4 doesn't.
            cipher_suite: suite
                .map_or_else(String::new, |suite| format!("{:?}", suite.suite()).replace("TLS13_", "TLS_")),
            alpn: alpn.map(|protocol| String::from_utf8_lossy(protocol).into_owned()),
            server_name: self.asked().map(str::to_owned),
            resumed: self.connection.handshake_kind() == Some(HandshakeKind::Resumed),
            verified,
        }
    }

    /// The name that the client asked for.
    pub(crate) fn asked(&self) -> Option<&str> {
        match &self.connection {
            Connection::Client(_) => self.asked.as_deref(),
            Connection::Server(server) => server.server_name(),
        }
    }
}
