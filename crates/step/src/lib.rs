//! The stepper: a run or a capture, one layer at a time, forward and back, in a terminal.
//!
//! ```text
//!   URL, FILE ──open──► Dissection ──► Stepper ◄──apply── Action ◄──keys── terminal
//!                                        │                                    ▲
//!                                        └────────────── view ────────────────┘
//! ```
//!
//! All that is said of a protocol comes from [`framewise_trace::Dissection`]; here is only where one stands in it ([`Stepper`])
//! and how that looks ([`view`]). Neither does input or output, so that both can be tested without a terminal.
//!
//! ```
//! use framewise_step::{Action, Options, Stepper, open};
//!
//! let opened = open("http://shop.test/", &Options::default())?;
//! let mut stepper = Stepper::new(opened);
//! let before = stepper.position();
//! stepper.apply(Action::Next);
//! stepper.apply(Action::Back);
//! assert_eq!(stepper.position(), before);
//! # Ok::<(), framewise_step::OpenError>(())
//! ```

#![forbid(unsafe_code)]

pub mod keys;
mod model;
mod open;
mod run;
pub mod view;

pub use model::{Action, Position, Stepper, source};
pub use open::{OpenError, Opened, Options, Tls, open};
pub use run::{Change, Host, Run};
