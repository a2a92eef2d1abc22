//! Pages in one plain look, and among them those about something that went wrong: what it was, by which rule, and what
//! would be right. In HTML, or as plain text for whoever would rather have that.

use http::StatusCode;

use crate::accept;
use crate::message::{Request, Response};

const STYLE: &str = "body{font:1rem/1.5 system-ui,sans-serif;max-width:40rem;margin:2rem auto;padding:0 1rem}\
                     h1{font-size:1.5rem}code,pre{background:#eee}a{color:#06c}";

/// Text as HTML shows it, whatever is in it. What would move a terminal's cursor, or turn around the order in which text is read,
/// becomes U+FFFD.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in visible(text) {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

/// Text in which nothing is to be obeyed, lines and tabs apart.
fn visible(text: &str) -> impl Iterator<Item = char> {
    let mut chars = text.chars().peekable();
    std::iter::from_fn(move || {
        let c = chars.next()?;
        let is_of_lines = matches!(c, '\n' | '\t') || (c == '\r' && chars.peek() == Some(&'\n'));
        let is_obeyed = (c.is_control() && !is_of_lines) || is_bidi(c);
        Some(if is_obeyed { char::REPLACEMENT_CHARACTER } else { c })
    })
}

/// Whether a character is a `Bidi_Control` (Unicode Standard Annex 9).
fn is_bidi(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// What browsers let such a page do (Content Security Policy Level 3): whatever others have put into it, nothing in it is run, and
/// it asks for nothing but our own pictures.
const POLICY: &str = "default-src 'none'; img-src 'self'; style-src 'unsafe-inline'; base-uri 'none'";

/// A page with this title; `body` is HTML already.
pub fn page(title: &str, body: &str) -> Response {
    let title = escape(title);
    let page = Response::html(format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>{title}</title>\n\
         <style>{STYLE}</style>\n<h1>{title}</h1>\n{body}\n</html>\n"
    ));
    under_policy(page)
}

fn under_policy(page: Response) -> Response {
    page.header("Content-Security-Policy", POLICY)
}

/// Something that went wrong, as a page says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// What is answered.
    pub status: StatusCode,
    /// What was wrong, in a sentence.
    pub wrong: String,
    /// What would be right, in a sentence.
    pub right: String,
    /// Where to go from here: texts and what they lead to.
    pub links: Vec<(String, String)>,
    /// The RFC and its section: `RFC 9110 §15.5.5`.
    pub source: Option<&'static str>,
}

impl Problem {
    /// A problem with this status: what was wrong, and what would be right.
    pub fn new(status: StatusCode, wrong: impl Into<String>, right: impl Into<String>) -> Self {
        let (wrong, right) = (wrong.into(), right.into());
        Problem { status, wrong, right, links: Vec::new(), source: None }
    }

    /// The same with the RFC and section that say so.
    pub fn by(mut self, source: &'static str) -> Self {
        self.source = Some(source);
        self
    }

    /// The same with one more place to go to.
    pub fn link(mut self, text: impl Into<String>, target: impl Into<String>) -> Self {
        self.links.push((text.into(), target.into()));
        self
    }

    /// The page for who sent `request`.
    pub fn answer(&self, request: &Request) -> Response {
        self.page(request.list("accept").as_deref())
    }

    /// The page for who accepts these types, as `Accept` has them.
    pub fn page(&self, accept: Option<&str>) -> Response {
        let response = if accept.is_some_and(prefers_text) { self.text() } else { self.html() };
        response.with_status(self.status).header("Vary", "Accept")
    }

    fn html(&self) -> Response {
        let mut body = format!("<p>{}</p>\n<p>{}</p>", escape(&self.wrong), escape(&self.right));
        let link = |(text, target): &(String, String)| {
            format!("<a href=\"{}\">{}</a>", escape(target), escape(text))
        };
        let links: Vec<String> = self.links.iter().map(link).collect();
        if !links.is_empty() {
            body.push_str(&format!("\n<p>{}</p>", links.join(", ")));
        }
        if let Some(source) = self.source {
            let source = match rfc_url(source) {
                Some(url) => format!("<a href=\"{url}\">{}</a>", escape(source)),
                None => escape(source),
            };
            body.push_str(&format!("\n<p>See {source}.</p>"));
        }
        page(&self.status.to_string(), &body)
    }

