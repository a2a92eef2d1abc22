//! What tests that leave the process stand on: namespaces of their own, and peers that others wrote.
//!
//! ```text
//!   cargo test ──► the test ──runs itself again──► the test, in a network namespace
//!                                                    │ lo, TAPs, veth pairs: gone when it ends
//!                                                    ├── nginx, dnsmasq, curl, ping: killed by their handles
//!                                                    └── beyond a veth: a second namespace, the kernel between
//! ```
//!
//! A test asks for what it needs and says nothing about when it may run:
//!
//! ```no_run
//! use framewise_tests::{in_namespace, peers::{Curl, Nginx, body_of}};
//!
//! // In a file below `tests/`, under `#[test] fn curl_gets_a_page_from_nginx()`:
//! in_namespace("curl_gets_a_page_from_nginx", |ns| {
//!     let nginx = Nginx::new().http("127.0.0.1:80").page("page", &body_of(1_460)).start(ns);
//!     assert_eq!(Curl::new(ns).get("http://127.0.0.1/page").body, body_of(1_460));
//!     drop(nginx);
//! });
//! ```
//!
//! Where the machine has no namespaces or lacks a program, the test prints a line that begins with
//! `SKIPPED` and passes; with `FRAMEWISE_REQUIRE_TAP=1`, as in CI, it fails instead. Nothing here sleeps
//! to decide anything: [`until`] polls a condition and has a bound.
#![forbid(unsafe_code)]

mod certificates;
pub mod link;
pub mod matrix;
pub mod memory;
mod namespace;
pub mod peers;
mod place;
mod process;
mod routers;
mod skip;
pub mod student_tcp;
mod summed;
mod until;

pub use certificates::{Authority, Identity};
pub use namespace::{Namespace, in_namespace, in_namespace_for};
pub use place::{Host, Place};
pub use process::{Finished, Running, finish};
pub use routers::Beyond;
pub use skip::{require_program, require_tap, skip_because, skippable};
pub use summed::{Sum, Summed, peak_memory, sha256_of};
pub use until::until;
