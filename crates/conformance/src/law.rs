//! The eight laws of the contract, by number and in words.

use std::fmt;

/// One of the laws that stand at [`framewise_core::layer`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Law {
    /// 1: same construction and same calls, same outputs.
    Pure,
    /// 2: what is taken comes out, is kept, or is dropped visibly.
    NothingLost,
    /// 3: every queue has a bound; credit is kept.
    Bounded,
    /// 4: polls give until `None`, and then `None` again.
    PollUntilNone,
    /// 5: no input makes a layer panic, hang or grow without bound.
    BadInput,
    /// 6: timeouts come when they are announced, and move on.
    Timeouts,
    /// 7: a message is made when it is asked for.
    Pull,
    /// 8: a stepped run ends as a free one does.
    Stepping,
}

impl Law {
    /// All, in order.
    pub const ALL: [Law; 8] = [
        Law::Pure,
        Law::NothingLost,
        Law::Bounded,
        Law::PollUntilNone,
        Law::BadInput,
        Law::Timeouts,
        Law::Pull,
        Law::Stepping,
    ];

    /// Its number in `framewise_core::layer`.
    pub fn number(self) -> usize {
        match self {
            Law::Pure => 1,
            Law::NothingLost => 2,
            Law::Bounded => 3,
            Law::PollUntilNone => 4,
            Law::BadInput => 5,
            Law::Timeouts => 6,
            Law::Pull => 7,
            Law::Stepping => 8,
        }
    }

    /// Its name in a few words.
    pub fn title(self) -> &'static str {
        match self {
            Law::Pure => "pure",
            Law::NothingLost => "nothing taken is lost",
            Law::Bounded => "bounded",
            Law::PollUntilNone => "polls give until None",
            Law::BadInput => "bad bytes are a drop",
            Law::Timeouts => "timeouts",
            Law::Pull => "pull, don't push",
            Law::Stepping => "stepping",
        }
    }

    /// What to look for in a layer that breaks it.
    pub fn meaning(self) -> &'static str {
        match self {
            Law::Pure => {
                "Two layers built alike and called alike must say the same, byte for byte, watched or not. Look for a clock, \
                 a source of randomness that was not handed in, or a HashMap whose order shows."
            }
            Law::NothingLost => {
                "What a layer takes must come out, be kept, or be counted by Cx::dropped. Look for a return or a full \
                 queue without a word."
            }
            Law::Bounded => {
                "Every queue needs a bound, and credit is a promise: no more may be handed on than was granted."
            }
            Law::PollUntilNone => {
                "A poll that gave None must give None again until something is handled or the clock reaches \
                 poll_timeout, and it must give None at last."
            }
            Law::BadInput => {
                "Bytes from outside can be anything. Look for an index, a slice, an unwrap or a subtraction on them; \
                 read with get and checked arithmetic, and drop what does not fit."
            }
            Law::Timeouts => {
                "After handle_timeout at the time that poll_timeout told, poll_timeout must tell a later time or None; \
                 a call before its time must change nothing."
            }
            Law::Pull => {
                "Below a seam without credit the next message is made at the moment of asking, so that it carries \
                 what has been learnt until then. Look for a queue of messages made ahead."
            }
            Law::Stepping => {
                "While stepping, messages cross inner seams only by step, one at a time, and the end must be \
                 that of a free run."
            }
        }
    }
}

impl fmt::Display for Law {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "law {} ({})", self.number(), self.title())
    }
}
