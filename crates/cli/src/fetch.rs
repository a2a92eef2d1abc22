//! `framewise fetch`: one page, in memory or over a TAP device.

use std::cell::RefCell;
use std::rc::Rc;

use framewise::device::Intervention;
use framewise::device::impair::ImpairmentConfig;
use framewise::device::switch::PortId;
use framewise::dns::Family;
use framewise::{FetchError, HostId, Page, Runner, World, WorldConfig};
use framewise_trace::{Recorder, Trace, Walk};

use crate::args;
use crate::exit::{Failure, Kind};
use crate::files::Files;
use crate::form::fetch_of;
use crate::live;
use crate::output;
use crate::page::PageWriter;
use crate::scene::{ME, Scene};
use crate::{json, walk};

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
    let mut files = Files::open(args, true)?;
    let flaw = flaw(args)?;
    let mut world = world(args)?;
    if let Some((number, port, intervention)) = flaw {
        world.runner.wire_mut(world.near).script(port, number, intervention);
    }
    let outcome = watched_fetch(&mut world.runner, world.me, args, files.page())?;
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
        prefer: if memory.ipv6 { Family::Ipv6 } else { Family::Ipv4 },
        ..WorldConfig::default()
    };
    if let Some(delay) = memory.delay {
        config.near_delay = std::time::Duration::from_millis(delay);
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
fn flaw(args: &args::Fetch) -> Result<Option<(u64, PortId, Intervention)>, Failure> {
    let wanted = match (args.memory.flip, args.memory.drop) {
        (Some(frame), _) => frame,
        (None, Some(frame)) => frame,
        (None, None) => return Ok(None),
    };
    let mut world = world(args)?;
    let outgoing_before = world.runner.wire_mut(world.near).counters(PortId(0)).sent;
    let incoming_before = world.runner.wire_mut(world.near).counters(PortId(1)).sent;
    let recorder = Rc::new(RefCell::new(Recorder::new()));
    world.runner.observe(recorder.clone());
    let fetch = fetch_of(args)?.to_sink(PageWriter::nowhere());
    let _ = world.runner.host(world.me).fetch(fetch);
    let trace = recorder.borrow().trace();
    let frames: Vec<_> = trace.frames(ME).collect();
    let index = usize::try_from(wanted).unwrap_or(usize::MAX).wrapping_sub(1);
    let Some(frame) = frames.get(index) else {
        let last = frames.len();
        return Err(Failure::new(
            Kind::Usage,
            format!("there is no frame {wanted}: this fetch takes frames 1 to {last}"),
        )
        .next(format!("framewise fetch {}     (its walk names the frames)", args.url)));
    };
    let same_way = frames[..=index].iter().filter(|f| f.direction == frame.direction).count() as u64;
    let (port, before) = match frame.direction {
        framewise::core::Direction::Outbound => (PortId(0), outgoing_before),
        framewise::core::Direction::Inbound => (PortId(1), incoming_before),
    };
    let intervention = match args.memory.flip {
        // The last byte: of the payload, where the frame has one.
        Some(_) => Intervention::FlipBit(frame.range.len() * 8 - 1),
        None => Intervention::Drop,
    };
    Ok(Some((before + same_way, port, intervention)))
}

/// What came of a fetch.
struct Outcome {
    result: Result<Page, FetchError>,
    trace: Trace,
}

/// Fetches while a recorder watches.
fn watched_fetch(
    runner: &mut Runner,
    host: HostId,
    args: &args::Fetch,
    page: PageWriter,
) -> Result<Outcome, Failure> {
    let recorder = Rc::new(RefCell::new(Recorder::new()));
    runner.observe(recorder.clone());
    let result = runner.host(host).fetch(fetch_of(args)?.to_sink(page));
    // The last words: what is left to be acknowledged or closed belongs to the capture.
    let _ = runner.run_for(std::time::Duration::from_millis(200));
    let trace = recorder.borrow().trace();
    Ok(Outcome { result, trace })
}

/// Fetches over a TAP device, by our own layers up to whoever is on the other side.
fn over_tap(args: &args::Fetch, tap: &str) -> Result<(), Failure> {
    let mut files = Files::open(args, false)?;
    let mut live = live::client(args, tap)?;
    let outcome = watched_fetch(&mut live.runner, live.host, args, files.page())?;
    finish(args, outcome, &Scene::tap(&args.url, tap, live.names), files)
}

/// Writes what was asked for, and says what went wrong.
fn finish(args: &args::Fetch, outcome: Outcome, scene: &Scene, files: Files) -> Result<(), Failure> {
    files.write(&outcome.trace, scene)?;
    let walk = Walk::of(&outcome.trace, ME, scene.server());
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
        return output::print(&json::of_fetch(&page, walk.as_ref()));
    }
    if !args.quiet {
        output::say(&walk::render(&page, walk.as_ref(), &outcome.trace, scene));
    }
    Ok(())
}
