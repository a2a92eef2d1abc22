//! `framewise figure`, as a user runs it: every kind is a picture that any program can read, the same each time, and holds what
//! it is for.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use roxmltree::{Document, Node};

const KINDS: [&str; 5] = ["encapsulation", "ladder", "header", "sequence", "window"];
const PAGE: &str = "https://shop.test/";

fn lossy() -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../pcaps/lossy.pcapng").display().to_string()
}

fn run(folder: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_framewise"));
    command.arg("figure").args(args).current_dir(folder);
    command.env("NO_COLOR", "1").env_remove("SSLKEYLOGFILE").output().expect("the command can be run")
}

/// The figure of these arguments, from standard output.
#[track_caller]
fn figure(args: &[&str]) -> String {
    let output = run(Path::new("."), &[&["-o", "-"], args].concat());
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "framewise figure {args:?} ended with {:?}:\n{said}", output.status);
    String::from_utf8(output.stdout).expect("a figure is text")
}

#[track_caller]
fn fails(args: &[&str], code: i32, sentence: &str) {
    let output = run(Path::new("."), &[&["-o", "-"], args].concat());
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "framewise figure {args:?} said:\n{said}");
    assert!(said.contains(sentence) && said.contains("\n  try: "), "{args:?} said:\n{said}");
    assert!(output.stdout.is_empty(), "nothing is drawn");
}

/// The groups of a figure that have this word among their classes.
fn groups<'a>(document: &'a Document<'_>, class: &str) -> Vec<Node<'a, 'a>> {
    let of_class = |node: &Node<'_, '_>| {
        node.attribute("class").is_some_and(|classes| classes.split(' ').any(|word| word == class))
    };
    document.descendants().filter(of_class).collect()
}

fn texts<'a>(document: &'a Document<'_>) -> Vec<Node<'a, 'a>> {
    document.descendants().filter(|node| node.has_tag_name(("http://www.w3.org/2000/svg", "text"))).collect()
}

fn number(node: &Node<'_, '_>, name: &str) -> f64 {
    let value = node.attribute(name).unwrap_or_else(|| panic!("{node:?} has no {name}"));
    value.parse().unwrap_or_else(|_| panic!("{name}={value:?} is no number"))
}

/// Well-formed, told to screen readers, on white, with text that can be read, nothing from elsewhere, nothing cut off.
#[track_caller]
fn check(svg: &str) {
    let document = Document::parse(svg).unwrap_or_else(|error| panic!("{error}:\n{svg}"));
    let root = document.root_element();
    let first = |name: &str| root.children().find(|node| node.tag_name().name() == name);
    for name in ["title", "desc"] {
        let said = first(name).and_then(|node| node.text());
        assert!(said.is_some_and(|said| said.len() > 10), "a {name} that says something: {said:?}");
    }
    let (width, height) = (number(&root, "width"), number(&root, "height"));
    let back = first("rect").expect("a background");
    assert_eq!((number(&back, "width"), number(&back, "height")), (width, height));
    assert_eq!(back.attribute("fill"), Some("#ffffff"));
    for text in texts(&document) {
        assert!(number(&text, "font-size") >= 9.0, "{text:?} is too small to read");
        let (x, y) = (number(&text, "x"), number(&text, "y"));
        assert!((0.0..=width).contains(&x) && (9.0..=height - 3.0).contains(&y), "{text:?} is cut off");
    }
    for rect in document.descendants().filter(|node| node.tag_name().name() == "rect") {
        let (x, y) = (rect.attribute("x").unwrap_or("0"), rect.attribute("y").unwrap_or("0"));
        let (x, y): (f64, f64) = (x.parse().expect("a number"), y.parse().expect("a number"));
        assert!(x >= 0.0 && x + number(&rect, "width") <= width + 0.1, "{rect:?} is cut off");
        assert!(y >= 0.0 && y + number(&rect, "height") <= height + 0.1, "{rect:?} is cut off");
    }
    for word in ["href", "url(", "<script", "<style", "@import", "<image", "NaN"] {
        assert!(!svg.contains(word), "{word} stands in it");
    }
}

#[test]
fn every_kind_can_be_read_and_is_the_same_each_time() {
    let lossy = lossy();
    for what in [PAGE, &lossy, "http://shop.test/large"] {
        for kind in KINDS {
            let args = [what, "--kind", kind];
            let svg = figure(&args);
            check(&svg);
            assert!(svg == figure(&args), "{args:?} drew something else the second time");
        }
    }
}

#[test]
fn every_header_of_every_layer_of_a_page_can_be_drawn() {
    for (frame, layers) in
        [("1", &["ethernet", "arp"][..]), ("5", &["ip", "udp", "dns"]), ("10", &["tcp", "tls"])]
    {
        check(&figure(&[PAGE, "--kind", "encapsulation", "--frame", frame]));
        for layer in layers {
            check(&figure(&[PAGE, "--kind", "header", "--frame", frame, "--layer", layer]));
        }
    }
    check(&figure(&[PAGE, "--kind", "header", "--layer", "http"]));
    check(&figure(&[PAGE, "--kind", "header", "--layer", "ip", "--", "-6"]));
}

