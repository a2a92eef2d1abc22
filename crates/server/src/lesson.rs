//! A page that takes time, so that there is something to see: its thread passes through the states of the lecture.
//!
//! `/work` executes for 5 ms, asks a database for 10 ms, and processes for 5 ms. Other times are said in the query, in
//! milliseconds: `/work?executes=1&line=2&database=30&processes=1`. Nothing is computed meanwhile: the thread sleeps, as one does
//! that waits for a disk.

use std::thread;
use std::time::Duration;

use framewise_http::{Problem, Request, Response, StatusCode};

use crate::state::{self, State};

/// Where it is, in the built-in site of a server with a pool.
pub const PATH: &str = "/work";

/// No part takes longer.
const MOST: u64 = 10_000;

/// The parts, in the order of the lecture: their names in the query, and how long they take unless it says so.
const PARTS: [(&str, State, u64); 4] = [
    ("executes", State::Executes, 5),
    ("line", State::WaitsForOthers, 0),
    ("database", State::Database, 10),
    ("processes", State::Processes, 5),
];

/// Answers a request for [`PATH`]. Only a thread of a pool takes the time: the one that drives the stack has none to lose.
pub fn work(request: &Request) -> Response {
    let mut said = String::new();
    let is_alone = state::now().is_none();
    for (name, state, usual) in PARTS {
        let millis = match request.query_param(name).map(|text| text.parse::<u64>()) {
            None => usual,
            Some(Ok(millis)) if millis <= MOST => millis,
            Some(_) => return wrong(name).answer(request),
        };
        if millis == 0 || is_alone {
            continue;
        }
        state::during(state, || thread::sleep(Duration::from_millis(millis)));
        said.push_str(&format!("{}  {:4} ms  {}\n", state.number(), millis, state.meaning()));
    }
    if is_alone {
        said = "There is no pool of threads here: framewise serve --threads 4 has one.\n".to_owned();
    }
    Response::text(said).header("Cache-Control", "no-store")
}

fn wrong(name: &str) -> Problem {
    let wrong = format!("{name} is to be a number of milliseconds, at most {MOST}.");
    Problem::new(StatusCode::BAD_REQUEST, wrong, format!("For 20 ms: {PATH}?{name}=20"))
        .link("/work", PATH)
        .by("RFC 9110 §15.5.1")
}
