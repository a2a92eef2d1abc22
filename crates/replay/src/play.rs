//! A script played, line by line.
//!
//! A frame that the host sends waits until a line expects it. Before anything comes to the host, and at the end, none may be
//! left: what nobody expected is as wrong as what did not come.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use framewise::core::Direction;
use framewise::ethernet::{EtherType, FrameView};
use framewise::ip::{Ipv4Header, Ipv6Header, ipv6};
use framewise::tcp::Header as TcpHeader;
use framewise::tcp::segment::Flags;
use framewise_trace::dissect::{Dissection, Frame};
use framewise_trace::{CaptureOptions, write_capture};

use crate::compare::{Difference, Seen};
use crate::error::PlayError;
use crate::expect;
use crate::frames::{Flow, Maker, wanted_neighbour};
use crate::live::Live;
use crate::outcome::{Event, Failure, Kind, Outcome, Place, Wrong};
use crate::script::{
    Action, Content, Deed, Expectation, Heard, Injection, Peer, Script, Segment, Step, Timing, When,
};
use crate::since;

/// How much later than at once something may be, where a script does not say: HTTP waits a millisecond for more to send, and an
/// acknowledgment that waits, waits for ten.
const SLACK: Duration = Duration::from_millis(2);
/// Who is played where nobody is named.
const NO_PORT: u16 = 0;
const TCP: u8 = 6;

/// Plays a script.
///
/// ```
/// use framewise_replay::{Script, script};
/// let text = "\
/// host shop
/// mac 02:00:00:00:00:01
/// address 192.0.2.80/24
/// peer 02:00:00:00:00:02 192.0.2.20
/// 10ms < ping seq=1
///      > icmp type=0 sequence-number=1
/// ";
/// let outcome = script(&Script::read(text)?)?;
/// assert!(outcome.is_success(), "{outcome}");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// A step can't be done, or the host can't be made so.
pub fn script(script: &Script) -> Result<Outcome, PlayError> {
    Player::new(script)?.run().map(|(outcome, _)| outcome)
}

/// Plays a script, and gives the capture of what happened beside its outcome, and the steps that a sidecar for it has.
pub(crate) fn recorded(script: &Script) -> Result<(Outcome, Vec<u8>, String), PlayError> {
    let player = Player::new(script)?;
    let (outcome, player) = player.run()?;
    let mut capture = Vec::new();
    let options = CaptureOptions { secrets: true, ..CaptureOptions::default() };
    write_capture(&player.live.trace(), player.live.name(), &mut capture, &options)?;
    Ok((outcome, capture, player.sidecar()))
}

struct Player<'s> {
    script: &'s Script,
    live: Live,
    maker: Maker,
    /// When the step before was.
    base: Duration,
    /// The frames of the host that were looked at, and those of them that the player has answered by itself.
    looked_at: usize,
    answered: Vec<usize>,
    /// How many frames of the host were expected, or answered by the player.
    taken: usize,
    matched: usize,
    injected: usize,
    flows: BTreeMap<(IpAddr, u16), Flow>,
    /// The flow of the segment that came or went last.
    current: Option<(IpAddr, u16)>,
    events: Vec<Event>,
    /// The lines by which frames came to the host, in their order.
    came: Vec<usize>,
    /// The deeds that were done, with their times.
    deeds: Vec<String>,
}

/// A step that went wrong.
type Stop = Option<Wrong>;

impl<'s> Player<'s> {
    fn new(script: &'s Script) -> Result<Self, PlayError> {
        let live = Live::new(script)?;
        let nobody = Peer { mac: Default::default(), address: [0, 0, 0, 0].into(), port: NO_PORT };
        let maker = Maker {
            host_mac: live.mac(),
            host_addresses: live.addresses(),
            peer: script.peer.unwrap_or(nobody),
            identification: 0,
            quoted: Vec::new(),
            last: Vec::new(),
        };
        Ok(Player {
            script,
            live,
            maker,
            base: Duration::ZERO,
            looked_at: 0,
            answered: Vec::new(),
            taken: 0,
            matched: 0,
            injected: 0,
            flows: BTreeMap::new(),
            current: None,
            events: Vec::new(),
            came: Vec::new(),
            deeds: Vec::new(),
        })
    }

