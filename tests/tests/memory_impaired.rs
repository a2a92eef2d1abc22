//! A large page over wires on which everything goes wrong: it arrives exactly, or a typed error says why not.
//!
//! Every world is simulated and every accident follows from its seed: a seed that fails here fails always.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use framewise::core::seams::exchange::ExchangeError;
use framewise::core::seams::resolve::ResolveError;
use framewise::core::seams::stream::{CloseReason, TlsErrorKind};
use framewise::device::switch::PortId;
use framewise::device::{ImpairmentConfig, Intervention};
use framewise::{Fetch, FetchError, Page, World, WorldConfig};
use framewise_tests::memory::{LARGE, world};
use framewise_tests::peers::body_of;

/// The longest that a fetch may take, in simulated time.
const TEN_MINUTES: Duration = Duration::from_secs(600);
/// Worlds that are run at once.
const THREADS: usize = 2;

/// How the fetch of the large page over an impaired near wire ended.
struct Outcome {
    seed: u64,
    url: &'static str,
    result: Result<Page, FetchError>,
    /// In simulated time, from the beginning of the fetch to its end.
    took: Duration,
}

impl Outcome {
    /// What is wrong with it, if the page had to arrive exactly.
    fn complaint(&self) -> Option<String> {
        match &self.result {
            Ok(page) if page.body[..] == body_of(LARGE)[..] => None,
            Ok(page) => Some(format!("{}: {}", self, difference(&page.body))),
            Err(error) => Some(format!("{self}: {error} ({error:?})")),
        }
    }
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "seed {}, {}, after {:?}", self.seed, self.url, self.took)
    }
}

fn difference(body: &[u8]) -> String {
    let wanted = body_of(LARGE);
    let at = body.iter().zip(&wanted).take_while(|(a, b)| a == b).count();
    format!("{} bytes instead of {LARGE}, other ones from {at} on", body.len())
}

/// Half of the seeds go over https.
fn url_of(seed: u64) -> &'static str {
    if seed.is_multiple_of(2) { "http://shop.test/large" } else { "https://shop.test/large" }
}

fn fetch(seed: u64, impairment: &ImpairmentConfig) -> Outcome {
    let config = WorldConfig { seed, impairment: impairment.clone(), ..WorldConfig::default() };
    fetch_in(&mut world(&config), url_of(seed))
}

fn fetch_in(world: &mut World, url: &'static str) -> Outcome {
    let (seed, began) = (world.runner.seed().unwrap_or_default(), world.runner.now());
    let result = world.runner.host(world.me).fetch(Fetch::get(url).max_time(TEN_MINUTES));
    Outcome { seed, url, result, took: world.runner.now() - began }
}

/// Fetches once for each of these seeds, several at a time; the outcomes in the order of the seeds.
fn fetch_each(seeds: std::ops::Range<u64>, impairment: &ImpairmentConfig) -> Vec<Outcome> {
    let next = AtomicU64::new(seeds.start);
    let outcomes = Mutex::new(Vec::new());
    let work = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds.end {
                return;
            }
            let outcome = fetch(seed, impairment);
            outcomes.lock().unwrap_or_else(PoisonError::into_inner).push(outcome);
        }
    };
    thread::scope(|scope| (0..THREADS).for_each(|_| drop(scope.spawn(work))));
    let mut outcomes = outcomes.into_inner().unwrap_or_else(PoisonError::into_inner);
    outcomes.sort_by_key(|outcome| outcome.seed);
    outcomes
}

/// Loss, duplication, reordering and single flipped bits: the sums of IP and TCP catch all of it, and TCP mends it.
#[test]
fn a_bad_wire_delivers_exactly_with_each_of_200_seeds() {
    let bad = ImpairmentConfig {
        loss: 0.05,
        duplication: 0.02,
        reordering: 0.25,
        bit_corruption: 0.01,
        ..ImpairmentConfig::default()
    };
    let outcomes = fetch_each(0..200, &bad);
    let complaints: Vec<_> = outcomes.iter().filter_map(Outcome::complaint).collect();
    assert!(complaints.is_empty(), "{} of 200 failed:\n{}", complaints.len(), complaints.join("\n"));
}

/// With one frame in five lost, nearly all arrive; whatever does not is out of time, and says so.
#[test]
fn a_terrible_wire_delivers_nearly_always_or_times_out() {
    const SEEDS: u64 = 200;
    let terrible = ImpairmentConfig { loss: 0.2, ..ImpairmentConfig::default() };
    let outcomes = fetch_each(1_000..1_000 + SEEDS, &terrible);
    let failed: Vec<_> = outcomes.iter().filter(|outcome| outcome.complaint().is_some()).collect();
    let complaints: Vec<_> = failed.iter().filter_map(|outcome| outcome.complaint()).collect();
    let report = complaints.join("\n");
    assert!(
        failed.iter().all(|outcome| is_timeout(&outcome.result)),
        "other failures than timeouts:\n{report}"
    );
    assert!(
        failed.len() as u64 * 20 <= SEEDS,
        "{} of {SEEDS} failed, more than 5 %:\n{report}",
        failed.len()
    );
}

