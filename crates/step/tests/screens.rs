//! Screens, as somebody sees them: snapshots, and what must hold of all of them.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use framewise_step::{Action, Options, Stepper, keys, open, view};
use ratatui::Terminal;
use ratatui::backend::TestBackend;

const SMALL: (u16, u16) = (80, 24);
const LARGE: (u16, u16) = (100, 30);

fn stepper(options: &Options) -> Stepper {
    Stepper::new(open("https://shop.test/", options).expect("the world is there"))
}

fn terminal((columns, rows): (u16, u16)) -> Terminal<TestBackend> {
    Terminal::new(TestBackend::new(columns, rows)).expect("a terminal in memory")
}

/// The screen as text, and with its colours.
fn screen(terminal: &mut Terminal<TestBackend>, stepper: &Stepper, has_colour: bool) -> (String, String) {
    terminal.draw(|screen| view::draw(screen, stepper, has_colour)).expect("memory takes it");
    (terminal.backend().to_string(), format!("{:?}", terminal.backend().buffer()))
}

/// The words of a screen, without its frames and where lines end.
fn words(text: &str) -> String {
    let plain = text.replace(['│', '"'], " ");
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn press(stepper: &mut Stepper, codes: &[KeyCode]) {
    for code in codes {
        if let Some(action) = keys::action(stepper, KeyEvent::new(*code, KeyModifiers::NONE)) {
            stepper.apply(action);
        }
    }
}

fn typed(text: &str) -> Vec<KeyCode> {
    text.chars()
        .map(|character| if character == '\n' { KeyCode::Enter } else { KeyCode::Char(character) })
        .collect()
}

#[test]
fn back_and_forward_again_each_screen_is_the_same() {
    for size in [SMALL, LARGE] {
        let mut stepper = stepper(&Options::default());
        let mut terminal = terminal(size);
        let mut there = Vec::new();
        loop {
            there.push(screen(&mut terminal, &stepper, true).1);
            let before = stepper.position();
            stepper.apply(Action::Next);
            if stepper.position() == before {
                break;
            }
        }
        assert!(there.len() > 40, "{} steps", there.len());
        // The key that led nowhere was answered, which one screen shows; any other key clears it.
        press(&mut stepper, &[KeyCode::Esc, KeyCode::Home, KeyCode::End]);
        for direction in [Action::Back, Action::Next] {
            let mut again = vec![screen(&mut terminal, &stepper, true).1];
            for _ in 1..there.len() {
                stepper.apply(direction);
                again.push(screen(&mut terminal, &stepper, true).1);
            }
            if direction == Action::Back {
                again.reverse();
            }
            for (number, (first, again)) in there.iter().zip(&again).enumerate() {
                assert_eq!(first, again, "step {number} by {direction:?}");
            }
        }
    }
}

#[test]
fn without_colour_the_text_is_the_same_and_no_colour_is_used() {
    let mut stepper = stepper(&Options { drop: Some(11), ..Options::default() });
    press(&mut stepper, &typed("g11\n\n"));
    let mut terminal = terminal(LARGE);
    let (coloured, with) = screen(&mut terminal, &stepper, true);
    let (plain, without) = screen(&mut terminal, &stepper, false);
    assert_eq!(coloured, plain);
    assert!(with.contains("fg: Yellow"));
    assert!(!without.lines().any(|line| line.contains("fg: ") && !line.contains("fg: Reset")), "{without}");
}

#[test]
fn the_request_at_both_sizes() {
    let mut stepper = stepper(&Options::default());
    press(&mut stepper, &typed("g11\n"));
    insta::assert_snapshot!("app_80", screen(&mut terminal(SMALL), &stepper, true).0);
    press(&mut stepper, &typed("l"));
    insta::assert_snapshot!("request_100", screen(&mut terminal(LARGE), &stepper, true).0);
    press(&mut stepper, &[KeyCode::Right; 5]);
    press(&mut stepper, &[KeyCode::Down, KeyCode::Enter]);
    insta::assert_snapshot!("tcp_with_bytes_100", screen(&mut terminal(LARGE), &stepper, true).0);
    insta::assert_snapshot!("tcp_with_bytes_80", screen(&mut terminal(SMALL), &stepper, true).0);
}

#[test]
fn the_answer_on_its_way_up() {
    let mut stepper = stepper(&Options::default());
    press(&mut stepper, &typed("g12\nlll"));
    insta::assert_snapshot!("answer_80", screen(&mut terminal(SMALL), &stepper, true).0);
}

#[test]
fn a_lost_frame_is_sent_again_and_the_cause_is_told() {
    let mut stepper = stepper(&Options { drop: Some(11), ..Options::default() });
    press(&mut stepper, &typed("g11\n"));
    let lost = words(&screen(&mut terminal(SMALL), &stepper, true).0);
    assert!(lost.contains("It was lost on the way."), "{lost}");
    assert!(lost.contains("Frame 14 brings the same again, 200 ms later."), "{}", lost);
    press(&mut stepper, &typed("g14\n"));
    let again = words(&screen(&mut terminal(SMALL), &stepper, true).0);
    assert!(again.contains("Sent again: no acknowledgment came for frame 11 within 200 ms."), "{again}");
    insta::assert_snapshot!("sent_again_100", screen(&mut terminal(LARGE), &stepper, true).0);
}

#[test]
fn what_a_layer_refused_never_got_further() {
    let mut stepper = stepper(&Options { flip: Some(12), ..Options::default() });
    let mut terminal = terminal(SMALL);
    press(&mut stepper, &typed("g12\nll"));
    let refusing = words(&screen(&mut terminal, &stepper, true).0);
    assert!(refusing.contains("Here tcp refused it: checksum wrong"), "{refusing}");
    assert!(!refusing.contains("never got this"), "{refusing}");
    press(&mut stepper, &typed("l"));
    let beyond = screen(&mut terminal, &stepper, true).0;
    assert!(beyond.contains("TLS never got this") && beyond.contains(">x 3 TLS"), "{beyond}");
}

#[test]
fn a_healthy_run_says_nothing_of_damage() {
    let mut stepper = stepper(&Options::default());
    let mut terminal = terminal(LARGE);
    loop {
        let text = screen(&mut terminal, &stepper, true).0;
        for word in ["Sent again", "It was", "Out of order", "A frame"] {
            assert!(!text.contains(&format!("! {word}")), "{text}");
        }
        let before = stepper.position();
        stepper.apply(Action::Next);
        if stepper.position() == before {
            break;
        }
    }
}

#[test]
fn a_branch_shows_what_was_lost_what_made_up_for_it_and_why() {
    let mut stepper = stepper(&Options::default());
    press(&mut stepper, &typed("g11\nb"));
    insta::assert_snapshot!("what_if_80", screen(&mut terminal(SMALL), &stepper, true).0);
    press(&mut stepper, &[KeyCode::Enter]);
    insta::assert_snapshot!("branched_80", screen(&mut terminal(SMALL), &stepper, true).0);
    let branched = words(&screen(&mut terminal(SMALL), &stepper, true).0);
    assert!(branched.contains("Frame 14 brings the same again, 200 ms later."), "{branched}");
    assert!(branched.contains("Nobody but its sender noticed"), "{branched}");
    press(&mut stepper, &typed("d"));
    insta::assert_snapshot!("side_by_side_100", screen(&mut terminal(LARGE), &stepper, true).0);
    // Back to either, and each is as it was.
    press(&mut stepper, &[KeyCode::Esc]);
    press(&mut stepper, &typed("g14\n"));
    let again = screen(&mut terminal(LARGE), &stepper, true).0;
    press(&mut stepper, &typed("vg11\nvg14\n"));
    assert_eq!(screen(&mut terminal(LARGE), &stepper, true).0, again);
}

#[test]
fn how_both_ends_of_a_connection_stand_at_both_sizes() {
    let mut stepper = stepper(&Options::default());
    press(&mut stepper, &typed("g12\nllt"));
    insta::assert_snapshot!("standing_80", screen(&mut terminal(SMALL), &stepper, true).0);
    insta::assert_snapshot!("standing_100", screen(&mut terminal(LARGE), &stepper, true).0);
    press(&mut stepper, &[KeyCode::Tab]);
    let there = screen(&mut terminal(LARGE), &stepper, true).0;
    assert!(there.contains("shop.test sends and receives"), "{there}");
    press(&mut stepper, &typed("s"));
    assert!(screen(&mut terminal(LARGE), &stepper, true).0.contains("crates/"), "the source file is told");
}

#[test]
fn what_is_sent_at_one_end_arrives_later_at_the_other() {
    let mut terminal = terminal(LARGE);
    let mut run = stepper(&Options::default());
    let mut time = |stepper: &Stepper| -> f64 {
        let title = words(&screen(&mut terminal, stepper, true).0);
        let before = title.split(" ms step").next().and_then(|begin| begin.rsplit(' ').next());
        before.and_then(|time| time.parse().ok()).expect("a time in the title")
    };
    assert_eq!(time(&run), 0.0, "the run begins with its first frame");
    press(&mut run, &typed("g11\n"));
    let sent = time(&run);
    press(&mut run, &[KeyCode::Tab]);
    assert!(time(&run) > sent, "sent at {sent} ms, and there at {} ms", time(&run));
}

#[test]
fn all_keys_and_the_ways_of_a_byte() {
    let mut stepper = stepper(&Options::default());
    press(&mut stepper, &[KeyCode::Char('?')]);
    insta::assert_snapshot!("keys_80", screen(&mut terminal(SMALL), &stepper, true).0);
    press(&mut stepper, &[KeyCode::Esc]);
    press(&mut stepper, &typed("/<h1>\n"));
    insta::assert_snapshot!("found_80", screen(&mut terminal(SMALL), &stepper, true).0);
    press(&mut stepper, &typed("w"));
    insta::assert_snapshot!("ways_80", screen(&mut terminal(SMALL), &stepper, true).0);
}

#[test]
fn a_screen_that_is_too_small_says_so_at_any_size() {
    let stepper = stepper(&Options::default());
    for size in [(1, 1), (20, 3), (79, 24), (80, 23)] {
        let text = screen(&mut terminal(size), &stepper, true).0;
        assert!(size.0 < 60 || size.1 < 3 || text.contains("80 x 24"), "{text}");
    }
    for size in [(80, 24), (81, 25), (300, 100)] {
        assert!(screen(&mut terminal(size), &stepper, true).0.contains("What just happened"));
    }
}

#[test]
fn every_fixture_is_walked_at_both_sizes_with_its_bytes_open() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../pcaps");
    for name in ["http", "https", "tls12", "ipv6", "form", "lossy"] {
        let opened = open(&format!("{folder}/{name}.pcapng"), &Options::default()).expect("a fixture");
        let mut stepper = Stepper::new(opened);
        stepper.apply(Action::Bytes);
        let mut terminals = [SMALL, LARGE].map(terminal);
        for _ in 0..100 {
            for terminal in &mut terminals {
                let text = screen(terminal, &stepper, true).0;
                assert!(text.contains("What just happened"), "{name}: {text}");
            }
            stepper.apply(Action::Field(1));
            stepper.apply(Action::Next);
        }
    }
}

