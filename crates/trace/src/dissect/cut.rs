//! Messages and records that begin where bytes are missing: what is there of them, and where they break off.

use std::ops::Range;

use framewise_http::describe_cut;
use framewise_http::passive::Unread;
use framewise_tls::describe::describe_cut as describe_cut_record;

use super::layers::{Layer, Stack};
use super::records::Unframed;
use super::session::{Above, Tls};
use super::space::{Place, Space, common, overlap};

/// Bytes of a head or record that breaks off of which all is looked at.
const ENOUGH: u64 = 1 << 14;

impl Above<'_> {
    /// Says which bytes are not read; of a head that breaks off, what is there.
    pub(super) fn not_read(&self, stack: &mut Stack, here: &Range<u64>) {
        let messages = self.session.messages(self.stream.side);
        // What is passed over ends where the next message begins.
        let goes_on = |at: u64| messages.list.last().is_some_and(|last| last.range.start >= at);
        for (rest, why) in messages.unread.iter().filter(|(rest, _)| overlap(rest, here)) {
            let begin = rest.start.max(here.start);
            let is_cut = matches!(why, Unread::AfterGap | Unread::CutShort);
            let end = if is_cut { self.cut_head(stack, begin..rest.end, here) } else { None };
            stack.troubles.push(match end {
                Some(end) => format!("the head that begins at byte {begin} breaks off at byte {end}: {why}"),
                None if goes_on(rest.end) => {
                    format!("bytes {} to {} are not read: {why}", rest.start, rest.end - 1)
                }
                None => format!("from byte {} on nothing is read: {why}", rest.start),
            });
        }
    }

    /// The head that begins here, if one does: where it breaks off.
    fn cut_head(&self, stack: &mut Stack, rest: Range<u64>, here: &Range<u64>) -> Option<u64> {
        let space = self.session.message_space(self.stream);
        let end = match space {
            Space::Stream(_) => self.known_until(&rest),
            _ => rest.end.min(here.end),
        };
        let bytes = self.dissection.bytes(&Place::new(space, rest.start..end))?;
        let description = describe_cut(&bytes)?;
        let whole = rest.start..end;
        stack.layers.push(Layer::in_part(description, space, &whole, common(&whole, here)));
        Some(end)
    }

    /// Says from where on there are no records; of one that breaks off, what is there.
    pub(super) fn not_framed(&self, stack: &mut Stack, tls: &Tls, range: &Range<u64>) {
        let unframed = self.session.records(self.stream.side).and_then(|records| records.unframed.as_ref());
        let Some((rest, why)) = unframed.filter(|(rest, _)| overlap(rest, range)) else { return };
        let end = self.known_until(rest);
        let mut bytes = Vec::new();
        self.dissection.store.stream(self.half, rest.start..end, &mut bytes);
        let is_cut = matches!(why, Unframed::Missing | Unframed::CutShort);
        let described = describe_cut_record(&bytes, &tls.context(self.stream.side, false));
        let from = match described.ok().filter(|_| is_cut) {
            Some(description) => {
                let (whole, space) = (rest.start..end, Space::Stream(self.stream));
                let layer = Layer::in_part(description, space, &whole, common(&whole, range));
                stack.layers.extend(Some(layer).filter(|layer| !layer.here.is_empty()));
                end
            }
            None => rest.start,
        };
        stack.troubles.push(format!("from byte {from} of this stream on there are no records: {why}"));
    }

    /// Where what is known of these bytes breaks off.
    fn known_until(&self, range: &Range<u64>) -> u64 {
        self.half.contiguous_within(range.start, (range.end - range.start).min(ENOUGH))
    }
}
