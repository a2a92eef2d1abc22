//! The composition is general: several interfaces, both IP versions, other people's layers, routers in between.

use std::cell::RefCell;
use std::collections::{BTreeSet, VecDeque};
use std::net::IpAddr;
use std::rc::Rc;
use std::time::Duration;

use framewise::core::buf::Buf;
use framewise::core::seams::segment::{ErrorKind, Segment, SegmentDown, SegmentUp, UDP};
use framewise::core::seams::stream::CloseReason;
use framewise::core::seams::{Exchanges, Names, Segments};
use framewise::core::{Both, Cx, Direction, Either, Layer, Over};
use framewise::device::WireEvent;
use framewise::device::impair::ImpairmentConfig;
use framewise::device::wire::WireConfig;
use framewise::stack::AnyStack;
use framewise::{Fetch, FetchError, HostConfig, HostId, Page, Runner, World, WorldConfig};
use framewise_tests::memory::{GREETING, LARGE, Lab, healthy, record, serve};
use framewise_tests::peers::body_of;
use framewise_tests::student_tcp::StudentTcp;
use framewise_trace::{Event, Trace};

#[track_caller]
fn fetch(runner: &mut Runner, host: HostId, url: &str) -> Page {
    runner.host(host).fetch_page(url).unwrap_or_else(|error| panic!("{url}: {error}"))
}

/// The frames of a host that went this way, as bytes.
fn frames<'t>(trace: &'t Trace, host: &str, direction: Direction) -> impl Iterator<Item = &'t [u8]> {
    trace.frames(host).filter(move |c| c.direction == direction).map(|c| trace.bytes(c))
}

/// The ICMPv6 messages in these frames, by their type.
fn icmpv6_types<'f>(frames: impl Iterator<Item = &'f [u8]>) -> Vec<u8> {
    frames.filter(|f| f[12..14] == [0x86, 0xdd] && f[20] == 58).map(|f| f[54]).collect()
}

/// The ICMP messages in these frames, by type and code.
fn icmp_messages<'f>(frames: impl Iterator<Item = &'f [u8]>) -> Vec<(u8, u8)> {
    frames.filter(|f| f[12..14] == [8, 0] && f[23] == 1).map(|f| (f[34], f[35])).collect()
}

fn address_bytes(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    }
}

#[test]
fn a_host_with_two_interfaces_leaves_by_the_one_that_leads_there() {
    let mut lab = Lab::new(1);
    let (left, right) =
        (lab.runner.add_wire(WireConfig::default()), lab.runner.add_wire(WireConfig::default()));
    let interfaces =
        vec![lab.interface(&["192.0.2.10/24"]), lab.interface(&["198.51.100.10/24", "2001:db8:9::10/64"])];
    let me = lab.config("me", interfaces, &[]);
    let me = lab.add(&me, &[left, right]);
    for (name, address, wire) in
        [("a", &["192.0.2.80/24"][..], left), ("b", &["198.51.100.80/24", "2001:db8:9::80/64"], right)]
    {
        let interface = lab.interface(address);
        let server = lab.config(name, vec![interface], &[]);
        let server = lab.add(&server, &[wire]);
        lab.serve(server);
    }
    let recorder = lab.record();
    for (url, local, interface) in [
        ("http://192.0.2.80/", "192.0.2.10", 0),
        ("http://198.51.100.80/", "198.51.100.10", 1),
        ("http://[2001:db8:9::80]/", "2001:db8:9::10", 1),
    ] {
        let first = recorder.borrow().len();
        let page = fetch(&mut lab.runner, me, url);
        assert_eq!(page.text(), GREETING, "{url}");
        assert_eq!(page.connection.local.ip(), local.parse::<IpAddr>().unwrap(), "{url}: the source address");
        let trace = recorder.borrow().trace();
        let remote = address_bytes(page.remote.ip());
        let later = trace.events().iter().skip(first).filter_map(|event| match event {
            Event::Crossing(c) if c.seam == "frame" && trace.host_name(c.host) == "me" => Some(c),
            _ => None,
        });
        let to_server = later.filter(|c| {
            trace.bytes(c).get(14..54).is_some_and(|h| h.ends_with(&remote) || h[..20].ends_with(&remote))
        });
        let used: BTreeSet<_> = to_server.filter_map(|c| c.interface).map(|used| used.0).collect();
        assert_eq!(used, BTreeSet::from([interface]), "{url}: the interface by which frames for it left");
    }
}

