//! `framewise-step`: the stepper in a terminal.

#![forbid(unsafe_code)]

mod terminal;

use std::ffi::OsString;
use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::error::ContextKind;
use clap::{Parser, ValueEnum, ValueHint};
use framewise_step::{Options, Stepper, Tls, open};

/// Step through a run or a capture, one layer at a time, forward and back.
///
/// A URL of the world inside this program is fetched for it: no root, no network, and the same seed gives the same bytes.
/// A file may be anybody's capture. Begin with: framewise-step https://shop.test/
///
/// Right and left are the next step and the step before, up and down choose a field, Enter opens the bytes, ? shows all keys.
#[derive(Debug, Parser)]
#[command(name = "framewise-step", version, max_term_width = 100, after_help = EXIT_CODES)]
struct Args {
    /// What to step through: a URL of the world inside this program, or a capture file (pcap or pcapng, of anybody's).
    #[arg(value_name = "URL|FILE", value_hint = ValueHint::AnyPath)]
    what: String,

    /// Everything random follows from this number: the same seed, the same bytes. 1 if not given.
    #[arg(long, value_name = "NUMBER")]
    seed: Option<u64>,

    /// How many frames of 100 are lost on my wire.
    #[arg(long, value_name = "PERCENT", value_parser = percent)]
    loss: Option<f64>,

    /// Lose this frame on my wire, from me or to me (numbered as here, and in the walk).
    #[arg(long, value_name = "FRAME")]
    drop: Option<usize>,

    /// Flip a bit in the payload of this frame on my wire.
    #[arg(long, value_name = "FRAME")]
    flip: Option<usize>,

    /// The only version of TLS to speak.
    #[arg(long, value_name = "VERSION")]
    tls: Option<TlsVersion>,

    /// Open TLS in a capture with the secrets in this file, as browsers and `curl` write it (SSLKEYLOGFILE). Those in a
    /// capture are used anyway.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with_all = ["seed", "loss", "drop", "flip", "tls"])]
    keylog: Option<PathBuf>,

    /// Never use colour. (`NO_COLOR` in the environment does the same.) Marks and letters say all that colours say.
    #[arg(long)]
    no_color: bool,
}

const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  there is nothing to step through, or no terminal
  2  the command was not understood";

/// A version of TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum TlsVersion {
    /// TLS 1.2 (RFC 5246).
    #[value(name = "1.2")]
    V12,
    /// TLS 1.3 (RFC 8446).
    #[value(name = "1.3")]
    V13,
}

fn percent(text: &str) -> Result<f64, String> {
    match text.strip_suffix('%').unwrap_or(text).parse::<f64>() {
        Ok(percent) if (0.0..=100.0).contains(&percent) => Ok(percent / 100.0),
        _ => Err(format!("{text:?} is no percentage from 0 to 100")),
    }
}

fn main() -> ExitCode {
    let args = Args::try_parse_from(together(std::env::args_os())).unwrap_or_else(|mut error| {
        // It would advise to write -- before the option, which changes nothing here.
        error.remove(ContextKind::Suggested);
        error.exit()
    });
    match run(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(sentence) => {
            eprintln!("framewise-step: {}", framewise_trace::words::printable(&sentence));
            ExitCode::FAILURE
        }
    }
}

/// The arguments without the `--` behind which `framewise explain` takes the options of the run: here all of them are the
/// run's.
fn together(arguments: impl Iterator<Item = OsString>) -> Vec<OsString> {
    let mut arguments: Vec<OsString> = arguments.collect();
    // In front of everything it says that what follows is a name.
    if let Some(place) = arguments.iter().position(|argument| argument == "--").filter(|place| *place > 1) {
        arguments.remove(place);
    }
    arguments
}

fn run(args: &Args) -> Result<(), String> {
    let options = Options {
        seed: args.seed,
        loss: args.loss.unwrap_or(0.0),
        drop: args.drop,
        flip: args.flip,
        tls: args.tls.map(|version| match version {
            TlsVersion::V12 => Tls::V12,
            TlsVersion::V13 => Tls::V13,
        }),
        keylog: args.keylog.clone(),
    };
    let stepper = Stepper::new(open(&args.what, &options).map_err(|error| error.to_string())?);
    if stepper.is_empty() {
        return Err(format!("{} holds no frame", args.what));
    }
    if !std::io::stdout().is_terminal() || !std::io::stdin().is_terminal() {
        return Err(
            "this is for a terminal; as text: framewise explain, with the same URL or file".to_owned()
        );
    }
    let is_plain = args.no_color || std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    terminal::run(stepper, !is_plain).map_err(|error| format!("the terminal fails: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(words: &[&str]) -> Result<Args, clap::Error> {
        let words = std::iter::once(&"framewise-step").chain(words).map(OsString::from);
        Args::try_parse_from(together(words))
    }

    #[test]
    fn options_of_the_run_may_stand_behind_dashes_as_elsewhere() {
        for words in
            [&["https://shop.test/", "--drop", "11"][..], &["https://shop.test/", "--", "--drop", "11"]]
        {
            assert_eq!(parsed(words).expect("it is understood").drop, Some(11), "{words:?}");
        }
        assert_eq!(parsed(&["--", "-odd.pcap"]).expect("a name").what, "-odd.pcap");
        assert!(parsed(&["https://shop.test/", "--", "--delay", "3"]).is_err());
    }
}
