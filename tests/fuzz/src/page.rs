//! Two hosts and a wire on which things go wrong: whatever is lost, repeated, held back or damaged, the page that comes is
//! the page, byte for byte; and it does come where not too much went wrong.

use std::time::Duration;

use framewise::Fetch;
use framewise::http::StatusCode;

use crate::input::Input;
use crate::rig::{self, CLIENT, Hands, Honest, Rig};

/// Frames lost of which TCP makes nothing: it says everything more often than that.
const FEW: usize = 3;

/// Runs the target: two bytes for the page, then one or more for each frame.
pub fn run(bytes: &[u8]) {
    let mut rig = Rig::new();
    // They know each other's MAC address: a frame of ARP has no checksum that could tell damage.
    let _ = rig.fetch(CLIENT, Fetch::get("http://shop.test/n/1"));
    rig.pass(Duration::from_secs(1), &mut Honest);

    let mut input = Input::new(bytes);
    let (how, length) = (input.byte(), 1 + input.below(40_000));
    let scheme = if how & 1 == 0 { "http" } else { "https" };
    let url = format!("{scheme}://shop.test/n/{length}");
    let asked = if how & 2 == 0 {
        Fetch::get(url)
    } else {
        Fetch::post(url, "application/octet-stream", rig::body(length / 2))
    };
    // Who waits for an answer, and has all acknowledged, may else wait for ever: that is TCP.
    let asked = asked.max_time(Duration::from_secs(3_600));
    let mut wire = Wire { input, ..Wire::default() };
    let fetch = rig.fetch(CLIENT, asked).expect("a fetch may begin");
    rig.pass(Duration::from_secs(7_200), &mut wire);
    let Some(outcome) = rig.finished(CLIENT, fetch) else {
        panic!("after two hours a fetch is over, one way or the other");
    };
    match outcome {
        Ok(page) if page.head.status == StatusCode::REQUEST_TIMEOUT => {
            assert!(wire.wrongs > FEW, "{} wrongs, and the server lost its patience", wire.wrongs);
        }
        Ok(page) => assert!(page.body == rig::body(length), "what comes is the page, byte for byte"),
        Err(error) => assert!(wire.wrongs > FEW, "{} wrongs, and: {error}", wire.wrongs),
    }
}

/// Does to frames what the input says, as long as there is some.
#[derive(Default)]
struct Wire<'a> {
    input: Input<'a>,
    held: Vec<Vec<u8>>,
    wrongs: usize,
}

impl Hands for Wire<'_> {
    fn frame(&mut self, _from: usize, mut frame: Vec<u8>, pass: &mut dyn FnMut(Vec<u8>)) {
        if self.input.is_empty() {
            std::mem::take(&mut self.held).into_iter().for_each(&mut *pass);
            return pass(frame);
        }
        let what = self.input.byte() % 16;
        self.wrongs += usize::from((8..16).contains(&what));
        match what {
            0..=7 => pass(frame),
            8 | 9 => {}
            10 | 11 => {
                pass(frame.clone());
                pass(frame);
            }
            12 => self.held.push(frame),
            13 => {
                pass(frame);
                std::mem::take(&mut self.held).into_iter().rev().for_each(pass);
            }
            _ => {
                // One bit behind the Ethernet header, which a checksum tells in any case.
                let bit = 8 * 14 + self.input.below((frame.len().max(15) - 14) * 8);
                if let Some(byte) = frame.get_mut(bit / 8) {
                    *byte ^= 0x80 >> (bit % 8);
                }
                pass(frame);
            }
        }
    }
}