#[test]
fn http_and_https_connections_are_open_at_once() {
    let mut world = healthy(2);
    let urls: Vec<_> = (0..30).map(|i| format!("{}://shop.test/{i}", ["http", "https"][i % 2])).collect();
    let start = |url: &String| world.runner.host(world.me).start(Fetch::get(url)).expect(url);
    let fetches: Vec<_> = urls.iter().map(start).collect();
    for (i, (id, url)) in fetches.into_iter().zip(&urls).enumerate() {
        let page = world.runner.host(world.me).finish(id).unwrap_or_else(|error| panic!("{url}: {error}"));
        assert_eq!(page.text(), format!("/{i}"), "each answer belongs to its question");
        assert_eq!(page.connection.tls.is_some(), i % 2 == 1, "{url}");
        assert!(!page.reused, "{url}: all were begun before any connection was free");
    }
}

#[test]
fn an_ipv6_neighbour_is_found_by_ndp() {
    let mut world = healthy(3);
    let recorder = record(&mut world);
    let (me, runner) = (world.me, &mut world.runner);
    for scheme in ["http", "https"] {
        // By its address the server has no name that a certificate could vouch for.
        let url = if scheme == "http" { "http://[2001:db8:2::80]/" } else { "https://shop.test/" };
        assert_eq!(fetch(runner, me, url).text(), GREETING);
        if scheme == "http" {
            let trace = recorder.borrow().trace();
            let asked = icmpv6_types(frames(&trace, "me", Direction::Outbound));
            let heard = icmpv6_types(frames(&trace, "me", Direction::Inbound));
            assert_eq!(
                asked.iter().filter(|&&kind| kind == 135).count(),
                1,
                "one neighbour solicitation: {asked:?}"
            );
            assert!(heard.contains(&136), "and its advertisement: {heard:?}");
            let arp = frames(&trace, "me", Direction::Outbound).filter(|f| f[12..14] == [8, 6]).count();
            assert_eq!(arp, 0, "nothing was asked by ARP");
            let notes: Vec<_> = trace.notes().map(|note| note.text.as_str()).collect();
            assert!(notes.contains(&"2001:db8:1::1 is at 02:00:00:00:00:01"), "{notes:#?}");
        }
    }
}

/// Fetches two pages at once, the first of which must fail because of what the network says.
#[track_caller]
fn check_icmp_error(hopeless: &str, expected: ErrorKind, message: (u8, u8)) {
    let mut world = healthy(4);
    let recorder = record(&mut world);
    let mut start = |url| world.runner.host(world.me).start(Fetch::get(url)).expect(url);
    let (bad, good) = (start(hopeless), start("http://shop.test/"));
    let error = world.runner.host(world.me).finish(bad).expect_err(hopeless);
    match &error {
        FetchError::Connect { remote, reason } => {
            assert_eq!(*reason, CloseReason::Unreachable(expected), "{hopeless}");
            assert!(hopeless.contains(&remote.ip().to_string()), "{hopeless}: the error names {remote}");
        }
        other => panic!("{hopeless}: expected a connection that fails, got {other:?}"),
    }
    let good = world.runner.host(world.me).finish(good);
    assert_eq!(good.expect("the other connection is none of its business").text(), GREETING);
    let trace = recorder.borrow().trace();
    let heard = icmp_messages(frames(&trace, "me", Direction::Inbound));
    let heard6 = icmpv6_types(frames(&trace, "me", Direction::Inbound));
    let is_v6 = hopeless.contains('[');
    let said = if is_v6 { heard6.contains(&message.0) } else { heard.contains(&message) };
    assert!(said, "{hopeless}: ICMP {message:?} came by a frame; there were {heard:?} and ICMPv6 {heard6:?}");
}

