//! `serve --shop`: the shop on its embedded database, where it is built in.

use std::path::Path;
use std::sync::Arc;

use framewise::http::Handler;

use crate::exit::Failure;

/// The shop as it is served.
pub(super) struct Shop {
    pub(super) handler: Arc<dyn Handler>,
    /// What is wrong with its database now, and what to do about it.
    pub(super) trouble: Box<dyn Fn() -> Option<String>>,
}

/// The shop, if it is wanted, with its records in this file, or in memory.
#[cfg(feature = "shop")]
pub(super) fn open(is_wanted: bool, database: Option<&Path>) -> Result<Option<Shop>, Failure> {
    use std::time::{Instant, SystemTime};

    use framewise::core::Rng;
    use framewise_server::state;
    use framewise_shop::{Config, Place};

    use crate::exit::Kind;

    if !is_wanted {
        return Ok(None);
    }
    let entropy = framewise::entropy().map_err(|error| Failure::new(Kind::Device, error))?;
    let place = database.map_or(Place::Memory, |file| Place::File(file.to_owned()));
    let started = Instant::now();
    let stopwatch = Arc::new(move || started.elapsed());
    let clock = Arc::new(SystemTime::now);
    let watch = Arc::new(|doing| state::set(state_of(doing)));
    let config = Config { watch, ..Config::new(place, Rng::from_entropy(entropy), clock, stopwatch) };
    let shop = framewise_shop::Shop::new(config);
    let handler = Arc::new(shop.clone());
    let trouble = move || shop.check().err().map(|problem| format!("{} {}", problem.wrong, problem.right));
    Ok(Some(Shop { handler, trouble: Box::new(trouble) }))
}

/// The lecture's word for it.
#[cfg(feature = "shop")]
fn state_of(doing: framewise_shop::Doing) -> framewise_server::State {
    use framewise_server::State;
    use framewise_shop::Doing;

    match doing {
        Doing::Executes => State::Executes,
        Doing::MakesDatabaseRequest => State::Database,
        Doing::WaitsForConnection => State::WaitsForOthers,
        Doing::ProcessesData => State::Processes,
    }
}

/// The shop is not built in: its database is a minute's work for a C compiler, which nobody's first page should wait for.
#[cfg(not(feature = "shop"))]
pub(super) fn open(is_wanted: bool, _database: Option<&Path>) -> Result<Option<Shop>, Failure> {
    use crate::exit::Kind;

    if !is_wanted {
        return Ok(None);
    }
    Err(Failure::new(Kind::Usage, "the shop is not built into this program")
        .next("cargo run -p framewise-cli --features shop -- serve --shop --forward 127.0.0.1:8080"))
}
