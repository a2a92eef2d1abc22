//! Two of our TCPs alone, joined by a function call: what an idle connection takes without what is above and below.

use std::net::IpAddr;

use framewise::core::id::{ConnId, Opener};
use framewise::core::seams::segment::{
    SegmentControl, SegmentDown, SegmentEvent, SegmentUp, SourceRoute, TCP,
};
use framewise::core::seams::stream::{Endpoint, Security, StreamDown, StreamUp};
use framewise::core::{Counters, Cx, Instant, Layer, Rng};
use framewise::tcp::{Config, Tcp};

/// A client and a server.
pub(crate) struct TcpPair {
    tcp: [Tcp; 2],
    counters: Counters,
    now: Instant,
    accepted: usize,
}

impl TcpPair {
    /// With the usual windows, of 64 KiB.
    pub(crate) fn new() -> Self {
        let config = Config { max_connections: 1 << 18, backlog: 1 << 18, ..Config::default() };
        let tcp = |seed| Tcp::new(config.clone(), Rng::from_seed(seed));
        let (counters, now) = (Counters::default(), Instant::from_millis(1));
        let mut pair = TcpPair { tcp: [tcp(1), tcp(2)], counters, now, accepted: 0 };
        let endpoint = Endpoint { address: None, port: 80 };
        pair.say(1, StreamDown::Listen { endpoint, security: Security::Plain });
        pair
    }

    /// Opens connections until there are so many. They are idle: both sides have granted a window, and nothing was sent.
    pub(crate) fn open(&mut self, connections: usize) {
        for number in self.accepted..connections {
            // A port of the client's leads to each of the server's addresses.
            let remote = (address(1 + number % 16), 80).into();
            let conn = ConnId::new(Opener::Upper, number as u32, 0);
            self.say(0, StreamDown::Connect { conn, remote, security: Security::Plain });
        }
        assert_eq!(self.accepted, connections);
    }

    fn say(&mut self, host: usize, message: StreamDown) {
        let mut cx = Cx::new(self.now, &mut self.counters);
        self.tcp[host].handle_outbound(message, &mut cx);
        while self.turn(0) | self.turn(1) {}
    }

    fn turn(&mut self, host: usize) -> bool {
        let mut moved = false;
        let mut cx = Cx::new(self.now, &mut self.counters);
        while let Some(event) = self.tcp[host].poll_inbound(&mut cx) {
            moved = true;
            if let StreamUp::Opened { conn, .. } = event {
                self.accepted += host;
                let bytes = 64 << 10;
                self.tcp[host].handle_outbound(StreamDown::Grant { conn, bytes }, &mut cx);
            }
        }
        while let Some(message) = self.tcp[host].poll_outbound(&mut cx) {
            moved = true;
            match message {
                SegmentDown::Segment(segment) => {
                    self.tcp[1 - host].handle_inbound(SegmentUp::Segment(segment), &mut cx);
                }
                SegmentDown::Control(control) => {
                    let answer = answer(&control);
                    self.tcp[host].handle_inbound(answer, &mut cx);
                }
            }
        }
        moved
    }
}

fn address(number: usize) -> IpAddr {
    IpAddr::from([192, 0, 2, 1 + number as u8])
}

fn answer(control: &SegmentControl) -> SegmentUp {
    let SegmentControl::Source { destination, .. } = *control else {
        panic!("TCP asks for nothing but a source");
    };
    let route = Some(SourceRoute { source: address(0), mtu: 1_500 });
    SegmentUp::Event(Box::new(SegmentEvent::Source { destination, protocol: TCP, route }))
}
