//! Walking, without a terminal.

use super::*;
use crate::{Options, open};
use framewise_trace::dissect::Kind;

fn stepper(options: &Options) -> Stepper {
    Stepper::new(open("https://shop.test/", options).expect("the world is there"))
}

fn typed(stepper: &mut Stepper, begin: Action, text: &str) {
    stepper.apply(begin);
    text.chars().for_each(|character| stepper.apply(Action::Type(character)));
    stepper.apply(Action::Accept);
}

fn protocol(stepper: &Stepper) -> &'static str {
    stepper.layer().expect("a layer").description.protocol
}

/// Every step there is, from here on.
fn walk(stepper: &mut Stepper) -> Vec<Position> {
    let mut steps = vec![stepper.position()];
    while !stepper.is_last() {
        stepper.apply(Action::Next);
        steps.push(stepper.position());
    }
    steps
}

#[test]
fn out_goes_inside_first_and_in_comes_outside_first() {
    let mut stepper = stepper(&Options::default());
    typed(&mut stepper, Action::Goto, "11");
    assert_eq!(protocol(&stepper), "App", "a request leaves from the program");
    stepper.apply(Action::Next);
    assert_eq!(protocol(&stepper), "HTTP", "and then from the innermost layer");
    stepper.apply(Action::NextFrame);
    assert_eq!(protocol(&stepper), "Ethernet", "its answer arrives at the outermost");
    stepper.apply(Action::Back);
    assert_eq!((protocol(&stepper), stepper.position().frame), ("Ethernet", 11), "where frame 11 left");
}

#[test]
fn back_is_the_way_there_reversed() {
    let mut stepper = stepper(&Options::default());
    let there = walk(&mut stepper);
    assert!(there.len() > 40, "{} steps", there.len());
    let mut back = vec![stepper.position()];
    while !stepper.is_first() {
        stepper.apply(Action::Back);
        back.push(stepper.position());
    }
    back.reverse();
    assert_eq!(back, there);
    stepper.apply(Action::Last);
    assert_eq!(Some(&stepper.position()), there.last());
}

#[test]
fn at_both_ends_one_is_told_so() {
    let mut stepper = stepper(&Options::default());
    stepper.apply(Action::Back);
    assert!(stepper.notice().is_some());
    assert_eq!(stepper.position(), Position { frame: 1, step: 0 });
    stepper.apply(Action::Next);
    assert!(stepper.notice().is_none());
    stepper.apply(Action::Last);
    stepper.apply(Action::NextFrame);
    assert!(stepper.notice().is_some());
}

#[test]
fn the_next_event_of_a_layer_is_in_a_later_frame() {
    let mut stepper = stepper(&Options::default());
    stepper.apply(Action::NextOf(3));
    assert_eq!(protocol(&stepper), "TLS");
    let first = stepper.position().frame;
    stepper.apply(Action::NextOf(0));
    assert_eq!(protocol(&stepper), "TLS");
    assert!(stepper.position().frame > first);
    stepper.apply(Action::PreviousOf);
    assert_eq!(stepper.position().frame, first);
}

#[test]
fn no_frame_has_a_number_that_is_not_there() {
    let mut stepper = stepper(&Options::default());
    for number in ["0", "999999999", ""] {
        typed(&mut stepper, Action::Goto, number);
        assert_eq!(stepper.position().frame, 1);
        assert!(stepper.notice().is_some_and(|notice| notice.contains("frames 1 to")), "{number:?}");
    }
}

#[test]
fn a_sealed_text_is_found_and_one_can_return() {
    let mut stepper = stepper(&Options::default());
    let before = stepper.position();
    typed(&mut stepper, Action::Search, "<h1>");
    assert_eq!(protocol(&stepper), "HTTP");
    assert_eq!(stepper.position().frame, 12);
    let place = stepper.marked().expect("the text is marked");
    assert_eq!(stepper.dissection().bytes(&place).as_deref(), Some(&b"<h1>"[..]));
    stepper.apply(Action::FindNext);
    assert_eq!(stepper.marked(), Some(place), "it is there once");
    stepper.apply(Action::Return);
    stepper.apply(Action::Return);
    assert_eq!(stepper.position(), before);
    typed(&mut stepper, Action::Search, "nobody says this");
    assert!(stepper.notice().is_some());
    assert_eq!(stepper.position(), before);
}

#[test]
fn ways_lead_to_every_frame_that_carried_a_byte() {
    let mut stepper = stepper(&Options { drop: Some(11), ..Options::default() });
    typed(&mut stepper, Action::Goto, "11");
    stepper.apply(Action::Ways);
    let Mode::Ways(ways, 0) = stepper.mode().clone() else { panic!("no ways: {:?}", stepper.mode()) };
    let again = ways.iter().position(|way| way.frame != 11).expect("the request was sent again");
    assert!(ways[again].text.contains("once more"), "{}", ways[again].text);
    (0..again).for_each(|_| stepper.apply(Action::Field(1)));
    stepper.apply(Action::Accept);
    assert_eq!(stepper.position().frame, ways[again].frame);
    assert_eq!(protocol(&stepper), "HTTP", "it is the same layer there");
    stepper.apply(Action::Return);
    assert_eq!(stepper.position().frame, 11);
}

