//! Attacks on `framewise serve`, from the kernel's side of the TAP, and what they must not do: keep anybody else out, end
//! what is under way, or make our process grow.
#![allow(clippy::unwrap_used, reason = "the helpers of tests, too, fail by panicking")]

use framewise_tests::link::{GATEWAYS, TAP, V4, V6, as_host, on_tap, tap};
use framewise_tests::peers::Curl;
use framewise_tests::{Namespace, Place, Running, in_namespace, peak_memory, require_program};
use std::time::{Duration, Instant};

const SOON: Duration = Duration::from_secs(20);
/// What a server says once it listens.
const READY: &str = "Ctrl-C ends it";
/// By how much our process may grow under any attack.
const GROWTH: u64 = 64 << 20;
/// How long each flood lasts.
const FLOOD: Duration = Duration::from_secs(4);
/// Frames that our process takes from the TAP in that time, at least: ten times what the fetches beside it need.
const FLOODED: usize = 10_000;

/// Our server, which believes everybody to be beyond the kernel: so it answers whoever an attacker pretends to be.
struct Victim {
    server: Running,
    before: u64,
    astray: Running,
    taken: usize,
}

impl Victim {
    fn new(ns: &Namespace) -> Self {
        let server = on_tap(ns, &["serve", "--quiet"]).arguments(&GATEWAYS).spawn(READY);
        // Once, so that everything is there that the first page needs.
        assert!(fetches(ns, V4.ours));
        let before = peak_memory(server.id()).unwrap();
        let astray = astray(ns);
        let taken = taken(ns);
        Victim { server, before, astray, taken }
    }

    /// It was a flood, and no trickle: since the last look our process took so many frames.
    #[track_caller]
    fn was_flooded(&mut self, ns: &Namespace, at_least: usize) {
        let taken = taken(ns);
        let since = taken - std::mem::replace(&mut self.taken, taken);
        assert!(since >= at_least, "only {since} frames were taken, not {at_least}");
    }

    /// So many were dropped for this reason, at least.
    #[track_caller]
    fn has_dropped(&mut self, reason: &str, at_least: usize) {
        self.server.ask();
        let line = self.server.wait_for_line("it says what it dropped", SOON, |line| line.contains(reason));
        let dropped: usize = line.rsplit(' ').next().unwrap().parse().unwrap();
        assert!(dropped >= at_least, "{line}");
    }

    /// Who is near and who is beyond is still reached where it was reached, and nothing of a page went anywhere else.
    #[track_caller]
    fn knows_its_ways(&self, ns: &Namespace, address: &str) {
        assert!(fetches(ns, address) && fetches_from_beyond(ns, address));
        assert_eq!(self.astray.said(), ["watching"], "segments went to another station");
    }

    /// It is as it was, and ends when it is told to.
    fn ends_unharmed(self) {
        let growth = peak_memory(self.server.id()).unwrap() - self.before;
        assert!(growth <= GROWTH, "it grew by {growth} bytes");
        self.server.ends_well(SOON);
    }
}

/// Whether a page comes, whole, over a connection of its own.
fn fetches(ns: &Namespace, address: &str) -> bool {
    let answer = Curl::new(ns).options(&["--max-time", "10"]).get(&format!("http://{}/", as_host(address)));
    answer.exit == Some(0) && answer.status == 200
}

/// The same, asked for from a network beyond the kernel, which is our server's router.
fn fetches_from_beyond(ns: &Namespace, address: &str) -> bool {
    let (beyond, length) = if address == V4.ours { (V4.beyond, 32) } else { (V6.beyond, 128) };
    ns.address("lo", &format!("{beyond}/{length}"));
    let curl = Curl::new(ns).options(&["--max-time", "10", "--interface", beyond]);
    let answer = curl.get(&format!("http://{}/", as_host(address)));
    answer.exit == Some(0) && answer.status == 200
}

/// Frames that our process has taken from the TAP.
#[track_caller]
fn taken(ns: &Namespace) -> usize {
    let told = ns.ip(&format!("-json -statistics link show {TAP}"));
    let sent = told.split_once("\"tx\":").unwrap().1.split_once("\"packets\":").unwrap().1;
    sent.split(',').next().unwrap().parse().unwrap()
}

/// A script that tells of every TCP segment from our process in a frame to another station than the kernel.
fn astray(ns: &Namespace) -> Running {
    // 263 and 23 are SOL_PACKET and PACKET_IGNORE_OUTGOING (packet(7)): what floods in is none of ours.
    let script = format!(
        "import socket\n\
         link = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)\n\
         link.setsockopt(263, 23, 1)\n\
         link.bind(({TAP:?}, 3))\n\
         print('watching', flush=True)\n\
         while True:\n\
         \x20   frame, where = link.recvfrom(128)\n\
         \x20   of = {{b'\\x08\\0': 23, b'\\x86\\xdd': 20}}.get(frame[12:14], 0)\n\
         \x20   if where[2] == socket.PACKET_OTHERHOST and of and frame[of] == 6:\n\
         \x20       print('astray', frame[:6].hex(), flush=True)\n"
    );
    let mut script = Running::start(ns.command("python3").args(["-c", &script]));
    script.wait_for_line("it watches", SOON, |line| line == "watching");
    script
}

