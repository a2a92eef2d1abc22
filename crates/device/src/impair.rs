//! What goes wrong on a wire: loss, repetition, disorder, delay and damage, by chance or as told.
//!
//! A real Ethernet interface checks the frame check sequence and drops a damaged frame before anyone above sees
//! it. Here frames have none, and damage passes *on purpose*: it stands for what faulty memory in a switch or
//! an interface does after the check, and shows what the checksums of IP and TCP catch, what they
//! can't (two words exchanged leave their sum as it was; see Stone and Partridge, "When the CRC and TCP
//! checksum disagree", 2000), and what TLS catches in any case.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::time::Duration;

use framewise_core::seams::frame::Frame;
use framewise_core::{Instant, Rng};

use crate::HEADER;

/// How often what goes wrong. Probabilities are per frame, from 0 to 1, and independent of each other.
#[derive(Clone, Debug, PartialEq)]
pub struct ImpairmentConfig {
    /// The frame never arrives.
    pub loss: f64,
    /// The frame arrives twice.
    pub duplication: f64,
    /// The frame is held back by [`reorder_delay`](Self::reorder_delay), so that later ones overtake it.
    pub reordering: f64,
    /// How long a reordered frame is held back.
    pub reorder_delay: Duration,
    /// One bit of the frame is flipped.
    pub bit_corruption: f64,
    /// A run of 2 to 8 bytes is overwritten.
    pub byte_corruption: f64,
    /// Two 16-bit words behind the Ethernet header are exchanged: the Internet checksum can't notice.
    pub word_swaps: f64,
    /// Added to every frame's way.
    pub delay: Duration,
    /// Up to this much more is added, evenly distributed. It never lets one frame overtake another.
    pub jitter: Duration,
}

impl Default for ImpairmentConfig {
    /// Nothing goes wrong. A frame that is told to be reordered is held back for 10 ms.
    fn default() -> Self {
        ImpairmentConfig {
            loss: 0.0,
            duplication: 0.0,
            reordering: 0.0,
            reorder_delay: Duration::from_millis(10),
            bit_corruption: 0.0,
            byte_corruption: 0.0,
            word_swaps: 0.0,
            delay: Duration::ZERO,
            jitter: Duration::ZERO,
        }
    }
}

impl ImpairmentConfig {
    /// Whether nothing is left to chance, so that no random number is needed.
    fn is_certain(&self) -> bool {
        let chances = [
            self.loss,
            self.duplication,
            self.reordering,
            self.bit_corruption,
            self.byte_corruption,
            self.word_swaps,
        ];
        chances.iter().all(|&chance| chance <= 0.0) && self.jitter.is_zero()
    }
}

/// What is to be done to one frame, whatever chance says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Intervention {
    /// Drop it.
    Drop,
    /// Let it arrive twice.
    Duplicate,
    /// Hold it back for this long, so that later frames may overtake it.
    Delay(Duration),
    /// Flip this bit, counted from 0: bit 0 is the most significant of the first byte. Beyond the end: none.
    FlipBit(usize),
    /// Exchange the two 16-bit words that begin at these bytes. Where they overlap or reach beyond the end: none.
    SwapWords(usize, usize),
}

/// What was done to a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// It was lost.
    Lost,
    /// It arrives twice.
    Duplicated,
    /// It was held back for this long.
    HeldBack(Duration),
    /// This bit was flipped, counted from 0.
    BitFlipped(usize),
    /// Some of these bytes were overwritten.
    Overwritten {
        /// The first.
        start: usize,
        /// How many.
        length: usize,
    },
    /// The words at these bytes were exchanged.
    WordsSwapped(usize, usize),
}

impl Action {
    /// What kind of thing this is: the frame is `lost`, `duplicated`, `held back` or `damaged`.
    pub fn topic(self) -> &'static str {
        match self {
            Action::Lost => "lost",
            Action::Duplicated => "duplicated",
            Action::HeldBack(_) => "held back",
            Action::BitFlipped(_) | Action::Overwritten { .. } | Action::WordsSwapped(..) => "damaged",
        }
    }
}

impl fmt::Display for Action {
    /// What happened to the frame, in words that follow `it`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Action::Lost => f.write_str("was lost on the way"),
            Action::Duplicated => f.write_str("arrives twice"),
            Action::HeldBack(time) => write!(f, "was held back for {} ms on the way", time.as_millis()),
            Action::BitFlipped(bit) => {
                write!(f, "had bit {} of byte {} flipped on the way", bit % 8, bit / 8)
            }
            Action::Overwritten { start, length } => {
                write!(f, "had {length} bytes from byte {start} on overwritten on the way")
            }
            Action::WordsSwapped(one, other) => {
                write!(f, "had the words at bytes {one} and {other} exchanged on the way")
            }
        }
    }
}