    fn run(mut self) -> Result<(Outcome, Self), PlayError> {
        let mut failure = None;
        for step in &self.script.steps {
            if let Some(wrong) = self.step(step)? {
                failure = Some(self.failure(step, wrong));
                break;
            }
        }
        if let (None, Some(last)) = (&failure, self.script.steps.last()) {
            self.pass(self.base + self.slack())?;
            let wrong = self.unexpected();
            failure = wrong.map(|wrong| self.failure(last, wrong));
        }
        let outcome = Outcome {
            title: self.script.title.clone(),
            kind: Kind::Script,
            injected: self.injected,
            matched: self.matched,
            failure,
        };
        Ok((outcome, self))
    }

    fn step(&mut self, step: &Step) -> Result<Stop, PlayError> {
        match &step.action {
            Action::Do(deed) => self.perform(step, deed).map(|()| None),
            Action::Inject(injection) => self.inject(step, injection),
            Action::Expect(expectation) => self.expect(step, expectation),
            Action::Silence => self.silence(step),
            Action::Hear(heard) => self.hear(step, heard),
        }
    }

    fn slack(&self) -> Duration {
        match self.script.timing {
            Some(Timing::Within(slack)) => slack,
            _ => SLACK,
        }
    }

    /// When a step is that has one time.
    fn time_of(&self, when: When) -> Duration {
        match when {
            When::At(time) => time.max(self.live.now()),
            When::After(time) | When::Between(_, time) => self.base + time,
            When::Now | When::Then => self.base,
        }
    }

    fn perform(&mut self, step: &Step, deed: &Deed) -> Result<(), PlayError> {
        let at = self.time_of(step.when);
        self.pass(at)?;
        self.base = self.live.now();
        let nanos = self.base.as_nanos();
        let words = step.deed.as_str();
        match (step.when, deed) {
            (When::Then, Deed::Fetch(line)) => {
                self.deeds.push(format!("then {words}"));
                self.live.fetch_then(line)?;
            }
            _ => {
                self.deeds.push(format!("{nanos}ns {words}"));
                self.live.perform(deed)?;
            }
        }
        self.note(step, self.base, None, words.to_owned());
        Ok(())
    }

    fn inject(&mut self, step: &Step, injection: &Injection) -> Result<Stop, PlayError> {
        let at = self.time_of(step.when).max(self.live.now());
        let before = at.saturating_sub(Duration::from_nanos(1));
        if before > self.live.now() {
            self.pass(before)?;
        }
        // What is sent at once after the step before has been sent by now, or is not awaited by anybody.
        if let Some(wrong) = self.unexpected() {
            return Ok(Some(wrong));
        }
        let key = self.key(injection);
        let flow = self.flow(key, injection);
        let frames = self.maker.make(injection, &flow);
        let frames = frames.map_err(|why| PlayError::Step { line: step.line, why: why.to_owned() })?;
        for frame in &frames {
            if self.live.is_full() {
                return Err(PlayError::TooMuch);
            }
            self.live.give(frame, at)?;
            self.came.push(step.line);
            self.injected += 1;
            self.maker.last.clone_from(frame);
        }
        self.base = at.max(self.live.now() + Duration::from_nanos(1));
        if let Content::Tcp(segment) = &injection.content {
            self.sent_by_peer(key, flow, segment);
        }
        let says = step.deed.trim_start_matches("< ").to_owned();
        self.note(step, self.base, Some(Direction::Inbound), says);
        Ok(None)
    }

