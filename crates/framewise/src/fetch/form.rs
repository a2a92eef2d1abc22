//! Forms as bodies of several parts: fields, and files of any length.
//!
//! Read RFC 7578 section 4 and RFC 2046 section 5.1.1 first.
//!
//! ```text
//!   --boundary
//!   Content-Disposition: form-data; name="item"
//!
//!   tea
//!   --boundary
//!   Content-Disposition: form-data; name="picture"; filename="tea.png"
//!   Content-Type: image/png
//!
//!   …
//!   --boundary--
//! ```

use std::io;

use bytes::Bytes;
use framewise_core::Rng;
use framewise_http::Pieces;

use super::source::{Maker, Source};

/// A form to be sent.
///
/// ```
/// use framewise::{Fetch, Form, Part};
/// use framewise::http::Method;
/// let form = Form::new()
///     .part(Part::bytes("item", "tea"))
///     .part(Part::bytes("picture", &b"\x89PNG"[..]).file_name("tea.png").content_type("image/png"));
/// let fetch = Fetch::new(Method::POST, "https://shop.test/echo").form(form);
/// ```
#[derive(Default)]
pub struct Form(Vec<Part>);

/// One field of a form.
pub struct Part {
    name: String,
    file_name: Option<String>,
    content_type: Option<String>,
    content: Source,
}

impl Form {
    /// A form without a field.
    pub fn new() -> Self {
        Form::default()
    }

    /// Adds a field.
    pub fn part(mut self, part: Part) -> Self {
        self.0.push(part);
        self
    }

    /// The form as a body, and its content type. What stands between the parts must be in none of them: it is drawn by lot.
    pub(crate) fn into_source(self, rng: &mut Rng) -> (String, Source) {
        let boundary = format!("framewise-{:032x}", u128::from_le_bytes(rng.bytes()));
        let mut sources = Vec::new();
        for part in self.0 {
            sources.push(Source::Bytes(part.head(&boundary).into()));
            sources.push(part.content);
            sources.push(Source::Bytes(Bytes::from_static(b"\r\n")));
        }
        sources.push(Source::Bytes(format!("--{boundary}--\r\n").into()));
        (format!("multipart/form-data; boundary={boundary}"), joined(sources))
    }
}

impl Part {
    /// A field of this value.
    pub fn bytes(name: impl Into<String>, value: impl Into<Bytes>) -> Self {
        Part::of(name, Source::bytes(value.into()))
    }

    /// A field whose value is made as there is room for it. Without a length, the form is sent in chunks.
    pub fn stream(name: impl Into<String>, length: Option<u64>, pieces: Pieces) -> Self {
        Part::of(name, Source::Once { length, pieces: Some(pieces) })
    }

    /// The same, made anew each time that the form is sent: after a redirect that keeps the body, or on another try.
    pub fn maker(name: impl Into<String>, length: Option<u64>, make: Maker) -> Self {
        Part::of(name, Source::Each { length, make })
    }

    fn of(name: impl Into<String>, content: Source) -> Self {
        Part { name: name.into(), file_name: None, content_type: None, content }
    }

    /// The name of the file that it was.
    pub fn file_name(mut self, name: impl Into<String>) -> Self {
        self.file_name = Some(name.into());
        self
    }

    /// What its value is, such as `image/png`.
    pub fn content_type(mut self, content_type: impl Into<String>) -> Self {
        self.content_type = Some(content_type.into());
        self
    }

    fn head(&self, boundary: &str) -> String {
        let mut head =
            format!("--{boundary}\r\nContent-Disposition: form-data; name=\"{}\"", quoted(&self.name));
        if let Some(name) = &self.file_name {
            head.push_str(&format!("; filename=\"{}\"", quoted(name)));
        }
        if let Some(content_type) = &self.content_type {
            // Where a line ends, so does the field.
            let one_line: String = content_type.chars().filter(|c| !c.is_control()).collect();
            head.push_str(&format!("\r\nContent-Type: {one_line}"));
        }
        head + "\r\n\r\n"
    }
}

/// A name within quotation marks, as browsers write it (WHATWG HTML, section 4.10.21.8).
fn quoted(name: &str) -> String {
    name.replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A")
}

