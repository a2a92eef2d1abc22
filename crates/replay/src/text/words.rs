//! Lines cut into words.
//!
//! ```text
//!   word  = plain | text | key "=" ( plain | text )
//!   plain = characters without space and quotation marks
//!   text  = `"` characters and escapes `"`
//! ```
//! A `#` in front of a word begins a comment.

use super::error::{Problem, TextError, shown};

/// One word of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Word {
    /// Where it begins, from 1.
    pub(crate) column: usize,
    /// What stands before `=`, if there is one.
    pub(crate) key: Option<String>,
    /// What it says, or what stands behind `=`.
    pub(crate) value: Vec<u8>,
    /// Whether it stood between quotation marks.
    pub(crate) is_text: bool,
    /// The word as it stands in the line.
    written: String,
}

impl Word {
    /// What it says, where it is no text between quotation marks.
    pub(crate) fn plain(&self) -> Option<&str> {
        std::str::from_utf8(&self.value).ok().filter(|_| !self.is_text)
    }

    /// The word as an error shows it.
    pub(crate) fn shown(&self) -> String {
        let value = String::from_utf8_lossy(&self.value);
        match &self.key {
            Some(key) => shown(&format!("{key}={value}")),
            None => shown(&value),
        }
    }
}

/// The words of a line that is left to be read.
#[derive(Debug)]
pub(crate) struct Words {
    pub(crate) line: usize,
    /// The column behind the last character.
    end: usize,
    words: std::vec::IntoIter<Word>,
}

impl Words {
    /// Cuts a line.
    pub(crate) fn of(line: usize, text: &str) -> Result<Self, TextError> {
        let characters: Vec<char> = text.chars().collect();
        let mut cutter = Cutter { line, characters: &characters, at: 0 };
        let mut words = Vec::new();
        while let Some(word) = cutter.next_word()? {
            words.push(word);
        }
        Ok(Words { line, end: characters.len() + 1, words: words.into_iter() })
    }

    pub(crate) fn next(&mut self) -> Option<Word> {
        self.words.next()
    }

    pub(crate) fn peek(&self) -> Option<&Word> {
        self.words.as_slice().first()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.words.as_slice().is_empty()
    }

    /// What is left of the line as it was written, one space between its words, and without its comment.
    pub(crate) fn rest(&self) -> String {
        self.words.as_slice().iter().map(|word| word.written.as_str()).collect::<Vec<_>>().join(" ")
    }

    /// The next word read by `read`, which gives `None` for what it is not.
    pub(crate) fn take<T>(
        &mut self,
        expected: &'static str,
        read: impl FnOnce(&Word) -> Option<T>,
    ) -> Result<T, TextError> {
        match self.next() {
            Some(word) => read(&word).ok_or_else(|| self.unexpected(expected, &word)),
            None => Err(self.error(self.end, Problem::Expected { expected, found: None })),
        }
    }

    /// A word that does not belong here.
    pub(crate) fn unexpected(&self, expected: &'static str, word: &Word) -> TextError {
        self.error(word.column, Problem::Expected { expected, found: Some(word.shown()) })
    }

    /// The line was to end here.
    pub(crate) fn finish(&mut self) -> Result<(), TextError> {
        match self.next() {
            Some(word) => Err(self.unexpected("the end of the line", &word)),
            None => Ok(()),
        }
    }

    pub(crate) fn error(&self, column: usize, problem: Problem) -> TextError {
        TextError { line: self.line, column, problem }
    }
}

struct Cutter<'t> {
    line: usize,
    characters: &'t [char],
    at: usize,
}

impl Cutter<'_> {
    fn peek(&self) -> Option<char> {
        self.characters.get(self.at).copied()
    }

    fn next_word(&mut self) -> Result<Option<Word>, TextError> {
        while self.peek().is_some_and(char::is_whitespace) {
            self.at += 1;
        }
        let begin = self.at;
        let (mut plain, mut key) = (String::new(), None);
        loop {
            match self.peek() {
                None | Some('#') if plain.is_empty() && key.is_none() => return Ok(None),
                None => break,
                Some(c) if c.is_whitespace() => break,
                Some('"') if plain.is_empty() => {
                    let value = self.text()?;
                    return Ok(Some(self.word(begin, key, value, true)));
                }
                Some('=') if key.is_none() && is_name(&plain) => key = Some(std::mem::take(&mut plain)),
                Some(c) => plain.push(c),
            }
            self.at += 1;
        }
        Ok(Some(self.word(begin, key, plain.into_bytes(), false)))
    }

    /// The word from there up to here.
    fn word(&self, begin: usize, key: Option<String>, value: Vec<u8>, is_text: bool) -> Word {
        let written = self.characters.get(begin..self.at).unwrap_or_default().iter().collect();
        Word { column: begin + 1, key, value, is_text, written }
    }

    /// A text, from its first quotation mark to behind its last.
    fn text(&mut self) -> Result<Vec<u8>, TextError> {
        let begin = self.at + 1;
        let mut bytes = Vec::new();
        loop {
            self.at += 1;
            match self.peek() {
                None => return Err(self.error(begin, Problem::Unclosed)),
                Some('"') => break,
                Some('\\') => bytes.push(self.escape()?),
                Some(c) => bytes.extend(c.to_string().as_bytes()),
            }
        }
        self.at += 1;
        Ok(bytes)
    }

    fn escape(&mut self) -> Result<u8, TextError> {
        let column = self.at + 1;
        self.at += 1;
        let byte = match self.peek() {
            Some('n') => Some(b'\n'),
            Some('r') => Some(b'\r'),
            Some('t') => Some(b'\t'),
            Some('\\') => Some(b'\\'),
            Some('"') => Some(b'"'),
            Some('x') => {
                let digit = |at: usize| self.characters.get(at).and_then(|c| c.to_digit(16));
                let byte = digit(self.at + 1).zip(digit(self.at + 2)).map(|(a, b)| (a * 16 + b) as u8);
                self.at += 2;
                byte
            }
            _ => None,
        };
        byte.ok_or_else(|| self.error(column, Problem::Escape))
    }

    fn error(&self, column: usize, problem: Problem) -> TextError {
        TextError { line: self.line, column, problem }
    }
}

/// Whether this may stand in front of `=`: URLs hold that sign, too, but never behind such a word alone.
fn is_name(word: &str) -> bool {
    !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
}
