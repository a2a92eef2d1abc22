//! The first line of a message: RFC 9112 sections 2.3, 3 and 4; RFC 9110 section 9.3 (methods).

use std::ops::Range;

use framewise_core::Field;

use super::status;

/// A word's sentence and where it is from.
type Said = (String, &'static str);
/// A word's name, and what gives its sentence.
type Part = (&'static str, fn(&str) -> Said);

/// Method, target and version.
pub(super) fn request_line(place: Range<usize>, line: &str) -> Vec<Field> {
    words(place, line, &[("method", method), ("request target", target), ("HTTP version", version)])
}

/// Version, status code and reason.
pub(super) fn status_line(place: Range<usize>, line: &str) -> Vec<Field> {
    words(place, line, &[("HTTP version", version), ("status code", status::said), ("reason phrase", reason)])
}

/// The words of a first line; the last takes the rest.
fn words(whole: Range<usize>, line: &str, parts: &[Part; 3]) -> Vec<Field> {
    let mut at = whole.start;
    let mut fields = Vec::with_capacity(parts.len());
    for (word, (name, say)) in line.splitn(parts.len(), ' ').zip(parts) {
        let place = at.min(whole.end)..(at + word.len()).min(whole.end);
        let (meaning, source) = say(word);
        fields.push(Field::new(name, place, word, meaning, source));
        at += word.len() + 1;
    }
    fields
}

fn method(word: &str) -> Said {
    let (meaning, source) = match word {
        "GET" => ("What is wanted: information, and no change.", "RFC 9110 §9.3.1"),
        "HEAD" => ("What is wanted: the head that GET would get, without the page.", "RFC 9110 §9.3.2"),
        "POST" => {
            ("What is wanted: that the server takes in what is sent, such as a form.", "RFC 9110 §9.3.3")
        }
        "PUT" => ("What is wanted: that what is sent becomes the page.", "RFC 9110 §9.3.4"),
        "DELETE" => ("What is wanted: that the page goes away.", "RFC 9110 §9.3.5"),
        "CONNECT" => ("What is wanted: a way through this server to another.", "RFC 9110 §9.3.6"),
        "OPTIONS" => ("What is wanted: to know what may be wanted.", "RFC 9110 §9.3.7"),
        "TRACE" => ("What is wanted: the request back, as it arrives.", "RFC 9110 §9.3.8"),
        "PATCH" => ("What is wanted: that the page is changed as is said below.", "RFC 5789 §2"),
        _ => ("What is wanted: something that HTTP itself does not know.", "RFC 9110 §9.1"),
    };
    (meaning.to_owned(), source)
}

fn target(word: &str) -> Said {
    match word.split_once('?') {
        _ if word == "*" => ("The server itself, and none of its pages.".to_owned(), "RFC 9112 §3.2.4"),
        _ if word.contains("://") => {
            ("Of which page: the whole URL, as proxies are asked.".to_owned(), "RFC 9112 §3.2.2")
        }
        Some(_) => ("Of which page: path and query of the URL.".to_owned(), "RFC 9112 §3.2.1"),
        None => ("Of which page: the path of the URL, which has no query.".to_owned(), "RFC 9112 §3.2.1"),
    }
}

fn version(word: &str) -> Said {
    let meaning = match word {
        "HTTP/1.1" => {
            "By the rules of version 1.1: the connection stays open unless one side says otherwise."
        }
        "HTTP/1.0" => "By the rules of version 1.0: the connection ends with the response unless both agree.",
        _ => "Which rules this message follows.",
    };
    (meaning.to_owned(), "RFC 9112 §2.3")
}

fn reason(_: &str) -> Said {
    ("The same for people; programs ignore it.".to_owned(), "RFC 9112 §4")
}
