//! Connections about which the user is asked before the peer is answered.

use std::net::SocketAddr;
use std::time::Duration;

use framewise_core::id::{ConnId, Opener};
use framewise_core::seams::segment::{
    ErrorKind, SegmentControl, SegmentDown, SegmentEvent, SegmentUp, SourceRoute, TCP,
};
use framewise_core::seams::stream::{CloseReason, Security, StreamDown, StreamUp};
use framewise_core::{Counters, Cx, Instant, Layer, Rng};
use framewise_tcp::segment::Flags;
use framewise_tcp::{Config, Header, Tcp};

/// A client and a gateway, joined by hand: neither asks for routes in vain, and time moves only when told.
struct Link {
    client: Tcp,
    gateway: Tcp,
    counters: Counters,
    now: Instant,
}

const CLIENT: &str = "192.0.2.10";
const SERVER: &str = "198.51.100.7:8080";
const CONN: ConnId = ConnId::new(Opener::Upper, 0, 0);

impl Link {
    fn new() -> Self {
        let asking = Config { asks: true, ..Config::default() };
        Link {
            client: Tcp::new(Config::default(), Rng::from_seed(1)),
            gateway: Tcp::new(asking, Rng::from_seed(2)),
            counters: Counters::default(),
            now: Instant::from_millis(1),
        }
    }

    fn connect(&mut self) {
        let remote = SERVER.parse().unwrap();
        let connect = StreamDown::Connect { conn: CONN, remote, security: Security::Plain };
        self.client.handle_outbound(connect, &mut Cx::new(self.now, &mut self.counters));
    }

    fn say(&mut self, message: StreamDown) {
        self.gateway.handle_outbound(message, &mut Cx::new(self.now, &mut self.counters));
    }

    /// Moves segments both ways until none is left; gives what the gateway's TCP asks IP to say, and what the users hear.
    fn settle(&mut self) -> (Vec<SegmentControl>, Vec<StreamUp>, Vec<StreamUp>) {
        let mut told = Vec::new();
        loop {
            let mut moved = false;
            for from_client in [true, false] {
                let mut cx = Cx::new(self.now, &mut self.counters);
                let (from, to) = match from_client {
                    true => (&mut self.client, &mut self.gateway),
                    false => (&mut self.gateway, &mut self.client),
                };
                while let Some(down) = from.poll_outbound(&mut cx) {
                    moved = true;
                    match down {
                        SegmentDown::Segment(segment) => {
                            to.handle_inbound(SegmentUp::Segment(segment), &mut cx)
                        }
                        SegmentDown::Control(control) => match *control {
                            SegmentControl::Source { destination, .. } => {
                                let source = CLIENT.parse().unwrap();
                                let route = Some(SourceRoute { source, mtu: 1_500 });
                                let event = SegmentEvent::Source { destination, protocol: TCP, route };
                                from.handle_inbound(SegmentUp::Event(Box::new(event)), &mut cx);
                            }
                            other => told.push(other),
                        },
                    }
                }
            }
            if !moved {
                break;
            }
        }
        let mut cx = Cx::new(self.now, &mut self.counters);
        let heard = |tcp: &mut Tcp, cx: &mut Cx| std::iter::from_fn(|| tcp.poll_inbound(cx)).collect();
        (told, heard(&mut self.client, &mut cx), heard(&mut self.gateway, &mut cx))
    }

    /// A connection that the gateway's user is asked about.
    fn asked(&mut self) -> ConnId {
        self.connect();
        let (_, client, gateway) = self.settle();
        assert!(client.is_empty(), "the client hears nothing yet, not {client:?}");
        let [StreamUp::Asked { conn, info }] = &gateway[..] else { panic!("should have asked: {gateway:?}") };
        assert_eq!(info.local, SERVER.parse::<SocketAddr>().unwrap());
        assert_eq!(info.remote.ip().to_string(), CLIENT);
        *conn
    }
}

