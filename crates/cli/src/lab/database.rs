//! `framewise lab database`.

use framewise_lab::LabError;
use framewise_lab::database::{self, Needs, Shared};

use super::failed;
use super::panel::{Curve, CurveKind, Panel, Report, Scale, throughput};
use crate::args::LabDatabase;
use crate::exit::Failure;
use crate::progress::Steps;

pub(super) fn run(args: &LabDatabase) -> Result<Report, Failure> {
    let needs = Needs {
        executes: args.executes,
        database: args.database,
        connections: args.connections,
        clients: args.clients,
    };
    let mut counts = args.threads.clone();
    counts.sort_unstable();
    counts.dedup();
    let found = match args.tap.device() {
        None => simulated(&counts, &needs, args.out.seed)?,
        Some(_) => in_real_time(&counts, &needs, args)?,
    };
    let most = needs.connections as f64 / needs.database.as_secs_f64();
    Ok(Report {
        name: "database",
        headline: format!(
            "Each request needs its thread for {:.0} ms, of which it waits {:.0} ms for {}; \
             {} clients ask all the time.",
            needs.service() * 1_000.0,
            needs.database.as_secs_f64() * 1_000.0,
            a_connection(needs.connections),
            needs.clients,
        ),
        panels: vec![answered(&found, &needs, most), threads(&found)],
        findings: findings(&found, &needs, most),
    })
}

fn simulated(counts: &[usize], needs: &Needs, seed: u64) -> Result<Vec<Shared>, Failure> {
    let mut steps = Steps::for_people(counts.len());
    let one = |count: &usize| {
        steps.next(&format!("{count} threads"));
        database::shared(*count, needs, seed).map_err(|error| failed(LabError::Pool(error)))
    };
    counts.iter().map(one).collect()
}

#[cfg(all(target_os = "linux", feature = "shop"))]
fn in_real_time(counts: &[usize], needs: &Needs, args: &LabDatabase) -> Result<Vec<Shared>, Failure> {
    let mut stage = super::real::Stage::open(&args.tap, args.out.seed)?;
    let mut steps = Steps::for_people(counts.len());
    let one = |count: &usize| {
        steps.next(&format!("{count} threads, SQLite"));
        stage.shared(*count, needs, args.time)
    };
    counts.iter().map(one).collect()
}

#[cfg(not(all(target_os = "linux", feature = "shop")))]
fn in_real_time(_counts: &[usize], _needs: &Needs, _args: &LabDatabase) -> Result<Vec<Shared>, Failure> {
    use crate::exit::Kind;

    Err(Failure::new(Kind::Usage, "SQLite is not built into this program")
        .next("the same without --tap, or: cargo run -p framewise-cli --features shop -- lab database --tap fw0 ..."))
}

/// What each request waits for.
fn a_connection(count: usize) -> String {
    let of = if count == 1 { "" } else { "one of " };
    format!("{of}the database's {}", connections(count))
}

fn connections(count: usize) -> String {
    if count == 1 { "single connection".to_owned() } else { format!("{count} connections") }
}

fn answered(found: &[Shared], needs: &Needs, most: f64) -> Panel {
    let of = |figure: fn(&Shared) -> f64| found.iter().map(figure).collect();
    Panel {
        title: "How many requests can k threads answer that share one database?".to_owned(),
        over: "threads",
        values: found.iter().map(|one| one.threads as f64).collect(),
        axis: "requests per second",
        scale: Scale::Linear,
        curves: throughput(of(|one| one.predicted), of(|one| one.measured)),
        mark: (needs.knee() <= needs.clients as f64).then(|| {
            (
                needs.knee(),
                format!(
                    "From {:.0} threads on, the database is the limit: {most:.0} requests per second.",
                    needs.knee().ceil()
                ),
            )
        }),
    }
}

fn threads(found: &[Shared]) -> Panel {
    let part = |figure: fn(&Shared) -> f64| {
        found.iter().map(|one| 100.0 * figure(one) / one.threads as f64).collect::<Vec<f64>>()
    };
    Panel {
        title: "What do the threads do meanwhile?  Percent of them, the mean over time.".to_owned(),
        over: "threads",
        values: found.iter().map(|one| one.threads as f64).collect(),
        axis: "percent",
        scale: Scale::Linear,
        curves: vec![
            Curve::new(
                CurveKind::Measured,
                '*',
                "at work",
                part(|one| one.threads as f64 - one.free - one.in_line),
            ),
            Curve::new(CurveKind::Measured, '+', "stand in line", part(|one| one.in_line)),
            Curve::new(CurveKind::Measured, 'f', "free", part(|one| one.free)),
        ],
        mark: None,
    }
}

fn findings(found: &[Shared], needs: &Needs, most: f64) -> Vec<String> {
    let Some(last) = found.last() else { return Vec::new() };
    // The fewest threads with which it is as fast as with the most.
    let enough = found.iter().find(|one| one.measured >= 0.95 * last.measured).unwrap_or(last);
    let grew = match found.iter().any(|one| one.threads < enough.threads) {
        true => format!(
            "Up to {} threads throughput grew, to {:.0} requests in a second; {} threads answered {:.0}, hardly more.",
            enough.threads, enough.measured, last.threads, last.measured
        ),
        false => format!(
            "{} threads were enough for all that is possible, {:.0} requests in a second.",
            enough.threads, enough.measured
        ),
    };
    let meanwhile = format!(
        "With {} threads {:.0} were free and {:.0} stood in line for the database, whose {} {} busy {:.0} % of the \
         time: threads share nothing else, and so nothing else could stop them.",
        last.threads,
        last.free,
        last.in_line,
        connections(needs.connections),
        if needs.connections == 1 { "was" } else { "were" },
        (100.0 * last.database_busy / needs.connections as f64).min(100.0),
    );
    let take = if last.database_busy >= 0.9 * needs.connections as f64 {
        // What an answer took, which in real time is more than it was told to take.
        let took = last.database_busy / last.measured * 1_000.0;
        format!(
            "To answer twice as many it would take {} connections, or answers of the database in {:.1} ms instead of \
             {took:.1}; threads are there for it.",
            needs.connections * 2,
            took / 2.0
        )
    } else {
        format!(
            "The database could answer {most:.0} in a second: it is not the limit here, and more threads or more clients \
             would be answered."
        )
    };
    vec![grew, meanwhile, take]
}