/// Somebody waited for an answer in vain, and said so: the fetch itself, DNS or TCP.
fn is_timeout(result: &Result<Page, FetchError>) -> bool {
    match result {
        Err(FetchError::TimedOut { .. } | FetchError::ConnectTimedOut { .. }) => true,
        Err(FetchError::Name(ResolveError::TimedOut { .. })) => true,
        Err(FetchError::Connect { reason, .. }) => *reason == CloseReason::TimedOut,
        Err(FetchError::Exchange(ExchangeError::Connection(reason))) => *reason == CloseReason::TimedOut,
        _ => false,
    }
}

/// The port of the near wire by which the router sends what is for `me`.
const TO_ME: PortId = PortId(1);
/// Where the payload of a TCP segment without options begins in its frame: Ethernet, IPv4, TCP.
const PAYLOAD: usize = 14 + 20 + 20;

/// Fetches the large page while two words of one segment's payload are exchanged on their way: their sum stays what
/// it was.
fn fetch_with_words_exchanged(url: &'static str) -> (Outcome, u64) {
    let mut world = world(&WorldConfig { seed: 1, ..WorldConfig::default() });
    let near = world.near;
    let wire = world.runner.wire_mut(near);
    let before = wire.impairment_counts(TO_ME).frames;
    // The two hundredth frame from now is well within the page.
    wire.script(TO_ME, before + 200, Intervention::SwapWords(PAYLOAD + 100, PAYLOAD + 300));
    let outcome = fetch_in(&mut world, url);
    assert_eq!(
        world.runner.wire_mut(near).impairment_counts(TO_ME).words_swapped,
        1,
        "{url}: nothing was altered"
    );
    let counters = world.runner.counters(world.me).iter();
    let noticed =
        counters.filter(|(_, reason, _)| reason.contains("checksum")).map(|(_, _, times)| times).sum();
    (outcome, noticed)
}

#[test]
fn two_words_exchanged_pass_the_checksum_and_alter_an_http_page() {
    let (outcome, noticed) = fetch_with_words_exchanged("http://shop.test/large");
    let page = outcome.result.expect("nothing below HTTP can know");
    assert_eq!(noticed, 0, "the sum of TCP noticed");
    let wanted = body_of(LARGE);
    assert_eq!(page.body.len(), wanted.len(), "it is the page by its length");
    let altered: Vec<_> = (0..LARGE).filter(|&at| page.body[at] != wanted[at]).collect();
    assert_eq!(altered.len(), 4, "two words of two bytes each stand in each other's place: {altered:?}");
    assert_eq!(altered[2] - altered[0], 200, "at the distance at which they were exchanged");
    let swapped = |at: usize, other: usize| page.body[at] == wanted[other] && page.body[other] == wanted[at];
    assert!(swapped(altered[0], altered[2]) && swapped(altered[1], altered[3]), "each in the other's place");
}

#[test]
fn two_words_exchanged_never_pass_tls() {
    let (outcome, noticed) = fetch_with_words_exchanged("https://shop.test/large");
    assert_eq!(noticed, 0, "the sum of TCP noticed, so that TLS was not needed");
    let error = outcome.result.expect_err("an altered record must not become a page");
    let is_altered =
        |reason: &CloseReason| matches!(reason, CloseReason::Tls(e) if e.kind == TlsErrorKind::Altered);
    match &error {
        FetchError::Exchange(ExchangeError::Connection(reason)) if is_altered(reason) => {}
        other => panic!("the error was to say that something was altered on the way: {other:?}"),
    }
}

/// Damage by chance, of the kinds that sums can miss, to headers as well as to payload.
#[test]
fn whatever_is_damaged_an_https_page_is_exact_or_an_error() {
    let damaged =
        ImpairmentConfig { word_swaps: 0.002, byte_corruption: 0.01, ..ImpairmentConfig::default() };
    let (mut altered, mut refused, mut exact) = (0, 0, 0);
    for outcome in fetch_each(2_000..2_060, &damaged) {
        match &outcome.result {
            Ok(page) if page.body[..] == body_of(LARGE)[..] => exact += 1,
            Ok(page) if outcome.url.starts_with("https") => panic!("{outcome}: {}", difference(&page.body)),
            Ok(_) => altered += 1,
            Err(_) => refused += 1,
        }
    }
    assert!(altered > 0, "no http page was altered: {exact} were exact, {refused} fetches failed");
    assert!(refused > 0, "TLS was never needed: {exact} pages were exact, {altered} altered");
}
