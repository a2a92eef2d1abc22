//! `framewise explain`: a run or a capture, frame by frame, layer by layer, field by field.
//!
//! It prints what [`Dissection`](framewise_trace::Dissection) found; no sentence about a protocol is made here.
//!
//! | asked | shown by |
//! |---|---|
//! | nothing | `overview` |
//! | `--frame` | `frame` |
//! | `--layer`, `--field` | `fields` |
//! | `--state` | `state` |
//! | `--byte`, `--find` | `ways` |
//! | `--json` | `json` |

mod fields;
mod frame;
mod json;
mod overview;
mod state;
pub(crate) mod trouble;
mod ways;

use crate::args;
use crate::exit::Failure;
use crate::{output, subject};

pub(crate) fn run(args: &args::Explain) -> Result<(), Failure> {
    if args.no_color {
        anstream::ColorChoice::Never.write_global();
    }
    let dissection = subject::open(&args.subject)?;
    let frame = args.frame.map(|number| subject::frame_of(&dissection, number)).transpose()?;
    if args.json {
        return output::print_in_pieces(false, |out| json::write(out, &dissection, frame, args));
    }
    let text = if let Some(text) = &args.find {
        ways::down(&dissection, text)?
    } else if let (Some(frame), Some(byte)) = (frame, args.byte) {
        ways::up(&dissection, &frame, byte)?
    } else if args.state {
        let frame = frame.ok_or_else(state::needs_a_frame)?;
        state::render(&dissection, &frame)
    } else if args.layer.is_some() || args.field.is_some() {
        return fields::print(&dissection, frame, args);
    } else if let Some(frame) = frame {
        frame::render(&dissection, &frame, &args.subject.what)
    } else {
        overview::render(&dissection, &args.subject.what)
    };
    output::print_coloured(&text)
}
