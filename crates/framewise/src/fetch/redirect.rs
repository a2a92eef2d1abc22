//! Redirects: where a response leads, and with what request.
//!
//! Read RFC 9110 sections 10.2.2 and 15.4 first.
//!
//! ```text
//!   301, 302   POST becomes GET, without its body; any other method stays as it is
//!   303        all but HEAD become GET, without a body
//!   307, 308   method and body stay
//! ```

use framewise_core::seams::exchange::ResponseHead;
use framewise_http::{Url, UrlError};
use http::{Method, StatusCode};
use thiserror::Error;

/// A redirect that was followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redirect {
    /// The URL that was asked for.
    pub url: String,
    /// The status that led on from there.
    pub status: StatusCode,
}

/// Why a redirect can't be followed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum RedirectError {
    /// There were as many before as may be.
    #[error("redirected more than {limit} times, at last to {to}")]
    TooMany {
        /// How many are followed.
        limit: usize,
        /// Where the next one leads.
        to: String,
    },
    /// It leads to where it came from, and nothing has changed meanwhile.
    #[error("the redirects go round in a circle: {to} was asked for already")]
    Loop {
        /// Where it leads.
        to: String,
    },
    /// What it names is no page.
    #[error("the server redirects to {location:?}, which can't be followed")]
    Location {
        /// What the field `Location` says.
        location: String,
        /// What is wrong with it.
        #[source]
        reason: UrlError,
    },
    /// It names several.
    #[error("the server redirects to several places at once: Location is there more than once")]
    Ambiguous,
    /// The request's body would have to be sent once more, and is gone.
    #[error("{status} leads to {to}, with the same body again, and that was read as it was sent: it is gone")]
    Body {
        /// The status.
        status: StatusCode,
        /// Where it leads.
        to: String,
    },
}

/// What is asked for: at first what was said, then where redirects lead.
#[derive(Debug)]
pub(crate) struct Route {
    url: Url,
    method: Method,
    /// The first URL: what was given for its origin is for no other.
    home: Url,
    redirects: Vec<Redirect>,
    /// What was asked for since something last changed on our side.
    asked: Vec<(Method, Url)>,
    has_lost_body: bool,
}

/// The way on from a response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Turn {
    pub(crate) status: StatusCode,
    pub(crate) to: Url,
    pub(crate) method: Method,
    /// Whether the request's body goes along.
    pub(crate) keeps_body: bool,
}

impl Route {
    pub(crate) fn new(url: Url, method: Method) -> Self {
        let (home, asked) = (url.clone(), vec![(method.clone(), url.clone())]);
        Route { url, method, home, redirects: Vec::new(), asked, has_lost_body: false }
    }

    /// The URL that is asked for now.
    pub(crate) fn url(&self) -> &Url {
        &self.url
    }

    /// The method by which it is asked for.
    pub(crate) fn method(&self) -> &Method {
        &self.method
    }

    /// Whether it is of the origin that was asked at first.
    pub(crate) fn is_home(&self) -> bool {
        self.url.is_of_the_same_origin(&self.home)
    }

    /// Whether a redirect has made it a request without the body that was to be sent.
    pub(crate) fn has_lost_body(&self) -> bool {
        self.has_lost_body
    }

    /// What led here.
    pub(crate) fn redirects(&self) -> &[Redirect] {
        &self.redirects
    }

    /// Something has changed on our side, a cookie: the same request may get another answer.
    pub(crate) fn may_return(&mut self) {
        self.asked.clear();
    }

    /// Where this response leads, if it leads anywhere, and at most `most` did before.
    pub(crate) fn turn(&self, head: &ResponseHead, most: usize) -> Result<Option<Turn>, RedirectError> {
        let Some((method, keeps_body)) = self.as_redirected_by(head.status) else { return Ok(None) };
        let mut locations = head.headers.all("location");
        let Some(location) = locations.next() else { return Ok(None) };
        if locations.any(|other| other != location) {
            return Err(RedirectError::Ambiguous);
        }
        let location = String::from_utf8_lossy(location);
        let to = self
            .url
            .redirected(&location)
            .map_err(|reason| RedirectError::Location { location: location.clone().into_owned(), reason })?;
        if self.redirects.len() >= most {
            return Err(RedirectError::TooMany { limit: most, to: to.to_string() });
        }
        let turn = Turn { status: head.status, to, method, keeps_body };
        match self.asked.iter().any(|(method, url)| *method == turn.method && *url == turn.to) {
            true => Err(RedirectError::Loop { to: turn.to.to_string() }),
            false => Ok(Some(turn)),
        }
    }

