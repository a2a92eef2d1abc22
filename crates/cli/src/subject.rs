//! What a view looks at: a capture file of anybody's, or a run of our own that is made for it.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;
use std::time::Duration;

use clap::Parser;
use framewise::http::Url;
use framewise::world::means_a_file;
use framewise_trace::Trace;
use framewise_trace::dissect::{Dissection, Frame, Layer, Limits, Place, Space};

use crate::args::{self, Cli, Command};
use crate::exit::{Failure, Kind};
use crate::scene::ME;
use crate::{fetch, outside};

/// What is looked at.
pub(crate) enum Looked {
    /// What somebody captured, taken apart.
    Capture(Box<Dissection>),
    /// A run of our own, which can be taken apart as either host saw it.
    Run(Box<Trace>),
}

impl Looked {
    /// Taken apart, as we saw it.
    pub(crate) fn dissected(self) -> Dissection {
        match self {
            Looked::Capture(dissection) => *dissection,
            Looked::Run(trace) => Dissection::of_trace(&trace, ME, Limits::default()),
        }
    }
}

/// A capture file, or the run of a URL, taken apart.
pub(crate) fn open(subject: &args::Subject) -> Result<Dissection, Failure> {
    look(subject).map(Looked::dissected)
}

/// A capture file, or the run of a URL.
pub(crate) fn look(subject: &args::Subject) -> Result<Looked, Failure> {
    let what = &subject.what;
    let path = Path::new(what);
    if path.is_file() {
        if let Some(option) = subject.fetch.first() {
            let sentence = format!("{option} is for the run of a URL: a capture is as it was");
            return Err(Failure::new(Kind::Usage, sentence));
        }
        return capture(path, subject).map(|dissection| Looked::Capture(Box::new(dissection)));
    }
    if path.is_dir() {
        return Err(Failure::new(Kind::Usage, format!("{what} is a folder, and no capture file")));
    }
    if means_a_file(what) {
        return Err(Failure::new(Kind::File, format!("{what} is not there"))
            .next(format!("framewise fetch https://shop.test/ -w {what}     (makes one)")));
    }
    let fetch = fetch_args(subject)?;
    let url = Url::parse(&fetch.url).map_err(|error| Failure::of_fetch(&error.into(), &fetch.url))?;
    if outside::is_real(&url) {
        let is_file = if what.contains("://") { "" } else { "no file that is there, and as a page " };
        let sentence = format!("{what} is {is_file}in the real world, where no two runs are alike");
        return Err(Failure::new(Kind::Usage, sentence).next(format!(
            "framewise fetch {} -w run.pcapng --capture-secrets; framewise explain run.pcapng",
            fetch.url
        )));
    }
    Ok(Looked::Run(Box::new(fetch::recorded(&fetch)?)))
}

fn capture(path: &Path, subject: &args::Subject) -> Result<Dissection, Failure> {
    let unreadable = |path: &Path, error: &dyn std::fmt::Display| {
        Failure::new(Kind::File, format!("{} can't be read: {error}", path.display()))
    };
    let key_log = match &subject.keylog {
        Some(path) => std::fs::read_to_string(path).map_err(|error| unreadable(path, &error))?,
        None => String::new(),
    };
    let file = File::open(path).map_err(|error| unreadable(path, &error))?;
    Dissection::of_capture(BufReader::new(file), &key_log, Limits::default()).map_err(|error| {
        unreadable(path, &error).next("a pcap or pcapng file, as Wireshark and tcpdump write it")
    })
}

/// The fetch that is to be looked at, as `framewise fetch` would understand it.
fn fetch_args(subject: &args::Subject) -> Result<args::Fetch, Failure> {
    let options = subject.fetch.iter().map(String::as_str);
    let words = ["framewise", "fetch", &subject.what].into_iter().chain(options);
    match Cli::try_parse_from(words).map(|cli| cli.command) {
        Ok(Command::Fetch(fetch)) => match means_nothing_here(&fetch) {
            Some(option) => {
                let sentence = format!("{option} is for a fetch by itself: this run is made to be looked at");
                let next = "options of this command go before --, those of the run behind it";
                Err(Failure::new(Kind::Usage, sentence).next(next))
            }
            None => Ok(*fetch),
        },
        Ok(_) => Err(Failure::new(Kind::Usage, "what follows -- is no fetch")),
        Err(error) => error.exit(),
    }
}