#[test]
fn host_unreachable_reaches_the_connection_that_caused_it() {
    check_icmp_error("http://203.0.113.99/", ErrorKind::HostUnreachable, (3, 1));
    check_icmp_error("http://[2001:db8:2::99]/", ErrorKind::HostUnreachable, (1, 3));
}

#[test]
fn network_unreachable_reaches_the_connection_that_caused_it() {
    check_icmp_error("http://198.51.100.1/", ErrorKind::NetworkUnreachable, (3, 0));
    check_icmp_error("http://[2001:db8:9::1]/", ErrorKind::NetworkUnreachable, (1, 0));
}

/// Found out by this host alone: nothing leaves.
#[test]
fn without_a_gateway_there_is_no_route() {
    let mut lab = Lab::new(5);
    let wire = lab.runner.add_wire(WireConfig::default());
    let interface = lab.interface(&["192.0.2.10/24", "2001:db8:1::10/64"]);
    let me = lab.config("me", vec![interface], &[]);
    let me = lab.add(&me, &[wire]);
    let recorder = lab.record();
    for url in ["http://203.0.113.80/", "http://[2001:db8:2::80]/"] {
        let error = lab.runner.host(me).fetch_page(url).expect_err(url);
        assert!(
            matches!(&error, FetchError::Connect { reason: CloseReason::NoRoute, .. }),
            "{url}: {error:?}"
        );
    }
    assert_eq!(
        recorder.borrow().trace().frames("me").count(),
        0,
        "a frame left, though there is nowhere to go"
    );
}

/// That the next hop does not answer is told as soon as ARP gives up, and not at some later event. TCP takes its word the
/// second time: the first answer may have been lost (RFC 1122, section 4.2.3.9).
#[test]
fn a_silent_neighbour_is_told_at_once() {
    let mut lab = Lab::new(6);
    let wire = lab.runner.add_wire(WireConfig::default());
    let interface = lab.interface(&["192.0.2.10/24", "2001:db8:1::10/64"]);
    let me = lab.config("me", vec![interface], &[]);
    let me = lab.add(&me, &[wire]);
    for url in ["http://192.0.2.99/", "http://[2001:db8:1::99]/"] {
        let began = lab.runner.now();
        let error = lab.runner.host(me).fetch_page(url).expect_err(url);
        let expected = CloseReason::Unreachable(ErrorKind::HostUnreachable);
        assert!(
            matches!(&error, FetchError::Connect { reason, .. } if *reason == expected),
            "{url}: {error:?}"
        );
        assert_eq!(
            lab.runner.now() - began,
            Duration::from_secs(10),
            "{url}: the SYNs at 0 and 7 s make ARP ask, three times, once a second"
        );
    }
}

/// A world in which `me` has a TCP of a student's kind in place of ours.
fn with_student_tcp(config: &WorldConfig) -> World {
    let mut build = |host: &HostConfig, randomness: &framewise::core::Rng| {
        let mut layers = host.layers(randomness)?;
        if host.name == "me" {
            layers.tcp = Box::new(StudentTcp::new(randomness.fork("student")));
        }
        Ok(layers.stacked())
    };
    let mut world = World::build(config, &mut build).expect("a world can be built");
    serve(&mut world);
    world
}