#[test]
fn each_layers_name_stands_once_in_its_colour() {
    let svg = figure(&["http://shop.test/", "--kind", "encapsulation"]);
    let document = Document::parse(&svg).expect("a figure");
    let mut colours = Vec::new();
    for name in ["Ethernet", "IPv4", "TCP", "HTTP"] {
        let named: Vec<_> = texts(&document).into_iter().filter(|text| text.text() == Some(name)).collect();
        assert_eq!(named.len(), 1, "{name} stands there once");
        colours.extend(named.iter().filter_map(|text| text.attribute("fill")));
    }
    colours.sort_unstable();
    colours.dedup();
    assert_eq!(colours.len(), 4, "each layer has a colour of its own: {colours:?}");
    assert_eq!(groups(&document, "layer").len(), 4);
}

/// Each box is as wide as it has bytes.
#[test]
fn boxes_are_drawn_to_scale() {
    let svg = figure(&["http://shop.test/", "--kind", "encapsulation"]);
    let document = Document::parse(&svg).expect("a figure");
    let widths: Vec<f64> = groups(&document, "layer")
        .into_iter()
        .filter_map(|group| group.children().filter(|node| node.tag_name().name() == "rect").nth(1))
        .map(|rect| number(&rect, "width"))
        .collect();
    let [frame, packet, segment, message] = widths[..] else { panic!("four boxes: {widths:?}") };
    let byte = (frame - packet) / 14.0;
    for (wider, narrower, header) in [(packet, segment, 20.0), (segment, message, 20.0)] {
        assert!((wider - narrower - header * byte).abs() < 0.3, "{header} bytes of {byte} each: {widths:?}");
    }
}

#[test]
fn a_header_has_its_fields_in_their_places() {
    let svg = figure(&[PAGE, "--kind", "header", "--layer", "tcp"]);
    let document = Document::parse(&svg).expect("a figure");
    assert_eq!(groups(&document, "field").len(), 17, "ports, numbers, offset, reserved, 8 bits, 3 fields");
    let texts = texts(&document);
    let place = |said: &str| {
        let text = texts.iter().find(|text| text.text() == Some(said));
        text.map(|text| (number(text, "x"), number(text, "y")))
            .unwrap_or_else(|| panic!("{said} is not there"))
    };
    let (source, destination) = (place("source port"), place("destination port"));
    assert!(source.0 < destination.0 && source.1 == destination.1, "the ports stand in one row");
    let rows = ["source port", "sequence number", "acknowledgment number", "window", "checksum"];
    assert!(rows.windows(2).all(|pair| place(pair[0]).1 < place(pair[1]).1), "rows follow each other");
    assert!(["CWR", "ECE", "URG", "ACK", "PSH", "RST", "SYN", "FIN"].windows(2).all(|pair| {
        let (left, right) = (place(pair[0]), place(pair[1]));
        left.0 < right.0 && left.1 == right.1
    }));
}

#[test]
fn what_was_sent_again_and_what_came_late_is_marked() {
    let lossy = lossy();
    let ladder = figure(&[&lossy, "--kind", "ladder"]);
    let document = Document::parse(&ladder).expect("a figure");
    assert_eq!(groups(&document, "frame").len(), 28);
    for (class, frames) in [("again", &["frame 10:", "frame 23:"][..]), ("late", &["frame 15:"])] {
        let marked = groups(&document, class);
        assert_eq!(marked.len(), frames.len(), "{class}");
        for (group, frame) in marked.iter().zip(frames) {
            let told = group.first_element_child().and_then(|title| title.text()).unwrap_or_default();
            assert!(told.starts_with(frame), "{told}");
            assert!(group.children().any(|node| node.attribute("stroke-dasharray").is_some()), "{told}");
        }
    }
    assert!(ladder.contains("1460 B before it are missing"), "what never arrived is told");

    let sequence = figure(&[&lossy, "--kind", "sequence"]);
    let document = Document::parse(&sequence).expect("a figure");
    let count = |class| groups(&document, class).len();
    assert_eq!((count("segment"), count("again"), count("late")), (9, 1, 1));
    assert_eq!((count("acknowledged"), count("window")), (1, 1));
}

#[test]
fn what_a_layer_refused_is_crossed() {
    let svg = figure(&["http://shop.test/large", "--kind", "ladder", "--", "--corrupt", "2"]);
    check(&svg);
    let document = Document::parse(&svg).expect("a figure");
    let refused = groups(&document, "refused");
    assert!(!refused.is_empty(), "a damaged frame was refused");
    for group in refused {
        let lines = group.children().filter(|node| node.tag_name().name() == "line").count();
        assert_eq!(lines, 3, "an arrow and a cross");
    }
}

