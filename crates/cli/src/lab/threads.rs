//! `framewise lab threads`.

use std::time::Duration;

use framewise_lab::LabError;
use framewise_lab::threads::{self, KeptAlive, Service, Throughput, Waiting};
use framewise_server::Model;

use super::failed;
use super::panel::{self, Curve, CurveKind, Panel, Report, Scale};
#[cfg(target_os = "linux")]
use super::real::Stage;
use crate::args::LabThreads;
use crate::exit::Failure;
use crate::progress::Steps;

/// How long clients think.
const THINK: Duration = Duration::from_secs(1);
/// Threads of each model.
const EACH_MODEL: usize = 32;
/// The models that differ where connections are kept.
const MODELS: [(Model, char); 3] = [(Model::Event, 'e'), (Model::Worker, 'w'), (Model::Prefork, 'p')];

/// Loads, unless others are given.
const LOADS: [f64; 6] = [0.3, 0.5, 0.7, 0.8, 0.9, 0.95];
/// The same in real time, in which each takes its time.
#[cfg(target_os = "linux")]
const REAL_LOADS: [f64; 2] = [0.5, 0.8];

/// What was measured, and by what.
struct Found {
    by: String,
    throughput: Vec<Throughput>,
    waiting: Vec<Waiting>,
    kept: Vec<KeptAlive>,
    /// Where something else than threads was scarce.
    limit: Option<String>,
}

pub(super) fn run(args: &LabThreads) -> Result<Report, Failure> {
    let found = match args.tap.device() {
        None => simulated(args)?,
        Some(_) => in_real_time(args)?,
    };
    let ms = shown(args.service);
    let mut findings = vec![of_throughput(&found.throughput, &ms), of_waiting(&found.waiting, args.pool)];
    findings.extend(found.limit);
    let mut panels =
        vec![throughput_panel(&found.throughput, &ms, &found.by), waiting_panel(&found.waiting, args.pool)];
    if !found.kept.is_empty() {
        findings.push(of_models(&found.kept, args.service));
        panels.push(models_panel(&found.kept));
    }
    Ok(Report {
        name: "threads",
        headline: format!(
            "Each request needs a thread for {ms} ms, and the number of threads is fixed: when more requests come than \
             there are threads, they wait."
        ),
        findings,
        panels,
    })
}

fn simulated(args: &LabThreads) -> Result<Found, Failure> {
    let (service, seed) = (args.service, args.out.seed);
    let (counts, loads, clients) = (sorted(&args.threads), loads(args, &LOADS), sorted(&args.clients));
    let mut steps = Steps::for_people(counts.len() + loads.len() * 2 + clients.len() * MODELS.len());
    let in_pool = |error| failed(LabError::Pool(error));

    let mut throughput = Vec::new();
    for count in counts {
        steps.next(&format!("{count} threads, by frames"));
        throughput.push(threads::throughput(count, service, seed).map_err(failed)?);
    }
    let mut waiting = Vec::new();
    for kind in Service::BOTH {
        for &load in &loads {
            steps.next(&format!("{} at {load}", kind.name()));
            let one = threads::waiting(kind, args.pool, service, load, args.requests, seed);
            waiting.push(one.map_err(in_pool)?);
        }
    }
    let mut kept = Vec::new();
    for (model, _) in MODELS {
        for &clients in &clients {
            steps.next(&format!("{model} with {clients} clients"));
            let one = threads::kept_alive(model, EACH_MODEL, clients, service, THINK, seed);
            kept.push(one.map_err(in_pool)?);
        }
    }
    let by = format!("by {} frames", throughput.iter().map(|one| one.frames).sum::<u64>());
    Ok(Found { by, throughput, waiting, kept, limit: None })
}

#[cfg(target_os = "linux")]
fn in_real_time(args: &LabThreads) -> Result<Found, Failure> {
    let (counts, loads) = (sorted(&args.threads), loads(args, &REAL_LOADS));
    let mut stage = Stage::open(&args.tap, args.out.seed)?;
    let mut steps = Steps::for_people(counts.len() + loads.len() * 2);
    let (mut throughput, mut limit) = (Vec::new(), None);
    for count in counts {
        steps.next(&format!("{count} threads"));
        let (one, why) = stage.throughput(count, args.service, args.time / 10)?;
        throughput.push(one);
        limit = limit.or(why);
    }
    let mut waiting = Vec::new();
    for kind in Service::BOTH {
        for &load in &loads {
            steps.next(&format!("{} at {load}", kind.name()));
            waiting.push(stage.waiting(kind, args.pool, args.service, load, args.time)?);
        }
    }
    let limit = limit.or_else(|| {
        let most = throughput.last().map_or(0, |one| one.threads);
        Some(format!("Up to {most} threads nothing else was scarce: the processors had time left."))
    });
    let by = format!("over {}, in real time", args.tap.device().map_or("", |device| device.name()));
    Ok(Found { by, throughput, waiting, kept: Vec::new(), limit })
}

#[cfg(not(target_os = "linux"))]
fn in_real_time(_args: &LabThreads) -> Result<Found, Failure> {
    Err(crate::live::elsewhere())
}

fn loads(args: &LabThreads, usual: &[f64]) -> Vec<f64> {
    let mut loads = if args.loads.is_empty() { usual.to_vec() } else { args.loads.clone() };
    loads.sort_by(f64::total_cmp);
    loads.dedup();
    loads
}

