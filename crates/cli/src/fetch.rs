//! `framewise fetch`: one page, in memory or over a TAP device.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use framewise::core::{Direction, Instant};
use framewise::device::Intervention;
use framewise::device::impair::ImpairmentConfig;
use framewise::device::switch::PortId;
use framewise::dns::Family;
use framewise::{Fetch, FetchError, HostId, Page, Runner, World, WorldConfig};
use framewise_trace::{Recorder, Stopped, Trace, Walk};

use crate::args;
use crate::deadlines::Deadlines;
use crate::exit::{Failure, Kind};
use crate::files::Files;
use crate::form::fetch_of;
use crate::live;
use crate::output;
use crate::page::PageWriter;
use crate::scene::{ME, Scene};
use crate::{json, walk};

/// How long the last words may take.
const LINGER: Duration = Duration::from_millis(200);

pub(crate) fn run(args: args::Fetch) -> Result<(), Failure> {
    if args.no_color {
        anstream::ColorChoice::Never.write_global();
    }
    match &args.tap.tap.tap {
        Some(tap) => over_tap(&args, tap),
        None => in_memory(&args),
    }
}

/// Both hosts inside this program.
fn in_memory(args: &args::Fetch) -> Result<(), Failure> {
    let fetch = fetch_of(args)?;
    let flaws = flaws(args)?;
    let mut files = Files::open(args, true)?;
    let mut world = world(args)?;
    for (number, port, intervention) in flaws {
        world.runner.wire_mut(world.near).script(port, number, intervention);
    }
    let watch = Watch { records: !args.quiet || files.want_recording(), lingers: true };
    let outcome = watched_fetch(&mut world.runner, world.me, fetch.to_sink(files.page()), watch);
    finish(args, outcome, &Scene::memory(&args.url), files)
}

/// The same world for the same arguments.
fn world(args: &args::Fetch) -> Result<World, Failure> {
    let memory = &args.memory;
    let mut config = WorldConfig {
        seed: memory.seed,
        impairment: ImpairmentConfig {
            loss: memory.loss.unwrap_or(0.0),
            duplication: memory.duplicate.unwrap_or(0.0),
            reordering: memory.reorder.unwrap_or(0.0),
            bit_corruption: memory.corrupt.unwrap_or(0.0),
            ..ImpairmentConfig::default()
        },
        tls_versions: args.tls.versions(),
        verify: !args.tls.insecure,
        prefer: if args.ipv6 { Family::Ipv6 } else { Family::Ipv4 },
        ..WorldConfig::default()
    };
    if let Some(delay) = memory.delay {
        config.near_delay = Duration::from_millis(delay);
    }
    if let Some(rate) = memory.rate {
        config.rate = Some(rate.saturating_mul(1_000).max(1_000));
    }
    let mut world = World::with(&config).map_err(|error| Failure::new(Kind::Device, error))?;
    let site = std::sync::Arc::new(framewise_site::builtin());
    let mut server = world.runner.host(world.server);
    server.return_page(80, site.clone()).map_err(|error| Failure::of_serve(&error))?;
    server.return_page_secure(443, site).map_err(|error| Failure::of_serve(&error))?;
    Ok(world)
}

/// What `--flip` and `--drop` ask for, as the wire counts: each sender's frames by themselves. Which way a frame of
/// the walk went is found by running without the flaw first: the same seed gives the same frames.
fn flaws(args: &args::Fetch) -> Result<Vec<(u64, PortId, Intervention)>, Failure> {
    if args.memory.flip.is_none() && args.memory.drop.is_none() {
        return Ok(Vec::new());
    }
    let mut world = world(args)?;
    let near = world.runner.wire_mut(world.near);
    let before = [PortId(0), PortId(1)].map(|port| near.counters(port).sent);
    let fetch = fetch_of(args)?.to_sink(PageWriter::nowhere());
    let watch = Watch { records: true, lingers: false };
    let trace = watched_fetch(&mut world.runner, world.me, fetch, watch).trace;
    let frames: Vec<_> = trace.frames(ME).collect();
    let mut flaws = Vec::new();
    for (wanted, is_flip) in [(args.memory.flip, true), (args.memory.drop, false)] {
        let Some(wanted) = wanted else { continue };
        let index = usize::try_from(wanted).unwrap_or(usize::MAX).wrapping_sub(1);
        let frame = frames.get(index).ok_or_else(|| no_such_frame(wanted, frames.len(), &args.url))?;
        let same_way = frames[..=index].iter().filter(|f| f.direction == frame.direction).count() as u64;
        let port = match frame.direction {
            Direction::Outbound => 0,
            Direction::Inbound => 1,
        };
        // The last byte: of the payload, where the frame has one.
        let flip = Intervention::FlipBit(frame.range.len() * 8 - 1);
        let intervention = if is_flip { flip } else { Intervention::Drop };
        flaws.push((before[port] + same_way, PortId(port), intervention));
    }
    Ok(flaws)
}

