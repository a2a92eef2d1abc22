//! How ends stand after segments made by hand.

use std::net::SocketAddr;
use std::time::Duration;

use framewise_core::Direction;
use framewise_tcp::passive::{End, Finding, Known, Referred, Resent, Seen, Side, State, Watch, told};
use framewise_tcp::segment::{Flags, Header, Options};
use framewise_tcp::{Flow, SeqNumber};

/// A connection that is watched, by default from somewhere between.
#[derive(Default)]
struct Watched {
    flow: Flow,
    watch: Watch,
}

const CLIENT: u32 = 1_000;
const SERVER: u32 = 5_000;

impl Watched {
    /// After a handshake in which neither says a scale, seen at the server.
    fn open() -> Self {
        let mut watched = Watched::default();
        watched.arrives(Side::Client, syn(CLIENT, None), 0);
        watched.leaves(Side::Server, answer(None), 0);
        watched.arrives(Side::Client, data(CLIENT + 1, SERVER + 1), 0);
        watched
    }

    fn take(&mut self, side: Side, header: Header, payload: usize, fate: impl FnOnce(Seen) -> Seen) {
        let ends: [SocketAddr; 2] = ["192.0.2.10:49152".parse().unwrap(), "203.0.113.80:80".parse().unwrap()];
        let from = usize::from(side == Side::Server);
        let facts = self.flow.observe(ends[from], ends[1 - from], &header, payload);
        self.watch.observe(&fate(Seen::of(&header, payload, facts, side)), |_| {});
    }

    fn arrives(&mut self, side: Side, header: Header, payload: usize) {
        self.take(side, header, payload, |seen| seen.caught(Some(Direction::Inbound), None, false));
    }

    fn leaves(&mut self, side: Side, header: Header, payload: usize) {
        self.take(side, header, payload, |seen| seen.caught(Some(Direction::Outbound), None, false));
    }

    fn passes(&mut self, side: Side, header: Header, payload: usize) {
        self.take(side, header, payload, |seen| seen);
    }

    fn of(&self, side: Side) -> &End {
        self.watch.ends().of(side)
    }

    fn meaning(&self, side: Side, address: &str, name: &str) -> Option<String> {
        let fields = self.of(side).fields(address.parse().unwrap());
        fields.into_iter().find(|field| field.name == name).map(|field| field.meaning)
    }
}

fn syn(number: u32, window_scale: Option<u8>) -> Header {
    let options = Options { window_scale, ..Options::default() };
    Header { sequence: SeqNumber(number), flags: Flags::SYN, window: 10_000, options, ..Header::default() }
}

fn answer(window_scale: Option<u8>) -> Header {
    let flags = Flags::SYN | Flags::ACK;
    Header { acknowledgment: SeqNumber(CLIENT + 1), flags, ..syn(SERVER, window_scale) }
}

fn data(sequence: u32, acknowledgment: u32) -> Header {
    let (sequence, acknowledgment) = (SeqNumber(sequence), SeqNumber(acknowledgment));
    Header { sequence, acknowledgment, flags: Flags::ACK, window: 10_000, ..Header::default() }
}

fn state(end: &End) -> Option<State> {
    end.state.map(|known| known.value)
}

fn known(value: u32) -> Option<Known<u32>> {
    Some(Known { value, inferred: false })
}

#[test]
fn what_lies_beyond_the_window_is_not_kept_and_what_reaches_beyond_is_cut_off() {
    let mut watched = Watched::open();
    watched.arrives(Side::Client, data(CLIENT + 1 + 50_000, SERVER + 1), 7);
    assert_eq!(watched.of(Side::Server).ahead, []);
    watched.arrives(Side::Client, data(CLIENT + 1 + 9_000, SERVER + 1), 2_000);
    assert_eq!(watched.of(Side::Server).ahead, [(9_001, 10_001)], "10,000 bytes from 1 on are taken");
    watched.arrives(Side::Client, data(CLIENT + 1, SERVER + 1), 12_000);
    assert_eq!(watched.of(Side::Server).expected, known(10_001));
}

#[test]
fn where_it_is_not_known_what_windows_count_nothing_is_beyond_them() {
    let mut watched = Watched::default();
    watched.leaves(Side::Server, data(SERVER, CLIENT), 0);
    watched.arrives(Side::Client, data(CLIENT, SERVER), 20_000);
    assert_eq!(watched.of(Side::Server).expected.map(|known| known.value), Some(20_001));
}

