//! The host that runs live, on a wire in memory whose other end is the player's.
//!
//! ```text
//!   host (ours, live) ── port 0 ── wire, no time ── port 1 ── nobody: the player puts frames in here
//! ```
//!
//! A frame is given a nanosecond before it is to arrive. So it comes as frames come in any other run, before the timers of
//! that moment, and a run that is played again is the same, byte for byte.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::net::IpAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use framewise::core::buf::InterfaceId;
use framewise::core::id::Opener;
use framewise::core::observe::{Crossing, Dropped, Note};
use framewise::core::seams::frame::Frame;
use framewise::core::seams::stream::{Endpoint, Security};
use framewise::core::{Buf, Cx, Direction, Instant, Layer, MacAddr, Observer};
use framewise::device::SwitchConfig;
use framewise::device::switch::PortId;
use framewise::device::wire::WireConfig;
use framewise::dns::Family;
use framewise::stack::Application;
use framewise::tls::{Crypto, SimulatedCrypto, TimeSource};
use framewise::world::{HOSTS, WorldConfig};
use framewise::{Fetch, FetchId, HostConfig, HostId, Interface, KnownAddress, Plug, Runner, WireId};
use framewise_trace::dissect::{self, Dissection};
use framewise_trace::{Limits, Recorder, Trace, wire};

use crate::error::PlayError;
use crate::script::{Deed, FetchLine, Heard, Script};
use crate::sockets::{Sockets, Stage};

/// Between the player and the host.
const WAY: Duration = Duration::from_nanos(1);
/// The player's end of the wire.
const PLAYER: PortId = PortId(1);
/// The most that a run records. What is more than that is a run that got out of hand.
const LIMITS: Limits = Limits { events: 500_000, bytes: 64 << 20 };
/// How often the Runner may turn: a timer that is always due again is such a run, too.
const TURNS: u64 = 2_000_000;

/// A host that runs live.
pub(crate) struct Live {
    runner: Runner,
    host: HostId,
    wire: WireId,
    name: String,
    mac: MacAddr,
    addresses: Vec<IpAddr>,
    tape: Rc<RefCell<Tape>>,
    /// What its sockets are told, where no page is fetched or served.
    stage: Option<Rc<RefCell<Stage>>>,
    /// Fetches that wait until the one before is done.
    following: VecDeque<FetchLine>,
    fetch: Option<FetchId>,
}

impl Live {
    /// The host of this script, at its beginning.
    pub(crate) fn new(script: &Script) -> Result<Self, PlayError> {
        let mut runner = Runner::simulated(script.host.seed)?;
        let config = host_config(script, &runner)?;
        let randomness = runner.randomness(HOSTS);
        let wire = runner.add_wire(WireConfig {
            rate: None,
            delay: WAY,
            mtu: usize::from(u16::MAX),
            // A station that is learnt could be at both ends: a capture may have frames in the host's own name.
            switch: SwitchConfig { capacity: 0, ..SwitchConfig::default() },
            ..WireConfig::default()
        });
        let stage = script.has_sockets().then(|| Rc::new(RefCell::new(Stage::new(!script.reads_by_hand))));
        let stack = match &stage {
            None => config.stack(&randomness)?,
            Some(stage) => {
                let mut layers = config.layers(&randomness)?;
                layers.http = Box::new(Sockets::new(stage.clone()));
                layers.stacked()
            }
        };
        let host = runner.add_host(&config.name, stack, vec![Plug::Wire(wire)]);
        runner.add_host("the player", Box::new(Nobody), vec![Plug::Wire(wire)]);
        let tape = Rc::new(RefCell::new(Tape::new(&config.name)));
        runner.observe(tape.clone());
        let mac = config.interfaces.first().map_or_else(MacAddr::default, |interface| interface.mac);
        let following = VecDeque::new();
        let mut addresses: Vec<IpAddr> =
            config.interfaces.iter().flat_map(|i| &i.addresses).map(|cidr| cidr.address).collect();
        addresses.push(framewise::ip::ipv6::link_local(mac).into());
        let name = config.name;
        let mut live = Live { runner, host, wire, name, mac, addresses, tape, stage, following, fetch: None };
        live.set_up(script)?;
        Ok(live)
    }

    fn set_up(&mut self, script: &Script) -> Result<(), PlayError> {
        for (host, address) in &script.host.known {
            let known = KnownAddress { host: host.clone(), port: None, addresses: vec![*address] };
            self.runner.host(self.host).know(known);
        }
        for &(port, is_tls) in &script.host.serves {
            let endpoint = Endpoint { address: None, port };
            let security = if is_tls { Security::Tls(None) } else { Security::Plain };
            let site = Arc::new(framewise_site::builtin());
            self.runner.host(self.host).serve(endpoint, security, site)?;
        }
        Ok(())
    }