#[test]
fn a_students_tcp_takes_the_place_of_ours() {
    let mut world = with_student_tcp(&WorldConfig { seed: 7, ..WorldConfig::default() });
    let recorder = record(&mut world);
    for url in ["http://shop.test/", "https://shop.test/", "http://[2001:db8:2::80]/"] {
        let page = fetch(&mut world.runner, world.me, url);
        assert_eq!(page.text(), GREETING, "{url}");
    }
    let trace = recorder.borrow().trace();
    let by_student = trace.crossings().filter(|c| c.upper == "student" && c.seam == "segment").count();
    assert!(by_student > 20, "only {by_student} crossings of the segment seam under the student's TCP");
    for scheme in ["http", "https"] {
        let page = fetch(&mut world.runner, world.me, &format!("{scheme}://shop.test/large"));
        assert!(page.body == body_of(LARGE), "{scheme}: the large page is not the one that was served");
        let form =
            Fetch::post(format!("{scheme}://shop.test/echo"), "application/octet-stream", body_of(50_000));
        let page =
            world.runner.host(world.me).fetch(form).unwrap_or_else(|error| panic!("{scheme}: {error}"));
        assert!(page.body == body_of(50_000), "{scheme}: the form came back changed");
    }
}

#[test]
fn a_students_tcp_learns_that_nobody_listens_and_that_nobody_is_there() {
    let mut world = with_student_tcp(&WorldConfig { seed: 8, ..WorldConfig::default() });
    for (url, expected) in [
        ("http://shop.test:81/", CloseReason::Refused),
        ("http://203.0.113.99/", CloseReason::Unreachable(ErrorKind::HostUnreachable)),
    ] {
        let error = world.runner.host(world.me).fetch_page(url).expect_err(url);
        assert!(
            matches!(&error, FetchError::Connect { reason, .. } if *reason == expected),
            "{url}: {error:?}"
        );
    }
}

#[test]
fn a_students_tcp_gets_the_page_over_a_lossy_wire() {
    let impairment =
        ImpairmentConfig { loss: 0.1, duplication: 0.05, reordering: 0.1, ..ImpairmentConfig::default() };
    for seed in 0..10 {
        let mut world =
            with_student_tcp(&WorldConfig { seed, impairment: impairment.clone(), ..WorldConfig::default() });
        for url in ["http://shop.test/", "https://shop.test/"] {
            let page = world.runner.host(world.me).fetch_page(url);
            let page = page.unwrap_or_else(|error| panic!("seed {seed}, {url}: {error}"));
            assert_eq!(page.text(), GREETING, "seed {seed}, {url}");
        }
    }
}

/// me ── 1,500 ── a ── 1,400 ── b ── 1,500 ── server: neither end can know of the narrow link before it is told.
fn behind_a_narrow_link(seed: u64) -> (Lab, HostId) {
    let mut lab = Lab::new(seed);
    let wide = WireConfig::default();
    let narrow = WireConfig { mtu: 1_400, ..WireConfig::default() };
    let [near, middle, far] = [wide.clone(), narrow, wide].map(|wire| lab.runner.add_wire(wire));

    let interface = lab.interface(&["192.0.2.10/24", "2001:db8:1::10/64"]);
    let me = lab.config("me", vec![interface], &["192.0.2.1", "2001:db8:1::1"]);
    let mut between = [
        lab.interface(&["198.51.100.1/24", "2001:db8:9::1/64"]),
        lab.interface(&["198.51.100.2/24", "2001:db8:9::2/64"]),
    ];
    between.iter_mut().for_each(|interface| interface.mtu = 1_400);
    let [to_b, to_a] = between;
    let interfaces = vec![lab.interface(&["192.0.2.1/24", "2001:db8:1::1/64"]), to_b];
    let mut a = lab.config("a", interfaces, &["198.51.100.2", "2001:db8:9::2"]);
    let interfaces = vec![to_a, lab.interface(&["203.0.113.1/24", "2001:db8:2::1/64"])];
    let mut b = lab.config("b", interfaces, &["198.51.100.1", "2001:db8:9::1"]);
    (a.is_router, b.is_router) = (true, true);
    let interface = lab.interface(&["203.0.113.80/24", "2001:db8:2::80/64"]);
    let server = lab.config("shop.test", vec![interface], &["203.0.113.1", "2001:db8:2::1"]);

    let me = lab.add(&me, &[near]);
    lab.add(&a, &[near, middle]);
    lab.add(&b, &[middle, far]);
    let server = lab.add(&server, &[far]);
    lab.serve(server);
    (lab, me)
}