/// Fetches one page after the other while `attack` goes on, at least a hundred, and gives how many came, of how many.
fn beside(ns: &Namespace, address: &str, mut goes_on: impl FnMut() -> bool) -> (usize, usize) {
    let (mut came, mut asked) = (0, 0);
    while asked < 100 || goes_on() {
        came += usize::from(fetches(ns, address));
        asked += 1;
    }
    (came, asked)
}

#[track_caller]
fn assert_nearly_all((came, asked): (usize, usize)) {
    assert!(came * 100 >= asked * 99, "only {came} of {asked} fetches succeeded");
}

/// `hping3` with these arguments, which ends by itself after so many packets.
fn hping(ns: &Namespace, arguments: &[&str], packets: usize) -> Running {
    require_program("hping3");
    let mut command = ns.command("hping3");
    command.args(["--quiet", "--count", &packets.to_string(), "--destport", "80"]).args(arguments);
    Running::start(command.arg(V4.ours))
}

/// `hping3` has sent them all: whether anybody answered, which is what its exit code tells, does not matter here. Of what
/// the TAP's queue does not hold some may be lost.
#[track_caller]
fn assert_sent(mut hping: Running, packets: usize) {
    hping.wait(SOON);
    let sent = format!("{packets} packets tra");
    assert!(hping.said().iter().any(|line| line.starts_with(&sent)), "{}", hping.said().join("\n"));
}

/// Ten thousand at once who never finish their handshake, then ten thousand more each second.
#[test]
fn a_flood_of_syns_keeps_nobody_out() {
    in_namespace("a_flood_of_syns_keeps_nobody_out", |ns| {
        tap(ns);
        let mut victim = Victim::new(ns);
        assert_sent(hping(ns, &["--syn", "--rand-source", "--interval", "u1"], 10_000), 10_000);
        victim.was_flooded(ns, 5_000);
        assert!(fetches(ns, V4.ours), "beside ten thousand half-open connections");
        let mut flood = hping(ns, &["--syn", "--rand-source", "--interval", "u100"], 40_000);
        assert_nearly_all(beside(ns, V4.ours, || flood.is_running()));
        assert_sent(flood, 40_000);
        victim.was_flooded(ns, 20_000);
        assert!(fetches(ns, V6.ours));
        victim.knows_its_ways(ns, V4.ours);
        victim.ends_unharmed();
    });
}

/// What belongs to no connection is answered with RST and forgotten.
#[test]
fn a_flood_of_acknowledgments_opens_nothing() {
    in_namespace("a_flood_of_acknowledgments_opens_nothing", |ns| {
        tap(ns);
        let mut victim = Victim::new(ns);
        // First a backlog that is full, so that cookies are looked for.
        assert_sent(hping(ns, &["--syn", "--rand-source", "--interval", "u1"], 10_000), 10_000);
        victim.was_flooded(ns, 5_000);
        let mut flood = hping(ns, &["--ack", "--rand-source", "--interval", "u100"], 40_000);
        assert_nearly_all(beside(ns, V4.ours, || flood.is_running()));
        assert_sent(flood, 40_000);
        victim.was_flooded(ns, 20_000);
        victim.has_dropped("no such connection", 20_000);
        victim.knows_its_ways(ns, V4.ours);
        victim.ends_unharmed();
    });
}

/// A script that sends what `frame(n)` makes, as fast as it can, for as long as a flood lasts.
fn raw(ns: &Namespace, frame: &str) -> Running {
    let script = format!(
        "import os, random, socket, struct, time\n\
         random.seed(1)\n\
         link = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)\n\
         link.bind(({TAP:?}, 0))\n\
         mac = lambda: b'\\x02' + random.randbytes(5)\n\
         near = lambda: bytes([192, 0, 2, random.randrange(1, 255)])\n\
         ours, kernel = bytes([192, 0, 2, 10]), bytes([192, 0, 2, 1])\n\
         def total(data):\n\
         \x20   s = sum(struct.unpack('!%dH' % (len(data) // 2), data))\n\
         \x20   while s >> 16: s = (s & 0xffff) + (s >> 16)\n\
         \x20   return struct.pack('!H', ~s & 0xffff)\n\
         {frame}\n\
         end, sent = time.monotonic() + {seconds}, 0\n\
         while time.monotonic() < end and sent < 400000:\n\
         \x20   try:\n\
         \x20       link.send(frame(sent))\n\
         \x20       sent += 1\n\
         \x20   except OSError: time.sleep(0.001)\n",
        seconds = FLOOD.as_secs(),
    );
    Running::start(ns.command("python3").args(["-c", &script]))
}