    /// Its MAC address.
    pub(crate) fn mac(&self) -> MacAddr {
        self.mac
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Its addresses, the link-local one of IPv6 last.
    pub(crate) fn addresses(&self) -> Vec<IpAddr> {
        self.addresses.clone()
    }

    /// What it has sent and received so far, taken apart.
    pub(crate) fn dissection(&self) -> Dissection {
        Dissection::of_trace(&self.trace(), &self.name, dissect::Limits::default())
    }

    /// When it is, since the run began.
    pub(crate) fn now(&self) -> Duration {
        Duration::from_nanos(self.runner.now().as_nanos())
    }

    /// Lets time pass.
    pub(crate) fn advance(&mut self, until: Duration) -> Result<(), PlayError> {
        self.advance_until(until, |_| false)
    }

    /// Lets time pass until the host has sent more than `count` frames, at most until then.
    pub(crate) fn advance_until_sent(&mut self, count: usize, until: Duration) -> Result<(), PlayError> {
        self.advance_until(until, |tape| tape.sent.len() > count)
    }

    /// Lets time pass until the application has heard something, at most until then.
    pub(crate) fn advance_until_heard(&mut self, until: Duration) -> Result<(), PlayError> {
        let stage = self.stage.clone();
        self.advance_until(until, |_| stage.as_ref().is_some_and(|stage| stage.borrow().has_heard()))
    }

    /// Lets time pass until this is so, at most until then. A fetch that waits for the one before begins meanwhile.
    fn advance_until(&mut self, until: Duration, is_so: impl Fn(&Tape) -> bool) -> Result<(), PlayError> {
        let (host, tape) = (self.host, self.tape.clone());
        loop {
            let waits_for = self.fetch.filter(|_| !self.following.is_empty());
            let may_follow =
                |runner: &mut Runner| waits_for.is_some_and(|fetch| !runner.host(host).is_fetching(fetch));
            self.runner.run(Some(instant(until)), |runner| {
                let mut tape = tape.borrow_mut();
                tape.turn() || is_so(&tape) || may_follow(runner)
            })?;
            if self.is_full() {
                return Err(PlayError::TooMuch);
            }
            match may_follow(&mut self.runner).then(|| self.following.pop_front()).flatten() {
                Some(line) => self.start(&line)?,
                None => return Ok(()),
            }
        }
    }

    /// Whether the run did more than is recorded.
    pub(crate) fn is_full(&self) -> bool {
        self.tape.borrow().is_full()
    }

    /// A frame arrives at this time, which is not past.
    pub(crate) fn give(&mut self, bytes: &[u8], at: Duration) -> Result<(), PlayError> {
        let begin = instant(at.saturating_sub(WAY));
        if self.runner.now() < begin {
            self.advance(Duration::from_nanos(begin.as_nanos()))?;
        }
        let frame = Frame::new(Buf::copy_from_slice(bytes), InterfaceId(0));
        let now = self.runner.now();
        self.runner.wire_mut(self.wire).send(PLAYER, frame, now);
        Ok(())
    }

    /// Its application does something.
    pub(crate) fn perform(&mut self, deed: &Deed) -> Result<(), PlayError> {
        match (deed, &self.stage) {
            (Deed::Fetch(line), _) => self.start(line),
            (deed, Some(stage)) => {
                stage.borrow_mut().perform(deed);
                Ok(())
            }
            (_, None) => Ok(()),
        }
    }

    /// Fetches this as soon as the fetch before is done.
    pub(crate) fn fetch_then(&mut self, line: &FetchLine) -> Result<(), PlayError> {
        if self.fetch.is_none() {
            return self.start(line);
        }
        self.following.push_back(line.clone());
        Ok(())
    }

    fn start(&mut self, line: &FetchLine) -> Result<(), PlayError> {
        let id = self.runner.host(self.host).start(fetch_of(line)?)?;
        self.fetch = Some(id);
        Ok(())
    }

    /// What the application has heard since the last time, and when.
    pub(crate) fn heard(&mut self) -> Option<(Duration, Heard)> {
        let (at, heard) = self.stage.as_ref()?.borrow_mut().next_heard()?;
        Some((Duration::from_nanos(at.as_nanos()), heard))
    }

    /// How many frames the host has sent.
    pub(crate) fn sent_count(&self) -> usize {
        self.tape.borrow().sent.len()
    }

    /// A frame that it has sent: when, and its bytes.
    pub(crate) fn sent(&self, index: usize) -> Option<(Duration, Vec<u8>)> {
        self.tape.borrow().sent.get(index).cloned()
    }

    /// What was recorded so far.
    pub(crate) fn trace(&self) -> Trace {
        self.tape.borrow().recorder.trace()
    }
}

fn instant(since: Duration) -> Instant {
    Instant::ZERO + since
}

/// What the host of a script or a sidecar is built from, in this run. It is for whoever records captures that are to be played
/// again: a host that is built so on any device, with the randomness of the same seed, sends the same.
///
/// # Errors
/// The host can't be made so.
pub fn host_config(script: &Script, runner: &Runner) -> Result<HostConfig, PlayError> {
    let settings = &script.host;
    let prefer = if settings.prefers_ipv6 { Family::Ipv6 } else { Family::Ipv4 };
    let world = WorldConfig { seed: settings.seed, prefer, ..WorldConfig::default() };
    let [me, _, server] = world.hosts(runner)?;
    let mut config = if settings.is_of_world { me } else { own_host(script, server, runner) };
    if let Some(interface) = config.interfaces.first_mut() {
        interface.mtu = settings.mtu.unwrap_or(interface.mtu);
    }
    if let Some(mtu) = settings.mtu {
        config.tcp.mtu = mtu;
    }
    config.announce |= settings.announces;
    if let Some(clock) = settings.clock {
        config.tls.time = TimeSource::starting_at(clock);
    }
    script.pins.apply(&mut config);
    Ok(config)
}

/// A host of the script's own, which shows certificates of the world's authority, and trusts it.
fn own_host(script: &Script, server: HostConfig, runner: &Runner) -> HostConfig {
    let settings = &script.host;
    let mac = settings.mac.unwrap_or_default();
    let mut tls = server.tls;
    let rng = runner.randomness("world").fork(&settings.name);
    tls.crypto = Crypto::Simulated(SimulatedCrypto::never_on_a_real_device(rng));
    let mut config =
        HostConfig::new(&settings.name, vec![Interface::new(mac, settings.addresses.clone())], tls);
    config.gateways.clone_from(&settings.gateways);
    config.dns.servers.clone_from(&settings.name_servers);
    config.dns.prefer = if settings.prefers_ipv6 { Family::Ipv6 } else { Family::Ipv4 };
    config
}

fn fetch_of(line: &FetchLine) -> Result<Fetch, PlayError> {
    let method = line.method.parse().map_err(|_| PlayError::Method(line.method.clone()))?;
    let mut fetch = Fetch::new(method, &line.url);
    for (name, value) in &line.headers {
        fetch = fetch.header(name, value.clone());
    }
    if line.redirects > 0 {
        fetch = fetch.follow_redirects(line.redirects);
    }
    Ok(match &line.body {
        None => fetch,
        Some(body) if line.is_chunked => {
            let body = body.clone();
            fetch.body_stream(None, Box::new(std::iter::once(Ok(body))))
        }
        Some(body) => fetch.body(body.clone()),
    })
}

/// The observer of a run: a recorder, and beside it the frames on the wire that the host sent.
struct Tape {
    recorder: Recorder,
    host: String,
    is_host: bool,
    sent: Vec<(Duration, Vec<u8>)>,
    /// Bytes of all that crossed.
    bytes: usize,
    turns: u64,
}

impl Tape {
    fn new(host: &str) -> Self {
        let recorder = Recorder::with_limits(LIMITS);
        Tape { recorder, host: host.to_owned(), is_host: false, sent: Vec::new(), bytes: 0, turns: 0 }
    }

