//! A trace in a file tells what happened: every crossing, each byte once, as its schema says; and views read it as they read the
//! run itself.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use framewise::core::message::Subject;
use framewise::core::observe::{Crossing, Dropped, Note};
use framewise::core::{Direction, Instant, Observer};
use framewise::device::ImpairmentConfig;
use framewise::{Fetch, WorldConfig};
use framewise_tests::memory::world;
use framewise_tests::{Host, Place, finish, require_program, skippable};
use framewise_trace::dissect::Limits;
use framewise_trace::pcapng::SIMULATED_EPOCH;
use framewise_trace::spill::SCHEMA;
use framewise_trace::{CaptureOptions, CaptureReader, Dissection, Item, Recorder, Trace, TraceWriter};
use serde_json::Value;

/// What crossed at our host, with its bytes, in order; a recording of everybody; and the trace.
struct Everything {
    is_ours: bool,
    crossed: Vec<(&'static str, Direction, Subject, Vec<u8>)>,
    recorder: Recorder,
    trace: TraceWriter<Vec<u8>>,
}

impl Observer for Everything {
    fn host(&mut self, name: &str) {
        self.is_ours = name == "me";
        self.recorder.host(name);
        self.trace.host(name);
    }

    fn crossed(&mut self, crossing: &Crossing<'_>) {
        if self.is_ours {
            let message = crossing.message;
            self.crossed.push((
                crossing.seam,
                crossing.direction,
                message.subject(),
                message.bytes().to_vec(),
            ));
        }
        self.recorder.crossed(crossing);
        self.trace.crossed(crossing);
    }

    fn noted(&mut self, note: &Note) {
        self.recorder.noted(note);
        self.trace.noted(note);
    }

    fn dropped(&mut self, dropped: &Dropped) {
        self.recorder.dropped(dropped);
        self.trace.dropped(dropped);
    }