#[test]
fn a_lost_frame_and_the_one_that_makes_up_for_it_know_of_each_other() {
    let mut lost = stepper(&Options { drop: Some(11), ..Options::default() });
    typed(&mut lost, Action::Goto, "11");
    let told: Vec<Kind> = lost.aftermath().consequences.iter().map(|told| told.kind).collect();
    assert_eq!(told, [Kind::Happened, Kind::Noticed, Kind::Caused]);
    let again = lost.aftermath().consequences[2].frame.expect("it was sent again");
    typed(&mut lost, Action::Goto, &again.to_string());
    assert_eq!(lost.aftermath().unusual.first().and_then(|unusual| unusual.frame), Some(11));
    let mut healthy = stepper(&Options::default());
    for position in walk(&mut healthy) {
        typed(&mut healthy, Action::Goto, &position.frame.to_string());
        assert_eq!(healthy.aftermath(), &Aftermath::default(), "frame {}", position.frame);
    }
}

#[test]
fn a_frame_that_never_came_is_told_of_and_so_is_what_made_up_for_it() {
    // The response, on its way to me.
    let mut lost = stepper(&Options { drop: Some(12), ..Options::default() });
    typed(&mut lost, Action::Goto, "11");
    let told = &lost.aftermath().astray;
    assert_eq!(told.first().map(|told| told.kind), Some(Kind::Happened), "{told:?}");
    let again = told.last().and_then(|told| told.frame).expect("it was sent again");
    typed(&mut lost, Action::Goto, &again.to_string());
    assert!(lost.frame().expect("it is there").summary().starts_with("HTTP: 200"), "frame {again}");
}

#[test]
fn a_history_branches_where_a_frame_is_lost_and_both_stay() {
    let mut stepper = stepper(&Options::default());
    typed(&mut stepper, Action::Goto, "11");
    let before = stepper.dissection().len();
    stepper.apply(Action::WhatIf);
    let Mode::WhatIf(choices, 0) = stepper.mode().clone() else { panic!("{:?}", stepper.mode()) };
    assert_eq!(choices[0].change, crate::Change::Drop(11));
    stepper.apply(Action::Accept);
    assert_eq!(stepper.histories().1, 1, "one stands in the new one");
    assert_eq!(stepper.position().frame, 11, "where the two part: {:?}", stepper.notice());
    assert!(stepper.notice().is_some_and(|notice| notice.contains("They part at frame 11")));
    let caused = stepper.aftermath().consequences.last().expect("it had consequences").clone();
    assert_eq!(caused.kind, Kind::Caused, "the retransmission: {caused:?}");
    assert!(stepper.dissection().len() > before, "what was lost was sent again");
    stepper.apply(Action::SideBySide);
    let Mode::Compare(pairs, 10) = stepper.mode().clone() else { panic!("{:?}", stepper.mode()) };
    assert!(pairs[..10].iter().all(|pair| pair.is_same), "the same seed gives the same frames until then");
    stepper.apply(Action::Close);
    stepper.apply(Action::OtherHistory);
    assert_eq!((stepper.histories().1, stepper.dissection().len()), (0, before));
    assert_eq!(stepper.aftermath(), &Aftermath::default(), "nothing was lost in this one");
    stepper.apply(Action::OtherHistory);
    assert_eq!(stepper.histories().1, 1);
}

#[test]
fn every_change_makes_a_difference_and_histories_end_somewhere() {
    for (number, wanted) in ["is lost", "is held back", "flipped", "my window"].into_iter().enumerate() {
        let mut stepper = stepper(&Options::default());
        typed(&mut stepper, Action::Goto, "12");
        stepper.apply(Action::WhatIf);
        (0..number).for_each(|_| stepper.apply(Action::Field(1)));
        stepper.apply(Action::Accept);
        let notice = stepper.notice().expect("it is told").to_owned();
        assert!(notice.contains(wanted) && notice.contains("They part"), "{notice}");
    }
    let mut stepper = stepper(&Options::default());
    for _ in 0..20 {
        stepper.apply(Action::First);
        stepper.apply(Action::WhatIf);
        stepper.apply(Action::Accept);
    }
    assert!(stepper.histories().0.len() <= 8);
    stepper.apply(Action::WhatIf);
    assert!(stepper.notice().is_some_and(|notice| notice.contains("as can be kept")));
}

#[test]
fn of_a_capture_the_keys_say_why_not() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../pcaps/https.pcapng");
    let mut stepper = Stepper::new(open(file, &Options::default()).expect("a fixture"));
    for (action, wanted) in [
        (Action::WhatIf, "nobody can run it again"),
        (Action::OtherHost, "is not known"),
        (Action::OtherHistory, "nobody can run it again"),
        (Action::SideBySide, "nobody can run it again"),
    ] {
        stepper.apply(action);
        assert_eq!(stepper.mode(), &Mode::Walk);
        assert!(stepper.notice().is_some_and(|notice| notice.contains(wanted)), "{:?}", stepper.notice());
    }
}