#[test]
fn on_the_smallest_screen_what_was_asked_for_is_whole() {
    let mut terminal = terminal(SMALL);
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../pcaps");
    // Where the source is, in a capture, whose names are longer.
    let opened = open(&format!("{folder}/http.pcapng"), &Options::default()).expect("a fixture");
    let mut of_capture = Stepper::new(opened);
    press(&mut of_capture, &typed("g7\n4s"));
    let source = words(&screen(&mut terminal, &of_capture, true).0);
    assert!(source.contains("inbound.rs, fn segment_arrives. "), "{source}");
    // What to do after a branch.
    let mut run = stepper(&Options::default());
    press(&mut run, &typed("g11\nb\n"));
    let branched = words(&screen(&mut terminal, &run, true).0);
    assert!(branched.contains("v: to A; d: side by side."), "{branched}");
    // All answers of every question, also where something went wrong.
    for options in [Options::default(), Options { flip: Some(12), ..Options::default() }] {
        let mut run = stepper(&options);
        while press_on(&mut run) {
            let text = words(&screen(&mut terminal, &run, true).0);
            let asked = text.split("Guess, or just go on.").nth(1);
            assert!(asked.is_none_or(|asked| asked.contains("[x]") && asked.contains("[y]")), "{text}");
        }
    }
}