#[test]
fn a_damaged_segment_says_nothing_of_its_sender() {
    let mut watched = Watched::open();
    let before = watched.watch.ends().clone();
    let damaged = data(CLIENT + 1 + (1 << 24), SERVER + 1);
    watched.take(Side::Client, damaged, 100, |seen| seen.caught(Some(Direction::Inbound), None, true));
    assert_eq!(*watched.watch.ends(), before);
    // What was damaged behind whoever sent it is known as it was sent.
    watched.take(Side::Server, data(SERVER + 1, CLIENT + 1), 100, |seen| {
        seen.caught(Some(Direction::Outbound), None, true)
    });
    assert_eq!(watched.of(Side::Server).next, Some(101));
}

#[test]
fn a_reset_counts_in_syn_sent_only_if_it_acknowledges_the_syn() {
    let mut watched = Watched::default();
    watched.leaves(Side::Client, syn(CLIENT, None), 0);
    let reset = Header { flags: Flags::RST, ..data(0, 0) };
    watched.arrives(Side::Server, reset, 0);
    assert_eq!(state(watched.of(Side::Client)), Some(State::SynSent), "it acknowledges nothing");
    let reset = |number| Header { flags: Flags::RST | Flags::ACK, ..data(0, number) };
    watched.arrives(Side::Server, reset(CLIENT + 2), 0);
    assert_eq!(state(watched.of(Side::Client)), Some(State::SynSent), "it acknowledges something else");
    watched.arrives(Side::Server, reset(CLIENT + 1), 0);
    assert_eq!(state(watched.of(Side::Client)), Some(State::Closed));
}

#[test]
fn nothing_is_in_flight_where_all_was_acknowledged_before_it_was_seen() {
    let mut watched = Watched::default();
    watched.passes(Side::Server, data(SERVER, 20_000), 0);
    watched.passes(Side::Client, data(18_000, SERVER), 100);
    assert_eq!(watched.of(Side::Client).in_flight(), Some(0));
}

#[test]
fn an_end_whose_syn_names_no_size_is_sent_the_default_of_its_ip() {
    let watched = Watched::open();
    for (address, size) in [("203.0.113.80", "536"), ("2001:db8::80", "1220")] {
        let meaning = watched.meaning(Side::Server, address, "MSS").unwrap();
        assert!(meaning.contains(size), "{meaning}");
    }
}

#[test]
fn windows_are_shifted_only_where_both_said_so() {
    let mut watched = Watched::default();
    let said = |watched: &Watched| watched.meaning(Side::Client, "192.0.2.10", "window scale").unwrap();
    watched.leaves(Side::Client, syn(CLIENT, Some(7)), 0);
    assert!(said(&watched).contains("if the other's does, too"), "{}", said(&watched));
    watched.arrives(Side::Server, answer(None), 0);
    assert!(said(&watched).contains("so they count bytes"), "{}", said(&watched));
    watched.arrives(Side::Server, answer(Some(2)), 0);
    assert_eq!(said(&watched), "Its windows count in units of 128 bytes, as its SYN said.");
}

#[test]
fn numbers_are_said_as_people_say_them() {
    let refer = |_| Referred { name: "frame 1".to_owned(), before: Some(Duration::from_micros(250)) };
    for (count, said) in
        [(3, "third"), (11, "11th"), (21, "21st"), (22, "22nd"), (23, "23rd"), (112, "112th")]
    {
        let sentence = told(&Finding::DuplicateAck { count, of: 0 }, refer);
        assert!(sentence.contains(&format!("the {said} time")), "{sentence}");
    }
    let one = told(&Finding::Missing { bytes: 1 }, refer);
    assert!(one.starts_with("1 byte before this is"), "{one}");
    let why = Resent::Timeout;
    let again = told(&Finding::Again { last: Some(0), why }, refer);
    assert!(again.contains("within 0.250 ms"), "{again}");
}

#[test]
fn what_is_acknowledged_before_it_is_seen_was_not_sent_again() {
    let mut watched = Watched::open();
    let finish = Header { flags: Flags::FIN | Flags::ACK, ..data(SERVER + 1, CLIENT + 1) };
    watched.passes(Side::Client, data(CLIENT + 1, SERVER + 2), 0);
    watched.passes(Side::Server, finish, 0);
    let server = watched.of(Side::Server);
    assert_eq!((server.sent_again, server.next, server.in_flight()), (0, Some(2), Some(0)));
    watched.passes(Side::Server, finish, 0);
    assert_eq!(watched.of(Side::Server).sent_again, 1);
}
