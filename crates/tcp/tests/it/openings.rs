//! What somebody who only watches makes of openings other than the usual one, and of captures that begin after it.

use std::net::SocketAddr;

use framewise_core::Description;
use framewise_tcp::passive::{Finding, Resent, Seen, Side, Watch, told};
use framewise_tcp::segment::{Flags, Header, Options};
use framewise_tcp::{Flow, SeqNumber, describe};

/// Somebody in between.
#[derive(Default)]
struct Watcher {
    flow: Flow,
    watch: Watch,
    findings: Vec<Finding>,
}

const CLIENT: u32 = 1_000;
const SERVER: u32 = 5_000;

impl Watcher {
    /// Takes a segment, and explains it.
    fn take(&mut self, side: Side, header: Header, payload: usize) -> Description {
        let ends: [SocketAddr; 2] = ["192.0.2.10:49152".parse().unwrap(), "203.0.113.80:80".parse().unwrap()];
        let from = usize::from(side == Side::Server);
        let facts = self.flow.observe(ends[from], ends[1 - from], &header, payload);
        self.watch.observe(&Seen::of(&header, payload, facts, side), |finding| self.findings.push(finding));
        let mut bytes = vec![0; header.emitted_len()];
        header.emit(&mut bytes);
        bytes.extend(vec![b'x'; payload]);
        describe(&bytes, ends[from].ip(), ends[1 - from].ip(), Some(&facts)).unwrap()
    }

    fn sent_again(&self) -> [u32; 2] {
        [Side::Client, Side::Server].map(|side| self.watch.ends().of(side).sent_again)
    }
}

fn segment(flags: Flags, sequence: u32, acknowledgment: u32) -> Header {
    let (sequence, acknowledgment) = (SeqNumber(sequence), SeqNumber(acknowledgment));
    Header { sequence, acknowledgment, flags, window: 500, ..Header::default() }
}

const SYN_ACK: Flags = Flags(Flags::SYN.0 | Flags::ACK.0);

fn meaning<'d>(description: &'d Description, name: &str) -> &'d str {
    &description.fields.iter().find(|field| field.name == name).unwrap().meaning
}

fn value<'d>(description: &'d Description, name: &str) -> &'d str {
    &description.fields.iter().find(|field| field.name == name).unwrap().value
}

#[test]
fn two_syns_that_cross_are_no_repetition() {
    // RFC 9293, section 3.5, figure 7.
    let mut watcher = Watcher::default();
    watcher.take(Side::Client, segment(Flags::SYN, CLIENT, 0), 0);
    watcher.take(Side::Server, segment(Flags::SYN, SERVER, 0), 0);
    watcher.take(Side::Client, segment(SYN_ACK, CLIENT, SERVER + 1), 0);
    watcher.take(Side::Server, segment(SYN_ACK, SERVER, CLIENT + 1), 0);
    assert_eq!((watcher.findings.as_slice(), watcher.sent_again()), (&[][..], [0, 0]));
    watcher.take(Side::Client, segment(SYN_ACK, CLIENT, SERVER + 1), 0);
    let why = Resent::MarkNeedlessly { acknowledged_by: 3 };
    assert_eq!(watcher.findings, [Finding::Again { last: Some(2), why }], "the second time it is one");
    assert_eq!(watcher.sent_again(), [1, 0]);
}

#[test]
fn what_was_not_taken_with_the_syn_is_sent_once_more_by_the_rules() {
    let mut watcher = Watcher::default();
    let first = watcher.take(Side::Client, segment(Flags::SYN, CLIENT, 0), 20);
    let sequence = meaning(&first, "sequence number");
    assert!(sequence.contains("first byte is byte 1 of"), "{sequence}");
    watcher.take(Side::Server, segment(SYN_ACK, SERVER, CLIENT + 1), 0);
    watcher.take(Side::Client, segment(Flags::ACK, CLIENT + 1, SERVER + 1), 20);
    let finding = watcher.findings.pop().unwrap();
    assert_eq!(finding, Finding::Again { last: Some(0), why: Resent::NotTaken { by: 1 } });
    assert!(!finding.is_trouble());
    let refer = |number| framewise_tcp::passive::Referred { name: format!("frame {number}"), before: None };
    let sentence = told(&finding, refer);
    assert!(sentence.contains("frame 1 took the SYN of frame 0 alone"), "{sentence}");
    // A second time the reason is another.
    watcher.take(Side::Client, segment(Flags::ACK, CLIENT + 1, SERVER + 1), 20);
    assert_eq!(watcher.findings, [Finding::Again { last: Some(2), why: Resent::Timeout }]);
}

#[test]
fn a_mark_that_was_acknowledged_is_sent_again_for_nothing() {
    let mut watcher = Watcher::default();
    watcher.take(Side::Client, segment(Flags::SYN, CLIENT, 0), 0);
    watcher.take(Side::Server, segment(SYN_ACK, SERVER, CLIENT + 1), 0);
    watcher.take(Side::Client, segment(Flags::ACK, CLIENT + 1, SERVER + 1), 0);
    watcher.take(Side::Client, segment(Flags::ACK | Flags::FIN, CLIENT + 1, SERVER + 1), 0);
    watcher.take(Side::Client, segment(Flags::ACK | Flags::FIN, CLIENT + 1, SERVER + 1), 0);
    assert_eq!(watcher.findings.pop(), Some(Finding::Again { last: Some(3), why: Resent::Timeout }));
    watcher.take(Side::Server, segment(Flags::ACK, SERVER + 1, CLIENT + 2), 0);
    watcher.take(Side::Client, segment(Flags::ACK | Flags::FIN, CLIENT + 1, SERVER + 1), 0);
    let finding = watcher.findings.pop().unwrap();
    assert_eq!(finding.name(), "retransmission", "needless are only bytes, as Wireshark says it");
    let refer = |number| framewise_tcp::passive::Referred { name: format!("frame {number}"), before: None };
    let sentence = told(&finding, refer);
    assert_eq!(sentence, "Sent again for nothing: frame 5 had acknowledged what came in frame 4.");
}