    fn text(&self) -> Response {
        let mut text = format!("{}\n\n{}\n{}\n", self.status, self.wrong, self.right);
        for (name, target) in &self.links {
            let line = if name == target { format!("{name}\n") } else { format!("{name}: {target}\n") };
            text.push_str(&line);
        }
        if let Some(source) = self.source {
            text.push_str(&format!("See {source}.\n"));
        }
        under_policy(Response::text(visible(&text).collect::<String>()))
    }
}

/// Where the RFC Editor has the section of `RFC 9110 §15.5.5`.
fn rfc_url(source: &str) -> Option<String> {
    let (number, section) = source.strip_prefix("RFC ")?.split_once(" §")?;
    Some(format!("https://www.rfc-editor.org/rfc/rfc{number}#section-{section}"))
}

/// Whether an `Accept` would rather have text than HTML.
fn prefers_text(field: &str) -> bool {
    accept::media(field, "text/plain") > accept::media(field, "text/html")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Body;

    fn shown(problem: &Problem, accept: Option<&str>) -> (String, String) {
        let response = problem.page(accept);
        let kind = response.head.headers.text("content-type").unwrap_or_default().to_owned();
        let Body::Bytes(body) = response.body else { panic!("a page has a body") };
        (kind, String::from_utf8_lossy(&body).into_owned())
    }

    #[test]
    fn nothing_in_a_page_is_obeyed() {
        let hostile = "\u{1b}[2J\u{202e}\u{7}\u{7f}\u{9b}1m\r\u{2066}";
        let harmless = "\u{fffd}[2J\u{fffd}\u{fffd}\u{fffd}\u{fffd}1m\u{fffd}\u{fffd}";
        assert_eq!(escape(hostile), harmless);
        assert_eq!(escape("two\r\nlines,\ta tab, שלום"), "two\r\nlines,\ta tab, שלום");
        let problem = Problem::new(StatusCode::NOT_FOUND, hostile, "right").link(hostile, "/");
        for accept in [None, Some("text/plain")] {
            let (_, page) = shown(&problem, accept);
            assert_eq!(page.matches(harmless).count(), 2, "{page:?}");
            assert!(!page.contains(|c: char| (c.is_control() && c != '\n') || is_bidi(c)), "{page:?}");
        }
    }

    #[test]
    fn it_is_html_unless_text_is_liked_better() {
        let problem = Problem::new(StatusCode::NOT_FOUND, "No <b>.", "See & ask.").by("RFC 9110 §15.5.5");
        for accept in [
            None,
            Some("*/*"),
            Some("text/html,*/*;q=0.8"),
            Some("image/png"),
            Some("text/plain;q=0.5, text/*"),
            Some(""),
        ] {
            let (kind, page) = shown(&problem, accept);
            assert!(kind.starts_with("text/html"), "{accept:?}");
            assert!(page.contains("<p>No &lt;b&gt;.</p>\n<p>See &amp; ask.</p>"), "{page}");
            assert!(page.contains("https://www.rfc-editor.org/rfc/rfc9110#section-15.5.5"), "{page}");
        }
        for accept in [
            "text/plain",
            "text/plain, text/html;q=0.9",
            "TEXT/PLAIN;Q=1, */*;q=0.1",
            "text/html;q=0, text/*",
        ] {
            let (kind, page) = shown(&problem, Some(accept));
            assert!(kind.starts_with("text/plain"), "{accept:?}");
            assert_eq!(page, "404 Not Found\n\nNo <b>.\nSee & ask.\nSee RFC 9110 §15.5.5.\n");
        }
    }
}