#[test]
fn the_other_host_has_the_same_packets() {
    let mut stepper = stepper(&Options::default());
    typed(&mut stepper, Action::Goto, "11");
    stepper.apply(Action::OtherHost);
    assert_eq!(stepper.host(), crate::Host::Server);
    let frame = stepper.frame().expect("the request is there, too");
    assert!(frame.summary().starts_with("HTTP: GET"), "{}", frame.summary());
    assert_eq!(protocol(&stepper), "Ethernet", "there it comes up");
    stepper.apply(Action::OtherHost);
    assert_eq!((stepper.host(), stepper.position().frame), (crate::Host::Me, 11));
}

#[test]
fn how_layers_stand_is_told_at_every_step_and_what_changed_is_marked() {
    let mut stepper = stepper(&Options::default());
    stepper.apply(Action::State);
    let mut seen = std::collections::BTreeSet::new();
    loop {
        for state in stepper.standing().expect("it is open") {
            seen.insert(state.protocol);
        }
        if stepper.is_last() {
            break;
        }
        stepper.apply(Action::Next);
    }
    assert!(["HTTP", "IPv4", "TCP", "TLS"].iter().all(|protocol| seen.contains(protocol)), "{seen:?}");
    // After the SYN I have asked, and the other has not answered yet.
    typed(&mut stepper, Action::Goto, "7");
    let states = stepper.standing().expect("it is open");
    let state = states[0].fields.iter().find(|stated| stated.field.name == "state").expect("TCP has one");
    assert_eq!(
        (state.field.value.as_str(), state.is_changed, state.field.inferred),
        ("SYN-SENT", true, false)
    );
    stepper.apply(Action::State);
    assert!(stepper.standing().is_none());
}

#[test]
fn a_guess_has_one_right_answer_and_is_forgotten_by_going_on() {
    let mut stepper = stepper(&Options::default());
    let mut asked = 0;
    while !stepper.is_last() {
        if let Some((guess, _)) = stepper.guess().map(|(guess, answered)| (guess.clone(), answered)) {
            asked += 1;
            assert!((2..=3).contains(&guess.answers.len()));
            stepper.apply(Action::Guess(guess.right));
            assert_eq!(stepper.guess().and_then(|(_, answered)| answered), Some(guess.right));
            stepper.apply(Action::Next);
            let fields = stepper.fields().iter().filter(|field| field.name == guess.field);
            let values: Vec<_> = fields.map(|field| field.value.clone()).collect();
            assert!(values.contains(&guess.answers[guess.right]), "{guess:?}: {values:?}");
        } else {
            stepper.apply(Action::Next);
        }
        assert_eq!(stepper.guess().and_then(|(_, answered)| answered), None);
    }
    assert!(asked > 10, "{asked} questions");
}

#[test]
fn what_is_asked_has_one_answer_that_somebody_could_know() {
    for seed in 1..6 {
        let mut stepper = stepper(&Options { seed: Some(seed), ..Options::default() });
        let mut met: Vec<(usize, &str, String)> = Vec::new();
        while !stepper.is_last() {
            let guess = stepper.guess().map(|(guess, _)| guess.clone());
            stepper.apply(Action::Next);
            let frame = stepper.position().frame;
            if let Some(guess) = guess {
                let same = stepper.fields().iter().filter(|field| field.name == guess.field).count();
                assert_eq!(same, 1, "which one is meant? {guess:?}");
                let right = &guess.answers[guess.right];
                let is_random = ["id", "ticket age add", "sequence number"].contains(&guess.field);
                let is_met = met.iter().any(|met| (met.1, &met.2) == (guess.field, right) && met.0 < frame);
                assert!(!is_random || is_met, "only luck finds it, frame {frame}: {guess:?}");
            }
            met.extend(stepper.fields().iter().map(|field| (frame, field.name, field.value.clone())));
        }
    }
}

#[test]
fn while_it_plays_time_moves_it_and_any_key_stops_it() {
    let mut stepper = stepper(&Options::default());
    stepper.pass(Duration::from_secs(60));
    assert_eq!(stepper.position(), Position { frame: 1, step: 0 }, "nobody pressed play");
    stepper.apply(Action::Play);
    stepper.pass(stepper.pace() / 2);
    assert_eq!(stepper.position().step, 0);
    stepper.pass(stepper.pace() / 2);
    assert_eq!(stepper.position().step, 1);
    let slow = stepper.pace();
    stepper.apply(Action::Faster);
    assert!(stepper.pace() < slow && stepper.is_playing());
    stepper.apply(Action::Back);
    assert!(!stepper.is_playing());
    stepper.apply(Action::Last);
    stepper.apply(Action::Play);
    stepper.pass(Duration::from_secs(60));
    assert!(!stepper.is_playing(), "it pauses at the end");
}
