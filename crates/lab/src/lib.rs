//! Experiments with what stands above HTTP: threads, their queue, and the database that they share.
//!
//! ```text
//!   theory    k ÷ service time, M/M/k, M/D/k          what should be
//!   measure   the pool over frames, or by itself      what is, with its interval of confidence
//!   threads, database                                 both, beside each other
//! ```
//!
//! All of it is in simulated time unless a driver in real time is handed in: the same seed is the same outcome.
//!
//! ```
//! use framewise_lab::theory;
//! // 16 threads of 20 ms answer 800 requests in a second, and no more.
//! assert_eq!(theory::capacity(16, 0.020), 800.0);
//! // One thread that is busy half of the time lets a request wait for as long as it will be worked on.
//! assert!((theory::wait_mmk(25.0, 0.020, 1).unwrap() - 0.020).abs() < 1e-12);
//! ```

#![forbid(unsafe_code)]

pub mod database;
pub mod interval;
mod over_frames;
pub mod theory;
pub mod threads;

pub use interval::Interval;
pub use over_frames::{Answered, LabError, over_frames};
