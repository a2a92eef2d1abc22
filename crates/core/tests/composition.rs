//! Layers composed: the order of moves, pushing and pulling, and that stepping comes to the same as running.

use std::collections::VecDeque;
use std::marker::PhantomData;

use framewise_core::observe::Crossing;
use framewise_core::{Beside, Counters, Cx, Either, Instant, Layer, Message, Observer, Over, Seam};

/// What the toys say: the names of the layers it went through.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Word(String);

impl Message for Word {
    fn summary(&self) -> String {
        self.0.clone()
    }
}

#[derive(Debug)]
enum Pulled {}

impl Seam for Pulled {
    const NAME: &'static str = "pulled";
    type Down = Word;
    type Up = Word;
}

#[derive(Debug)]
enum Pushed {}

impl Seam for Pushed {
    const NAME: &'static str = "pushed";
    const CREDITED: bool = true;
    type Down = Word;
    type Up = Word;
}

/// A layer that adds its name to each word, and takes in what contains `takes`.
#[derive(Debug)]
struct Toy<U, L> {
    name: &'static str,
    takes: &'static str,
    down: VecDeque<Word>,
    up: VecDeque<Word>,
    seams: PhantomData<(U, L)>,
}

fn toy<U, L>(name: &'static str, takes: &'static str) -> Toy<U, L> {
    Toy { name, takes, down: VecDeque::new(), up: VecDeque::new(), seams: PhantomData }
}

impl<U, L> Layer for Toy<U, L>
where
    U: Seam<Down = Word, Up = Word>,
    L: Seam<Down = Word, Up = Word>,
{
    type Upper = U;
    type Lower = L;

    fn name(&self) -> &'static str {
        self.name
    }

    fn handle_outbound(&mut self, word: Word, _cx: &mut Cx) {
        self.down.push_back(Word(format!("{}{}", word.0, self.name)));
    }

    fn handle_inbound(&mut self, word: Word, _cx: &mut Cx) {
        self.up.push_back(Word(format!("{}{}", word.0, self.name)));
    }

    fn poll_outbound(&mut self, _cx: &mut Cx) -> Option<Word> {
        self.down.pop_front()
    }

    fn poll_inbound(&mut self, _cx: &mut Cx) -> Option<Word> {
        self.up.pop_front()
    }

    fn accepts(&self, word: &Word) -> bool {
        word.0.contains(self.takes)
    }
}

#[derive(Default)]
struct Log(Vec<String>);

impl Observer for Log {
    fn crossed(&mut self, crossing: &Crossing<'_>) {
        let Crossing { upper, lower, direction, message, .. } = crossing;
        self.0.push(format!("{upper}/{lower} {direction} {}", message.summary()));
    }
}

fn word(text: &str) -> Word {
    Word(text.to_owned())
}

type Pull = Over<Toy<Pulled, Pulled>, Toy<Pulled, Pulled>>;
type Push = Over<Toy<Pushed, Pushed>, Toy<Pushed, Pushed>>;

fn pull() -> Pull {
    Over::new(toy("A", ""), toy("B", ""))
}

fn push() -> Push {
    Over::new(toy("A", ""), toy("B", ""))
}

#[test]
fn a_pulled_seam_moves_one_message_when_the_lower_side_asks() {
    let (mut counters, mut log) = (Counters::default(), Log::default());
    let mut cx = Cx::observed(Instant::ZERO, &mut counters, &mut log);
    let mut stack = pull();
    stack.handle_outbound(word("1"), &mut cx);
    stack.handle_outbound(word("2"), &mut cx);
    assert_eq!((stack.upper().down.len(), stack.lower().down.len()), (2, 0), "nobody asked");
    assert_eq!(stack.poll_outbound(&mut cx), Some(word("1AB")));
    assert_eq!((stack.upper().down.len(), stack.lower().down.len()), (1, 0), "one at a time");
    assert_eq!(log.0, ["A/B outbound 1A"]);
}

#[test]
fn a_credited_seam_is_emptied_downward_at_once() {
    let mut counters = Counters::default();
    let mut cx = Cx::new(Instant::ZERO, &mut counters);
    let mut stack = push();
    stack.handle_outbound(word("1"), &mut cx);
    stack.handle_outbound(word("2"), &mut cx);
    assert_eq!((stack.upper().down.len(), stack.lower().down.len()), (0, 2));
}

#[test]
fn what_comes_goes_up_at_once() {
    let mut counters = Counters::default();
    let mut cx = Cx::new(Instant::ZERO, &mut counters);
    let mut stack = pull();
    stack.handle_inbound(word("1"), &mut cx);
    assert_eq!((stack.upper().up.len(), stack.lower().up.len()), (1, 0));
    assert_eq!(stack.poll_inbound(&mut cx), Some(word("1BA")));
}

