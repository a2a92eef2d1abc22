//! `framewise fetch`: one page, in memory, through the gateway, or over a device.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use framewise::core::{Direction, Instant, Observer};
use framewise::device::Intervention;
use framewise::dns::Family;
use framewise::http::Url;
use framewise::{Fetch, FetchError, HostId, Page, Runner, World, WorldConfig};
use framewise_trace::{Recorder, Stopped, Trace, Walk};

use crate::args::{self, DeviceName};
use crate::both::Both;
use crate::cookies::Cookies;
use crate::cost::{Costs, Stopwatch};
use crate::deadlines::Deadlines;
use crate::exit::{Failure, Kind};
use crate::files::{Files, Tracing};
use crate::live;
use crate::output;
use crate::page::PageWriter;
use crate::request::fetch_of;
use crate::scene::{ME, Scene, peer};
use crate::signals::Signals;
use crate::stats::Stats;
use crate::{advice, json, outside, real, walk};

/// How long the last words may take.
const LINGER: Duration = Duration::from_millis(200);

pub(crate) fn run(args: args::Fetch) -> Result<(), Failure> {
    if args.no_color {
        anstream::ColorChoice::Never.write_global();
    }
    let url = Url::parse(&args.url).map_err(|error| Failure::of_fetch(&error.into(), &args.url))?;
    match args.tap.tap.device() {
        Some(device) => over_device(&args, device),
        None if args.outside || outside::is_real(&url) => through_the_gateway(&args, &url),
        None => in_memory(&args),
    }
}

/// Both hosts inside this program.
fn in_memory(args: &args::Fetch) -> Result<(), Failure> {
    refuse_what_is_for_the_real_world(args)?;
    let cookies = Cookies::of(&args.http, framewise::world::EPOCH)?;
    let fetch = cookies.sent_with(fetch_of(args, framewise::world::EPOCH)?);
    let stopwatch = Stopwatch::wanted(args);
    let mut world = flawed_world(args, &cookies, stopwatch.as_ref())?;
    let mut files = Files::open(args, true)?;
    let trace = files.trace(Duration::from_secs(framewise::world::EPOCH))?;
    let watch = Watch::of(args, &files, trace.clone(), true);
    let mut outcome =
        watched_fetch(&mut world.runner, world.me, fetch.to_sink(files.page()), watch, stopwatch);
    outcome.tracing = trace;
    outcome.cookies = cookies.written(world.runner.now());
    // The program, the command, the URL.
    let has_options = std::env::args_os().len() > 3;
    let is_flawed = args.memory.flip.is_some() || args.memory.drop.is_some();
    finish(args, outcome, &Scene::memory(&args.url, has_options, is_flawed), files)
}

/// The recording of such a fetch, whatever came of it; nobody takes the page.
pub(crate) fn recorded(args: &args::Fetch) -> Result<Trace, Failure> {
    refuse_what_is_for_the_real_world(args)?;
    let cookies = Cookies::of(&args.http, framewise::world::EPOCH)?;
    let fetch = cookies.sent_with(fetch_of(args, framewise::world::EPOCH)?).to_sink(PageWriter::nowhere());
    let mut world = flawed_world(args, &cookies, None)?;
    let watch = Watch { records: true, trace: None, lingers: true, ends_well: false };
    Ok(watched_fetch(&mut world.runner, world.me, fetch, watch, None).trace)
}

/// The world for these arguments, with what is to go wrong in it.
fn flawed_world(
    args: &args::Fetch,
    cookies: &Cookies,
    stopwatch: Option<&Stopwatch>,
) -> Result<World, Failure> {
    let flaws = flaws(args, cookies)?;
    let mut world = world(args, stopwatch)?;
    for (direction, number, intervention) in flaws {
        world.intervene(direction, number, intervention);
    }
    Ok(world)
}

/// Whether the walk is shown, for which everything is recorded.
fn wants_walk(args: &args::Fetch) -> bool {
    !args.quiet && !args.cost
}

