//! Layers stacked by hand, frames carried by hand: no Runner, no wire, no clock. What crosses each seam is printed
//! with its size, so one sees every envelope being put on and taken off.
//!
//! Run it: `cargo run -p framewise-examples --example hand_wired_layers`

use framewise::core::id::{ExchangeId, Opener};
use framewise::core::observe::{Counters, Crossing, Direction, Observer};
use framewise::core::seams::exchange::{
    BodyLength, ClientRequest, ExchangeDown, ExchangeUp, RequestHead, Version,
};
use framewise::core::seams::stream::{Endpoint, Security};
use framewise::core::seams::{Frames, frame::Frame};
use framewise::core::{Beside, Cx, Either, Instant, Layer, Over, Rng};
use framewise::http::{Http, Method, Response};
use framewise::stack::Application;
use framewise::{dns::Dns, ethernet::Ethernet, ip::Ip, tcp::Tcp, udp::Udp};

trait Stack: Layer<Upper = Application, Lower = Frames> {}
impl<S: Layer<Upper = Application, Lower = Frames>> Stack for S {}

/// HTTP over TCP and DNS over UDP, side by side over IP over Ethernet. Without TLS: seams fit, so it can be left out.
fn stack(mac: &str, address: &str) -> impl Stack {
    let (mac, rng) = (mac.parse().expect("a MAC address"), Rng::from_seed(1).fork(address));
    let interface = framewise::ip::InterfaceConfig::new(mac, [address.parse().expect("an address")]);
    let config = framewise::ip::Config { interfaces: vec![interface], ..Default::default() };
    let web = Over::new(Http::new(Default::default()), Tcp::new(Default::default(), rng.fork("tcp")));
    let names = Over::new(Dns::new(Default::default(), rng.fork("dns")), Udp::new(Default::default()));
    let link =
        Over::new(Ip::new(config, rng.fork("ip")), Ethernet::new(framewise::ethernet::Config::one(mac), rng));
    Over::new(Beside::new(web, names), link)
}

/// Prints what crosses a seam, if it has bytes.
struct Printer(&'static str);

impl Observer for Printer {
    fn crossed(&mut self, crossing: &Crossing<'_>) {
        let arrow = if crossing.direction == Direction::Outbound { 'v' } else { '^' };
        let bytes = crossing.message.bytes().len();
        if bytes > 0 {
            println!("{:<7}{arrow} {:<8}{bytes:>5}  {}", self.0, crossing.seam, crossing.message.summary());
        }
    }
}

/// Gives a host what its application says and the frames that came; returns the frames that leave.
fn turn(
    name: &'static str,
    stack: &mut impl Stack,
    says: Option<ExchangeDown>,
    came: Vec<Frame>,
) -> Vec<Frame> {
    let (mut counters, mut printer, mut leaving) = (Counters::default(), Printer(name), Vec::new());
    let mut cx = Cx::observed(Instant::ZERO, &mut counters, &mut printer);
    if let Some(word) = says {
        stack.handle_outbound(Either::Left(word), &mut cx);
    }
    // After each frame, and once without one, whatever can move does.
    for frame in came.into_iter().map(Some).chain([None]) {
        if let Some(frame) = frame {
            cx.crossed::<Frames>("ethernet", "my hand", Direction::Inbound, &frame);
            stack.handle_inbound(frame, &mut cx);
        }
        while let Some(Either::Left(up)) = stack.poll_inbound(&mut cx) {
            answer(up).into_iter().for_each(|word| stack.handle_outbound(Either::Left(word), &mut cx));
        }
        while let Some(frame) = stack.poll_outbound(&mut cx) {
            cx.crossed::<Frames>("ethernet", "my hand", Direction::Outbound, &frame);
            leaving.push(frame);
        }
    }
    leaving
}

fn main() {
    let (mut server, mut me) =
        (stack("02:00:00:00:00:50", "192.0.2.80/24"), stack("02:00:00:00:00:0a", "192.0.2.10/24"));
    let endpoint = Endpoint { address: None, port: 80 };
    turn(
        "server",
        &mut server,
        Some(ExchangeDown::Listen { endpoint, security: Security::Plain }),
        Vec::new(),
    );

    let headers = [("Host", "shop.test")].into_iter().collect();
    let mut request = Some(ExchangeDown::Request(Box::new(ClientRequest {
        exchange: ExchangeId::new(Opener::Upper, 0, 0),
        remote: "192.0.2.80:80".parse().expect("an address and a port"),
        security: Security::Plain,
        head: RequestHead { method: Method::GET, target: "/".to_owned(), version: Version::Http11, headers },
        body: BodyLength::None,
    })));
    let mut on_the_table = Vec::new();
    while request.is_some() || !on_the_table.is_empty() {
        let from_me = turn("me", &mut me, request.take(), on_the_table);
        on_the_table = turn("server", &mut server, None, from_me);
    }
}

/// What the application says to what it hears: the server returns a page, the client takes it.
fn answer(up: ExchangeUp) -> Vec<ExchangeDown> {
    match up {
        ExchangeUp::Request(request) => {
            let (exchange, page) = (request.exchange, Response::text("a page"));
            let respond =
                ExchangeDown::Respond { exchange, head: Box::new(page.head), body: BodyLength::Known(6) };
            vec![
                respond,
                ExchangeDown::Body { exchange, data: "a page".into() },
                ExchangeDown::End { exchange },
            ]
        }
        ExchangeUp::Connected { exchange, .. } => vec![ExchangeDown::Grant { exchange, bytes: 1_000 }],
        _ => Vec::new(),
    }
}