fn throughput_panel(found: &[Throughput], ms: &str, by: &str) -> Panel {
    let of = |figure: fn(&Throughput) -> f64| found.iter().map(figure).collect();
    Panel {
        title: format!("How many requests can k threads answer?  k ÷ {ms} ms; measured {by}."),
        over: "threads",
        values: found.iter().map(|one| one.threads as f64).collect(),
        axis: "requests per second",
        scale: Scale::Logarithmic,
        curves: panel::throughput(of(|one| one.predicted), of(|one| one.measured)),
        mark: None,
    }
}

fn waiting_panel(found: &[Waiting], pool: usize) -> Panel {
    let of = |service: Service| found.iter().filter(move |one| one.service == service);
    let curves = Service::BOTH.into_iter().zip(['*', '+']).flat_map(|(service, letter)| {
        let ms = |figure: fn(&Waiting) -> f64| of(service).map(|one| figure(one) * 1_000.0).collect();
        let predicted = Curve::new(CurveKind::Predicted, 'o', service.name(), ms(|one| one.predicted));
        let measured = Curve::new(CurveKind::Measured, letter, service.name(), ms(|one| one.measured.mean));
        let half = ms(|one| one.measured.half_width.unwrap_or(f64::NAN));
        [predicted.with_digits(2), measured.labelled("measured").with_digits(2).with_intervals(half)]
    });
    Panel {
        title: format!("How long does a request wait for one of {pool} threads?  Mean, 95 % interval."),
        over: "load",
        values: of(Service::Random).map(|one| one.load).collect(),
        axis: "ms of waiting",
        scale: Scale::Linear,
        curves: curves.collect(),
        mark: None,
    }
}

fn models_panel(found: &[KeptAlive]) -> Panel {
    let of = |model: Model| found.iter().filter(move |one| one.model == model);
    let curves = MODELS.into_iter().map(|(model, letter)| {
        Curve::new(CurveKind::Measured, letter, model.name(), of(model).map(|one| one.measured).collect())
    });
    Panel {
        title: format!(
            "What do clients that keep their connection, and think for 1 s, do to {EACH_MODEL} threads?"
        ),
        over: "clients",
        values: of(Model::Event).map(|one| one.clients as f64).collect(),
        axis: "requests per second",
        scale: Scale::Linear,
        curves: curves.collect(),
        mark: None,
    }
}

/// The first sentence: what was measured is what was predicted, or where it is not.
fn of_throughput(found: &[Throughput], ms: &str) -> String {
    let ratio = |one: &Throughput| one.measured / one.predicted;
    let worst = found.iter().min_by(|a, b| ratio(a).total_cmp(&ratio(b)));
    let (Some(worst), Some(most)) = (worst, found.last()) else { return String::new() };
    let busiest = format!(
        "{} answered {:.0} requests in a second, for each is busy for {ms} ms with one",
        counted(most.threads, "thread"),
        most.measured
    );
    if ratio(worst) >= 0.95 {
        return format!(
            "{busiest}: k threads answer k ÷ {ms} ms, here {:.3} of it at worst. {:.0} requests stood in the queue \
             meanwhile, which made nobody faster.",
            ratio(worst),
            most.queue
        );
    }
    format!(
        "{busiest}, but {} of them came to {:.2} of what was predicted: there something else was scarce.",
        worst.threads,
        ratio(worst)
    )
}

/// The second: what a little more load does to waiting.
fn of_waiting(found: &[Waiting], pool: usize) -> String {
    let mut random = found.iter().filter(|one| one.service == Service::Random).collect::<Vec<_>>();
    random.sort_by(|a, b| a.load.total_cmp(&b.load));
    let Some(last) = random.last() else { return String::new() };
    let first = random.iter().find(|one| one.load >= 0.5).unwrap_or(last);
    let same = found.iter().find(|one| one.service == Service::Constant && one.load == last.load);
    let constant = match same {
        Some(same) if last.measured.mean > 0.0 => {
            let half = same.measured.mean / last.measured.mean;
            format!("; were each request the same work, it would be {half:.2} of that")
        }
        _ => String::new(),
    };
    let waited = |one: &Waiting| match one.measured.mean * 1_000.0 {
        ms if ms < 0.01 => format!("{:.2} us", ms * 1_000.0),
        ms if ms < 1.0 => format!("{ms:.3} ms"),
        ms => format!("{ms:.1} ms"),
    };
    let begin = format!(
        "At a load of {:.2} a request waited {} for one of {} threads",
        first.load,
        waited(first),
        pool
    );
    if first.load == last.load {
        return format!("{begin}{constant}.");
    }
    format!(
        "{begin}, at {:.2} it waited {}: {:.1} times the load is {:.0} times the wait{constant}.",
        last.load,
        waited(last),
        last.load / first.load,
        last.measured.mean / first.measured.mean,
    )
}

/// The third: what holding a thread costs.
fn of_models(found: &[KeptAlive], service: Duration) -> String {
    let most = found.iter().map(|one| one.clients).max().unwrap_or(0);
    let of = |model| found.iter().find(|one| one.model == model && one.clients == most);
    let (Some(event), Some(worker)) = (of(Model::Event), of(Model::Worker)) else { return String::new() };
    let held = (service + THINK).as_secs_f64();
    format!(
        "With {most} clients that think, event answered {:.0} in a second and worker {:.0}, with {EACH_MODEL} threads \
         each: worker and prefork hold a thread for {held:.2} s to use it for {:.2}.",
        event.measured,
        worker.measured,
        service.as_secs_f64(),
    )
}

fn sorted(values: &[usize]) -> Vec<usize> {
    let mut values = values.to_vec();
    values.sort_unstable();
    values.dedup();
    values
}

/// How many of something.
fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// Milliseconds, without zeros that say nothing.
fn shown(time: Duration) -> String {
    let text = format!("{:.2}", time.as_secs_f64() * 1_000.0);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
