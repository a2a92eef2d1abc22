//! What queueing theory says of threads that requests wait for.
//!
//! Read A. K. Erlang, *Solution of some Problems in the Theory of Probabilities of Significance in Automatic Telephone
//! Exchanges* (1917), for M/M/k, and C. D. Crommelin, *Delay Probability Formulae When the Holding Times Are Constant* (1932),
//! for M/D/k. M: requests come at random moments (Poisson). The middle letter: M, the time that each is worked on is random,
//! too (exponential); D, it is always the same. k: so many threads.
//!
//! Rates are requests in a second, times are seconds.

/// The most requests that so many threads can answer in a second, each of which takes `service` seconds.
pub fn capacity(threads: usize, service: f64) -> f64 {
    threads as f64 / service
}

/// The part of the capacity that is asked for: 1 and more can't be kept up with.
pub fn load(rate: f64, service: f64, threads: usize) -> f64 {
    rate / capacity(threads, service)
}

/// The mean time for which a request waits for a thread where times of work are random (exponential): Erlang's C. `None`: the
/// queue grows without end.
pub fn wait_mmk(rate: f64, service: f64, threads: usize) -> Option<f64> {
    let load = load(rate, service, threads);
    if load >= 1.0 {
        return None;
    }
    Some(must_wait(rate * service, threads) / (capacity(threads, service) - rate))
}

/// The part of requests that find no thread free (Erlang's C), of `offered` threads that would always be busy.
pub fn must_wait(offered: f64, threads: usize) -> f64 {
    // By Erlang's B, whose recursion loses no digits however many threads there are.
    let blocked = (1..=threads).fold(1.0, |b, k| offered * b / (k as f64 + offered * b));
    blocked / (1.0 - offered / threads as f64 * (1.0 - blocked))
}

/// Loads beyond which the queue takes too long to settle to be followed: there an approximation is as good.
const NEAR: f64 = 0.95;
/// How far what is in the system is followed beyond the threads, in queue lengths of the mean.
const FAR: f64 = 40.0;
/// When nothing changes any more.
const STILL: f64 = 1e-13;
/// A bound on the work, for loads so near to 1 that nothing settles.
const MOST_TURNS: usize = 20_000;

/// The same where each request is worked on for the same time. `None`: the queue grows without end.
///
/// Whoever is at work now has gone in one service time, and nobody else has: so what is there then is what waits now, and
/// what has come meanwhile. From that rule alone follows how long the queue is, and from its length the wait (Little's law).
pub fn wait_mdk(rate: f64, service: f64, threads: usize) -> Option<f64> {
    let load = load(rate, service, threads);
    if load >= 1.0 {
        return None;
    }
    let offered = rate * service;
    if offered <= 0.0 {
        return Some(0.0);
    }
    if load > NEAR || threads == 1 {
        return cosmetatos(rate, service, threads);
    }
    let comes = poisson(offered);
    let states = threads + comes.len() + (FAR / (1.0 - load)) as usize;
    let mut there = vec![0.0; states];
    there[0] = 1.0;
    for _ in 0..MOST_TURNS {
        let next = after_one_service(&there, &comes, threads);
        let moved: f64 = there.iter().zip(&next).map(|(a, b)| (a - b).abs()).sum();
        there = next;
        if moved < STILL {
            break;
        }
    }
    let waiting: f64 = there.iter().skip(threads).zip(0u32..).map(|(part, n)| part * f64::from(n)).sum();
    Some(waiting / rate)
}

/// G. P. Cosmetatos, *Some Approximate Equilibrium Results for the Multi-Server Queue M/G/r* (1976): exact for one thread, and
/// nearly so where the load is high.
fn cosmetatos(rate: f64, service: f64, threads: usize) -> Option<f64> {
    let (load, k) = (load(rate, service, threads), threads as f64);
    let more = (1.0 - load) * (k - 1.0) * ((4.0 + 5.0 * k).sqrt() - 2.0) / (16.0 * load * k);
    Some(wait_mmk(rate, service, threads)? / 2.0 * (1.0 + more))
}

