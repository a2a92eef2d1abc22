//! What a page's head asks of whoever fetched it: to say who they are, or to look elsewhere.

use framewise::Page;
use framewise::http::Url;

use crate::args;
use framewise_trace::words::printable;

/// One line, where the status asks for something that an option gives.
pub(crate) fn on(args: &args::Fetch, page: &Page) -> String {
    match page.head.status.as_u16() {
        401 => who_are_you(args, page),
        301..=303 | 307 | 308 if !args.http.location => elsewhere(page),
        _ => String::new(),
    }
}

/// RFC 9110, section 11.6.1.
fn who_are_you(args: &args::Fetch, page: &Page) -> String {
    let mut challenges = page.head.headers.all("www-authenticate").map(String::from_utf8_lossy);
    let is_basic =
        |challenge: &str| challenge.get(..5).is_some_and(|scheme| scheme.eq_ignore_ascii_case("basic"));
    if !challenges.any(|challenge| is_basic(&challenge)) {
        return "The server wants to know who asks, and not by a way that is known here: Basic (-u) is.\n"
            .to_owned();
    }
    let has_user = args.http.user.is_some() || Url::parse(&args.url).is_ok_and(|url| url.user().is_some());
    match has_user && page.redirects.is_empty() {
        true => "The server does not take this user and password.\n".to_owned(),
        false => "The server wants to know who asks: -u USER:PASSWORD tells it.\n".to_owned(),
    }
}

/// RFC 9110, section 10.2.2.
fn elsewhere(page: &Page) -> String {
    match page.head.headers.text("location") {
        Some(location) => format!("The page is elsewhere, at {}: -L goes there.\n", printable(location)),
        None => String::new(),
    }
}
