//! Pages in one plain look.

use framewise_http::{Response, StatusCode};

/// Text as HTML shows it, whatever is in it.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
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

/// A page with this title; `body` is HTML already.
pub fn page(title: &str, body: &str) -> Response {
    let title = escape(title);
    Response::html(format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>{title}</title>\n\
         <style>{STYLE}</style>\n<h1>{title}</h1>\n{body}\n</html>\n"
    ))
}

const STYLE: &str = "body{font:1rem/1.5 system-ui,sans-serif;max-width:40rem;margin:2rem auto;padding:0 1rem}\
                     h1{font-size:1.5rem}code,pre{background:#eee}a{color:#06c}";

/// A page about something that went wrong: what it was, and what would be right.
pub(crate) fn problem(status: StatusCode, wrong: &str, right: &str) -> Response {
    let body = format!("<p>{}</p>\n<p>{}</p>", escape(wrong), right);
    page(&status.to_string(), &body).with_status(status)
}