#[test]
fn a_router_that_finds_packets_too_big_makes_segments_smaller() {
    for (host, too_big) in [("203.0.113.80", (3, 4)), ("[2001:db8:2::80]", (2, 0))] {
        let (mut lab, me) = behind_a_narrow_link(9);
        let recorder = lab.record();
        let form = Fetch::post(format!("http://{host}/echo"), "application/octet-stream", body_of(200_000));
        let page = lab.runner.host(me).fetch(form).unwrap_or_else(|error| panic!("{host}: {error}"));
        assert!(page.body == body_of(200_000), "{host}: the form came back changed");

        let trace = recorder.borrow().trace();
        for end in ["me", "shop.test"] {
            let said = match host.starts_with('[') {
                false => icmp_messages(frames(&trace, end, Direction::Inbound)).contains(&too_big),
                true => icmpv6_types(frames(&trace, end, Direction::Inbound)).contains(&too_big.0),
            };
            assert!(said, "{host}: no router told {end} of the narrow link");
            let longest = |frames: &[&[u8]]| frames.iter().map(|frame| frame.len()).max().unwrap_or_default();
            let sent: Vec<_> = frames(&trace, end, Direction::Outbound).collect();
            assert_eq!(longest(&sent), 1_514, "{host}: {end} first tries as its own link allows");
            let later = &sent[sent.len() / 2..];
            assert_eq!(longest(later), 1_414, "{host}: {end} then fits the narrow link, and fills it");
        }
    }
}

/// What stands above IP here: it sends the datagrams it was given, keeps those that come, and gives them back if told.
struct Datagrams {
    out: VecDeque<Segment>,
    came: Rc<RefCell<Vec<Vec<u8>>>>,
    returns: bool,
}

impl Layer for Datagrams {
    type Upper = Both<Exchanges, Names>;
    type Lower = Segments;

    fn name(&self) -> &'static str {
        "datagrams"
    }

    fn handle_outbound(&mut self, _message: <Self::Upper as framewise::core::Seam>::Down, _cx: &mut Cx) {}

    fn handle_inbound(&mut self, message: SegmentUp, _cx: &mut Cx) {
        let SegmentUp::Segment(segment) = message else { return };
        self.came.borrow_mut().push(segment.to_vec());
        if self.returns {
            let (source, destination) = (segment.destination(), segment.source());
            self.out.push_back(Segment::new(Buf::copy_from_slice(&segment), source, destination, UDP));
        }
    }

    fn poll_outbound(&mut self, _cx: &mut Cx) -> Option<SegmentDown> {
        self.out.pop_front().map(SegmentDown::Segment)
    }

    fn poll_inbound(&mut self, _cx: &mut Cx) -> Option<<Self::Upper as framewise::core::Seam>::Up> {
        None::<Either<_, _>>
    }
}

/// A host that speaks IP and nothing else, and what came to it.
fn bare(
    lab: &Lab,
    config: &HostConfig,
    out: Vec<Segment>,
    returns: bool,
) -> (AnyStack, Rc<RefCell<Vec<Vec<u8>>>>) {
    let came = Rc::new(RefCell::new(Vec::new()));
    let layers = config.layers(&lab.runner.randomness("hosts")).expect("the configuration is a good one");
    let top = Datagrams { out: out.into(), came: came.clone(), returns };
    (Box::new(Over::new(top, Over::new(layers.ip, layers.ethernet))), came)
}