#[test]
fn marks_of_congestion_are_agreed_on_before_there_are_any() {
    let said = |flags: Flags| {
        let description = Watcher::default().take(Side::Client, segment(flags, CLIENT, 0), 0);
        meaning(&description, "control bits").to_owned()
    };
    let offered = said(Flags::SYN | Flags::ECE | Flags::CWR);
    assert!(offered.contains("ECE: offers") && offered.contains("CWR: offers"), "{offered}");
    let accepted = said(SYN_ACK | Flags::ECE);
    assert!(accepted.contains("ECE: accepts"), "{accepted}");
    for flags in [Flags::SYN | Flags::ECE, Flags::SYN | Flags::CWR, SYN_ACK | Flags::ECE | Flags::CWR] {
        let said = said(flags);
        assert!(said.contains("nothing"), "{said}");
        assert_eq!(said.matches("nothing").count(), 1, "{said}");
    }
    let reported = said(Flags::ACK | Flags::ECE | Flags::CWR);
    assert!(reported.contains("a router reported congestion"), "{reported}");
}

#[test]
fn where_no_syn_was_seen_nobody_knows_what_windows_count() {
    let mut watcher = Watcher::default();
    let first = watcher.take(Side::Client, segment(Flags::ACK, CLIENT, SERVER), 20);
    assert_eq!(value(&first, "window"), "500");
    assert!(meaning(&first, "window").contains("500 units"), "{}", meaning(&first, "window"));
    watcher.take(Side::Server, segment(Flags::ACK, SERVER, CLIENT + 20), 20);
    let fields = watcher.watch.ends().of(Side::Client).fields("192.0.2.10".parse().unwrap());
    for name in ["SND.WND", "RCV.WND"] {
        let field = fields.iter().find(|field| field.name == name).unwrap();
        assert_eq!(field.value, "500 units", "{name}");
        assert!(field.meaning.contains("only the SYNs said"), "{}", field.meaning);
    }
    let wider = Header { window: 600, ..segment(Flags::ACK, SERVER + 20, CLIENT + 20) };
    watcher.take(Side::Server, wider, 0);
    assert_eq!(watcher.findings, [Finding::WindowUpdate { before: 500, is_known: false }]);
}

#[test]
fn one_syn_without_a_scale_tells_that_windows_count_bytes() {
    let mut watcher = Watcher::default();
    watcher.take(Side::Server, segment(SYN_ACK, SERVER, CLIENT + 1), 0);
    let next = watcher.take(Side::Client, segment(Flags::ACK, CLIENT + 1, SERVER + 1), 0);
    assert_eq!(meaning(&next, "window"), "The sender of this takes 500 bytes more.");
}

/// The options of an acknowledgment of all before byte 2,000 of the server's stream, with these blocks.
fn selective(blocks: &[(u32, u32)]) -> Description {
    let mut watcher = Watcher::default();
    watcher.take(Side::Client, segment(Flags::SYN, CLIENT, 0), 0);
    watcher.take(Side::Server, segment(SYN_ACK, SERVER, CLIENT + 1), 0);
    let mut sack = [None; 4];
    for (place, (left, right)) in sack.iter_mut().zip(blocks) {
        *place = Some((SeqNumber(SERVER + left), SeqNumber(SERVER + right)));
    }
    let options = Options { sack, ..Options::default() };
    watcher.take(Side::Client, Header { options, ..segment(Flags::ACK, CLIENT + 1, SERVER + 2_000) }, 0)
}

#[test]
fn what_came_out_of_order_is_counted_like_the_acknowledgment() {
    let description = selective(&[(3_001, 4_001), (5_001, 6_001)]);
    assert_eq!(value(&description, "acknowledgment number"), "+2000");
    assert_eq!(value(&description, "SACK"), "+3001 to +4001, +5001 to +6001");
    assert_eq!(value(&description, "left edge"), "+3001");
    assert!(meaning(&description, "left edge").ends_with("On the wire this number is 8001."));
    assert!(meaning(&description, "SACK").contains("something before it is missing"));
}

#[test]
fn a_block_that_is_acknowledged_or_within_the_next_one_came_twice() {
    // RFC 2883, section 4.
    for blocks in [&[(1, 501)][..], &[(1_500, 2_000)], &[(3_200, 3_300), (3_001, 4_001)]] {
        let description = selective(blocks);
        assert!(meaning(&description, "SACK").contains("came twice"), "{blocks:?}");
        assert!(meaning(&description, "left edge").contains("came twice"), "{blocks:?}");
    }
    for blocks in [&[(1_500, 2_001)][..], &[(3_200, 4_300), (3_001, 4_001)]] {
        assert!(!meaning(&selective(blocks), "SACK").contains("twice"), "{blocks:?}");
    }
}