/// All that comes out at both ends, when each move across a seam is a step or all are free.
fn run(
    stack: &mut impl Layer<Upper = Pulled, Lower = Pulled>,
    stepping: bool,
) -> (Vec<Word>, Vec<Word>, usize) {
    let mut counters = Counters::default();
    let mut cx = Cx::new(Instant::ZERO, &mut counters);
    cx.stepping = stepping;
    for text in ["1", "2", "3"] {
        stack.handle_outbound(word(text), &mut cx);
        stack.handle_inbound(word(text), &mut cx);
    }
    let (mut down, mut up, mut steps) = (Vec::new(), Vec::new(), 0);
    loop {
        down.extend(std::iter::from_fn(|| stack.poll_outbound(&mut cx)));
        up.extend(std::iter::from_fn(|| stack.poll_inbound(&mut cx)));
        if !stack.step(&mut cx) {
            return (down, up, steps);
        }
        steps += 1;
    }
}

#[test]
fn a_stepped_run_ends_as_a_free_one() {
    let stack = || {
        Over::new(
            toy::<Pulled, Pulled>("A", ""),
            Over::new(toy::<_, Pulled>("B", ""), toy::<_, Pulled>("C", "")),
        )
    };
    let (free_down, free_up, free_steps) = run(&mut stack(), false);
    let (down, up, steps) = run(&mut stack(), true);
    assert_eq!((&down, &up), (&free_down, &free_up));
    assert_eq!(down, ["1ABC", "2ABC", "3ABC"].map(word));
    assert_eq!((free_steps, steps), (0, 12), "three words, two ways, two seams");
}

#[test]
fn branches_take_what_is_theirs_and_turns_going_down() {
    let mut counters = Counters::default();
    let mut cx = Cx::new(Instant::ZERO, &mut counters);
    let mut pair = Beside::new(toy::<Pulled, Pulled>("L", "l"), toy::<Pulled, Pulled>("R", "r"));
    for text in ["r", "l", "lr", "?"] {
        pair.handle_inbound(word(text), &mut cx);
    }
    let up: Vec<_> = std::iter::from_fn(|| pair.poll_inbound(&mut cx)).collect();
    assert_eq!(up, [Either::Left(word("lL")), Either::Left(word("lrL")), Either::Right(word("rR"))]);
    for text in ["1", "2"] {
        pair.handle_outbound(Either::Left(word(text)), &mut cx);
        pair.handle_outbound(Either::Right(word(text)), &mut cx);
    }
    let down: Vec<_> = std::iter::from_fn(|| pair.poll_outbound(&mut cx)).collect();
    assert_eq!(down, ["1L", "1R", "2L", "2R"].map(word));
    assert_eq!(counters.drops("beside", "no layer above takes it"), 1);
}

/// A lowest layer that sends nothing: it gives back what it was to send.
#[derive(Debug, Default)]
struct Refuses(VecDeque<Word>);

impl Layer for Refuses {
    type Upper = Pulled;
    type Lower = Pulled;

    fn name(&self) -> &'static str {
        "R"
    }

    fn handle_outbound(&mut self, word: Word, _cx: &mut Cx) {
        self.0.push_back(word);
    }

    fn handle_inbound(&mut self, _word: Word, _cx: &mut Cx) {}

    fn poll_outbound(&mut self, _cx: &mut Cx) -> Option<Word> {
        None
    }

    fn poll_inbound(&mut self, _cx: &mut Cx) -> Option<Word> {
        self.0.pop_front()
    }
}

#[test]
fn a_refusal_found_out_while_pulling_goes_all_the_way_up_at_once() {
    let mut counters = Counters::default();
    let mut cx = Cx::new(Instant::ZERO, &mut counters);
    let middle = toy::<Pulled, Pulled>("B", "");
    let mut stack = Over::new(toy::<Pulled, Pulled>("A", ""), Over::new(middle, Refuses::default()));
    stack.handle_outbound(word("1"), &mut cx);
    assert_eq!(stack.poll_outbound(&mut cx), None, "there is nothing to send");
    assert_eq!(stack.upper().up, [word("1ABBA")], "the uppermost layer has heard of it");
}

#[test]
fn stepped_branches_take_the_same_turns_as_free_ones() {
    let run = |stepping: bool| {
        let mut counters = Counters::default();
        let mut cx = Cx::new(Instant::ZERO, &mut counters);
        cx.stepping = stepping;
        let deep = Over::new(toy::<Pulled, Pulled>("D", ""), toy::<Pulled, Pulled>("E", ""));
        let lowest = toy::<Pulled, Pulled>("Z", "");
        let mut stack = Over::new(Beside::new(toy::<Pulled, Pulled>("L", ""), deep), lowest);
        for text in ["1", "2", "3"] {
            stack.handle_outbound(Either::Left(word(text)), &mut cx);
            stack.handle_outbound(Either::Right(word(text)), &mut cx);
        }
        stack.handle_outbound(Either::Right(word("4")), &mut cx);
        let mut down = Vec::new();
        loop {
            down.extend(std::iter::from_fn(|| stack.poll_outbound(&mut cx)));
            if !stack.step(&mut cx) {
                return down;
            }
        }
    };
    let free = run(false);
    assert_eq!(free, ["1LZ", "1DEZ", "2LZ", "2DEZ", "3LZ", "3DEZ", "4DEZ"].map(word));
    assert_eq!(run(true), free);
}