#[test]
fn the_handshake_ends_when_the_user_accepts() {
    let mut link = Link::new();
    let conn = link.asked();
    // The client asks again meanwhile, which changes nothing.
    link.now += Duration::from_secs(2);
    link.client.handle_timeout(&mut Cx::new(link.now, &mut link.counters));
    let (_, client, gateway) = link.settle();
    assert!(client.is_empty() && gateway.is_empty(), "{client:?} {gateway:?}");

    link.say(StreamDown::Accept { conn });
    let (_, client, gateway) = link.settle();
    assert!(matches!(&client[0], StreamUp::Opened { conn, .. } if *conn == CONN), "{client:?}");
    assert!(matches!(&gateway[0], StreamUp::Opened { conn: opened, .. } if *opened == conn), "{gateway:?}");
    let dropped = link.counters.total() - link.counters.ignored();
    assert_eq!(dropped, 0, "{:?}", link.counters);
}

#[test]
fn a_refusal_says_why() {
    for (reason, expected) in [
        (CloseReason::Refused, Some(CloseReason::Refused)),
        (CloseReason::TooMany(3), Some(CloseReason::Refused)),
        (CloseReason::TimedOut, None),
    ] {
        let mut link = Link::new();
        let conn = link.asked();
        link.say(StreamDown::Refuse { conn, reason });
        let (_, client, gateway) = link.settle();
        let heard: Vec<_> = client
            .into_iter()
            .map(|up| match up {
                StreamUp::Closed { conn: over, reason } if over == CONN => reason,
                other => panic!("should have been closed, not {other:?}"),
            })
            .collect();
        assert_eq!(heard, Vec::from_iter(expected));
        let is_closed = matches!(&gateway[..], [StreamUp::Closed { conn: over, .. }] if *over == conn);
        assert!(is_closed, "the last word about it, not {gateway:?}");
        assert_eq!(link.gateway.connections(), 0);
    }
}

#[test]
fn what_can_not_be_reached_is_said_by_icmp() {
    let prohibited = CloseReason::Unreachable(ErrorKind::Prohibited);
    for (reason, expected) in
        [(prohibited, ErrorKind::Prohibited), (CloseReason::NoRoute, ErrorKind::NetworkUnreachable)]
    {
        let mut link = Link::new();
        let conn = link.asked();
        link.say(StreamDown::Refuse { conn, reason });
        let (told, ..) = link.settle();
        let [SegmentControl::Unreachable { segment, kind }] = &told[..] else { panic!("{told:?}") };
        assert_eq!(*kind, expected);
        assert_eq!(segment.destination().to_string(), "198.51.100.7");
        let quoted = Header::parse(segment).expect("the SYN with its header");
        assert!(quoted.has(Flags::SYN) && quoted.destination_port == 8080);
    }
}

#[test]
fn nobody_waits_for_ever_for_a_word() {
    let mut link = Link::new();
    let conn = link.asked();
    link.now += Config::default().connect_timeout;
    link.gateway.handle_timeout(&mut Cx::new(link.now, &mut link.counters));
    let (_, _, gateway) = link.settle();
    let timed_out = CloseReason::TimedOut;
    assert!(
        matches!(&gateway[..], [StreamUp::Closed { conn: over, reason }] if *over == conn && *reason == timed_out),
        "{gateway:?}"
    );
    // A word that comes too late is about nothing.
    link.say(StreamDown::Accept { conn });
    assert!(link.settle().2.is_empty());
}

#[test]
fn it_is_accepted_once() {
    let mut link = Link::new();
    let conn = link.asked();
    link.say(StreamDown::Accept { conn });
    link.settle();
    link.say(StreamDown::Accept { conn });
    let (_, client, gateway) = link.settle();
    assert!(matches!(&gateway[..], [StreamUp::Closed { reason: CloseReason::Misuse(_), .. }]), "{gateway:?}");
    assert!(matches!(&client[..], [StreamUp::Closed { reason: CloseReason::Reset, .. }]), "{client:?}");
}

#[test]
fn who_does_not_ask_refuses() {
    let mut link = Link::new();
    link.gateway = Tcp::new(Config::default(), Rng::from_seed(2));
    link.connect();
    let (_, client, gateway) = link.settle();
    assert!(matches!(&client[..], [StreamUp::Closed { reason: CloseReason::Refused, .. }]), "{client:?}");
    assert!(gateway.is_empty());
}
