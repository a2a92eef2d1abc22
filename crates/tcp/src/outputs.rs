//! What waits to leave the layer, upward and downward.

use std::collections::VecDeque;

use framewise_core::Cx;
use framewise_core::seams::segment::{Segment, SegmentControl, SegmentDown};
use framewise_core::seams::stream::StreamUp;

/// Answers that wait for the layer below to ask for them. More are dropped: whoever misses one sends again.
const MAX_REPLIES: usize = 1_024;

/// Both queues.
///
/// What goes up is bounded by the credits: data by what was granted, room by the send buffer, and all else is said
/// once per connection. What goes down here are answers made while a segment was taken; data is made when asked for.
#[derive(Debug, Default)]
pub(crate) struct Outputs {
    pub(crate) events: VecDeque<StreamUp>,
    replies: VecDeque<SegmentDown>,
}

impl Outputs {
    /// Something for the layer above.
    pub(crate) fn say(&mut self, event: StreamUp) {
        self.events.push_back(event);
    }

    /// A segment for the layer below.
    pub(crate) fn reply(&mut self, segment: Segment, cx: &mut Cx) {
        if self.replies.len() >= MAX_REPLIES {
            cx.dropped("tcp", "too many answers wait");
            return;
        }
        self.replies.push_back(SegmentDown::Segment(segment));
    }

    /// A question for the layer below.
    pub(crate) fn ask(&mut self, control: SegmentControl) {
        self.replies.push_back(SegmentDown::Control(Box::new(control)));
    }

    pub(crate) fn next_reply(&mut self) -> Option<SegmentDown> {
        self.replies.pop_front()
    }
}
