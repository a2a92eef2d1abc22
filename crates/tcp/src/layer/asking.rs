//! Connections about which the layer above is asked before the peer is answered: what a gateway needs, which must know
//! whether there is anybody beyond it.
//!
//! Read RFC 9293 sections 3.10.7.1 and 3.10.7.2 (a SYN where nobody listens, where somebody does) before changing this file.
//!
//! The peer's SYN is held meanwhile. What else comes from the peer, its SYN again above all, is ignored: it has been told
//! nothing yet, and asks again in its own time.

use framewise_core::Cx;
use framewise_core::id::ConnId;
use framewise_core::seams::segment::{ErrorKind, Segment, SegmentControl};
use framewise_core::seams::stream::{CloseReason, ConnInfo, Endpoint, StreamUp};

use super::Tcp;
use crate::flows::FlowKey;
use crate::reset;
use crate::segment::Header;

impl Tcp {
    /// Holds the SYN of a connection, and asks about it.
    pub(super) fn ask_above(&mut self, flow: FlowKey, syn: Segment, mtu: usize, cx: &mut Cx) {
        let Some(key) = self.admit(flow, mtu, cx) else { return };
        self.with(key, cx, |connection, out, _| {
            connection.listener =
                Some(Endpoint { address: Some(flow.local().ip()), port: flow.local().port() });
            connection.held = Some(syn);
            connection.asked = true;
            let info = ConnInfo { local: flow.local(), remote: flow.remote(), tls: None };
            out.say(StreamUp::Asked { conn: key, info: Box::new(info) });
        });
    }

    /// The upper layer takes the connection: now its SYN counts.
    pub(super) fn accept_asked(&mut self, name: ConnId, cx: &mut Cx) {
        self.named(name, cx, |connection, out, cx| {
            let Some(syn) = connection.held.take() else {
                return connection.abort(CloseReason::Misuse("accepted what was not asked"), out, cx);
            };
            connection.begin_anew(cx.now);
            if let Ok(header) = Header::parse(&syn) {
                connection.segment_arrives(header, syn.0, out, cx);
            }
        });
    }

    /// The upper layer does not take it: the peer is told why, in the words that there are for it on a wire.
    pub(super) fn refuse_asked(&mut self, name: ConnId, reason: &CloseReason, cx: &mut Cx) {
        self.named(name, cx, |connection, out, cx| {
            let Some(syn) = connection.held.take() else {
                return connection.abort(CloseReason::Misuse("refused what was not asked"), out, cx);
            };
            match reason {
                CloseReason::Unreachable(kind) => {
                    out.ask(SegmentControl::Unreachable { segment: syn, kind: *kind });
                }
                CloseReason::NoRoute => {
                    let kind = ErrorKind::NetworkUnreachable;
                    out.ask(SegmentControl::Unreachable { segment: syn, kind });
                }
                // The peer finds that out by itself.
                CloseReason::TimedOut => {}
                _ => {
                    let header = Header::parse(&syn).unwrap_or_default();
                    let payload = syn.len().saturating_sub(header.length);
                    if let Some(answer) = reset::answer(&header, payload) {
                        out.reply(reset::bare_segment(&connection.flow(), answer), cx);
                    }
                }
            }
            connection.abort(CloseReason::Aborted, out, cx);
        });
    }
}