/// In memory the lab's authority is trusted, and its names are known.
fn refuse_what_is_for_the_real_world(args: &args::Fetch) -> Result<(), Failure> {
    let given = [("--cacert", args.tls.cacert.is_some()), ("--resolve", !args.tap.resolve.is_empty())];
    let Some((option, _)) = given.iter().find(|(_, is_given)| *is_given) else { return Ok(()) };
    let sentence =
        format!("{option} is for real servers, and {} is in the world inside this program", args.url);
    Err(Failure::new(Kind::Usage, sentence).next("the same with --outside, or with --tap"))
}

/// The same world for the same arguments, timed or not.
fn world(args: &args::Fetch, stopwatch: Option<&Stopwatch>) -> Result<World, Failure> {
    let memory = &args.memory;
    let mut config = WorldConfig {
        seed: memory.seed.unwrap_or(1),
        impairment: outside::impairment(memory),
        tls_versions: args.tls.versions(),
        verify: !args.tls.insecure,
        prefer: if args.ipv6 { Family::Ipv6 } else { Family::Ipv4 },
        ..WorldConfig::default()
    };
    if let Some(delay) = memory.delay {
        config.near_delay = Duration::from_millis(delay);
    }
    if let Some(rate) = memory.rate {
        config.rate = Some(rate.saturating_mul(1_000));
    }
    let world = World::build(&config, &mut |host, randomness| match stopwatch {
        Some(stopwatch) => Ok(stopwatch.meter.timed(&host.name, host.layers(randomness)?).stacked()),
        None => host.stack(randomness),
    });
    let mut world = world.map_err(|error| Failure::new(Kind::Device, error))?;
    let site = std::sync::Arc::new(framewise_site::builtin());
    let mut server = world.runner.host(world.server);
    server.return_page(80, site.clone()).map_err(|error| Failure::of_serve(&error))?;
    server.return_page_secure(443, site).map_err(|error| Failure::of_serve(&error))?;
    Ok(world)
}