#[test]
fn what_was_lost_ends_half_way() {
    for (lost, numbered) in [("11", true), ("12", false)] {
        let svg = figure(&["https://shop.test/", "--kind", "ladder", "--", "--drop", lost]);
        check(&svg);
        let document = Document::parse(&svg).expect("a figure");
        let groups = groups(&document, "lost");
        let [group] = groups.as_slice() else { panic!("one frame was lost") };
        let ends: Vec<f64> = group
            .children()
            .filter(|node| node.tag_name().name() == "line")
            .flat_map(|line| {
                ["x1", "x2"].map(|end| line.attribute(end).expect("an end").parse().expect("a number"))
            })
            .collect();
        assert!(
            ends[0] != ends[1] && (ends[2] + ends[3]) / 2.0 == ends[1],
            "half an arrow, and a cross: {ends:?}"
        );
        assert_eq!(svg.contains("HTTP: GET / from shop.test; lost on the way"), numbered);
        assert_eq!(svg.contains("412 bytes; lost on the way"), !numbered, "what never came has no number");
    }
}

#[test]
fn a_ladder_of_many_frames_says_what_is_left_out() {
    let svg = figure(&["http://shop.test/large", "--kind", "ladder"]);
    let document = Document::parse(&svg).expect("a figure");
    let frames = groups(&document, "frame").len();
    let left_out = |text: &str| -> Option<usize> {
        let (count, _) =
            text.split_once(" frames left out").or_else(|| text.split_once(" frame left out"))?;
        count.parse().ok()
    };
    let texts = texts(&document);
    let left_out: usize = texts.iter().filter_map(|node| left_out(node.text()?)).sum();
    assert!((20..=60).contains(&frames) && left_out > 100, "{frames} drawn, {left_out} left out");
    assert!(svg.contains(&format!("{} frames", frames + left_out)), "together they are all");
}

#[test]
fn a_host_has_one_line_for_all_its_addresses() {
    let svg = figure(&[PAGE, "--kind", "ladder", "--", "-6"]);
    let document = Document::parse(&svg).expect("a figure");
    let texts = texts(&document);
    let stands = |said: &str| texts.iter().filter(|text| text.text() == Some(said)).count();
    let names = [
        "192.0.2.10",
        "here; also 2001:db8:1::10",
        "the link",
        "192.0.2.1",
        "2001:db8:1::1",
        "2001:db8:2::80",
    ];
    assert_eq!(names.map(stands), [1; 6], "{svg}");
    assert_eq!(groups(&document, "frame").len(), 15, "none is left out");
}

#[test]
fn what_comes_from_outside_is_never_markup() {
    let url = "http://shop.test/%3C?a=%22&b='<script>alert(1)</script>]]>";
    for kind in KINDS {
        let svg = figure(&[url, "--kind", kind]);
        check(&svg);
        assert!(svg.contains("&#39;&lt;script&gt;alert(1)&lt;/script&gt;]]&gt;"), "{kind}: {svg}");
    }
}

#[test]
fn files_are_written_where_they_are_wanted() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let drawn = |args: &[&str], name: &str| -> PathBuf {
        let output = run(folder.path(), args);
        assert!(output.status.success() && output.stdout.is_empty(), "{args:?}");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(said.contains(name), !args.contains(&"-o"), "{said}");
        folder.path().join(name)
    };
    let named = drawn(&[PAGE, "--kind", "window", "-o", "mine.svg"], "mine.svg");
    let unnamed = drawn(&[PAGE, "--kind", "window"], "framewise-window.svg");
    let read = |path| fs::read(path).expect("the figure was written");
    assert_eq!(read(named), read(unnamed));
}

#[test]
fn what_cannot_be_drawn_is_told() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let nowhere = folder.path().join("none/x.svg");
    let nowhere = nowhere.to_str().expect("a plain name");
    fails(&[PAGE, "--kind", "header", "--frame", "99"], 2, "there is no frame 99: there are frames 1 to 13");
    fails(&[PAGE, "--kind", "header", "--layer", "sctp"], 2, "there is no layer \"sctp\"");
    fails(&[PAGE, "--kind", "ladder", "--connection", "0"], 2, "there is no connection 0");
    fails(&[PAGE, "--kind", "window", "--connection", "2"], 2, "there is no connection 2: there are 1 to 1");
    fails(&[PAGE, "--kind", "window", "--frame", "1"], 2, "--frame says nothing to --kind window");
    fails(&["nothing.pcapng", "--kind", "window"], 1, "nothing.pcapng is not there");
    let output = run(folder.path(), &[PAGE, "--kind", "window", "-o", nowhere]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("can't be written"));
}