#[test]
fn a_large_datagram_goes_in_fragments_there_and_back() {
    for (mine, yours, header) in [("192.0.2.10", "192.0.2.80", 20), ("2001:db8:1::10", "2001:db8:1::80", 48)]
    {
        let mut lab = Lab::new(10);
        let wire = lab.runner.add_wire(WireConfig::default());
        let ends = [&["192.0.2.10/24", "2001:db8:1::10/64"], &["192.0.2.80/24", "2001:db8:1::80/64"]];
        let [me, you] = ends.map(|addresses| lab.interface(addresses));
        let (me, you) = (lab.config("me", vec![me], &[]), lab.config("you", vec![you], &[]));

        let datagram = body_of(4_000);
        let (source, destination) = (mine.parse().unwrap(), yours.parse().unwrap());
        let segment = Segment::new(Buf::copy_from_slice(&datagram), source, destination, UDP);
        let (my_stack, came_back) = bare(&lab, &me, vec![segment], false);
        let (your_stack, came) = bare(&lab, &you, Vec::new(), true);
        lab.plug("me", my_stack, &[wire]);
        lab.plug("you", your_stack, &[wire]);
        let recorder = lab.record();
        lab.runner.run_for(Duration::from_secs(1)).expect("memory does not fail");

        assert!(*came.borrow() == [datagram.clone()], "{yours}: the datagram comes whole, and once");
        assert!(*came_back.borrow() == [datagram], "{mine}: and goes back whole");
        let trace = recorder.borrow().trace();
        let is_fragment = |frame: &&[u8]| match header {
            20 => frame[12..14] == [8, 0] && frame[20..22] != [0, 0] && frame[20..22] != [0x40, 0],
            _ => frame[12..14] == [0x86, 0xdd] && frame[20] == 44,
        };
        let sizes: Vec<_> =
            frames(&trace, "me", Direction::Outbound).filter(is_fragment).map(<[u8]>::len).collect();
        assert_eq!(sizes.len(), 3, "{mine}: 4,000 bytes need three packets of 1,500: {sizes:?}");
        assert_eq!(sizes.iter().sum::<usize>(), 4_000 + 3 * (14 + header), "{mine}: {sizes:?}");
    }
}

/// Row L3 of the lecture: every device has an address of its own, and it is said where two have the same.
#[test]
fn two_stations_with_one_mac_address_are_detected_and_said() {
    let mut lab = Lab::new(11);
    let wire = lab.runner.add_wire(WireConfig::default());
    let mut interfaces =
        ["192.0.2.10/24", "192.0.2.80/24", "192.0.2.81/24"].map(|address| lab.interface(&[address]));
    interfaces[2].mac = interfaces[1].mac;
    let twin = interfaces[1].mac;
    let names = ["me", "first", "second"];
    let hosts: Vec<_> = names
        .into_iter()
        .zip(interfaces)
        .map(|(name, interface)| {
            let config = lab.config(name, vec![interface], &[]);
            lab.add(&config, &[wire])
        })
        .collect();
    lab.serve(hosts[1]);
    let recorder = lab.record();
    let page = fetch(&mut lab.runner, hosts[0], "http://192.0.2.80/");
    assert_eq!(page.text(), GREETING, "two are not confused yet: only one of them has spoken");

    // The second asks everybody on the switch, the first among them, from the address that is the first's own.
    let _ =
        lab.runner.host(hosts[2]).fetch(Fetch::get("http://192.0.2.10/").max_time(Duration::from_secs(5)));
    let trace = recorder.borrow().trace();
    let said: Vec<_> = trace.notes().filter(|note| note.topic == "duplicate").collect();
    assert!(
        said.iter()
            .any(|note| trace.host_name(note.host) == "first" && note.text.contains(&twin.to_string())),
        "the first station was to say that another uses its MAC address; notes: {:#?}",
        trace.notes().map(|note| &note.text).collect::<Vec<_>>()
    );
    assert!(
        lab.runner.counters(hosts[1]).drops("ethernet", "my own address as source") > 0,
        "and to drop its frames"
    );
    let wire = lab.runner.wire_mut(wire);
    let moved = std::iter::from_fn(|| wire.poll_event())
        .any(|event| matches!(event, WireEvent::Moved(m) if m.mac == twin));
    assert!(moved, "the switch saw one address at two of its ports");
}
