//! The lines before the first step: which host runs, and what is pinned.

use std::collections::BTreeSet;
use std::net::IpAddr;

use framewise::tcp::CongestionControl;
use framewise::tls::Versions;

use super::error::{Problem, TextError};
use super::near::near;
use super::values::{number, time, unkeyed};
use super::words::Words;
use super::{fields, steps};
use crate::pins::Offload;
use crate::script::{Action, Deed, Peer, Script, Start, Timing, When};

/// The settings, in the order in which the book explains them.
const NAMES: &[&str] = &[
    "title",
    "world",
    "host",
    "seed",
    "mac",
    "address",
    "gateway",
    "dns",
    "know",
    "mtu",
    "announce",
    "prefer",
    "clock",
    "serve",
    "peer",
    "neighbours",
    "reads",
    "window",
    "send-buffer",
    "delayed-ack",
    "nagle",
    "congestion",
    "backlog",
    "connect-timeout",
    "half-open-timeout",
    "user-timeout",
    "fin-timeout",
    "time-wait",
    "keep-alive",
    "offload",
    "tls",
    "verify",
    "resumption",
    "idle-timeout",
    "head-timeout",
    "linger",
    "start",
    "compare",
    "times",
];

/// Those that may be said several times.
const SEVERAL: &[&str] = &["address", "gateway", "dns", "know", "serve"];
/// How many of each of those there may be.
const MOST: usize = 16;

/// The largest buffer of a connection that a script may ask for.
const LARGEST_BUFFER: usize = 64 << 20;

/// What was read so far.
pub(super) struct Settings {
    pub(super) script: Script,
    seen: BTreeSet<String>,
}

impl Default for Settings {
    fn default() -> Self {
        let script = Script { answers_neighbours: true, ..Script::default() };
        Settings { script, seen: BTreeSet::new() }
    }
}

impl Settings {
    /// Reads a setting; `false`: the line is none.
    pub(super) fn read(&mut self, words: &mut Words, line: &str) -> Result<bool, TextError> {
        let Some(first) = words.peek() else { return Ok(false) };
        let (column, name) = (first.column, unkeyed(first).unwrap_or_default().to_owned());
        if !NAMES.contains(&name.as_str()) {
            let is_step = first.is_text || steps::begins(first);
            return if is_step { Ok(false) } else { Err(words.error(column, self.unknown(first.shown()))) };
        }
        words.next();
        if !self.script.steps.is_empty() {
            return Err(words.error(column, Problem::Late(name)));
        }
        if !self.seen.insert(name.clone()) && !SEVERAL.contains(&name.as_str()) {
            return Err(words.error(column, Problem::Twice(name)));
        }
        self.take(&name, words)?;
        if self.script.host.most_of_any() > MOST {
            return Err(words.error(column, Problem::TooMuch { of: "of these", limit: MOST }));
        }
        self.script.preamble.push(line.trim_end().to_owned());
        Ok(true)
    }

    /// A word that begins neither a setting nor a step: which of them it was to be.
    fn unknown(&self, name: String) -> Problem {
        let is_step = !self.script.steps.is_empty() || near(&name, steps::ACTIONS).is_some();
        let (kind, known) = if is_step { ("step", steps::ACTIONS) } else { ("setting", NAMES) };
        Problem::Unknown { kind, name, known }
    }

    fn take(&mut self, name: &str, words: &mut Words) -> Result<(), TextError> {
        let (script, host) = (&mut self.script.title, &mut self.script.host);
        match name {
            "title" => {
                let text = words.take("a text between quotation marks", |word| {
                    word.is_text.then(|| String::from_utf8_lossy(&word.value).into_owned())
                })?;
                *script = Some(text);
            }
            "world" => {
                host.is_of_world = words.one_of("me, the computer that fetches", &[("me", true)])?;
                host.name = "me".to_owned();
            }
            "host" => host.name = words.word("a name for the host")?,
            "seed" => host.seed = words.number("a number")?,
            "mac" => host.mac = Some(words.mac()?),
            "address" => host.addresses.push(words.cidr()?),
            "gateway" => host.gateways.push(words.address()?),
            "dns" => host.name_servers.push(words.address()?),
            "know" => {
                let name = words.word("a name such as shop.test")?;
                host.known.push((name.to_ascii_lowercase(), words.address()?));
            }
            "mtu" => host.mtu = Some(words.take("bytes, from 68 to 65535", mtu)?),
            "announce" => host.announces = words.yes_or_no()?,
            "prefer" => {
                host.prefers_ipv6 = words.one_of("ipv4 or ipv6", &[("ipv4", false), ("ipv6", true)])?
            }
            "clock" => host.clock = Some(words.number::<u32>("seconds since 1970")?.into()),
            "serve" => {
                let is_tls = words.one_of("http or https", &[("http", false), ("https", true)])?;
                host.serves.push((words.number("a port")?, is_tls));
            }
            "compare" => self.script.compared = fields::compared(words)?,
            "peer" => self.script.peer = Some(peer(words)?),
            "neighbours" => {
                let choices = [("answered", true), ("by-hand", false)];
                self.script.answers_neighbours = words.one_of("answered or by-hand", &choices)?;
            }
            "reads" => {
                let choices = [("by-hand", true), ("at-once", false)];
                self.script.reads_by_hand = words.one_of("at-once or by-hand", &choices)?;
            }
            "start" => {
                self.script.start = words.take("simulated, first-frame, or nanoseconds since 1970", start)?
            }
            "times" => self.script.timing = Some(words.take("exact, free, or a time such as 5ms", timing)?),
            _ => return self.pin(name, words),
        }
        Ok(())
    }

