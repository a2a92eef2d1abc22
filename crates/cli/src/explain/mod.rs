//! `framewise explain`: a run or a capture, frame by frame, layer by layer, field by field.
//!
//! It prints what [`Dissection`] found; no sentence about a protocol is made here.
//!
//! | asked | shown by |
//! |---|---|
//! | nothing | `overview` |
//! | `--frame` | `frame` |
//! | `--layer`, `--field` | `fields` |
//! | `--byte`, `--find` | `ways` |
//! | `--json` | `json` |

mod fields;
mod frame;
mod json;
mod overview;
mod ways;

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use clap::Parser;
use framewise_trace::dissect::{Dissection, Frame, Layer, Limits};

use crate::args::{self, Cli, Command};
use crate::exit::{Failure, Kind};
use crate::scene::ME;
use crate::{fetch, output, outside};

pub(crate) fn run(args: &args::Explain) -> Result<(), Failure> {
    if args.no_color {
        anstream::ColorChoice::Never.write_global();
    }
    let dissection = open(args)?;
    let frame = args.frame.map(|number| frame_of(&dissection, number)).transpose()?;
    let text = if args.json {
        json::render(&dissection, frame, args)?
    } else if let Some(text) = &args.find {
        ways::down(&dissection, text)?
    } else if let (Some(frame), Some(byte)) = (frame, args.byte) {
        ways::up(&dissection, &frame, byte)?
    } else if args.layer.is_some() || args.field.is_some() {
        fields::render(&dissection, frame, args)?
    } else if let Some(frame) = frame {
        frame::render(&dissection, &frame, &args.what)
    } else {
        overview::render(&dissection, &args.what)
    };
    output::print_coloured(&text)
}

/// A capture file, or the run of a URL.
fn open(args: &args::Explain) -> Result<Dissection, Failure> {
    let path = Path::new(&args.what);
    if path.is_file() {
        return capture(path, args);
    }
    let looks_like_a_file =
        ["pcap", "pcapng", "cap"].iter().any(|end| args.what.ends_with(&format!(".{end}")));
    if looks_like_a_file && !args.what.contains("://") {
        return Err(Failure::new(Kind::File, format!("{} is not there", args.what))
            .next(format!("framewise fetch https://shop.test/ -w {}     (makes one)", args.what)));
    }
    let fetch = fetch_args(args)?;
    let url = framewise::http::Url::parse(&fetch.url)
        .map_err(|error| Failure::of_fetch(&error.into(), &fetch.url))?;
    if outside::is_real(&url) {
        let sentence = format!("{} is in the real world, where no two runs are alike", fetch.url);
        return Err(Failure::new(Kind::Usage, sentence).next(format!(
            "framewise fetch {} -w run.pcapng --capture-secrets; framewise explain run.pcapng",
            fetch.url
        )));
    }
    let trace = fetch::recorded(&fetch)?;
    Ok(Dissection::of_trace(&trace, ME, Limits::default()))
}

fn capture(path: &Path, args: &args::Explain) -> Result<Dissection, Failure> {
    let unreadable = |path: &Path, error: &dyn std::fmt::Display| {
        Failure::new(Kind::File, format!("{} can't be read: {error}", path.display()))
    };
    let key_log = match &args.keylog {
        Some(path) => std::fs::read_to_string(path).map_err(|error| unreadable(path, &error))?,
        None => String::new(),
    };
    let file = File::open(path).map_err(|error| unreadable(path, &error))?;
    Dissection::of_capture(BufReader::new(file), &key_log, Limits::default()).map_err(|error| {
        unreadable(path, &error).next("a pcap or pcapng file, as Wireshark and tcpdump write it")
    })
}

/// The fetch that is to be explained, as `framewise fetch` would understand it.
fn fetch_args(args: &args::Explain) -> Result<args::Fetch, Failure> {
    let words = ["framewise", "fetch", &args.what].into_iter().chain(args.fetch.iter().map(String::as_str));
    match Cli::try_parse_from(words).map(|cli| cli.command) {
        Ok(Command::Fetch(fetch)) => Ok(*fetch),
        Ok(_) => Err(Failure::new(Kind::Usage, "what follows -- is no fetch")),
        Err(error) => error.exit(),
    }
}

fn frame_of(dissection: &Dissection, number: usize) -> Result<Frame<'_>, Failure> {
    dissection.frame(number).ok_or_else(|| {
        let there_are = match dissection.len() {
            0 => "there are none".to_owned(),
            last => format!("there are frames 1 to {last}"),
        };
        Failure::new(Kind::Usage, format!("there is no frame {number}: {there_are}"))
    })
}

/// Whether a layer is the one that was asked for: `ip` is either version, case does not matter.
fn is_called(layer: &Layer, name: &str) -> bool {
    let protocol = layer.description.protocol.to_lowercase();
    let name = name.to_lowercase();
    protocol == name || (name == "ip" && (protocol == "ipv4" || protocol == "ipv6"))
}