    /// The peer's end of the connection that an injected segment belongs to.
    fn key(&self, injection: &Injection) -> (IpAddr, u16) {
        let port = match &injection.content {
            Content::Tcp(Segment { from_port: Some(port), .. }) => *port,
            _ => self.current.map_or(self.maker.peer.port, |(_, port)| match self.maker.peer.port {
                NO_PORT => port,
                port => port,
            }),
        };
        (injection.from.unwrap_or(self.maker.peer.address), port)
    }

    fn flow(&self, key: (IpAddr, u16), injection: &Injection) -> Flow {
        let listens = self.script.steps.iter().find_map(|step| match &step.action {
            Action::Do(Deed::Listen(port)) => Some(*port),
            _ => None,
        });
        let served = self.script.host.serves.first().map(|(port, _)| *port);
        let port = listens.or(served).unwrap_or_default();
        let mut flow = self.flows.get(&key).copied().unwrap_or(Flow { host_port: port, ..Flow::default() });
        if let Content::Tcp(segment) = &injection.content {
            flow.host_port = segment.to_port.unwrap_or(flow.host_port);
            if segment.flags.has(Flags::SYN) && !segment.flags.has(Flags::ACK) && segment.sequence.is_none() {
                flow.peer_next = 0;
            }
        }
        flow
    }

    /// Keeps in mind up to where the peer has sent.
    fn sent_by_peer(&mut self, key: (IpAddr, u16), mut flow: Flow, segment: &Segment) {
        let begin = segment.sequence.unwrap_or(flow.peer_next);
        let end = begin.wrapping_add(length(segment.flags, segment.data.len()));
        let is_further = end.wrapping_sub(flow.peer_next) < 1 << 31;
        if is_further && !segment.flags.has(Flags::RST) {
            flow.peer_next = end;
        }
        self.flows.insert(key, flow);
        self.current = Some(key);
    }

    /// Lets time pass, and answers those who look for a neighbour meanwhile.
    fn pass(&mut self, until: Duration) -> Result<(), PlayError> {
        loop {
            let count = self.live.sent_count();
            self.live.advance_until_sent(count, until)?;
            if !self.look()? && self.live.now() >= until {
                return Ok(());
            }
        }
    }

    /// Looks at what the host has sent since; `true`: there was something.
    fn look(&mut self) -> Result<bool, PlayError> {
        let begun = self.looked_at;
        while let Some((_, frame)) = self.live.sent(self.looked_at) {
            let index = self.looked_at;
            self.looked_at += 1;
            let neighbour = wanted_neighbour(&frame).filter(|wanted| self.plays(*wanted));
            match neighbour {
                Some(about) => {
                    self.answered.push(index);
                    self.answer(about)?;
                }
                None => self.sent_by_host(&frame),
            }
        }
        Ok(self.looked_at > begun)
    }

    /// Whether the player answers for this address.
    fn plays(&self, wanted: IpAddr) -> bool {
        let host = &self.script.host;
        self.script.answers_neighbours
            && (self.maker.peer.address == wanted
                || host.gateways.contains(&wanted)
                || host.name_servers.contains(&wanted))
    }

    fn answer(&mut self, about: IpAddr) -> Result<(), PlayError> {
        let content = match about {
            IpAddr::V4(_) => Content::Arp { kind: crate::script::ArpKind::Reply, about },
            IpAddr::V6(_) => Content::Advertisement { about },
        };
        let answer = Injection { from: Some(about), ..Injection::of(content) };
        let made = self.maker.make(&answer, &Flow::default());
        for frame in made.map_err(|why| PlayError::Step { line: 0, why: why.to_owned() })? {
            self.live.give(&frame, self.live.now())?;
            self.came.push(0);
        }
        Ok(())
    }

