//! Walking, without a terminal.

use super::*;
use crate::{Options, open};

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
    assert_eq!(protocol(&stepper), "HTTP", "a request leaves from the innermost layer");
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
    assert_eq!(lost.flaw(11), Some("--drop"));
    let again = *lost.repeats().after.first().expect("it was sent again");
    typed(&mut lost, Action::Goto, &again.to_string());
    assert_eq!(lost.repeats().before, [11]);
    let mut healthy = stepper(&Options::default());
    for position in walk(&mut healthy) {
        typed(&mut healthy, Action::Goto, &position.frame.to_string());
        assert_eq!(healthy.repeats(), &Repeats::default(), "frame {}", position.frame);
    }
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
