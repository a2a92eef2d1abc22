//! The fields of a request: which of those that were given go where, and what is added.
//!
//! Read RFC 9110 sections 7.2, 11.6.2 and 15.4, and RFC 6265 section 5.4 first.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use framewise_core::seams::exchange::Headers;
use thiserror::Error;

use super::Fetch;
use super::coding::ACCEPTED;
use super::redirect::Route;

/// Fields that were given for one origin, and are sent to no other.
const FOR_ONE_ORIGIN: [&str; 4] = ["Host", "Authorization", "Proxy-Authorization", "Cookie"];

/// Fields that speak of a body (RFC 9110, section 15.4), and go with it.
const OF_A_BODY: [&str; 8] = [
    "Content-Type",
    "Content-Encoding",
    "Content-Language",
    "Content-Location",
    "Content-Range",
    "Digest",
    "Last-Modified",
    "Expect",
];

/// Why what was given can't be a request's field.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum FieldError {
    /// The layer writes it, so that it is always true.
    #[error("{0} is written by HTTP itself, from the body that is sent: it can't be given")]
    Framing(String),
    /// It stands in a request once.
    #[error("{0} was given twice, and a request has one")]
    Twice(&'static str),
    /// A user's name ends at the colon (RFC 7617, section 2).
    #[error("a user's name holds no colon: the first one begins the password")]
    UserWithColon,
    /// RFC 7617, section 2.
    #[error("a user's name and password hold no control characters")]
    UserWithControl,
}

/// Whether these fields can be given.
pub(crate) fn check(headers: &Headers) -> Result<(), FieldError> {
    let framing =
        |name: &str| ["Content-Length", "Transfer-Encoding"].iter().any(|f| f.eq_ignore_ascii_case(name));
    if let Some((name, _)) = headers.iter().find(|(name, _)| framing(name)) {
        return Err(FieldError::Framing(name.to_owned()));
    }
    let is_twice = |name: &&&str| headers.all(name).nth(1).is_some();
    let twice = ["Host", "Authorization"].iter().find(is_twice);
    twice.map_or(Ok(()), |name| Err(FieldError::Twice(name)))
}

/// The value of `Authorization` by which a user shows a password (RFC 7617, section 2; in UTF-8).
pub(crate) fn basic(user: &str, password: &str) -> Result<String, FieldError> {
    if user.contains(':') {
        return Err(FieldError::UserWithColon);
    }
    if user.chars().chain(password.chars()).any(char::is_control) {
        return Err(FieldError::UserWithControl);
    }
    Ok(format!("Basic {}", STANDARD.encode(format!("{user}:{password}"))))
}

/// The fields of the request that is to be sent now, with these cookies of the jar.
pub(crate) fn of_request(fetch: &Fetch, route: &Route, from_jar: Option<String>) -> Headers {
    let is_home = route.is_home();
    let mut headers = Headers::new();
    if !(is_home && fetch.headers.contains("Host")) {
        headers.push("Host", route.url().host_header());
    }
    let is = |name: &str, names: &[&str]| names.iter().any(|other| other.eq_ignore_ascii_case(name));
    for (name, value) in fetch.headers.iter() {
        let stays_home = !is_home && is(name, &FOR_ONE_ORIGIN);
        let has_no_body = route.has_lost_body() && is(name, &OF_A_BODY);
        if !(stays_home || has_no_body || name.eq_ignore_ascii_case("Cookie")) {
            headers.push(name, value);
        }
    }
    if let Some(credentials) = fetch.credentials.as_ref().filter(|_| is_home)
        && !headers.contains("Authorization")
    {
        headers.push("Authorization", credentials.as_str());
    }
    if fetch.decoding.is_some() && !headers.contains("Accept-Encoding") {
        headers.push("Accept-Encoding", ACCEPTED);
    }
    let given = fetch.headers.all("Cookie").filter(|_| is_home).map(<[u8]>::to_vec);
    // All cookies stand in one field.
    let cookies: Vec<_> = given.chain(from_jar.map(String::into_bytes)).collect();
    if !cookies.is_empty() {
        headers.push("Cookie", cookies.join(&b"; "[..]));
    }
    headers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_s_password_is_written_as_the_rfc_has_it() {
        // The examples of RFC 7617, sections 2 and 2.1.
        assert_eq!(basic("Aladdin", "open sesame").unwrap(), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
        assert_eq!(basic("test", "123\u{a3}").unwrap(), "Basic dGVzdDoxMjPCow==");
        assert_eq!(basic("me", "a:b").unwrap(), "Basic bWU6YTpi");
        assert_eq!(basic("a:b", "c"), Err(FieldError::UserWithColon));
        assert_eq!(basic("a", "b\r\nX: y"), Err(FieldError::UserWithControl));
    }

    #[test]
    fn what_the_layer_writes_can_t_be_given() {
        let given = |name: &str| check(&Headers::from_iter([(name, "5")]));
        assert_eq!(given("content-length"), Err(FieldError::Framing("content-length".to_owned())));
        assert!(given("Transfer-Encoding").is_err());
        assert!(given("Host").is_ok() && given("Content-Type").is_ok());
        let twice = check(&Headers::from_iter([("Host", "a"), ("host", "b")]));
        assert_eq!(twice, Err(FieldError::Twice("Host")));
    }
}