    /// Keeps in mind what an error may quote, and up to where the host has sent.
    fn sent_by_host(&mut self, frame: &[u8]) {
        let Ok(view) = FrameView::new(frame) else { return };
        let packet = view.payload();
        let (header, protocol, to) = match view.ethertype() {
            EtherType::IPV4 => match Ipv4Header::read(packet) {
                Ok(header) => (header.header_len, header.protocol, IpAddr::from(header.destination)),
                Err(_) => return,
            },
            EtherType::IPV6 => match Ipv6Header::read(packet) {
                Ok(header) => (ipv6::HEADER_LEN, header.next_header, header.destination.into()),
                Err(_) => return,
            },
            _ => return,
        };
        self.maker.quoted = packet.to_vec();
        let segment = packet.get(header..).unwrap_or_default();
        let Some(tcp) = TcpHeader::parse(segment).ok().filter(|_| protocol == TCP) else { return };
        let key = (to, tcp.destination_port);
        let flow = self.flows.entry(key).or_default();
        flow.host_port = tcp.source_port;
        if tcp.has(Flags::SYN) {
            (flow.host_isn, flow.host_next) = (Some(tcp.sequence.0), 0);
        }
        let isn = flow.host_isn.unwrap_or_default();
        let data = view.unpadded_length().saturating_sub(header + tcp.length);
        let end = tcp.sequence.0.wrapping_sub(isn).wrapping_add(length(tcp.flags, data));
        let is_further = end.wrapping_sub(flow.host_next) < 1 << 31;
        if is_further && flow.host_isn.is_some() {
            flow.host_next = end;
        }
        self.current = Some(key);
        if self.maker.peer.port == NO_PORT {
            self.maker.peer.port = tcp.destination_port;
        }
    }

    /// The next frame of the host that nobody has expected yet: its place among all that it sent.
    fn pending(&mut self) -> Option<usize> {
        while self.answered.contains(&self.taken) {
            self.taken += 1;
        }
        (self.taken < self.looked_at).then_some(self.taken)
    }

    fn unexpected(&mut self) -> Stop {
        let index = self.pending()?;
        let (at, _) = self.live.sent(index)?;
        let got = self.live.dissection();
        let got = outbound(&got, index).map_or_else(String::new, |frame| frame.summary());
        Some(Wrong::Unexpected { got, at })
    }

    /// Waits for a frame of the host up to then; its place among all that it sent.
    fn wait(&mut self, until: Duration) -> Result<Option<usize>, PlayError> {
        loop {
            if let Some(index) = self.pending() {
                return Ok(Some(index));
            }
            if self.live.now() >= until {
                // Once more: what is due at this very moment may not have been done yet.
                self.live.advance_until_sent(self.live.sent_count(), until)?;
                if self.look()? {
                    continue;
                }
                return Ok(None);
            }
            self.live.advance_until_sent(self.live.sent_count(), until)?;
            self.look()?;
        }
    }

    /// From when up to when something may happen that is expected.
    fn window(&self, when: When) -> (Duration, Duration) {
        let slack = self.slack();
        let around = |time: Duration| (time.saturating_sub(slack), time + slack);
        match when {
            When::Now | When::Then => (Duration::ZERO, self.base + slack),
            When::At(time) => around(time),
            When::After(time) => around(self.base + time),
            When::Between(from, to) => (self.base + from, self.base + to),
        }
    }

    fn expect(&mut self, step: &Step, expected: &Expectation) -> Result<Stop, PlayError> {
        let (from, until) = self.window(step.when);
        let Some(index) = self.wait(until)? else {
            let expected = expect::described(step);
            return Ok(Some(Wrong::Missing { expected, until }));
        };
        let at = self.live.sent(index).map_or(self.base, |(at, _)| at);
        let got = self.live.dissection();
        let Some(frame) = outbound(&got, index) else { return Err(PlayError::TooMuch) };
        if let Some(difference) =
            expect::difference(expected, &Seen { dissection: &got, frame }, &expect::described(step))
        {
            return Ok(Some(Wrong::Different(difference)));
        }
        if self.script.timing != Some(Timing::Free) && (at < from || at > until) {
            return Ok(Some(Wrong::Different(Difference::Time { expected: from, got: at })));
        }
        self.note(step, at, Some(Direction::Outbound), frame.summary());
        self.taken = index + 1;
        self.matched += 1;
        self.base = at;
        Ok(None)
    }