    /// The Runner has turned; `true`: it must not go on.
    fn turn(&mut self) -> bool {
        self.turns += 1;
        self.is_full()
    }

    fn is_full(&self) -> bool {
        self.recorder.len() >= LIMITS.events || self.bytes >= LIMITS.bytes || self.turns >= TURNS
    }
}

impl Observer for Tape {
    fn host(&mut self, name: &str) {
        self.is_host = name == self.host;
        self.recorder.host(name);
    }

    fn crossed(&mut self, crossing: &Crossing<'_>) {
        self.bytes = self.bytes.saturating_add(crossing.message.bytes().len());
        let is_frame = crossing.seam == "frame" && crossing.lower == "device";
        if self.is_host && is_frame && crossing.direction == Direction::Outbound && !self.is_full() {
            let at = Duration::from_nanos(crossing.now.as_nanos());
            let frames = wire::frames(crossing.message.bytes(), crossing.message.offload_facts());
            self.sent.extend(frames.into_iter().map(|frame| (at, frame.into_owned())));
        }
        self.recorder.crossed(crossing);
    }

    fn noted(&mut self, note: &Note) {
        self.recorder.noted(note);
    }

    fn dropped(&mut self, dropped: &Dropped) {
        self.recorder.dropped(dropped);
    }

    fn secret(&mut self, now: Instant, line: &str) {
        self.recorder.secret(now, line);
    }
}

/// Who is at the player's end of the wire: takes everything, says nothing.
struct Nobody;

impl Layer for Nobody {
    type Upper = Application;
    type Lower = framewise::core::seams::Frames;

    fn name(&self) -> &'static str {
        "nobody"
    }

    fn handle_outbound(&mut self, _message: <Application as framewise::core::Seam>::Down, _cx: &mut Cx) {}

    fn handle_inbound(&mut self, _frame: Frame, _cx: &mut Cx) {}

    fn poll_outbound(&mut self, _cx: &mut Cx) -> Option<Frame> {
        None
    }

    fn poll_inbound(&mut self, _cx: &mut Cx) -> Option<<Application as framewise::core::Seam>::Up> {
        None
    }
}

/// The name of connection number `index` that the host's application opens.
pub(crate) fn connection(index: u32) -> framewise::core::id::ConnId {
    framewise::core::id::ConnId::new(Opener::Upper, index, 0)
}
