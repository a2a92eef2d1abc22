//! Finds where a head ends, and refuses lines that are not as they must be, whatever pieces they come in.
//!
//! Read RFC 9112 sections 2.2, 5, 5.1, 5.2 and 7.1.2 first. One byte is looked at once, so that a head that
//! comes byte by byte costs no more than one that comes at once.

use crate::config::Limits;
use crate::rule::{Refusal, Rule};

/// Which part of a message is scanned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Request,
    Response,
    /// The fields after the last chunk: no first line.
    Trailers,
}

/// Empty lines that may come before a request (RFC 9112, section 2.2: at least one).
const EMPTY_LINES_BEFORE: u8 = 2;

const HEAD: &[u8] = b"HEAD";

/// With what each response begins (RFC 9112, section 2.3).
const HTTP_NAME: &[u8] = b"HTTP/";
/// Bytes by which a person recognizes another protocol.
pub(crate) const RECOGNIZED: usize = 24;

/// With what a record of TLS begins by which a server answers what is no TLS (RFC 8446, section 5.1).
const ALERT: u8 = 21;
const HANDSHAKE: u8 = 22;

/// The state between two bytes of a head.
#[derive(Debug, Clone)]
pub(crate) struct Scanner {
    part: Part,
    limits: Limits,
    /// Somebody else takes the message.
    watching: bool,
    state: State,
    offset: usize,
    first_line: bool,
    empty_lines: u8,
    spaces: u8,
    /// How long the method is, and whether it has been `HEAD` so far.
    method: usize,
    may_be_head: bool,
    target: usize,
    fields: usize,
    /// Where a field is folded for the first time.
    fold: Option<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    LineStart,
    FirstLine,
    Name,
    /// In what is no response.
    Foreign,
    /// Behind white space in a name: what it is there for, the colon or the line's end tells.
    NameSpaced {
        at: usize,
        /// Whether anything but white space came behind it.
        goes_on: bool,
    },
    Value,
    /// After CR; the line before it was empty or not.
    Return {
        empty: bool,
    },
}

impl Scanner {
    pub(crate) fn new(part: Part, limits: Limits) -> Self {
        Scanner {
            part,
            limits,
            watching: false,
            state: State::LineStart,
            offset: 0,
            first_line: part != Part::Trailers,
            empty_lines: 0,
            spaces: 0,
            method: 0,
            may_be_head: true,
            target: 0,
            fields: 0,
            fold: None,
        }
    }

    /// The same for a message that somebody else takes, who may unfold what is folded.
    pub(crate) fn watching(part: Part, limits: Limits) -> Self {
        Scanner { watching: true, ..Scanner::new(part, limits) }
    }

    /// Where the first line begins that folds a field.
    pub(crate) fn fold(&self) -> Option<usize> {
        self.fold
    }

    /// How many fields were seen.
    pub(crate) fn fields(&self) -> usize {
        self.fields
    }

    /// Whether the method is HEAD, as far as the request has come.
    pub(crate) fn asks_for_head_alone(&self) -> bool {
        self.part == Part::Request && self.spaces > 0 && self.may_be_head && self.method == HEAD.len()
    }

    /// Looks at the next bytes: where in them the head ends, if it does.
    pub(crate) fn scan(&mut self, bytes: &[u8]) -> Result<Option<usize>, Refusal> {
        for (index, &byte) in bytes.iter().enumerate() {
            let done = self.step(byte).map_err(|rule| Refusal::new(rule, self.place_of(rule)))?;
            self.offset = self.offset.saturating_add(1);
            if done {
                return Ok(Some(index + 1));
            }
        }
        Ok(None)
    }

    /// Where a rule is broken: here, or at the white space in a name, of which one knows only now what it was.
    fn place_of(&self, rule: Rule) -> usize {
        match (self.state, rule) {
            (State::NameSpaced { at, .. }, Rule::SpaceBeforeColon | Rule::FieldName) => at,
            _ => self.offset,
        }
    }