    fn silence(&mut self, step: &Step) -> Result<Stop, PlayError> {
        let until = self.time_of(step.when);
        self.pass(until)?;
        self.base = until;
        Ok(self.unexpected())
    }

    fn hear(&mut self, step: &Step, expected: &Heard) -> Result<Stop, PlayError> {
        let (_, until) = self.window(step.when);
        let mut came = Vec::new();
        loop {
            let Some(heard) = self.live.heard() else {
                if self.live.now() < until {
                    self.live.advance_until_heard(until)?;
                    self.look()?;
                    continue;
                }
                break;
            };
            match (&heard, expected) {
                (Heard::Text(bytes), Heard::Data(_) | Heard::Text(_)) => {
                    came.extend_from_slice(bytes);
                    if expected.is_met_by(&came) {
                        break;
                    }
                }
                _ if expected.is_heard_in(&heard) => {
                    self.base = self.live.now();
                    self.note(step, self.base, None, step.deed.clone());
                    return Ok(None);
                }
                _ => {
                    let got = Some(heard.to_string());
                    return Ok(Some(Wrong::Heard { expected: expected.to_string(), got }));
                }
            }
        }
        if expected.is_met_by(&came) {
            self.base = self.live.now();
            self.note(step, self.base, None, step.deed.clone());
            return Ok(None);
        }
        let got = (!came.is_empty()).then(|| Heard::Text(came).to_string());
        Ok(Some(Wrong::Heard { expected: expected.to_string(), got }))
    }

    fn note(&mut self, step: &Step, at: Duration, direction: Option<Direction>, says: String) {
        self.events.push(Event { number: step.line, at, direction, says, refused: None });
    }

    fn failure(&self, step: &Step, wrong: Wrong) -> Failure {
        let got = self.live.dissection();
        let mut before = self.events.clone();
        // Who refused what came: the frames that came are in the order of their lines.
        let inbound = got.frames().filter(|frame| frame.direction() == Some(Direction::Inbound));
        for (line, frame) in self.came.iter().zip(inbound) {
            let event = before.iter_mut().find(|event| event.number == *line);
            if let (Some(refused), Some(event)) = (frame.refused(), event) {
                event.refused = Some(format!("{}, {}", refused.layer, refused.reason));
            }
        }
        let place = Place::Line { line: step.line, text: step.text.clone() };
        let since = since::explain(&wrong, &got, self.taken, &self.came, "line");
        Failure { place, wrong, before, since }
    }

    /// The sidecar by which the capture of this run can be played.
    fn sidecar(&self) -> String {
        let scripts_own = |line: &&String| {
            let name = line.split_whitespace().next().unwrap_or_default();
            !["peer", "neighbours", "times"].contains(&name)
        };
        let settings: Vec<_> = self.script.preamble.iter().filter(scripts_own).cloned().collect();
        let mut text = settings.join("\n");
        text.push_str("\n\n");
        self.deeds.iter().for_each(|deed| text.push_str(&format!("{deed}\n")));
        text
    }
}

/// How far a segment goes in its sender's stream: SYN and FIN count for one each.
fn length(flags: Flags, data: usize) -> u32 {
    let one = |flag| u32::from(flags.has(flag));
    (data as u32).wrapping_add(one(Flags::SYN)).wrapping_add(one(Flags::FIN))
}

/// The frame of the host at this place among all that it sent.
fn outbound(got: &Dissection, index: usize) -> Option<Frame<'_>> {
    got.frames().filter(|frame| frame.direction() == Some(Direction::Outbound)).nth(index)
}
