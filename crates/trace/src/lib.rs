//! A run, recorded: what crossed which seam, when, with its bytes, and what the layers said about it.
//!
//! ```text
//!   layers ──Observer──► Recorder ──► Trace ──► walk, stepper, page
//!      │                                ├─────► pcapng    (write_capture)
//!      │                                └─────► JSON      (Trace::write_json)
//!      ├────Observer──► CaptureWriter ────────► pcapng, while it runs
//!      └────Observer──► TraceWriter ──────────► pcapng with all crossings, while it runs
//!                                pcapng, pcap ──► CaptureReader ──► replay
//!                        Trace, pcapng, pcap ──► Dissection ──► every byte explained, both ways
//! ```
//!
//! A [`Trace`] is what every view reads, and nothing else. It holds each byte once: a packet's bytes lie within
//! those of its frame, a segment's within those of its packet.
//!
//! ```
//! use framewise_core::seams::{Frames, frame::Frame};
//! use framewise_core::{Buf, Counters, Cx, Direction, Instant, Observer, buf::InterfaceId};
//! use framewise_trace::{CaptureOptions, Recorder, write_capture};
//!
//! let mut recorder = Recorder::new();
//! recorder.host("me");
//! let mut counters = Counters::default();
//! let mut cx = Cx::observed(Instant::ZERO, &mut counters, &mut recorder);
//! let frame = Frame::new(Buf::copy_from_slice(&[0xff; 60]), InterfaceId(0));
//! cx.crossed::<Frames>("ethernet", "device", Direction::Outbound, &frame);
//!
//! let trace = recorder.into_trace();
//! let mut file = Vec::new();
//! write_capture(&trace, "me", &mut file, &CaptureOptions::default())?;
//! assert_eq!(trace.frames("me").count(), 1);
//! # Ok::<(), std::io::Error>(())
//! ```

#![forbid(unsafe_code)]

pub mod dissect;
mod json;
pub mod pcapng;
pub mod recorder;
pub mod spill;
mod store;
pub mod trace;
pub mod walk;
pub mod wire;
pub mod words;

pub use dissect::Dissection;
pub use json::{FORMAT, VERSION};
pub use pcapng::{CaptureOptions, CaptureReader, CaptureWriter, Item, Packet, ReadError, write_capture};
pub use recorder::{Limits, Recorder};
pub use spill::TraceWriter;
pub use trace::{Crossing, DropEvent, Event, HostId, NoteEvent, Secret, Stopped, Trace, WIRE};
pub use walk::Walk;
