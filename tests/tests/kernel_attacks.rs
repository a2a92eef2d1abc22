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

/// Our server, which believes everybody to be beyond the kernel: so it answers whoever an attacker pretends to be.
struct Victim {
    server: Running,
    before: u64,
}

impl Victim {
    fn new(ns: &Namespace) -> Self {
        let server = on_tap(ns, &["serve", "--quiet"]).arguments(&GATEWAYS).spawn(READY);
        // Once, so that everything is there that the first page needs.
        assert!(fetches(ns, V4.ours));
        let before = peak_memory(server.id()).unwrap();
        Victim { server, before }
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

/// Ten thousand at once who never finish their handshake, then ten thousand more each second.
#[test]
fn a_flood_of_syns_keeps_nobody_out() {
    in_namespace("a_flood_of_syns_keeps_nobody_out", |ns| {
        tap(ns);
        let victim = Victim::new(ns);
        hping(ns, &["--syn", "--rand-source", "--interval", "u1"], 10_000).wait(SOON);
        assert!(fetches(ns, V4.ours), "beside ten thousand half-open connections");
        let mut flood = hping(ns, &["--syn", "--rand-source", "--interval", "u100"], 40_000);
        assert_nearly_all(beside(ns, V4.ours, || flood.is_running()));
        assert!(fetches(ns, V6.ours));
        victim.ends_unharmed();
    });
}

/// What belongs to no connection is answered with RST and forgotten.
#[test]
fn a_flood_of_acknowledgments_opens_nothing() {
    in_namespace("a_flood_of_acknowledgments_opens_nothing", |ns| {
        tap(ns);
        let victim = Victim::new(ns);
        // First a backlog that is full, so that cookies are looked for.
        hping(ns, &["--syn", "--rand-source", "--interval", "u1"], 10_000).wait(SOON);
        let mut flood = hping(ns, &["--ack", "--rand-source", "--interval", "u100"], 40_000);
        assert_nearly_all(beside(ns, V4.ours, || flood.is_running()));
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
         \x20   except OSError: time.sleep(0.001)\n\
         print('sent', sent, flush=True)\n",
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

/// It was a flood, and no trickle.
#[track_caller]
fn assert_sent(mut flood: Running, at_least: usize) {
    let line = flood.wait_for_line("it says how much it sent", SOON, |line| line.starts_with("sent "));
    let sent: usize = line.trim_start_matches("sent ").parse().unwrap();
    assert!(sent >= at_least, "{line}");
}

/// Whatever floods the link, who is being served goes on being served, and others are served beside. A script of ours says
/// how much it has sent, which must be `at_least` so much.
fn under_flood(name: &str, address: &'static str, at_least: usize, flood: impl Fn(&Namespace) -> Running) {
    in_namespace(name, |ns| {
        tap(ns);
        let victim = Victim::new(ns);
        let mut download = slow_download(ns, address);
        let mut flood = flood(ns);
        let end = Instant::now() + FLOOD;
        assert_nearly_all(beside(ns, address, || Instant::now() < end && flood.is_running()));
        let said = download.wait_for_line("the page is whole", SOON, |line| line.starts_with("200 "));
        assert_eq!(said, "200 1000000");
        if at_least > 0 {
            assert_sent(flood, at_least);
        }
        victim.ends_unharmed();
    });
}

#[test]
fn a_flood_of_arp_moves_no_neighbour() {
    under_flood("a_flood_of_arp_moves_no_neighbour", V4.ours, 10_000, |ns| {
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
    under_flood("a_flood_of_fragments_holds_up_nobody", V4.ours, 10_000, |ns| {
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
    under_flood("a_flood_of_neighbour_advertisements_moves_no_neighbour", V6.ours, 0, |ns| {
        thc(ns, "flood_advertise6", &[TAP])
    });
}

#[test]
fn a_flood_of_neighbour_solicitations_holds_up_nobody() {
    under_flood("a_flood_of_neighbour_solicitations_holds_up_nobody", V6.ours, 0, |ns| {
        thc(ns, "flood_solicitate6", &[TAP, V6.ours])
    });
}

#[test]
fn a_flood_of_routers_changes_no_route() {
    under_flood("a_flood_of_routers_changes_no_route", V6.ours, 0, |ns| thc(ns, "flood_router26", &[TAP]));
}
