//! What somebody may want, where one stands, and what keys mean.

use super::histories::{Choice, Pair};
use super::ways::Way;

/// What somebody at the keyboard may want.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// The next step, or the one before.
    Next,
    /// The step before.
    Back,
    /// The first step of the next frame.
    NextFrame,
    /// The first step of the frame before.
    PreviousFrame,
    /// The first step of all.
    First,
    /// The last step of all.
    Last,
    /// The next step of the layer of this number, from 2; 0: of the layer where one is.
    NextOf(u8),
    /// The step of this layer before.
    PreviousOf,
    /// A field up or down, by so many.
    Field(isize),
    /// Opens the bytes, or closes them.
    Bytes,
    /// Where else these bytes are.
    Ways,
    /// Back to where one came from by such a way, by a search or by a number.
    Return,
    /// Guesses the answer of this number, from 0.
    Guess(usize),
    /// Shows how things stand after the frame, or the fields again.
    State,
    /// Asks what to do differently.
    WhatIf,
    /// Goes to the next history.
    OtherHistory,
    /// Shows two histories side by side.
    SideBySide,
    /// Goes to the other host.
    OtherHost,
    /// Says which source file does this.
    Source,
    /// Plays, or pauses.
    Play,
    /// Plays faster.
    Faster,
    /// Plays slower.
    Slower,
    /// Asks for a text to find.
    Search,
    /// The next place of that text.
    FindNext,
    /// Asks for the number of a frame.
    Goto,
    /// Shows all keys.
    Help,
    /// A character of what is asked for.
    Type(char),
    /// Takes back the last character.
    Erase,
    /// Takes what is chosen or typed.
    Accept,
    /// Closes what is open.
    Close,
    /// Ends.
    Quit,
}

/// Where one stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The frame, from 1.
    pub frame: usize,
    /// The step of it, from 0.
    pub step: usize,
}

/// What keys mean now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Walking.
    Walk,
    /// All keys are shown.
    Help,
    /// A text is asked for.
    Search(String),
    /// A number is asked for.
    Goto(String),
    /// Ways are shown, and one of them is marked.
    Ways(Vec<Way>, usize),
    /// What can be done differently is shown, and one thing is marked.
    WhatIf(Vec<Choice>, usize),
    /// Two histories are shown, and one pair of frames is marked.
    Compare(Vec<Pair>, usize),
}