/// The page that is under way while a flood lasts: as long, at this rate.
fn slow_download(ns: &Namespace, address: &str) -> Running {
    let mut command = ns.command("curl");
    command.args(["--disable", "--silent", "--show-error", "--limit-rate", "250k", "--max-time", "60"]);
    command.args(["--output", "/dev/null", "--write-out", "%{http_code} %{size_download}\\n"]);
    Running::start(command.arg(format!("http://{}/large", as_host(address))))
}

/// Whatever floods the link, who is being served goes on being served, and others are served beside. What a flood is made of
/// is dropped for `reason`, where there is but one.
fn under_flood(name: &str, address: &'static str, reason: &str, flood: impl Fn(&Namespace) -> Running) {
    in_namespace(name, |ns| {
        tap(ns);
        let mut victim = Victim::new(ns);
        let mut download = slow_download(ns, address);
        let mut flood = flood(ns);
        let end = Instant::now() + FLOOD;
        assert_nearly_all(beside(ns, address, || Instant::now() < end && flood.is_running()));
        let said = download.wait_for_line("the page is whole", SOON, |line| line.starts_with("200 "));
        assert_eq!(said, "200 1000000");
        assert_went_on(flood);
        victim.was_flooded(ns, FLOODED);
        if !reason.is_empty() {
            victim.has_dropped(reason, FLOODED);
        }
        victim.knows_its_ways(ns, address);
        victim.ends_unharmed();
    });
}

/// A script has come to its end, a tool without one was ended by `timeout`, which says 124 then; neither failed.
#[track_caller]
fn assert_went_on(mut flood: Running) {
    let status = flood.wait(SOON).code();
    assert!(matches!(status, Some(0 | 124)), "{status:?}\n{}", flood.said().join("\n"));
}

#[test]
fn a_flood_of_arp_moves_no_neighbour() {
    under_flood("a_flood_of_arp_moves_no_neighbour", V4.ours, "", |ns| {
        raw(
            ns,
            "def frame(n):\n\
             \x20   who, at, to = (kernel if n % 4 == 0 else near()), mac(), random.choice([ours, kernel, near()])\n\
             \x20   kind = struct.pack('!HHBBH', 1, 0x800, 6, 4, random.choice([1, 2]))\n\
             \x20   return b'\\xff' * 6 + at + b'\\x08\\x06' + kind + at + who + b'\\0' * 6 + to",
        )
    });
}

#[test]
fn a_flood_of_fragments_holds_up_nobody() {
    under_flood("a_flood_of_fragments_holds_up_nobody", V4.ours, "", |ns| {
        raw(
            ns,
            "said = os.popen('ip neigh show 192.0.2.10').read()\n\
             station = bytes.fromhex(said.split('lladdr ')[1].split()[0].replace(':', ''))\n\
             def frame(n):\n\
             \x20   part = random.choice([0x2000, 0x2000 | random.randrange(1, 900), random.randrange(1, 8000)])\n\
             \x20   kind = random.choice([6, 17])\n\
             \x20   head = struct.pack('!BBHHHBBH', 0x45, 0, 1420, n & 0xffff, part, 64, kind, 0)\n\
             \x20   head += random.choice([kernel, bytes([198, 51, 100, random.randrange(1, 255)])]) + ours\n\
             \x20   return station + mac() + b'\\x08\\0' + head[:10] + total(head) + head[12:] + b'\\0' * 1400",
        )
    });
}

/// One of the tools of thc-ipv6, until the flood is over.
fn thc(ns: &Namespace, tool: &str, arguments: &[&str]) -> Running {
    let tool = format!("atk6-{tool}");
    require_program(&tool);
    let mut command = ns.command("timeout");
    command.arg(FLOOD.as_secs().to_string()).arg(&tool).args(arguments);
    Running::start(&mut command)
}

#[test]
fn a_flood_of_neighbour_advertisements_moves_no_neighbour() {
    under_flood(
        "a_flood_of_neighbour_advertisements_moves_no_neighbour",
        V6.ours,
        "advertisement nobody asked for",
        |ns| thc(ns, "flood_advertise6", &[TAP]),
    );
}

#[test]
fn a_flood_of_neighbour_solicitations_holds_up_nobody() {
    under_flood("a_flood_of_neighbour_solicitations_holds_up_nobody", V6.ours, "", |ns| {
        thc(ns, "flood_solicitate6", &[TAP, V6.ours])
    });
}

#[test]
fn a_flood_of_routers_changes_no_route() {
    under_flood("a_flood_of_routers_changes_no_route", V6.ours, "router advertisement not wanted", |ns| {
        thc(ns, "flood_router26", &[TAP])
    });
}