fn no_such_frame(wanted: u64, last: usize, url: &str) -> Failure {
    let sentence = format!("there is no frame {wanted}: this fetch takes frames 1 to {last}");
    Failure::new(Kind::Usage, sentence).next(format!("framewise fetch {url}     (its walk names the frames)"))
}

/// What came of a fetch.
struct Outcome {
    result: Result<Page, FetchError>,
    trace: Trace,
}

/// How closely a fetch is watched.
struct Watch {
    /// Whether somebody wants to see more of it than the page.
    records: bool,
    /// Whether to wait for the last words, what is left to be acknowledged or closed: they belong to a capture.
    lingers: bool,
}

fn watched_fetch(runner: &mut Runner, host: HostId, fetch: Fetch, watch: Watch) -> Outcome {
    let recorder = Rc::new(RefCell::new(Recorder::new()));
    if watch.records {
        runner.observe(recorder.clone());
    }
    let result = runner.host(host).fetch(fetch);
    let linger = if watch.lingers { LINGER } else { Duration::ZERO };
    let _ = runner.run_for(linger);
    Outcome { result, trace: recorder.take().into_trace() }
}

/// Fetches over a TAP device, by our own layers up to whoever is on the other side.
fn over_tap(args: &args::Fetch, tap: &str) -> Result<(), Failure> {
    let deadlines = Deadlines::of(args);
    let fetch = fetch_of(args)?;
    let mut files = Files::open(args, false)?;
    let mut live = live::client(args, tap, &deadlines)?;
    let fetch = deadlines.limit(fetch)?.to_sink(files.page());
    let watch = Watch { records: !args.quiet || files.want_recording(), lingers: files.want_capture() };
    let mut outcome = watched_fetch(&mut live.runner, live.host, fetch, watch);
    outcome.result = outcome.result.map_err(|error| deadlines.as_asked(error));
    finish(args, outcome, &Scene::tap(&args.url, tap, live.names, live.epoch), files)
}

/// Writes what was asked for, and says what went wrong.
fn finish(args: &args::Fetch, outcome: Outcome, scene: &Scene, files: Files) -> Result<(), Failure> {
    if let Some(sentence) = outcome.trace.stopped().map(stopped) {
        output::say(&sentence);
    }
    files.write(&outcome.trace, scene)?;
    let walk = || Walk::of(&outcome.trace, ME, scene.server(), &scene.peer());
    let page = match outcome.result {
        Ok(page) => page,
        Err(error) => {
            if !args.quiet && !args.json {
                output::say(&walk::failed(&outcome.trace, scene));
            }
            return Err(Failure::of_fetch(&error, &args.url));
        }
    };
    if args.json {
        return output::print(&json::of_fetch(&page, walk().as_ref()));
    }
    if !args.quiet {
        output::say(&walk::render(&page, walk().as_ref(), &outcome.trace, scene));
    }
    Ok(())
}

/// Says that a recording ended before the run.
fn stopped((at, why): (Instant, Stopped)) -> String {
    let held = match why {
        Stopped::Events(events) => format!("{events} events"),
        Stopped::Bytes(bytes) => format!("{} MiB", bytes >> 20),
    };
    format!(
        "The recording is full after {held}, {at} into the run: what came later is in no capture, key log or walk.\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recording_that_is_full_says_when() {
        let at = Instant::ZERO + Duration::from_millis(1_500);
        let sentence = stopped((at, Stopped::Bytes(256 << 20)));
        assert!(sentence.contains("256 MiB") && sentence.contains("1500.000000 ms"), "{sentence}");
        assert!(stopped((at, Stopped::Events(1_000_000))).contains("1000000 events"));
    }
}
