//! Whose turn it is, between a handler's thread and the network.

use framewise_core::id::Opener;

use super::*;

fn answers() -> Answers {
    Answers::new(Waker::new().expect("a pipe"))
}

fn exchange(index: u32) -> ExchangeId {
    ExchangeId::new(Opener::Lower, index, 0)
}

/// Waits for another thread to get as far as this. It has nothing else to do: no test hangs here but a broken one.
fn wait_until(condition: impl Fn() -> bool) {
    while !condition() {
        thread::yield_now();
    }
}

#[test]
fn room_for_an_answer_is_its_handlers_turn_even_before_its_thread_runs() {
    let (answers, flow) = (answers(), Flow::default());
    let mut sink = answers.sink(exchange(0), flow.clone());
    let writer = thread::spawn(move || {
        let result =
            sink.body(Bytes::from(vec![0; AHEAD])).and_then(|()| sink.body(Bytes::from_static(b"more")));
        (sink, result)
    });
    wait_until(|| !answers.is_working());
    answers.sent(&flow, 1);
    assert!(answers.is_working(), "time would pass before the thread has had its turn");
    let (sink, result) = writer.join().unwrap();
    assert_eq!(result, Ok(()));
    drop(sink);
    assert!(!answers.is_working(), "an answer dropped is done");
}

#[test]
fn a_thread_that_waits_is_told_of_every_byte_of_room() {
    let (answers, flow) = (answers(), Flow::default());
    let mut sink = answers.sink(exchange(0), flow.clone());
    let pieces = 2_000;
    let writer = thread::spawn(move || {
        (0..pieces).try_for_each(|_| sink.body(Bytes::from(vec![0; AHEAD])))?;
        sink.end();
        Ok::<(), Gone>(())
    });
    for _ in 0..pieces {
        wait_until(|| !answers.is_working());
        answers.sent(&flow, AHEAD);
    }
    assert_eq!(writer.join().unwrap(), Ok(()));
}

#[test]
fn who_waits_for_room_hears_that_nobody_wants_it() {
    let (answers, flow) = (answers(), Flow::default());
    let mut sink = answers.sink(exchange(0), flow.clone());
    let writer = thread::spawn(move || (0..2).try_for_each(|_| sink.body(Bytes::from(vec![0; AHEAD]))));
    wait_until(|| !answers.is_working());
    answers.gone(&flow);
    assert!(!answers.is_working(), "time need not stand still for an answer that nobody wants");
    assert_eq!(writer.join().unwrap(), Err(Gone));
}

#[test]
fn threads_are_heard_in_the_order_of_exchanges() {
    let answers = answers();
    let sinks = [0, 1, 2].map(|n| answers.sink(exchange(n), Flow::default()));
    for mut sink in sinks.into_iter().rev() {
        thread::spawn(move || sink.body(Bytes::new()).map(|()| sink.end())).join().unwrap().unwrap();
    }
    assert!(answers.take().is_none(), "nothing is taken before it is released");
    answers.release();
    let heard: Vec<_> = std::iter::from_fn(|| answers.take()).map(|(at, part)| (at, part.is_end())).collect();
    let both = |n| [(exchange(n), false), (exchange(n), true)];
    assert_eq!(heard, [both(0), both(1), both(2)].concat());
}

impl Part {
    fn is_end(&self) -> bool {
        matches!(self, Part::End)
    }
}
