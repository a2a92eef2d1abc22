//! Two TCPs talk to each other over a bad link in virtual time: a student's and ours, say.
//!
//! One side connects, the other listens; each sends its bytes, reads the other's under small grants, and closes. Both
//! streams must arrive byte for byte and both connections must end as finished, whatever the link loses, repeats,
//! delays or damages by one bit.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::ops::Range;
use std::time::Duration;

use framewise_core::seams::{Segments, Streams};
use framewise_core::time::earliest;
use framewise_core::{Instant, Layer, Rng};

use crate::end::{End, Role};
use crate::failure::{Details, Failure};
use crate::link::Link;
use crate::report::Report;
use crate::trouble::Trouble;

/// How bad a link is: what happens to a segment, each as a probability from 0 to 1.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Weather {
    /// It is lost.
    pub loss: f64,
    /// It comes twice.
    pub duplication: f64,
    /// It is overtaken by others.
    pub reordering: f64,
    /// One of its bits is turned over.
    pub corruption: f64,
}

impl fmt::Display for Weather {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let percent = |what: f64| (what * 100.0).round();
        let Weather { loss, duplication, reordering, corruption } = *self;
        write!(f, "{} % lost, {} % twice, ", percent(loss), percent(duplication))?;
        write!(f, "{} % overtaken, {} % damaged", percent(reordering), percent(corruption))
    }
}

/// One kind of run, done once for each seed.
#[derive(Clone, Debug)]
pub struct PairRun {
    /// What the pair does when it passes: `carries a page over a perfect link`.
    pub title: &'static str,
    /// The link.
    pub weather: Weather,
    /// Bytes that each side sends.
    pub bytes: usize,
    /// The runs.
    pub seeds: Range<u64>,
    /// How much virtual time each may take.
    pub within: Duration,
}

/// The runs of a pair.
#[derive(Clone, Debug)]
pub struct PairSuite {
    /// In this order.
    pub runs: Vec<PairRun>,
}

impl Default for PairSuite {
    /// A perfect link, nothing to say, and worse and worse links.
    fn default() -> Self {
        let run = |title, bytes, seeds: u64, weather| PairRun {
            title,
            weather,
            bytes,
            seeds: 0..seeds,
            within: Duration::from_secs(3_600),
        };
        let perfect = Weather::default();
        let rain = Weather { loss: 0.05, duplication: 0.02, reordering: 0.25, corruption: 0.01 };
        PairSuite {
            runs: vec![
                run("opens and closes with nothing to say", 0, 1, perfect),
                run("carries 100,000 bytes over a perfect link", 100_000, 1, perfect),
                run(
                    "carries 30,000 bytes in whatever order they come",
                    30_000,
                    8,
                    Weather { reordering: 0.5, ..perfect },
                ),
                run("carries 30,000 bytes over a bad link", 30_000, 8, rain),
                run(
                    "carries 5,000 bytes over a link that loses a fifth",
                    5_000,
                    8,
                    Weather { loss: 0.2, ..perfect },
                ),
            ],
        }
    }
}

/// Lets a layer of `make_client` connect to one of `make_server` in each run of the suite.
///
/// Stops at the first run that fails, which tells how far both sides came.
pub fn check_pair<A, B>(
    make_client: impl Fn() -> A,
    make_server: impl Fn() -> B,
    suite: &PairSuite,
) -> Result<Report, Failure>
where
    A: Layer<Upper = Streams, Lower = Segments>,
    B: Layer<Upper = Streams, Lower = Segments>,
{
    let mut cases = Vec::new();
    for run in &suite.runs {
        for seed in run.seeds.clone() {
            let mut pair = Pair::new(make_client(), make_server(), run, seed);
            pair.play().map_err(|trouble| pair.failed(run, seed, trouble))?;
        }
        cases.push((run.title.to_owned(), "RFC 9293"));
    }
    Ok(Report { protocol: "tcp, in pairs", cases, laws: Vec::new() })
}

struct Pair<A, B> {
    client: End<A>,
    server: End<B>,
    link: Link,
    now: Instant,
    until: Instant,
}

impl<A, B> Pair<A, B>
where
    A: Layer<Upper = Streams, Lower = Segments>,
    B: Layer<Upper = Streams, Lower = Segments>,
{
    fn new(client: A, server: B, run: &PairRun, seed: u64) -> Self {
        let rng = Rng::from_seed(seed).fork("pair");
        let text = |purpose| {
            let mut bytes = vec![0; run.bytes];
            rng.fork(purpose).fill(&mut bytes);
            bytes
        };
        let address = |last| IpAddr::V4(Ipv4Addr::new(192, 0, 2, last));
        let service = SocketAddr::new(address(80), 80);
        let (asks, answers) = (text("client"), text("server"));
        Pair {
            client: End::new(client, address(10), Role::Connects(service), asks.clone(), answers.clone()),
            server: End::new(server, address(80), Role::Listens(service), answers, asks),
            link: Link::new(run.weather, rng.fork("link")),
            now: Instant::ZERO,
            until: Instant::ZERO + run.within,
        }
    }

    fn play(&mut self) -> Result<(), Trouble> {
        self.server.begin(self.now, &mut self.link)?;
        self.client.begin(self.now, &mut self.link)?;
        while !(self.client.is_finished() && self.server.is_finished()) {
            let timers = earliest(self.client.next_timeout()?, self.server.next_timeout()?);
            let Some(next) = earliest(timers, self.link.next()) else {
                return Err(Trouble::unmet("nothing moves any more"));
            };
            if next > self.until {
                return Err(Trouble::unmet("time is up"));
            }
            self.now = self.now.max(next);
            self.move_on()?;
        }
        Ok(())
    }

    /// Delivers what arrives now, and calls whoever's time has come.
    fn move_on(&mut self) -> Result<(), Trouble> {
        while let Some(segment) = self.link.arrives(self.now) {
            if segment.destination() == self.client.address {
                self.client.hears(segment, self.now, &mut self.link)?;
            } else {
                self.server.hears(segment, self.now, &mut self.link)?;
            }
        }
        self.client.fire(self.now, &mut self.link)?;
        self.server.fire(self.now, &mut self.link)
    }

    fn told(&self) -> String {
        format!("client: {}\nserver: {}", self.client.told(), self.server.told())
    }

    fn failed(&self, run: &PairRun, seed: u64, trouble: Trouble) -> Failure {
        let steps = vec![
            "the server listens, the client connects".to_owned(),
            format!("over a link with {} (seed {seed})", run.weather),
            format!("each side sends {} bytes, reads the other's and closes", run.bytes),
        ];
        let wanted = "both streams byte for byte, and both connections to end as finished";
        Failure::new(Details {
            protocol: "tcp, in pairs",
            case: run.title.to_owned(),
            source: "RFC 9293",
            law: trouble.law,
            steps,
            expected: trouble.expected.unwrap_or_else(|| wanted.to_owned()),
            came: format!("{} (at {})\n{}", trouble.came, self.now, self.told()),
            hint: "Each side did what its own script allows, but together they do not carry a stream. Look at \
                   what the one that waits is waiting for.",
        })
    }
}