/// An option that changes nothing of a run in memory, but what is said or written of it.
fn means_nothing_here(fetch: &args::Fetch) -> Option<&'static str> {
    let given = [
        ("--outside", fetch.outside),
        ("--tap, or --interface,", fetch.tap.tap.device().is_some()),
        ("--output", fetch.output.is_some()),
        ("--include", fetch.include),
        ("--capture", fetch.capture.is_some()),
        ("--trace", fetch.trace.is_some()),
        ("--json", fetch.json),
        ("--cost", fetch.cost),
        ("--stats", fetch.stats),
        ("--cookie-jar", fetch.http.cookie_jar.is_some()),
    ];
    given.into_iter().find(|(_, is_given)| *is_given).map(|(option, _)| option)
}

/// The frame of this number.
pub(crate) fn frame_of(dissection: &Dissection, number: usize) -> Result<Frame<'_>, Failure> {
    dissection.frame(number).ok_or_else(|| {
        let there_are = match dissection.len() {
            0 => "there are none".to_owned(),
            last => format!("there are frames 1 to {last}"),
        };
        Failure::new(Kind::Usage, format!("there is no frame {number}: {there_are}"))
    })
}

/// The frame that brought the first request; else the first.
pub(crate) fn interesting(dissection: &Dissection) -> usize {
    let request = dissection.connections().find_map(|connection| {
        let exchange = connection.exchanges().into_iter().next()?;
        let head = connection.stream(exchange.asks).place(&exchange.request?.head);
        dissection.frames_of(&head).first().and_then(|carrier| frame_number(&carrier.at))
    });
    request.unwrap_or(1)
}

/// The frame that a place is in, if it is one's.
pub(crate) fn frame_number(place: &Place) -> Option<usize> {
    match place.space {
        Space::Frame(number) => Some(number),
        _ => None,
    }
}

/// Milliseconds since the first frame that has a time; with a sign, where the clock was set back in between.
pub(crate) fn time(dissection: &Dissection, frame: &Frame<'_>) -> String {
    let began = dissection.began().unwrap_or_default();
    frame.time().map_or_else(String::new, |time| since(began, time))
}

fn since(began: Duration, time: Duration) -> String {
    let millis = |time: Duration| time.as_secs_f64() * 1_000.0;
    match time.checked_sub(began) {
        Some(since) => format!("{:.3}", millis(since)),
        None => format!("-{:.3}", millis(began.saturating_sub(time))),
    }
}

/// Whether a layer is the one that was asked for: `ip` is either version, case does not matter.
pub(crate) fn is_called(layer: &Layer, name: &str) -> bool {
    let protocol = layer.description.protocol.to_lowercase();
    let name = name.to_lowercase();
    protocol == name || (name == "ip" && (protocol == "ipv4" || protocol == "ipv6"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_was_set_back_gives_a_sign() {
        let at = Duration::from_micros;
        assert_eq!(since(at(1_500), at(3_000)), "1.500");
        assert_eq!(since(at(3_000), at(1_500)), "-1.500");
    }

    #[test]
    fn times_count_from_the_first_frame_that_has_one() {
        // A pcapng file of Ethernet: a simple packet, which has no time, then an enhanced one at 1,700,000,000 s.
        let block = |kind: u32, words: &[u32]| {
            let length = 12 + 4 * words.len() as u32;
            let all = [&[kind, length], words, &[length]].concat();
            all.into_iter().flat_map(u32::to_le_bytes).collect::<Vec<u8>>()
        };
        let micros = 1_700_000_000_000_000_u64;
        let enhanced = [0, (micros >> 32) as u32, micros as u32, 4, 4, 0];
        let file = [
            block(0x0a0d_0d0a, &[0x1a2b_3c4d, 1, u32::MAX, u32::MAX]),
            block(1, &[1, 0]),
            block(3, &[4, 0]),
            block(6, &enhanced),
        ];
        let file = file.concat();
        let dissection = Dissection::of_capture(&file[..], "", Limits::default()).expect("a capture");
        let times: Vec<String> = dissection.frames().map(|frame| time(&dissection, &frame)).collect();
        assert_eq!(times, ["", "0.000"]);
    }
}