    /// The method after a redirect of this status, and whether the body goes along (RFC 9110, sections 15.4.2 to 15.4.9).
    fn as_redirected_by(&self, status: StatusCode) -> Option<(Method, bool)> {
        let same = || Some((self.method.clone(), true));
        match status {
            StatusCode::MOVED_PERMANENTLY | StatusCode::FOUND if self.method == Method::POST => {
                Some((Method::GET, false))
            }
            StatusCode::MOVED_PERMANENTLY | StatusCode::FOUND => same(),
            StatusCode::SEE_OTHER if [Method::GET, Method::HEAD].contains(&self.method) => same(),
            StatusCode::SEE_OTHER => Some((Method::GET, false)),
            StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT => same(),
            _ => None,
        }
    }

    /// Goes there.
    pub(crate) fn follow(&mut self, turn: Turn) {
        self.redirects.push(Redirect { url: self.url.to_string(), status: turn.status });
        (self.url, self.method) = (turn.to, turn.method);
        self.asked.push((self.method.clone(), self.url.clone()));
        self.has_lost_body |= !turn.keeps_body;
    }
}

#[cfg(test)]
mod tests {
    use framewise_core::seams::exchange::{Headers, Version};

    use super::*;

    fn route(method: Method, url: &str) -> Route {
        Route::new(Url::parse(url).expect("a URL"), method)
    }

    fn answer(status: u16, location: &str) -> ResponseHead {
        ResponseHead {
            version: Version::Http11,
            status: StatusCode::from_u16(status).expect("a status"),
            reason: String::new(),
            headers: Headers::from_iter([("Location", location)]),
        }
    }

    #[test]
    fn each_status_keeps_or_changes_the_method() {
        for (status, method, after, keeps_body) in [
            (301, Method::POST, Method::GET, false),
            (302, Method::POST, Method::GET, false),
            (303, Method::POST, Method::GET, false),
            (303, Method::PUT, Method::GET, false),
            (303, Method::HEAD, Method::HEAD, true),
            (301, Method::PUT, Method::PUT, true),
            (302, Method::HEAD, Method::HEAD, true),
            (307, Method::POST, Method::POST, true),
            (308, Method::DELETE, Method::DELETE, true),
        ] {
            let turn = route(method.clone(), "http://shop.test/a").turn(&answer(status, "/b"), 1);
            let turn = turn.expect("it can be followed").expect("it leads on");
            assert_eq!((turn.method, turn.keeps_body), (after, keeps_body), "{status} {method}");
        }
        for status in [200, 300, 304, 305, 306, 404] {
            let turn = route(Method::GET, "http://shop.test/a").turn(&answer(status, "/b"), 1);
            assert_eq!(turn, Ok(None), "{status} leads nowhere");
        }
    }

    #[test]
    fn a_location_is_taken_from_where_it_was_said() {
        let to = |location: &str| {
            let turn =
                route(Method::GET, "https://shop.test:8443/a/b?c#part").turn(&answer(302, location), 1);
            turn.map(|turn| turn.expect("it leads on").to.to_string())
        };
        assert_eq!(to("d").unwrap(), "https://shop.test:8443/a/d#part");
        assert_eq!(to("/d#other").unwrap(), "https://shop.test:8443/d#other");
        assert_eq!(to("//other.test/").unwrap(), "https://other.test/#part");
        assert_eq!(to("http://me:secret@other.test/").unwrap(), "http://other.test/#part");
        for location in ["file:///etc/passwd", "javascript:alert(1)", "http://", "http://a b/"] {
            assert!(matches!(to(location), Err(RedirectError::Location { .. })), "{location}");
        }
    }

    #[test]
    fn circles_and_long_ways_end() {
        let mut route = route(Method::GET, "http://shop.test/a");
        assert!(matches!(route.turn(&answer(302, "/a"), 9), Err(RedirectError::Loop { .. })), "to itself");
        let turn = route.turn(&answer(302, "/b"), 9).expect("a way").expect("on");
        route.follow(turn);
        assert!(matches!(route.turn(&answer(302, "/a"), 9), Err(RedirectError::Loop { .. })), "and back");
        let long = route.turn(&answer(302, "/c"), 1);
        assert_eq!(long, Err(RedirectError::TooMany { limit: 1, to: "http://shop.test/c".to_owned() }));
        route.may_return();
        assert!(route.turn(&answer(302, "/a"), 9).is_ok(), "with a new cookie the same page may be another");
    }

    #[test]
    fn home_is_scheme_host_and_port() {
        for (to, is_home) in [
            ("http://shop.test/b", true),
            ("http://SHOP.test:80/", true),
            ("https://shop.test/", false),
            ("http://shop.test:81/", false),
            ("http://www.shop.test/", false),
        ] {
            let mut route = route(Method::GET, "http://shop.test/a");
            let turn = route.turn(&answer(307, to), 9).expect("a way").expect("on");
            route.follow(turn);
            assert_eq!(route.is_home(), is_home, "{to}");
        }
    }

    #[test]
    fn two_places_are_none() {
        let mut head = answer(302, "/b");
        head.headers.push("Location", "/c");
        let turn = route(Method::GET, "http://shop.test/a").turn(&head, 9);
        assert_eq!(turn, Err(RedirectError::Ambiguous));
    }
}
