//! `framewise figure`: a run or a capture drawn for slides and reports.
//!
//! Every figure is made of what [`Dissection`] found, and of nothing else; what it says of a protocol are the words of that
//! protocol's layer.
//!
//! | kind | drawn by | of |
//! |---|---|---|
//! | encapsulation | `encapsulation` | a frame |
//! | header | `header` | a layer of a frame |
//! | ladder | `ladder`, with `lifelines` | all frames, or a connection's |
//! | sequence, window | `sequence`, `window`, with `series` and `plot` | one side of a connection |

mod encapsulation;
mod header;
mod ladder;
mod lifelines;
mod plot;
mod sequence;
mod series;
mod window;

use std::cmp::Reverse;
use std::path::{Path, PathBuf};

use framewise::core::Direction;
use framewise_trace::Trace;
use framewise_trace::dissect::{Connection, ConnectionId, Dissection, Frame, Limits, Side};

use crate::args::{self, FigureKind};
use crate::exit::{Failure, Kind};
use crate::scene::ME;
use crate::subject::Looked;
use crate::{output, subject};
use framewise_trace::words::printable;

/// How wide a figure is: a slide's half is still readable.
const WIDTH: f64 = 1120.0;
/// What stays free at its sides.
const MARGIN: f64 = 30.0;

pub(crate) fn run(args: &args::Figure) -> Result<(), Failure> {
    check_options(args)?;
    let looked = subject::look(&args.subject)?;
    let from_the_server = match &looked {
        Looked::Run(trace) if args.kind == FigureKind::Window => as_the_server_saw_it(trace, args)?,
        _ => None,
    };
    let dissection = from_the_server.unwrap_or_else(|| looked.dissected());
    let what = &name(&args.subject.what);
    let picture = match args.kind {
        FigureKind::Encapsulation => encapsulation::draw(&dissection, &frame(&dissection, args)?, what),
        FigureKind::Header => header::draw(&frame(&dissection, args)?, args.layer.as_deref(), what)?,
        FigureKind::Ladder => ladder::draw(&dissection, connection(&dissection, args)?.as_ref(), what)?,
        FigureKind::Sequence => sequence::draw(&dissection, &followed(&dissection, args)?, what)?,
        FigureKind::Window => window::draw(&dissection, &followed(&dissection, args)?, what)?,
    };
    write(args, &picture)
}

/// The run as the server saw it, if that sends more of the connection than we do: how much is on its way only the sender sees.
fn as_the_server_saw_it(trace: &Trace, args: &args::Figure) -> Result<Option<Dissection>, Failure> {
    let mine = Dissection::of_trace(trace, ME, Limits::default());
    let ends = |connection: &Connection<'_>| Side::BOTH.map(|side| connection.end(side));
    let wanted = followed(&mine, args)?;
    if busier(&wanted) == Side::Client {
        return Ok(None);
    }
    let its = Dissection::of_trace(trace, framewise::world::SERVER, Limits::default());
    let is_same = followed(&its, args).is_ok_and(|connection| ends(&connection) == ends(&wanted));
    Ok(Some(its).filter(|_| is_same))
}

/// What a figure calls its subject: a URL, or a file without its folders.
fn name(what: &str) -> String {
    let file = Path::new(what).file_name().filter(|_| !what.contains("://"));
    file.map_or_else(|| what.to_owned(), |file| file.to_string_lossy().into_owned())
}

/// Options that the kind does not know are told, not passed over.
fn check_options(args: &args::Figure) -> Result<(), Failure> {
    let is_of_a_frame = matches!(args.kind, FigureKind::Encapsulation | FigureKind::Header);
    let unused = [
        ("--frame", args.frame.is_some() && !is_of_a_frame, "encapsulation and header"),
        ("--layer", args.layer.is_some() && args.kind != FigureKind::Header, "header"),
        ("--connection", args.connection.is_some() && is_of_a_frame, "ladder, sequence and window"),
    ];
    match unused.into_iter().find(|(_, is_unused, _)| *is_unused) {
        Some((option, _, kinds)) => {
            let sentence = format!("{option} says nothing to --kind {}, only to {kinds}", args.kind.name());
            Err(Failure::new(Kind::Usage, sentence).next(format!("the same without {option}")))
        }
        None => Ok(()),
    }
}