/// To the next step; whether there is one.
fn press_on(stepper: &mut Stepper) -> bool {
    let before = stepper.position();
    stepper.apply(Action::Next);
    stepper.position() != before
}

#[test]
fn the_sentence_about_a_field_is_whole_with_the_bytes_open() {
    let mut terminal = terminal(SMALL);
    let mut run = stepper(&Options::default());
    run.apply(Action::Bytes);
    press(&mut run, &typed("g12\nl"));
    let (mut seen, mut before) = (0, String::new());
    loop {
        let text = screen(&mut terminal, &run, true).0;
        if text == before {
            break;
        }
        let pane = text.split("Bytes ").next().unwrap_or_default();
        let rows = pane.lines().filter_map(|line| line.split("││").nth(1));
        let mut rows = rows.map(|row| row.trim_end_matches(['"', '│', ' '])).filter(|row| !row.is_empty());
        assert!(rows.next_back().is_some_and(|last| last.ends_with(')')), "it ends with who says so: {text}");
        (seen, before) = (seen + 1, text);
        run.apply(Action::Field(1));
    }
    assert!(seen > 10, "{seen} fields");
}

#[test]
fn what_cannot_be_opened_is_told_in_a_sentence() {
    let told = |what: &str, options: &Options| open(what, options).expect_err("it is not there").to_string();
    let none = Options::default();
    assert!(told("gone.pcapng", &none).starts_with("gone.pcapng is not there"));
    assert!(told("capture", &none).starts_with("capture is not there"));
    assert!(told("example.com", &none).contains("in the real world"));
    assert!(told("https://example.com/", &none).contains("is in the real world"));
    assert!(told("http://[", &none).contains("no URL"));
    let drop = Options { drop: Some(99), ..Options::default() };
    assert_eq!(told("https://shop.test/", &drop), "there is no frame 99: this run takes frames 1 to 13");
    let here = concat!(env!("CARGO_MANIFEST_DIR"), "/../../pcaps/http.pcapng");
    assert!(told(here, &drop).starts_with("--drop is for a URL"));
    assert!(told(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"), &none).contains("no capture"));
}

#[test]
fn what_a_capture_says_is_shown_and_never_obeyed() {
    let mut bytes =
        std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/../../pcaps/http.pcapng")).expect("a fixture");
    let places: Vec<usize> = (0..bytes.len()).filter(|at| bytes[*at..].starts_with(b"shop.test")).collect();
    assert!(!places.is_empty(), "the capture names the host");
    // Clears the screen, rings, and turns the direction of writing.
    places.into_iter().for_each(|at| bytes[at..at + 9].copy_from_slice(b"\x1b[2J\x07\xe2\x80\xae!"));
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("hostile.pcapng");
    std::fs::write(&file, bytes).expect("a file");
    let opened = open(file.to_str().expect("a plain name"), &Options::default()).expect("still a capture");
    let mut stepper = Stepper::new(opened);
    stepper.apply(Action::Bytes);
    let mut terminal = terminal(LARGE);
    loop {
        screen(&mut terminal, &stepper, true);
        for cell in terminal.backend().buffer().content() {
            let is_bad = |c: char| c.is_control() || matches!(c, '\u{202a}'..='\u{202e}');
            assert!(!cell.symbol().chars().any(is_bad), "{:?} at {:?}", cell.symbol(), stepper.position());
        }
        let before = stepper.position();
        stepper.apply(Action::Next);
        if stepper.position() == before {
            break;
        }
    }
}