    fn step(&mut self, byte: u8) -> Result<bool, Rule> {
        if self.offset >= self.limits.head_bytes {
            return Err(Rule::HeadTooLong);
        }
        match (self.state, byte) {
            (State::LineStart, ALERT | HANDSHAKE) if self.offset == 0 && self.part == Part::Response => {
                return Err(Rule::TlsRecord);
            }
            (State::Foreign, _) => return self.foreign(byte),
            _ if self.is_no_response(byte) => {
                self.state = State::Foreign;
                return self.foreign(byte);
            }
            (State::Return { empty }, b'\n') => return self.line_ended(empty),
            (State::Return { .. }, _) => return Err(Rule::BareCarriageReturn),
            (_, b'\n') => return Err(Rule::BareLineFeed),
            (State::Name | State::NameSpaced { .. }, b'\r') => return Err(Rule::NoColon),
            (state, b'\r') => {
                let empty = state == State::LineStart;
                self.state = State::Return { empty };
            }
            (State::LineStart, _) if self.first_line => {
                self.state = State::FirstLine;
                self.first_line_byte(byte)?;
            }
            (State::LineStart, b' ' | b'\t') if self.unfolds() && self.fields > 0 => {
                self.fold.get_or_insert(self.offset);
                self.state = State::Value;
            }
            (State::LineStart, b' ' | b'\t') => return Err(Rule::FoldedField),
            (State::LineStart, _) => self.field_begins(byte)?,
            (State::FirstLine, _) => self.first_line_byte(byte)?,
            (State::Name, b':') => self.state = State::Value,
            (State::Name, b' ' | b'\t') => {
                self.state = State::NameSpaced { at: self.offset, goes_on: false };
            }
            (State::NameSpaced { goes_on: false, .. }, b':') => return Err(Rule::SpaceBeforeColon),
            (State::NameSpaced { .. }, b':') => return Err(Rule::FieldName),
            (State::NameSpaced { .. }, b' ' | b'\t') => {}
            (State::NameSpaced { .. }, _) if is_control(byte) => return Err(Rule::ControlCharacter),
            (State::NameSpaced { at, .. }, _) => self.state = State::NameSpaced { at, goes_on: true },
            (State::Name, _) => name_byte(byte)?,
            (State::Value, _) if is_control(byte) && byte != b'\t' => return Err(Rule::ControlCharacter),
            (State::Value, _) => {}
        }
        Ok(false)
    }

    /// Whether the message is no response, by this byte of its first ones. An empty line in front of one is another matter.
    fn is_no_response(&self, byte: u8) -> bool {
        let expected = HTTP_NAME.get(self.offset).filter(|_| self.part == Part::Response && !self.watching);
        let is_line_end = self.offset < 2 && matches!(byte, b'\r' | b'\n');
        expected.is_some_and(|expected| *expected != byte) && !is_line_end
    }

    /// What is no response is refused once there is enough of it to recognize it by, in whatever pieces it comes.
    fn foreign(&self, byte: u8) -> Result<bool, Rule> {
        let is_enough = byte == b'\n' || self.offset + 1 >= RECOGNIZED;
        if is_enough { Err(Rule::NotHttp) } else { Ok(false) }
    }

    /// Whether what has come is the beginning of no response.
    pub(crate) fn is_foreign(&self) -> bool {
        self.state == State::Foreign
    }

    /// Whether a field may go on in the next line: who reads a response must take that (RFC 9112, section 5.2).
    fn unfolds(&self) -> bool {
        self.watching || self.part == Part::Response
    }

    /// Whether the line that ended was the last of the head.
    fn line_ended(&mut self, empty: bool) -> Result<bool, Rule> {
        self.state = State::LineStart;
        if !empty {
            self.first_line = false;
            return Ok(false);
        }
        if !self.first_line {
            return Ok(true);
        }
        self.empty_lines = self.empty_lines.saturating_add(1);
        match self.part {
            Part::Request if self.empty_lines <= EMPTY_LINES_BEFORE => Ok(false),
            Part::Request => Err(Rule::RequestLine),
            Part::Response | Part::Trailers => Err(Rule::StatusLine),
        }
    }

    fn first_line_byte(&mut self, byte: u8) -> Result<(), Rule> {
        // A reason phrase may hold HTAB (RFC 9112, section 4); a request line holds no white space but its two spaces.
        if is_control(byte) && !(byte == b'\t' && self.part == Part::Response) {
            return Err(Rule::ControlCharacter);
        }
        if byte == b' ' {
            self.spaces = self.spaces.saturating_add(1);
        } else if self.spaces == 1 && self.part == Part::Request {
            self.target = self.target.saturating_add(1);
        } else if self.spaces == 0 {
            self.may_be_head &= HEAD.get(self.method) == Some(&byte);
            self.method = self.method.saturating_add(1);
        }
        if self.target > self.limits.target_bytes {
            return Err(Rule::TargetTooLong);
        }
        Ok(())
    }

    fn field_begins(&mut self, byte: u8) -> Result<(), Rule> {
        name_byte(byte)?;
        self.fields = self.fields.saturating_add(1);
        self.state = State::Name;
        if self.fields > self.limits.fields {
            return Err(Rule::TooManyFields);
        }
        Ok(())
    }
}

fn name_byte(byte: u8) -> Result<(), Rule> {
    match byte {
        _ if is_token(byte) => Ok(()),
        _ if is_control(byte) => Err(Rule::ControlCharacter),
        _ => Err(Rule::FieldName),
    }
}

/// CTL (RFC 5234, appendix B.1).
pub(crate) fn is_control(byte: u8) -> bool {
    byte < 0x20 || byte == 0x7f
}

/// `tchar` (RFC 9110, section 5.6.2).
pub(crate) fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}
