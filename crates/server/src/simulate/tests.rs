//! A simulated pool against what queueing theory says of it.

use std::time::Duration;

use super::*;
use crate::dispatch::Model;

const MS_20: Duration = Duration::from_millis(20);

fn pool(model: Model, processes: usize, threads: usize, queue: usize) -> Config {
    Config::new(model, processes, threads, queue).expect("a pool")
}

fn executes(time: Time) -> Vec<Work> {
    vec![Work::Executes(time)]
}

/// The mean time in the queue of M/M/k, by Erlang's C.
fn erlang_wait(rate: f64, each: f64, threads: usize) -> f64 {
    let offered = rate * each;
    let (mut term, mut sum) = (1.0, 0.0);
    for n in 0..threads {
        sum += term;
        term *= offered / (n + 1) as f64;
    }
    let k = threads as f64;
    let last = term / (1.0 - offered / k);
    last / (sum + last) / (k / each - rate)
}

#[test]
fn waits_are_those_of_erlang() {
    for (threads, load) in [(1, 0.5), (4, 0.8), (16, 0.8)] {
        let rate = load * threads as f64 / 0.02;
        let setup = Setup {
            length: Duration::from_secs(2_000),
            ..Setup::new(
                pool(Model::Threads, 1, threads, 100_000),
                Load::Random { rate },
                executes(Time::Exponential(MS_20)),
            )
        };
        let outcome = simulate(&setup, 1);
        let (found, expected) = (outcome.waiting.mean().as_secs_f64(), erlang_wait(rate, 0.02, threads));
        assert!(
            (found / expected - 1.0).abs() < 0.08,
            "{threads} threads at {load}: {found} s of waiting, and not {expected}"
        );
        // Little's law: what waits on average is what comes in the time of a wait.
        let by_little = rate * found;
        assert!((outcome.mean_queue / by_little - 1.0).abs() < 0.05, "{} {by_little}", outcome.mean_queue);
    }
}

#[test]
fn k_threads_answer_k_divided_by_the_service_time_and_no_more() {
    for threads in [1, 8, 64] {
        let most = threads as f64 / 0.02;
        let setup = Setup::new(
            pool(Model::Threads, 1, threads, 10),
            Load::Random { rate: 2.0 * most },
            executes(Time::Constant(MS_20)),
        );
        let outcome = simulate(&setup, 7);
        assert!((outcome.throughput() / most - 1.0).abs() < 0.01, "{threads}: {}", outcome.throughput());
        assert!((outcome.mean_busy / threads as f64) > 0.99, "{threads}: {}", outcome.mean_busy);
        let counts = outcome.counts;
        assert!(counts.refused.abs_diff(counts.answered) < counts.came / 20, "half are refused: {counts:?}");
    }
}

#[test]
fn silent_connections_hold_the_threads_of_worker_and_not_those_of_event() {
    let clients = Load::Clients {
        count: 32,
        think: Time::Constant(Duration::from_secs(1)),
        requests_per_connection: 1_000,
    };
    let answered = |model| {
        let setup = Setup::new(pool(model, 2, 4, 1_000), clients.clone(), executes(Time::Constant(MS_20)));
        simulate(&setup, 3)
    };
    let (worker, event) = (answered(Model::Worker), answered(Model::Event));
    // 32 clients that ask once in 1.02 s.
    assert!((event.throughput() - 31.4).abs() < 1.0, "{}", event.throughput());
    // 8 threads, each held for a second after each answer.
    assert!(worker.throughput() < 9.0, "{}", worker.throughput());
    let held: u64 = worker.last.processes.iter().flat_map(|p| &p.threads).map(|t| t.times.held_us).sum();
    assert!(held > 800_000_000, "8 threads for 110 s, nearly all of it held: {held} us");
}

#[test]
fn the_database_is_the_limit_while_threads_stay_free() {
    let work = vec![
        Work::Executes(Time::Constant(Duration::from_millis(2))),
        Work::Database(Time::Constant(Duration::from_millis(10))),
        Work::Processes(Time::Constant(Duration::from_millis(3))),
        Work::Returns(Time::Constant(Duration::from_millis(1))),
    ];
    let with = |threads| {
        let clients = Load::Clients {
            count: 200,
            think: Time::Constant(Duration::ZERO),
            requests_per_connection: u32::MAX,
        };
        let setup = Setup {
            database: 4,
            ..Setup::new(pool(Model::Threads, 1, threads, 1_000), clients, work.clone())
        };
        simulate(&setup, 5)
    };
    let (few, many, more) = (with(4), with(16), with(64));
    assert!((few.throughput() / 250.0 - 1.0).abs() < 0.05, "4 threads of 16 ms: {}", few.throughput());
    for outcome in [&many, &more] {
        assert!((outcome.throughput() / 400.0 - 1.0).abs() < 0.02, "{}", outcome.throughput());
        assert!(outcome.mean_database_busy > 3.95, "{}", outcome.mean_database_busy);
    }
    assert!(more.mean_database_line > many.mean_database_line + 40.0, "the others stand in line");
}

#[test]
fn clients_that_are_refused_ask_again_when_they_were_told_to() {
    let clients =
        Load::Clients { count: 5, think: Time::Constant(Duration::ZERO), requests_per_connection: 100 };
    let setup = Setup::new(pool(Model::Threads, 1, 1, 0), clients, executes(Time::Constant(MS_20)));
    let outcome = simulate(&setup, 1);
    // One is always answered; the four others ask once in a second.
    assert_eq!(outcome.counts.answered, 5_000);
    assert!(outcome.counts.refused.abs_diff(400) <= 4, "{}", outcome.counts.refused);
}

#[test]
fn at_a_rate_of_0_nothing_comes() {
    for rate in [0.0, f64::MIN_POSITIVE] {
        let load = Load::Random { rate };
        for seed in 0..20 {
            let setup =
                Setup::new(pool(Model::Threads, 1, 1, 0), load.clone(), executes(Time::Constant(MS_20)));
            assert_eq!(simulate(&setup, seed).counts.came, 0);
        }
    }
}

#[test]
fn the_same_seed_is_the_same_run() {
    let setup = Setup {
        kill_every: Some(Duration::from_secs(1)),
        database: 2,
        ..Setup::new(
            pool(Model::Event, 2, 4, 20),
            Load::Random { rate: 300.0 },
            vec![
                Work::Executes(Time::Uniform(Duration::ZERO, MS_20)),
                Work::Database(Time::Exponential(Duration::from_millis(4))),
            ],
        )
    };
    let run = |seed| {
        let mut all = Vec::new();
        let outcome = simulate_watched(&setup, seed, &mut |served| all.push(served));
        (outcome.last, all)
    };
    let (one, same, other) = (run(1), run(1), run(2));
    assert_eq!(one, same);
    assert_ne!(one, other);
    let counts = one.0.counts;
    assert!(counts.died > 90 && counts.again > 50, "{counts:?}");
    assert_eq!(counts.failed, 0, "each was given to another thread: {counts:?}");
}
