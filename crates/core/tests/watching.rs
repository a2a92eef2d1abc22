//! What is not for this host is a drop as any other to who counts, and none to who looks for damage.

use framewise_core::observe::Dropped;
use framewise_core::{Counters, Cx, Instant, Observer};

#[derive(Default)]
struct Log {
    dropped: Vec<&'static str>,
    ignored: Vec<&'static str>,
}

impl Observer for Log {
    fn dropped(&mut self, dropped: &Dropped) {
        self.dropped.push(dropped.reason);
    }

    fn ignored(&mut self, dropped: &Dropped) {
        self.ignored.push(dropped.reason);
    }
}

#[test]
fn what_is_for_others_is_told_apart() {
    let (mut counters, mut log) = (Counters::default(), Log::default());
    let mut cx = Cx::observed(Instant::ZERO, &mut counters, &mut log);
    cx.dropped("ip", "checksum wrong");
    cx.ignored("ip", "group not listened to");
    cx.ignored("ip", "group not listened to");
    cx.ignored("ethernet", "for another station");
    assert_eq!((log.dropped.len(), log.ignored.len()), (1, 3));
    assert_eq!((counters.total(), counters.ignored()), (4, 3));
    assert_eq!(counters.drops("ip", "group not listened to"), 2, "nothing vanishes uncounted");
}