/// How likely it is that so many come (0, 1, 2, ..) where `mean` come on average; the rest is next to nothing.
fn poisson(mean: f64) -> Vec<f64> {
    let far = (mean + 12.0 * mean.sqrt() + 20.0) as usize;
    let mut log = -mean;
    let mut likely = Vec::with_capacity(far + 1);
    for n in 0..=far {
        if n > 0 {
            log += (mean / n as f64).ln();
        }
        likely.push(log.exp());
    }
    likely
}

/// How likely each number in the system is, one service time later.
fn after_one_service(there: &[f64], comes: &[f64], threads: usize) -> Vec<f64> {
    let mut next = vec![0.0; there.len()];
    let (at_work, waiting) = there.split_at(threads.min(there.len()));
    let none_waits = at_work.iter().sum::<f64>();
    let left = std::iter::once(none_waits + waiting.first().copied().unwrap_or(0.0))
        .chain(waiting.iter().skip(1).copied());
    for (left, part) in left.enumerate() {
        if part < f64::MIN_POSITIVE {
            continue;
        }
        for (come, likely) in comes.iter().enumerate() {
            // What would be beyond the end is at it.
            let at = (left + come).min(next.len() - 1);
            next[at] += part * likely;
        }
    }
    next
}

/// The most requests in a second that are answered where each needs a thread for `service` seconds, of which `database` are on
/// one of so many connections: whoever is scarcer decides. (The operational laws of Denning and Buzen, 1978.)
pub fn capacity_with_database(threads: usize, service: f64, connections: usize, database: f64) -> f64 {
    capacity(threads, service).min(connections as f64 / database)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_thread_is_the_formula_of_every_textbook() {
        for load in [0.1, 0.5, 0.8, 0.95] {
            let (service, rate) = (0.02, load / 0.02);
            let mm1 = load / (1.0 - load) * service;
            let found = wait_mmk(rate, service, 1).expect("it keeps up");
            assert!((found / mm1 - 1.0).abs() < 1e-12, "M/M/1 at {load}: {found}");
            // Pollaczek and Khinchine: without chance in the work, half of it.
            let found = wait_mdk(rate, service, 1).expect("it keeps up");
            assert!((found / (mm1 / 2.0) - 1.0).abs() < 1e-6, "M/D/1 at {load}: {found}, not {}", mm1 / 2.0);
        }
    }

    #[test]
    fn figures_of_printed_tables() {
        // Erlang's C for 2 of 3 threads busy: 4/9; for 8 of 10: 0.4092.
        assert!((must_wait(2.0, 3) - 4.0 / 9.0).abs() < 1e-12);
        assert!((must_wait(8.0, 10) - 0.4092).abs() < 1e-4);
        // M/D/k, mean waits in service times, as the approximation has them to two percent, to less near full load.
        for (threads, load) in [(2, 0.8), (5, 0.9), (16, 0.8), (64, 0.95), (2, 0.95), (16, 0.95)] {
            let rate = load * threads as f64;
            let near = cosmetatos(rate, 1.0, threads).expect("it keeps up");
            let found = wait_mdk(rate, 1.0, threads).expect("it keeps up");
            assert!((found / near - 1.0).abs() < 0.02, "{threads} at {load}: {found}, not about {near}");
        }
    }

    #[test]
    fn what_cannot_be_kept_up_with_waits_for_ever() {
        assert_eq!(wait_mmk(50.0, 0.02, 1), None);
        assert_eq!(wait_mdk(1_000.0, 0.02, 16), None);
        assert_eq!(wait_mdk(0.0, 0.02, 16), Some(0.0));
        // So near to full load that nothing would settle: half of what M/M/k waits, and no endless work.
        let (found, double) = (wait_mdk(799.9, 0.02, 16), wait_mmk(799.9, 0.02, 16));
        assert!(found.zip(double).is_some_and(|(found, double)| (found / double - 0.5).abs() < 0.001));
        assert!(wait_mmk(12_799.0, 0.02, 256).is_some_and(f64::is_finite));
    }

    #[test]
    fn the_scarcer_one_decides() {
        assert_eq!(capacity_with_database(4, 0.02, 4, 0.01), 200.0);
        assert_eq!(capacity_with_database(64, 0.02, 4, 0.01), 400.0);
    }
}