/// Sources one after the other.
fn joined(sources: Vec<Source>) -> Source {
    if let Some(bytes) = in_memory(&sources) {
        return Source::bytes(bytes);
    }
    let length = sources.iter().try_fold(0_u64, |sum, source| sum.checked_add(source.known_length()?));
    let mut sources = sources;
    match sources.iter().any(|source| matches!(source, Source::Once { .. })) {
        true => Source::Once { length, pieces: Some(once(sources)) },
        false => Source::Each { length, make: Box::new(move || each(&mut sources)) },
    }
}

fn in_memory(sources: &[Source]) -> Option<Bytes> {
    let mut whole = Vec::new();
    for source in sources {
        match source {
            Source::Empty => {}
            Source::Bytes(bytes) => whole.extend_from_slice(bytes),
            Source::Once { .. } | Source::Each { .. } => return None,
        }
    }
    Some(whole.into())
}

/// All pieces, from sources that may come once.
fn once(mut sources: Vec<Source>) -> Pieces {
    match each(&mut sources) {
        Ok(pieces) => pieces,
        Err(error) => Box::new(std::iter::once(Err(error))),
    }
}

/// All pieces, from the beginning of each.
fn each(sources: &mut [Source]) -> io::Result<Pieces> {
    let mut parts: Vec<Pieces> = Vec::new();
    for source in sources {
        match source {
            Source::Bytes(bytes) => parts.push(Box::new(std::iter::once(Ok(bytes.clone())))),
            source => parts.extend(source.open()?),
        }
    }
    Ok(Box::new(parts.into_iter().flatten()))
}

#[cfg(test)]
mod tests {
    use framewise_core::seams::exchange::BodyLength;

    use super::*;

    fn rng() -> Rng {
        Rng::from_seed(7)
    }

    /// All of a body, taken from its beginning.
    fn read(source: &mut Source) -> String {
        let bytes = match source {
            Source::Bytes(bytes) => bytes.to_vec(),
            source => {
                let pieces = source.open().expect("it can be made").expect("it is made of pieces");
                pieces.flat_map(|piece| piece.expect("a piece")).collect()
            }
        };
        String::from_utf8(bytes).expect("text")
    }

    #[test]
    fn a_form_is_written_as_the_rfc_has_it() {
        let file =
            Part::bytes("file\"\r\n", "<p>").file_name("a\"b\n.html").content_type("text/html\r\nX: y");
        let form = Form::new().part(Part::bytes("item", "tea")).part(file);
        let (content_type, mut source) = form.into_source(&mut rng());
        let boundary = content_type.strip_prefix("multipart/form-data; boundary=").expect("it is named");
        assert!(boundary.len() > 32 && boundary.len() <= 70, "RFC 2046 allows 70: {boundary}");
        let expected = format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"item\"\r\n\r\ntea\r\n\
             --{boundary}\r\nContent-Disposition: form-data; name=\"file%22%0D%0A\"; filename=\"a%22b%0A.html\"\r\n\
             Content-Type: text/htmlX: y\r\n\r\n<p>\r\n--{boundary}--\r\n"
        );
        assert_eq!(source.length(), BodyLength::Known(expected.len() as u64));
        assert_eq!(read(&mut source), expected);
    }

    #[test]
    fn files_are_read_as_they_are_sent_and_as_often() {
        let pieces =
            |count: usize| -> Pieces { Box::new((0..count).map(|_| Ok(Bytes::from_static(b"page")))) };
        let form = Form::new().part(Part::bytes("empty", "")).part(Part::maker(
            "file",
            Some(12),
            Box::new(move || Ok(pieces(3))),
        ));
        let (_, mut source) = form.into_source(&mut rng());
        let BodyLength::Known(length) = source.length() else { panic!("every part has a length") };
        let first = read(&mut source);
        assert_eq!(first.len() as u64, length);
        assert!(first.contains("\r\n\r\npagepagepage\r\n--"), "{first}");
        assert!(source.is_whole() && read(&mut source) == first);

        let form = Form::new().part(Part::stream("pipe", None, pieces(1)));
        let (_, mut source) = form.into_source(&mut rng());
        assert_eq!(source.length(), BodyLength::Unknown);
        assert!(read(&mut source).contains("\r\n\r\npage\r\n--"));
        assert!(!source.is_whole(), "a stream is gone once it was read");
    }

    #[test]
    fn what_stands_between_parts_differs_each_time() {
        let mut rng = rng();
        let mut one = || Form::new().into_source(&mut rng).0;
        assert_ne!(one(), one());
    }
}