/// The frame that was asked for, or the one of the first request.
fn frame<'d>(dissection: &'d Dissection, args: &args::Figure) -> Result<Frame<'d>, Failure> {
    let number = args.frame.unwrap_or_else(|| subject::interesting(dissection));
    subject::frame_of(dissection, number).map_err(|failure| failure.next(all_frames(args)))
}

/// The connection that was asked for, if one was.
fn connection<'d>(
    dissection: &'d Dissection,
    args: &args::Figure,
) -> Result<Option<Connection<'d>>, Failure> {
    let Some(number) = args.connection else { return Ok(None) };
    let id = number.checked_sub(1).and_then(|index| u32::try_from(index).ok()).map(ConnectionId);
    let connection = id.and_then(|id| dissection.connection(id)).ok_or_else(|| {
        let there_are = match dissection.connections().len() {
            0 => "there are none".to_owned(),
            last => format!("there are 1 to {last}"),
        };
        Failure::new(Kind::Usage, format!("there is no connection {number}: {there_are}"))
            .next(all_frames(args))
    })?;
    Ok(Some(connection))
}

/// The connection that was asked for, or the one that carries the most.
fn followed<'d>(dissection: &'d Dissection, args: &args::Figure) -> Result<Connection<'d>, Failure> {
    let carries = |connection: &Connection<'_>| -> u64 {
        Side::BOTH.into_iter().map(|side| connection.stream(side).length()).sum()
    };
    let asked = connection(dissection, args)?;
    // The first of those that carry the most.
    let most = || dissection.connections().min_by_key(|connection| Reverse(carries(connection)));
    asked.or_else(most).ok_or_else(|| {
        let sentence = format!("--kind {} is of a connection, and there is none", args.kind.name());
        Failure::new(Kind::Usage, sentence).next("--kind ladder, which is of any frames")
    })
}

/// The side that sends the most in a connection.
fn busier(connection: &Connection<'_>) -> Side {
    let [client, server] = Side::BOTH.map(|side| connection.stream(side).length());
    if server > client { Side::Server } else { Side::Client }
}

/// Which way the figure of one side goes, and where it was seen: near its sender all is in flight that is, near its receiver
/// what has arrived.
fn seen(dissection: &Dissection, connection: &Connection<'_>, side: Side) -> String {
    let (from, to) = (connection.end(side), connection.end(side.other()));
    let sides = connection.segments().iter().filter_map(|segment| {
        let own = dissection.frame(segment.frame())?.direction()? == Direction::Outbound;
        Some(if own { segment.side } else { segment.side.other() })
    });
    let own = { sides }.next();
    let at = own.map_or_else(String::new, |side| format!(", seen at {}", connection.end(side).ip()));
    format!("{from} to {to}{at}")
}

fn all_frames(args: &args::Figure) -> String {
    format!("framewise explain {}     (lists the frames and the connections)", args.subject.what)
}

fn write(args: &args::Figure, picture: &str) -> Result<(), Failure> {
    let own_name = || PathBuf::from(format!("framewise-{}.svg", args.kind.name()));
    let path = args.output.clone().unwrap_or_else(own_name);
    if path == Path::new("-") {
        return output::print(picture);
    }
    std::fs::write(&path, picture).map_err(|error| {
        Failure::new(Kind::File, format!("{} can't be written: {error}", path.display()))
            .next("the same with -o FILE, in a folder that is there and is yours")
    })?;
    if args.output.is_none() {
        output::say(&format!("The figure is in {}.\n", printable(&path.display().to_string())));
    }
    Ok(())
}
