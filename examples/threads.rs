//! A pool of threads answers requests, and each thread says what it does; then the same pool in simulated time.
//!
//! Run it: `cargo run -p framewise-examples --example threads`

use std::error::Error;
use std::sync::Arc;
use std::thread::sleep;
use std::time::Duration;

use framewise::core::seams::stream::{Endpoint, Security};
use framewise::http::{Request, Response};
use framewise::{Fetch, World};
use framewise_server::dispatch::{Config, Model};
use framewise_server::simulate::{Load, Setup, Time, Work, simulate};
use framewise_server::state::{self, State};
use framewise_server::{Pool, dispatch::Snapshot};

const EXECUTES: Duration = Duration::from_millis(5);
const ASKS: Duration = Duration::from_millis(15);

fn main() -> Result<(), Box<dyn Error>> {
    let config = Config::new(Model::Threads, 1, 4, 100)?;
    let pool = Arc::new(Pool::threads(config, Arc::new(return_page))?);

    // Real threads, behind the whole stack in memory. The run's time stands still while they work.
    let mut world = World::new(7)?;
    let endpoint = Endpoint { address: None, port: 80 };
    world.runner.host(world.server).serve(endpoint, Security::Plain, pool.clone())?;
    let mut me = world.runner.host(world.me);
    let fetches = (1..=12).map(|id| me.start(Fetch::get(format!("http://shop.test/customers/{id}"))));
    for fetch in fetches.collect::<Result<Vec<_>, _>>()? {
        print!("{}", me.finish(fetch)?.text());
    }
    println!("\n4 real threads have answered {} requests:", pool.snapshot().counts.answered);
    show(&pool.snapshot());

    // The same dispatcher, for a minute that takes a moment.
    let work = vec![Work::Executes(Time::Constant(EXECUTES)), Work::Database(Time::Constant(ASKS))];
    let setup =
        Setup { length: Duration::from_secs(60), ..Setup::new(config, Load::Random { rate: 190.0 }, work) };
    let outcome = simulate(&setup, 1);
    println!(
        "\n4 simulated threads of 20 ms can answer 200 requests in a second. Of 190 that come at random moments,"
    );
    println!(
        "{:.0} are answered, after {:?} in the queue on average:",
        outcome.throughput(),
        outcome.waiting.mean()
    );
    show(&outcome.last);
    Ok(())
}

/// What a thread does with a request. Outside of a pool, `during` would do nothing but call.
fn return_page(request: Request) -> Response {
    sleep(EXECUTES);
    let name = state::during(State::Database, || {
        sleep(ASKS);
        format!("customer {}", request.path().rsplit('/').next().unwrap_or_default())
    });
    Response::text(format!("{name} is known\n"))
}

/// Which part of their time the threads were in each state.
fn show(pool: &Snapshot) {
    let threads: Vec<_> = pool.processes.iter().flat_map(|process| &process.threads).collect();
    let all: u64 = threads.iter().map(|thread| thread.times.states_us.iter().sum::<u64>()).sum();
    for (index, state) in State::ALL.into_iter().enumerate() {
        let its: u64 = threads.iter().map(|thread| thread.times.states_us[index]).sum();
        println!("  {} {:<42}{:>4} %", state.number(), state.meaning(), its * 100 / all.max(1));
    }
}