/// Something that was done to a frame, and to which.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deed {
    /// When the frame entered the stage.
    pub now: Instant,
    /// The frame's number in this stage, from 1.
    pub number: u64,
    /// What.
    pub action: Action,
}

/// How often a stage did what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ImpairmentCounts {
    /// Frames that entered.
    pub frames: u64,
    /// Frames lost.
    pub lost: u64,
    /// Frames that arrive twice.
    pub duplicated: u64,
    /// Frames held back.
    pub held_back: u64,
    /// Frames with one bit flipped.
    pub bit_corrupted: u64,
    /// Frames with a run of bytes overwritten.
    pub byte_corrupted: u64,
    /// Frames with two words exchanged.
    pub words_swapped: u64,
}

/// Deeds that wait to be asked for; of more, the oldest are forgotten (they stay counted).
const DEEDS: usize = 1_024;

/// One direction of a bad wire.
///
/// A frame's fate depends on the seed and on its number only, not on what befell others or was scripted for
/// them: the same seed gives the same run, and taking one intervention out changes nothing else.
///
/// ```
/// use framewise_core::{Buf, Instant, Rng, buf::InterfaceId, seams::frame::Frame};
/// use framewise_device::{Impairment, ImpairmentConfig, Intervention};
/// let mut stage = Impairment::new(ImpairmentConfig::default(), Rng::from_seed(1));
/// stage.script(2, Intervention::Drop);
/// let mut pass = || {
///     let frame = Frame::new(Buf::copy_from_slice(&[0; 60]), InterfaceId(0));
///     stage.apply(frame, Instant::ZERO).count()
/// };
/// assert_eq!((pass(), pass(), pass()), (1, 0, 1));
/// ```
#[derive(Debug)]
pub struct Impairment {
    config: ImpairmentConfig,
    rng: Rng,
    script: BTreeMap<u64, Vec<Intervention>>,
    /// Before this no frame in order may leave, since an earlier one leaves then.
    in_order_from: Instant,
    counts: ImpairmentCounts,
    deeds: VecDeque<Deed>,
}

/// What chance has decided for one frame, drawn in full for every frame.
#[derive(Default)]
struct Fate {
    lost: bool,
    duplicated: bool,
    reordered: bool,
    bit: bool,
    bytes: bool,
    words: bool,
    jitter: Duration,
    /// Of what the details of damage are drawn.
    details: u64,
}

impl Impairment {
    /// A stage that has seen no frame.
    pub fn new(config: ImpairmentConfig, rng: Rng) -> Self {
        Impairment {
            config,
            rng,
            script: BTreeMap::new(),
            in_order_from: Instant::ZERO,
            counts: ImpairmentCounts::default(),
            deeds: VecDeque::new(),
        }
    }

    /// Orders something to be done to the frame of this number, counted from 1 as they enter.
    pub fn script(&mut self, number: u64, intervention: Intervention) {
        self.script.entry(number).or_default().push(intervention);
    }

    /// From now on, chance works like this.
    pub fn set_config(&mut self, config: ImpairmentConfig) {
        self.config = config;
    }

    /// How often it did what.
    pub fn counts(&self) -> ImpairmentCounts {
        self.counts
    }

    /// The next thing done that was not asked for yet.
    pub fn poll_deed(&mut self) -> Option<Deed> {
        self.deeds.pop_front()
    }

    /// Lets a frame through that enters at `now`: what leaves, and when. None if it is lost, two if it is
    /// repeated. A damaged frame is a copy: who holds the original still holds it whole.
    pub fn apply(&mut self, frame: Frame, now: Instant) -> impl Iterator<Item = (Instant, Frame)> + use<> {
        self.counts.frames += 1;
        let number = self.counts.frames;
        let fate = self.draw();
        let orders = self.script.remove(&number).unwrap_or_default();
        let mut pass = Pass { now, number, stage: self };
        let leaving = pass.run(frame, &fate, &orders);
        leaving.into_iter().flatten()
    }

    fn draw(&mut self) -> Fate {
        if self.config.is_certain() {
            return Fate::default();
        }
        let (config, rng) = (&self.config, &mut self.rng);
        let jitter = u64::try_from(config.jitter.as_nanos()).unwrap_or(u64::MAX);
        Fate {
            lost: rng.chance(config.loss),
            duplicated: rng.chance(config.duplication),
            reordered: rng.chance(config.reordering),
            bit: rng.chance(config.bit_corruption),
            bytes: rng.chance(config.byte_corruption),
            words: rng.chance(config.word_swaps),
            jitter: Duration::from_nanos(rng.below(jitter)),
            details: rng.next_u64(),
        }
    }
}