    fn pin(&mut self, name: &str, words: &mut Words) -> Result<(), TextError> {
        let pins = &mut self.script.pins;
        match name {
            "window" => pins.window = Some(words.take("bytes, up to 67108864", buffer)?),
            "send-buffer" => pins.send_buffer = Some(words.take("bytes, up to 67108864", buffer)?),
            "delayed-ack" => pins.delayed_ack = Some(words.pinned_time_or_none()?),
            "nagle" => pins.nagle = Some(words.yes_or_no()?),
            "congestion" => {
                let choices = [("cubic", CongestionControl::Cubic), ("none", CongestionControl::None)];
                pins.congestion = Some(words.one_of("cubic or none", &choices)?);
            }
            "backlog" => pins.backlog = Some(words.number::<u16>("a number of connections")?.into()),
            "connect-timeout" => pins.connect_timeout = Some(words.pinned_time()?),
            "half-open-timeout" => pins.half_open_timeout = Some(words.pinned_time()?),
            "user-timeout" => pins.user_timeout = Some(words.pinned_time()?),
            "fin-timeout" => pins.fin_timeout = Some(words.pinned_time()?),
            "time-wait" => pins.time_wait = Some(words.pinned_time()?),
            "keep-alive" => pins.keep_alive = Some(words.pinned_time_or_none()?),
            "offload" => {
                let choices =
                    [("none", Offload::None), ("checksums", Offload::Checksums), ("full", Offload::Full)];
                pins.offload = Some(words.one_of("none, checksums or full", &choices)?);
            }
            "tls" => {
                let choices =
                    [("1.2", Versions::Only12), ("1.3", Versions::Only13), ("both", Versions::Both)];
                pins.tls = Some(words.one_of("1.2, 1.3 or both", &choices)?);
            }
            "verify" => pins.verify = Some(words.yes_or_no()?),
            "resumption" => pins.resumption = Some(words.yes_or_no()?),
            "idle-timeout" => pins.idle_timeout = Some(words.pinned_time()?),
            "head-timeout" => pins.head_timeout = Some(words.pinned_time()?),
            _ => pins.linger = Some(words.pinned_time()?),
        }
        Ok(())
    }

    /// What was read, if it can be run.
    pub(super) fn finish(self) -> Result<Script, TextError> {
        let script = self.script;
        let error = |line, why| TextError { line, column: 1, problem: Problem::Conflict(why) };
        if !script.host.is_of_world && (script.host.mac.is_none() || script.host.addresses.is_empty()) {
            return Err(error(1, "the host needs `mac` and `address`, or `world me`"));
        }
        let mut reached = std::time::Duration::ZERO;
        let mut sockets = None;
        let is_web = !script.host.serves.is_empty();
        for step in &script.steps {
            if let When::At(time) = step.when {
                if time < reached {
                    return Err(TextError { line: step.line, column: 1, problem: Problem::Backwards });
                }
                reached = time;
            }
            let is_socket = match &step.action {
                Action::Do(Deed::Fetch(_)) => false,
                Action::Do(_) | Action::Hear(_) => true,
                _ => continue,
            };
            if *sockets.get_or_insert(is_socket) != is_socket || is_socket && is_web {
                let why = "a host either fetches and serves pages, or is told what its sockets do";
                return Err(error(step.line, why));
            }
        }
        Ok(script)
    }
}

impl crate::script::HostSettings {
    fn most_of_any(&self) -> usize {
        let lists = [self.addresses.len(), self.gateways.len(), self.name_servers.len(), self.known.len()];
        lists.into_iter().fold(self.serves.len(), usize::max)
    }
}

fn mtu(word: &super::words::Word) -> Option<usize> {
    number::<u16>(unkeyed(word)?).filter(|&mtu| mtu >= 68).map(usize::from)
}

fn buffer(word: &super::words::Word) -> Option<usize> {
    number::<usize>(unkeyed(word)?).filter(|bytes| (1..=LARGEST_BUFFER).contains(bytes))
}

fn start(word: &super::words::Word) -> Option<Start> {
    match unkeyed(word)? {
        "simulated" => Some(Start::Simulated),
        "first-frame" => Some(Start::FirstFrame),
        text => number(text).map(Start::At),
    }
}

fn timing(word: &super::words::Word) -> Option<Timing> {
    match unkeyed(word)? {
        "exact" => Some(Timing::Within(std::time::Duration::ZERO)),
        "free" => Some(Timing::Free),
        text => time(text).map(Timing::Within),
    }
}

fn peer(words: &mut Words) -> Result<Peer, TextError> {
    let (mac, address): (_, IpAddr) = (words.mac()?, words.address()?);
    let port = if words.is_empty() { 0 } else { words.number("a port")? };
    Ok(Peer { mac, address, port })
}
