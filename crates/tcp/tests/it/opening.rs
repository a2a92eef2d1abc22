//! What the layer is told before a connection has begun: names, and IP's answers.

use framewise_core::id::{ConnId, Opener};
use framewise_core::seams::segment::{SegmentDown, SegmentEvent, SegmentUp, SourceRoute, TCP};
use framewise_core::seams::stream::{CloseReason, Security, StreamDown, StreamUp};
use framewise_core::{Counters, Cx, Instant, Layer, Rng};
use framewise_tcp::{Config, Tcp};

/// A TCP by itself, whose user connects and to which IP answers when it is told to.
struct Alone {
    tcp: Tcp,
    counters: Counters,
    now: Instant,
}

impl Alone {
    fn new() -> Self {
        Alone {
            tcp: Tcp::new(Config::default(), Rng::from_seed(1)),
            counters: Counters::default(),
            now: Instant::from_millis(1),
        }
    }

    fn connect(&mut self, conn: ConnId) {
        let remote = "192.0.2.1:80".parse().unwrap();
        let connect = StreamDown::Connect { conn, remote, security: Security::Plain };
        self.tcp.handle_outbound(connect, &mut Cx::new(self.now, &mut self.counters));
    }

    /// Takes what is to go, and says how often IP was asked.
    fn questions(&mut self) -> usize {
        let mut cx = Cx::new(self.now, &mut self.counters);
        let sent = std::iter::from_fn(|| self.tcp.poll_outbound(&mut cx));
        sent.filter(|message| matches!(message, SegmentDown::Control(_))).count()
    }

    fn route_found(&mut self) {
        let event = SegmentEvent::Source {
            destination: "192.0.2.1".parse().unwrap(),
            protocol: TCP,
            route: Some(SourceRoute { source: "192.0.2.2".parse().unwrap(), mtu: 1_500 }),
        };
        let mut cx = Cx::new(self.now, &mut self.counters);
        self.tcp.handle_inbound(SegmentUp::Event(Box::new(event)), &mut cx);
    }

    /// Every `Closed` since the last look.
    fn closed(&mut self) -> Vec<(ConnId, CloseReason)> {
        let mut cx = Cx::new(self.now, &mut self.counters);
        std::iter::from_fn(|| self.tcp.poll_inbound(&mut cx))
            .filter_map(|event| match event {
                StreamUp::Closed { conn, reason } => Some((conn, reason)),
                _ => None,
            })
            .collect()
    }
}

#[test]
fn closed_is_said_of_a_name_whose_place_is_taken() {
    let mut alone = Alone::new();
    let [first, second] = [0, 1].map(|generation| ConnId::new(Opener::Upper, 0, generation));
    for conn in [first, second] {
        alone.connect(conn);
        assert_eq!(alone.questions(), 1);
        alone.route_found();
    }
    let misuse = CloseReason::Misuse("connected under a name whose place is taken");
    assert_eq!(alone.closed(), [(second, misuse)]);
    assert_eq!(alone.tcp.connections(), 1, "the first goes on");
}

#[test]
fn only_names_of_the_upper_side_connect() {
    let mut alone = Alone::new();
    let conn = ConnId::new(Opener::Lower, 5, 0);
    alone.connect(conn);
    let misuse = CloseReason::Misuse("connected under a name of the lower side");
    assert_eq!(alone.closed(), [(conn, misuse)]);
    assert_eq!((alone.questions(), alone.tcp.connections()), (0, 0));
}

#[test]
fn a_connection_whose_route_is_never_told_times_out() {
    let mut alone = Alone::new();
    let conn = ConnId::new(Opener::Upper, 0, 0);
    alone.connect(conn);
    assert_eq!(alone.questions(), 1);
    let until = alone.tcp.poll_timeout().expect("IP's answer should not be waited for in vain");
    assert_eq!(until, alone.now + Config::default().connect_timeout);
    alone.now = until;
    alone.tcp.handle_timeout(&mut Cx::new(alone.now, &mut alone.counters));
    assert_eq!(alone.closed(), [(conn, CloseReason::TimedOut)]);
    assert_eq!(alone.tcp.poll_timeout(), None);
    // An answer that comes now is no harm.
    alone.route_found();
    assert_eq!((alone.questions(), alone.tcp.connections()), (0, 0));
}