/// One frame on its way through the stage.
struct Pass<'s> {
    now: Instant,
    number: u64,
    stage: &'s mut Impairment,
}

impl Pass<'_> {
    fn run(&mut self, frame: Frame, fate: &Fate, orders: &[Intervention]) -> [Option<(Instant, Frame)>; 2] {
        if fate.lost || orders.contains(&Intervention::Drop) {
            self.stage.counts.lost += 1;
            self.did(Action::Lost);
            return [None, None];
        }
        let frame = self.damage_as_told(frame, orders);
        let frame = self.damage_by_chance(frame, fate);
        let leaves = self.leaves(fate, orders);
        if fate.duplicated || orders.contains(&Intervention::Duplicate) {
            self.stage.counts.duplicated += 1;
            self.did(Action::Duplicated);
            return [Some((leaves, frame.clone())), Some((leaves, frame))];
        }
        [Some((leaves, frame)), None]
    }

    /// When the frame leaves. One that is held back does not hold back those behind it.
    fn leaves(&mut self, fate: &Fate, orders: &[Intervention]) -> Instant {
        let told: Duration = orders.iter().fold(Duration::ZERO, |sum, order| match order {
            Intervention::Delay(delay) => sum.saturating_add(*delay),
            _ => sum,
        });
        let chance = if fate.reordered { self.stage.config.reorder_delay } else { Duration::ZERO };
        let held = told.saturating_add(chance);
        let usual = self.now + self.stage.config.delay + fate.jitter;
        if held.is_zero() {
            self.stage.in_order_from = self.stage.in_order_from.max(usual);
            return self.stage.in_order_from;
        }
        self.stage.counts.held_back += 1;
        self.did(Action::HeldBack(held));
        usual.max(self.stage.in_order_from) + held
    }

    fn damage_as_told(&mut self, mut frame: Frame, orders: &[Intervention]) -> Frame {
        for order in orders {
            frame = match *order {
                Intervention::FlipBit(bit) => self.flip(frame, bit),
                Intervention::SwapWords(one, other) => self.swap(frame, one, other),
                _ => frame,
            };
        }
        frame
    }

    fn damage_by_chance(&mut self, mut frame: Frame, fate: &Fate) -> Frame {
        if !(fate.bit || fate.bytes || fate.words) {
            return frame;
        }
        let mut details = Rng::from_seed(fate.details);
        if fate.bit {
            let bit = details.below(frame.len() as u64 * 8) as usize;
            frame = self.flip(frame, bit);
        }
        if fate.bytes {
            frame = self.overwrite(frame, &mut details);
        }
        if fate.words {
            let words = (frame.len().saturating_sub(HEADER) / 2) as u64;
            let mut word = || HEADER + 2 * details.below(words) as usize;
            let (one, other) = (word(), word());
            frame = self.swap(frame, one, other);
        }
        frame
    }

    fn flip(&mut self, frame: Frame, bit: usize) -> Frame {
        if bit / 8 >= frame.len() {
            return frame;
        }
        let mut copy = frame.clone();
        if let Some(byte) = copy.get_mut(bit / 8) {
            *byte ^= 0x80 >> (bit % 8);
        }
        self.stage.counts.bit_corrupted += 1;
        self.did(Action::BitFlipped(bit));
        copy
    }

    fn overwrite(&mut self, frame: Frame, details: &mut Rng) -> Frame {
        let mut copy = frame.clone();
        let length = (2 + details.below(7) as usize).min(copy.len());
        let start = details.below((copy.len() - length) as u64 + 1) as usize;
        let Some(run) = copy.get_mut(start..start + length) else {
            return frame;
        };
        // Each byte changes: a run that happens to be overwritten by itself would be no damage.
        for byte in run {
            *byte ^= 1 + details.below(255) as u8;
        }
        self.stage.counts.byte_corrupted += 1;
        self.did(Action::Overwritten { start, length });
        copy
    }

    fn swap(&mut self, frame: Frame, one: usize, other: usize) -> Frame {
        let (first, second) = (one.min(other), one.max(other));
        let fits = second.checked_add(2).is_some_and(|end| end <= frame.len());
        if !fits || second - first < 2 {
            return frame;
        }
        let mut copy = frame.clone();
        for byte in 0..2 {
            copy.swap(first + byte, second + byte);
        }
        self.stage.counts.words_swapped += 1;
        self.did(Action::WordsSwapped(first, second));
        copy
    }

    fn did(&mut self, action: Action) {
        if self.stage.deeds.len() == DEEDS {
            self.stage.deeds.pop_front();
        }
        self.stage.deeds.push_back(Deed { now: self.now, number: self.number, action });
    }
}