/// What `--flip` and `--drop` ask for, as the wire counts: each direction's frames by themselves. Which way a frame of
/// the walk went is found by running without the flaw first: the same seed gives the same frames.
fn flaws(args: &args::Fetch, cookies: &Cookies) -> Result<Vec<(Direction, u64, Intervention)>, Failure> {
    if args.memory.flip.is_none() && args.memory.drop.is_none() {
        return Ok(Vec::new());
    }
    if args.http.upload_file.as_deref().is_some_and(|file| file.as_os_str() == "-") {
        let sentence = "--flip and --drop run the fetch twice, and standard input can be read once";
        return Err(Failure::new(Kind::Usage, sentence).next("the same with -T and the name of a file"));
    }
    let mut world = world(args, None)?;
    let fetch =
        cookies.apart().sent_with(fetch_of(args, framewise::world::EPOCH)?).to_sink(PageWriter::nowhere());
    let watch = Watch { records: true, trace: None, lingers: true, ends_well: false };
    let trace = watched_fetch(&mut world.runner, world.me, fetch, watch, None).trace;
    let frames: Vec<_> = trace.frames(ME).collect();
    let mut flaws = Vec::new();
    for (wanted, is_flip) in [(args.memory.flip, true), (args.memory.drop, false)] {
        let Some(wanted) = wanted else { continue };
        let index = usize::try_from(wanted).unwrap_or(usize::MAX).wrapping_sub(1);
        let frame = frames.get(index).ok_or_else(|| no_such_frame(wanted, frames.len(), &args.url))?;
        let same_way = frames[..=index].iter().filter(|f| f.direction == frame.direction).count() as u64;
        // The last byte: of the payload, where the frame has one.
        let flip = Intervention::FlipBit(frame.range.len() * 8 - 1);
        let intervention = if is_flip { flip } else { Intervention::Drop };
        flaws.push((frame.direction, same_way, intervention));
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
    /// The trace in a file, until it is finished.
    tracing: Option<Tracing>,
    costs: Option<Costs>,
    stats: Stats,
    /// What the operating system said of it.
    complaint: Option<String>,
    /// The TAP that was made for it.
    made: Option<String>,
    /// What is in the cookie jar now, as a file.
    cookies: String,
    /// The signals that ended it, if they did.
    ended_by: Option<Signals>,
}

/// How closely a fetch is watched.
struct Watch {
    /// Whether somebody wants to see more of it than the page.
    records: bool,
    /// What writes its trace.
    trace: Option<Tracing>,
    /// Whether to wait for the last words, what is left to be acknowledged or closed: they belong to a capture.
    lingers: bool,
    /// Whether a signal ends the fetch alone: what there is of it is still to be written.
    ends_well: bool,
}

impl Watch {
    fn of(args: &args::Fetch, files: &Files, trace: Option<Tracing>, lingers: bool) -> Self {
        let records = wants_walk(args) || files.want_recording();
        Watch { records, lingers, ends_well: files.want_recording() || trace.is_some(), trace }
    }

    /// Whoever watches, if anybody does.
    fn observer(&self, recorder: &Rc<RefCell<Recorder>>) -> Option<Rc<RefCell<dyn Observer>>> {
        let trace = self.trace.as_ref().map(|trace| trace.writer.clone());
        Some(match (self.records, trace) {
            (true, Some(trace)) => Rc::new(RefCell::new(Both(recorder.clone(), trace))),
            (true, None) => recorder.clone(),
            (false, Some(trace)) => trace,
            (false, None) => return None,
        })
    }
}

fn watched_fetch(
    runner: &mut Runner,
    host: HostId,
    fetch: Fetch,
    watch: Watch,
    stopwatch: Option<Stopwatch>,
) -> Outcome {
    let recorder = Rc::new(RefCell::new(Recorder::new()));
    if let Some(observer) = watch.observer(&recorder) {
        runner.observe(observer);
    }
    let stopwatch = stopwatch.inspect(Stopwatch::start);
    let (result, ended_by) = match watch.ends_well {
        true => fetch_unless_interrupted(runner, host, fetch),
        false => (runner.host(host).fetch(fetch), None),
    };
    let linger = if watch.lingers && ended_by.is_none() { LINGER } else { Duration::ZERO };
    let _ = runner.run_for(linger);
    let costs = stopwatch.map(Stopwatch::stop);
    let stats = Stats::of(runner);
    let trace = recorder.take().into_trace();
    let tracing = None;
    Outcome {
        result,
        trace,
        tracing,
        costs,
        stats,
        complaint: None,
        made: None,
        cookies: String::new(),
        ended_by,
    }
}

/// Fetches until a signal comes, and tells of it.
fn fetch_unless_interrupted(
    runner: &mut Runner,
    host: HostId,
    fetch: Fetch,
) -> (Result<Page, FetchError>, Option<Signals>) {
    let signals = match Signals::watch(runner, true) {
        Ok(signals) => signals,
        Err(error) => return (Err(FetchError::Device(error.to_string())), None),
    };
    let id = match runner.host(host).start(fetch) {
        Ok(id) => id,
        Err(error) => return (Err(error), None),
    };
    // How it ended otherwise is told below.
    let _ = runner.run_until(|runner| signals.count() > 0 || !runner.host(host).is_fetching(id));
    if signals.count() > 0 && runner.host(host).is_fetching(id) {
        runner.host(host).cancel(id);
        return (Err(FetchError::Cancelled), Some(signals));
    }
    (runner.host(host).finish(id), None)
}

/// Fetches over a device, by our own layers up to whoever is on the other side.
fn over_device(args: &args::Fetch, device: DeviceName<'_>) -> Result<(), Failure> {
    let deadlines = Deadlines::of(args);
    let now = real::unix_seconds();
    let cookies = Cookies::of(&args.http, now)?;
    let fetch = cookies.sent_with(fetch_of(args, now)?);
    let mut files = Files::open(args, false)?;
    let stopwatch = Stopwatch::wanted(args);
    let mut live = live::client(args, device, &deadlines, stopwatch.as_ref())?;
    let fetch = deadlines.limit(fetch)?.to_sink(files.page());
    let trace = files.trace(live.epoch)?;
    let lingers = files.want_capture() || trace.is_some();
    let watch = Watch::of(args, &files, trace.clone(), lingers);
    let mut outcome = watched_fetch(&mut live.runner, live.host, fetch, watch, stopwatch);
    // The Runner has its own hold on whoever watches it.
    outcome.tracing = trace;
    outcome.result = outcome.result.map_err(|error| deadlines.as_asked(error));
    outcome.cookies = cookies.written(live.runner.now());
    outcome.made = live.made;
    finish(args, outcome, &Scene::tap(&args.url, device.name(), live.names, live.epoch), files)
}

/// Fetches through the gateway inside this program, by the operating system's sockets from there.
fn through_the_gateway(args: &args::Fetch, url: &Url) -> Result<(), Failure> {
    let deadlines = Deadlines::of(args);
    let now = real::unix_seconds();
    let cookies = Cookies::of(&args.http, now)?;
    let fetch = cookies.sent_with(fetch_of(args, now)?);
    let mut files = Files::open(args, false)?;
    let epoch = real::unix_time();
    let stopwatch = Stopwatch::wanted(args);
    let mut behind = outside::client(args, url, stopwatch.as_ref())?;
    let fetch = deadlines.limit(fetch)?.to_sink(files.page());
    let trace = files.trace(epoch)?;
    let lingers = files.want_capture() || trace.is_some();
    let watch = Watch::of(args, &files, trace.clone(), lingers);
    let mut outcome = watched_fetch(&mut behind.runner, behind.host, fetch, watch, stopwatch);
    outcome.tracing = trace;
    outcome.cookies = cookies.written(behind.runner.now());
    let mut complaints = behind.complaints();
    outcome.complaint = complaints.last().cloned();
    outcome.result = match outcome.result {
        Ok(page) => Ok(Page { remote: behind.meant_by(page.remote), ..page }),
        Err(FetchError::Connect { remote, reason }) => {
            let remote = behind.meant_by(remote);
            // Of several addresses, what was said of the one that is told of.
            complaints.retain(|said| said.starts_with(&format!("{remote}:")));
            outcome.complaint = complaints.pop();
            Err(FetchError::Connect { remote, reason })
        }
        Err(error) => Err(deadlines.as_asked(error)),
    };
    finish(args, outcome, &Scene::gateway(&args.url, epoch), files)
}

/// Writes what was asked for, and says what went wrong.
fn finish(args: &args::Fetch, outcome: Outcome, scene: &Scene, files: Files) -> Result<(), Failure> {
    if let Some(sentence) = outcome.trace.stopped().map(stopped) {
        output::say(&sentence);
    }
    files.write(&outcome.trace, scene, &outcome.cookies)?;
    if let Some(tracing) = outcome.tracing {
        tracing.finish()?;
    }
    if let Some(signals) = outcome.ended_by {
        output::say("Interrupted: what had come until then is written.\n");
        signals.end_by_it();
    }
    let page = match outcome.result {
        Ok(page) => page,
        Err(error) => {
            if wants_walk(args) && !args.json {
                output::say(&walk::failed(&outcome.trace, scene));
            }
            if args.stats {
                output::say(&outcome.stats.render());
            }
            let failure = Failure::of_fetch(&error, &scene.url);
            let failure = match outcome.complaint {
                Some(words) => failure.in_the_systems_words(&words),
                None => failure,
            };
            return Err(match outcome.made {
                Some(tap) => failure.on_a_new_tap(&tap),
                None => failure,
            });
        }
    };
    let walk = || Walk::of(&outcome.trace, ME, scene.server(), &peer(&page.url));
    if args.json {
        let walk = if wants_walk(args) { walk() } else { None };
        return output::print_json(&json::of_fetch(
            &page,
            walk.as_ref(),
            outcome.costs.as_ref(),
            &outcome.stats,
        ));
    }
    if let Some(costs) = &outcome.costs {
        output::say(&costs.render(scene));
    } else if !args.quiet {
        output::say(&walk::render(&page, walk().as_ref(), &outcome.trace, scene));
        output::say(&advice::on(args, &page));
    }
    if args.stats {
        output::say(&outcome.stats.render());
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