    fn secret(&mut self, now: Instant, line: &str) {
        self.recorder.secret(now, line);
        self.trace.secret(now, line);
    }
}

/// A run, recorded and traced.
struct Traced {
    crossed: Vec<(&'static str, Direction, Subject, Vec<u8>)>,
    run: Trace,
    file: Vec<u8>,
    lines: Vec<Value>,
    frames: Vec<Vec<u8>>,
}

fn traced(seed: u64, impairment: ImpairmentConfig, urls: &[&str]) -> Traced {
    let mut world = world(&WorldConfig { seed, impairment, ..WorldConfig::default() });
    let options = CaptureOptions { secrets: true, ..CaptureOptions::default() };
    let everything = Rc::new(RefCell::new(Everything {
        is_ours: false,
        crossed: Vec::new(),
        recorder: Recorder::new(),
        trace: TraceWriter::new(Vec::new(), "me", options).expect("memory can be written to"),
    }));
    world.runner.observe(everything.clone());
    for url in urls {
        let page = world.runner.host(world.me).fetch(Fetch::get(*url).max_time(Duration::from_secs(600)));
        page.unwrap_or_else(|error| panic!("{url}: {error}"));
    }
    drop(world);
    let everything = Rc::try_unwrap(everything).ok().expect("nobody else watches").into_inner();
    let file = everything.trace.finish().expect("memory can be written to");
    let mut reader = CaptureReader::new(&file[..]).expect("a trace is a capture");
    let (mut frames, mut told) = (Vec::new(), Vec::new());
    while let Some(item) = reader.next_item().expect("it is whole") {
        if let Item::Packet(packet) = item {
            frames.push(packet.bytes.to_vec());
        }
        told.extend(reader.take_told());
    }
    told.extend(reader.take_told());
    let lines = told.iter().flat_map(|lines| lines.lines());
    let lines =
        lines.map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}")));
    let lines = lines.collect();
    Traced { crossed: everything.crossed, run: everything.recorder.into_trace(), file, lines, frames }
}

fn bad() -> ImpairmentConfig {
    ImpairmentConfig {
        loss: 0.05,
        reordering: 0.05,
        duplication: 0.05,
        bit_corruption: 0.03,
        ..ImpairmentConfig::default()
    }
}

const PAGES: [&str; 3] = ["http://shop.test/large", "https://shop.test/large", "https://shop.test/"];

fn number(line: &Value, name: &str) -> Option<usize> {
    line[name].as_u64().map(|number| number as usize)
}

fn range(line: &Value) -> Option<std::ops::Range<usize>> {
    let [start, end] = line["range"].as_array()?.as_slice() else { return None };
    Some(start.as_u64()? as usize..end.as_u64()? as usize)
}

#[test]
fn each_crossing_is_told_and_its_bytes_are_where_it_says() {
    let traced = traced(41, bad(), &PAGES);
    let mut crossings: Vec<&Value> = traced.lines.iter().filter(|line| line["kind"] == "crossing").collect();
    crossings.sort_by_key(|line| number(line, "event"));
    assert_eq!(crossings.len(), traced.crossed.len(), "each crossing has a line");
    let mut said: BTreeMap<(String, String, String), usize> = BTreeMap::new();
    let (mut in_frames, mut elsewhere) = (0, 0);
    for (line, (seam, direction, subject, bytes)) in crossings.iter().zip(&traced.crossed) {
        assert_eq!(
            (line["seam"].as_str(), line["direction"].as_str()),
            (Some(*seam), Some(direction.to_string().as_str()))
        );
        if let Some(frame) = number(line, "frame") {
            let place = range(line).expect("a frame has a range");
            assert_eq!(traced.frames[frame - 1].get(place), Some(&bytes[..]), "{line}");
            in_frames += 1;
        } else if let Some(place) = range(line) {
            let name = line["connection"].as_str().or(line["exchange"].as_str()).expect("a stream's name");
            let key = (line["lower"].to_string(), line["direction"].to_string(), name.to_owned());
            let at = said.entry(key).or_default();
            assert_eq!(place, *at..*at + bytes.len(), "{line}");
            *at = place.end;
        } else {
            assert_eq!(number(line, "length").unwrap_or(0), bytes.len(), "{line} {subject:?}");
            elsewhere += usize::from(!bytes.is_empty());
        }
    }
    assert!(in_frames > 3_000, "only {in_frames} crossings are ranges of frames");
    // What a datagram carries is copied out of its frame.
    assert!(elsewhere < 20, "of {elsewhere} messages it is not known where their bytes are");
    let end = traced.lines.last().expect("a trace has lines");
    let mut events: Vec<usize> = traced.lines.iter().filter_map(|line| number(line, "event")).collect();
    events.sort_unstable();
    assert!(events.iter().copied().eq(1..=events.len()), "no number is left out");
    assert_eq!(number(end, "events"), Some(events.len()));
    assert_eq!((&end["kind"], number(end, "frames")), (&Value::from("end"), Some(traced.frames.len())));
}

#[test]
fn each_byte_is_in_it_once() {
    let traced = traced(42, ImpairmentConfig::default(), &["https://shop.test/large"]);
    let frames: usize = traced.frames.iter().map(Vec::len).sum();
    let lines = traced.file.len() - frames;
    assert!(lines * 2 < frames * 3, "{lines} bytes of lines for {frames} bytes of frames");
    let long = traced.frames.iter().rfind(|frame| frame.len() > 1_400).expect("a page of a megabyte");
    let twice = traced.file.windows(64).filter(|window| *window == &long[100..164]).count();
    assert_eq!(twice, 1, "sealed bytes are there once");
}

#[test]
fn a_trace_is_taken_apart_as_the_run_is() {
    let traced = traced(43, bad(), &PAGES);
    let of_file = Dissection::of_capture(&traced.file[..], "", Limits::default()).expect("a capture");
    let of_run = Dissection::of_trace(&traced.run, "me", Limits::default());
    assert_eq!(of_file.len(), of_run.len());
    let mut consequences = 0;
    for (file, run) in of_file.frames().zip(of_run.frames()) {
        let number = run.number();
        assert_eq!(file.bytes(), run.bytes(), "frame {number}");
        assert_eq!(file.time().map(|time| time - SIMULATED_EPOCH), run.time(), "frame {number}");
        assert_eq!(file.comments(), run.comments(), "frame {number}");
        assert_eq!(file.refused(), run.refused(), "frame {number}");
        assert_eq!(file.summary(), run.summary(), "frame {number}");
        assert_eq!(file.unusual(), run.unusual(), "frame {number}");
        // What was done to what comes only the sender's side knows, and who refused what beyond the wire.
        if run.direction() == Some(Direction::Outbound)
            && run.deeds().iter().all(|deed| deed.topic != "damaged")
        {
            assert_eq!(file.deeds(), run.deeds(), "frame {number}");
            assert_eq!(file.consequences(), run.consequences(), "frame {number}");
            consequences += file.consequences().len();
        }
    }
    assert!(consequences > 20, "only {consequences} consequences");
    let lost = |dissection: &Dissection| {
        dissection.astray().iter().map(|lost| (lost.after, lost.bytes.clone())).collect::<Vec<_>>()
    };
    assert_eq!(lost(&of_file), lost(&of_run));
    assert!(lost(&of_run).len() > 10);
}

#[test]
fn states_are_told_as_they_change_and_add_up_to_what_ends_hold() {
    let traced = traced(44, ImpairmentConfig { loss: 0.05, ..ImpairmentConfig::default() }, &PAGES);
    let dissection = Dissection::of_capture(&traced.file[..], "", Limits::default()).expect("a capture");
    let mut held: BTreeMap<(String, String), BTreeMap<String, String>> = BTreeMap::new();
    for line in traced.lines.iter().filter(|line| line["kind"] == "state") {
        let set = line["set"].as_object().expect("it has members");
        let held = held.entry((line["client"].to_string(), line["side"].to_string())).or_default();
        for (name, value) in set {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            held.insert(name.trim_end_matches('?').to_owned(), value);
        }
    }
    let mut compared = 0;
    for connection in dissection.connections() {
        let last = connection.segments().last().expect("it has segments").frame();
        let frame = dissection.frame(last).expect("it is there");
        for state in frame.states().into_iter().filter(|state| state.protocol == "TCP") {
            let side =
                if state.whose == connection.client().to_string() { "\"client\"" } else { "\"server\"" };
            let held = &held[&(format!("\"{}\"", connection.client()), side.to_owned())];
            for name in ["state", "SND.UNA", "SND.NXT", "SND.WND", "RCV.NXT", "RCV.WND", "MSS"] {
                let stated =
                    state.fields.iter().find(|stated| stated.field.name == name).expect("it is known");
                assert_eq!(
                    held[name],
                    stated.field.value.trim_start_matches('+'),
                    "{name} of {}",
                    state.whose
                );
                compared += 1;
            }
        }
    }
    assert!(compared >= 2 * 7 * 2, "two connections, two ends: {compared}");
}

#[test]
fn its_schema_is_what_somebody_elses_validator_takes_it_for() {
    const PROGRAM: &str = r#"
import json, sys
import jsonschema
schema = json.load(open(sys.argv[1]))
jsonschema.Draft202012Validator.check_schema(schema)
validator = jsonschema.Draft202012Validator(schema)
kinds = {}
for line in open(sys.argv[2]):
    document = json.loads(line)
    errors = list(validator.iter_errors(document))
    if errors:
        sys.exit(f"{line}: {errors[0].message}")
    kinds[document["kind"]] = kinds.get(document["kind"], 0) + 1
for wrong in ['{"kind":"crossing"}', '{"kind":"trace","format":"framewise-trace","version":3,"host":"me","epoch_ns":0}', '{}']:
    if validator.is_valid(json.loads(wrong)):
        sys.exit(f"{wrong} should not be valid")
print(" ".join(sorted(kinds)))
"#;
    let traced = traced(45, bad(), &["https://shop.test/", "http://shop.test/large"]);
    let folder = tempfile::tempdir().expect("there is room for temporary files");
    skippable("its_schema_is_what_somebody_elses_validator_takes_it_for", || {
        require_program("jsonschema");
        let file = |name: &str, text: String| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).expect("there is room for a file");
            path
        };
        let schema = file("schema.json", SCHEMA.to_owned());
        let lines = file("lines", traced.lines.iter().map(|line| format!("{line}\n")).collect());
        let mut python = Host.command("python3");
        python.args(["-W", "ignore", "-c", PROGRAM]).args([schema, lines]);
        let kinds = finish(&mut python, Duration::from_secs(300)).successful().text();
        assert_eq!(kinds.trim(), "crossing drop end lost note state trace", "all kinds were there");
    });
}

#[test]
fn of_another_version_only_the_frames_are_read() {
    let traced = traced(46, bad(), &["http://shop.test/large"]);
    let text = b"\"version\":2";
    let at = traced.file.windows(text.len()).position(|window| window == text).expect("it says its version");
    let mut other = traced.file.clone();
    other[at + text.len() - 1] = b'9';
    let dissection = Dissection::of_capture(&other[..], "", Limits::default()).expect("still a capture");
    assert_eq!(dissection.len(), traced.frames.len());
    assert!(dissection.frames().all(|frame| frame.comments().is_empty() && frame.deeds().is_empty()));
}
