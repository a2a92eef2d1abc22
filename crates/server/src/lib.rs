//! What happens above HTTP when a page is returned: a main process, child processes, and the threads in them.
//!
//! ```text
//!                      main process: device and stack
//!   request ──► Dispatcher ──► a free thread            ──► its answer
//!                   │             process 1: threads 1..K
//!                   │             process 2: threads 1..K
//!                   ├──► the queue, while none is free
//!                   └──► 503 and Retry-After, once the queue is full
//! ```
//!
//! Who gets which request is decided by one pure machine, the [`Dispatcher`]. It is driven by real threads and processes, and
//! by [`simulate()`] in simulated time: what is measured there is the same code.
//!
//! | to learn | read |
//! |---|---|
//! | what a thread is doing, in seven words | `state.rs` |
//! | who gets which request, who waits, who is refused | `dispatch/mod.rs` |
//! | the same in simulated time | `simulate/mod.rs` |
//! | the same with real threads and processes | `pool/mod.rs` |
//! | applications in Python | `wsgi/mod.rs` |

#![forbid(unsafe_code)]

pub mod dispatch;
pub mod histogram;
pub mod lesson;
pub mod pool;
pub mod simulate;
pub mod state;
#[cfg(unix)]
pub mod wsgi;

pub use dispatch::{Dispatcher, Model};
pub use histogram::Histogram;
pub use pool::Pool;
pub use simulate::{Outcome, Setup, simulate};
pub use state::State;
