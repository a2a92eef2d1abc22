//! The lines that say what happens.

use std::sync::OnceLock;
use std::time::Duration;

use bytes::Bytes;

use super::error::{Problem, TextError};
use super::values::{number, time, unkeyed, yes_or_no};
use super::wire;
use super::words::{Word, Words};
use crate::script::{Action, Deed, FetchLine, Heard, Step, When};

/// What a step may begin with, behind its time.
pub(super) const ACTIONS: &[&str] =
    &["<", ">", "silence", "fetch", "listen", "connect", "send", "read", "close", "abort", "hears"];
/// The keys of `fetch`.
const FETCH_KEYS: &[&str] = &["method", "body", "type", "header", "chunked", "redirects"];
/// Bytes that one line may have sent or injected.
pub(super) const MOST_BYTES: usize = 1 << 20;
/// Redirects that a fetch may follow.
const MOST_REDIRECTS: usize = 50;

/// Whether a line that begins so is a step.
pub(super) fn begins(word: &Word) -> bool {
    let said = unkeyed(word).unwrap_or_default();
    let begins_like_time = said.starts_with(|c: char| c.is_ascii_digit() || c == '+');
    ACTIONS.contains(&said) || said == "then" || begins_like_time
}

pub(super) fn read(words: &mut Words) -> Result<Step, TextError> {
    let (line, text) = (words.line, words.rest());
    let column = words.peek().map_or(1, |word| word.column);
    let when = when(words)?;
    let deed = words.rest();
    let action = action(words)?;
    let waits = matches!(action, Action::Expect(_) | Action::Silence | Action::Hear(_));
    if matches!(when, When::Between(..)) && !waits {
        let why = "between two times something is expected; what is done has one time";
        return Err(words.error(column, Problem::Conflict(why)));
    }
    if when == When::Then && !matches!(action, Action::Do(Deed::Fetch(_))) {
        return Err(words.error(column, Problem::Conflict("`then` stands in front of a fetch")));
    }
    Ok(Step { line, text, deed, when, action })
}

/// The time in front of a step, if there is one.
fn when(words: &mut Words) -> Result<When, TextError> {
    let Some(first) = words.peek() else { return Ok(When::Now) };
    let said = unkeyed(first).unwrap_or_default();
    if said == "then" {
        words.next();
        return Ok(When::Then);
    }
    if !said.starts_with(|c: char| c.is_ascii_digit() || c == '+') {
        return Ok(When::Now);
    }
    words.take("a time such as 5ms, +5ms or +1s..2s", |word| {
        let said = unkeyed(word)?;
        match said.strip_prefix('+') {
            None => time(said).map(When::At),
            Some(later) => match later.split_once("..") {
                None => time(later).map(When::After),
                Some((from, to)) => between(from, to),
            },
        }
    })
}

fn between(from: &str, to: &str) -> Option<When> {
    let from = if from == "0" { Duration::ZERO } else { time(from)? };
    let to = time(to)?;
    (from <= to).then_some(When::Between(from, to))
}

fn action(words: &mut Words) -> Result<Action, TextError> {
    const WHAT: &str = "a step: < > silence fetch listen connect send read close abort hears";
    Ok(match words.name(WHAT, ACTIONS)? {
        "<" => Action::Inject(Box::new(wire::injection(words)?)),
        ">" => Action::Expect(wire::expectation(words)?),
        "silence" => Action::Silence,
        "hears" => Action::Hear(heard(words)?),
        "fetch" => Action::Do(Deed::Fetch(fetch(words)?)),
        "listen" => Action::Do(Deed::Listen(words.number("a port")?)),
        "connect" => Action::Do(Deed::Connect(words.endpoint()?)),
        "send" => Action::Do(Deed::Send(words.take("a text, or a number of bytes", payload)?)),
        "read" => Action::Do(Deed::Grant(words.number::<u32>("a number of bytes")? as usize)),
        "close" => Action::Do(Deed::Close),
        _ => Action::Do(Deed::Abort),
    })
}

/// A text as it stands, or a number of bytes, which are made up.
pub(super) fn payload(word: &Word) -> Option<Bytes> {
    if word.is_text {
        return Some(Bytes::from(word.value.clone()));
    }
    let length: usize = number(word.plain()?)?;
    (length <= MOST_BYTES).then(|| filler(length))
}

/// Bytes to be sent where it doesn't matter which: letters, so that one sees them in a dump. All are of the same store, so that a
/// script of a thousand large numbers takes no more memory than one.
pub(crate) fn filler(length: usize) -> Bytes {
    static LETTERS: OnceLock<Bytes> = OnceLock::new();
    let letters = LETTERS.get_or_init(|| (b'a'..=b'z').cycle().take(MOST_BYTES).collect());
    letters.slice(..length.min(MOST_BYTES))
}

fn heard(words: &mut Words) -> Result<Heard, TextError> {
    const WHAT: &str = "opened, data, peer-closed or closed";
    Ok(match words.name(WHAT, &["opened", "data", "peer-closed", "closed"])? {
        "opened" => Heard::Opened,
        "peer-closed" => Heard::PeerClosed,
        "data" => words.take("a text, or a number of bytes", |word| match word.is_text {
            true => Some(Heard::Text(word.value.clone())),
            false => number(word.plain()?).map(Heard::Data),
        })?,
        _ => {
            let reason = words.take("the reason, between quotation marks", |word| {
                word.is_text.then(|| String::from_utf8_lossy(&word.value).into_owned())
            })?;
            Heard::Closed(reason)
        }
    })
}

fn fetch(words: &mut Words) -> Result<FetchLine, TextError> {
    let url = words.word("a URL such as http://shop.test/")?;
    let mut line = FetchLine {
        url,
        method: "GET".to_owned(),
        headers: Vec::new(),
        body: None,
        is_chunked: false,
        redirects: 0,
    };
    while let Some(word) = words.next() {
        let text = || String::from_utf8_lossy(&word.value).into_owned();
        match word.key.as_deref() {
            Some("method") => {
                let method = text();
                if method.is_empty() || !method.bytes().all(|b| b.is_ascii_uppercase()) {
                    return Err(words.unexpected("a method such as PUT", &word));
                }
                line.method = method;
            }
            Some("body") => line.body = Some(Bytes::from(word.value.clone())),
            Some("type") => line.headers.push(("Content-Type".to_owned(), word.value.clone())),
            Some("header") => {
                let field = text();
                let Some((name, value)) = field.split_once(':') else {
                    return Err(words.unexpected("a field such as \"Range: bytes=0-9\"", &word));
                };
                line.headers.push((name.trim().to_owned(), value.trim().as_bytes().to_vec()));
            }
            Some("chunked") => {
                line.is_chunked = yes_or_no(&text()).ok_or_else(|| words.unexpected("yes or no", &word))?;
            }
            Some("redirects") => {
                let most: Option<usize> = number(&text());
                let most = most.filter(|&most| most <= MOST_REDIRECTS);
                line.redirects = most.ok_or_else(|| words.unexpected("a number up to 50", &word))?;
            }
            _ => {
                let name = word.key.clone().unwrap_or_else(|| word.shown());
                return Err(
                    words.error(word.column, Problem::Unknown { kind: "key", name, known: FETCH_KEYS })
                );
            }
        }
    }
    Ok(line)
}
