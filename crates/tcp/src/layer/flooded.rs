//! Handshakes while a backlog is full, by cookies.
//!
//! Read RFC 4987 section 3.6 before changing this file.

use framewise_core::seams::segment::Segment;
use framewise_core::{Cx, Instant};

use super::Tcp;
use crate::connection::path_segment_size;
use crate::flows::FlowKey;
use crate::reset;
use crate::segment::{Flags, Header, Options, default_segment_size};
use crate::sequence::SeqNumber;

/// The largest window that can be told without a scale.
const UNSCALED: usize = u16::MAX as usize;

impl Tcp {
    /// Answers a SYN, and forgets it.
    pub(super) fn answer_with_cookie(&mut self, flow: &FlowKey, syn: &Header, mtu: usize, cx: &mut Cx) {
        let told = syn.options.maximum_segment_size;
        let told = told.unwrap_or_else(|| default_segment_size(flow.remote().ip()));
        let cookie = self.cookies.make(flow, syn.sequence, told, cx.now);
        cx.note("tcp", "cookie", || {
            format!("{} half-open connections: answered its SYN with a cookie", self.config.backlog)
        });
        let answer = Header {
            sequence: cookie,
            acknowledgment: syn.sequence.plus(1),
            flags: Flags::SYN | Flags::ACK,
            window: self.config.receive_window.min(UNSCALED) as u16,
            options: Options {
                maximum_segment_size: Some(path_segment_size(flow, mtu.min(self.config.mtu))),
                ..Options::default()
            },
            ..Header::default()
        };
        self.out.reply(reset::bare_segment(flow, answer), cx);
    }

    /// Whether a segment of no connection acknowledges a cookie of ours.
    pub(super) fn is_cookie(&self, flow: &FlowKey, header: &Header, now: Instant) -> bool {
        self.told_by_cookie(flow, header, now).is_some() && self.listeners.find(flow.local()).is_some()
    }

    fn told_by_cookie(&self, flow: &FlowKey, header: &Header, now: Instant) -> Option<(SeqNumber, u16)> {
        if !header.has(Flags::ACK) || header.has(Flags::SYN) || header.has(Flags::RST) {
            return None;
        }
        let cookie = header.acknowledgment.minus(1);
        let told = self.cookies.check(flow, header.sequence.minus(1), cookie, now)?;
        Some((cookie, told))
    }

    /// Begins the connection of a cookie: the handshake is gone through as the peer has seen it.
    pub(super) fn accept_cookie(
        &mut self,
        flow: FlowKey,
        header: Header,
        first: Segment,
        mtu: usize,
        cx: &mut Cx,
    ) {
        let Some((cookie, told)) = self.told_by_cookie(&flow, &header, cx.now) else { return };
        let Some(key) = self.admit(flow, mtu, cx) else { return };
        let syn = Header {
            sequence: header.sequence.minus(1),
            acknowledgment: SeqNumber(0),
            flags: Flags::SYN,
            options: Options { maximum_segment_size: Some(told), ..Options::default() },
            ..header
        };
        let listener = self.listeners.find(flow.local());
        self.with(key, cx, |connection, out, cx| {
            connection.listener = listener;
            connection.was_answered(syn, cookie, out, cx);
            connection.segment_arrives(header, first.0, out, cx);
        });
    }
}
