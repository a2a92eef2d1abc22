//! Who a visitor is: a cookie that anybody can read and only we can write (HMAC, RFC 2104), and the tokens of its forms.
//!
//! ```text
//!   7.1767225600.mWv3…A.kB0s…8      customer 7, since then, a random name of this session, and the signature
//! ```
//!
//! Nothing of a session is kept here, so that any thread of any process knows every visitor.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use framewise_core::Rng;
use framewise_http::Request;
use ring::hmac;

/// How long a session lasts, in seconds.
const LIFETIME: u64 = 14 * 86_400;
/// After how many seconds it is signed anew.
const RENEWED: u64 = 86_400;

/// One visitor's session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Session {
    /// Who signed in.
    pub(crate) customer: Option<i64>,
    /// Since when, in seconds since 1970.
    issued: u64,
    /// What no other session has. Signing in makes a new one.
    name: String,
}

impl Session {
    /// A session of this customer, or of somebody who has not said who they are.
    pub(crate) fn new(customer: Option<i64>, now: u64, randomness: &mut Rng) -> Self {
        Session { customer, issued: now, name: BASE64.encode(randomness.bytes::<16>()) }
    }

    /// The session that a request shows, if it is one of ours and not too old.
    pub(crate) fn of(request: &Request, key: &hmac::Key, now: u64) -> Option<Self> {
        let wanted = cookie_name(request);
        let fields = request.head.headers.all("cookie").filter_map(|field| std::str::from_utf8(field).ok());
        let cookies = fields.flat_map(cookie::Cookie::split_parse).flatten();
        let mut sessions = cookies.filter(|cookie| cookie.name() == wanted);
        // Another name's cookie for a domain above ours may come, too: any of ours will do.
        sessions.find_map(|cookie| Session::opened(cookie.value(), key, now))
    }

    fn opened(text: &str, key: &hmac::Key, now: u64) -> Option<Self> {
        let (said, signature) = text.rsplit_once('.')?;
        let signature = BASE64.decode(signature).ok()?;
        hmac::verify(key, format!("session:{said}").as_bytes(), &signature).ok()?;
        let mut parts = said.split('.');
        let customer = parts.next()?.parse().ok()?;
        let (issued, name) = (parts.next()?.parse::<u64>().ok()?, parts.next()?.to_owned());
        let is_fresh = issued <= now && now - issued <= LIFETIME;
        is_fresh.then_some(Session { customer: (customer != 0).then_some(customer), issued, name })
    }

    /// The same, signed today.
    pub(crate) fn renewed(&self, now: u64) -> Option<Self> {
        (now.saturating_sub(self.issued) > RENEWED).then(|| Session { issued: now, ..self.clone() })
    }

    /// The field that gives it to the browser: to send back over this scheme alone, unseen by scripts, and not with forms that
    /// other sites send.
    pub(crate) fn set_cookie(&self, request: &Request, key: &hmac::Key) -> String {
        let said = format!("{}.{}.{}", self.customer.unwrap_or(0), self.issued, self.name);
        let signature = BASE64.encode(hmac::sign(key, format!("session:{said}").as_bytes()));
        let secure = if is_secure(request) { "; Secure" } else { "" };
        format!(
            "{}={said}.{signature}; Path=/; Max-Age={LIFETIME}; HttpOnly; SameSite=Lax{secure}",
            cookie_name(request)
        )
    }

    /// A token that shows that a form is from a page of this session. Another one each time, so that nobody guesses it letter by
    /// letter from the lengths of compressed pages.
    pub(crate) fn token(&self, key: &hmac::Key, randomness: &mut Rng) -> String {
        let salt = BASE64.encode(randomness.bytes::<9>());
        let signature = BASE64.encode(hmac::sign(key, self.token_text(&salt).as_bytes()));
        format!("{salt}.{signature}")
    }

    /// Whether this is a token of this session.
    pub(crate) fn has_given(&self, token: &str, key: &hmac::Key) -> bool {
        let Some((salt, signature)) = token.split_once('.') else { return false };
        let Ok(signature) = BASE64.decode(signature) else { return false };
        hmac::verify(key, self.token_text(salt).as_bytes(), &signature).is_ok()
    }

    fn token_text(&self, salt: &str) -> String {
        format!("form:{}:{salt}", self.name)
    }
}

fn is_secure(request: &Request) -> bool {
    request.connection.tls.is_some()
}

/// With `__Host-`, a browser takes it over https alone and from this very host (RFC 6265bis, section 4.1.3.2): whoever is on the
/// way of plain http can plant none.
fn cookie_name(request: &Request) -> &'static str {
    if is_secure(request) { "__Host-session" } else { "session" }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_767_225_600;

    fn text(session: &Session, key: &hmac::Key) -> String {
        let said = format!("{}.{}.{}", session.customer.unwrap_or(0), session.issued, session.name);
        format!("{said}.{}", BASE64.encode(hmac::sign(key, format!("session:{said}").as_bytes())))
    }

    #[test]
    fn only_what_we_have_signed_is_a_session_and_only_for_a_while() {
        let (ours, theirs) =
            (hmac::Key::new(hmac::HMAC_SHA256, b"ours"), hmac::Key::new(hmac::HMAC_SHA256, b"theirs"));
        let session = Session::new(Some(7), NOW, &mut Rng::from_seed(1));
        let good = text(&session, &ours);
        assert_eq!(Session::opened(&good, &ours, NOW), Some(session.clone()));
        assert_eq!(Session::opened(&good, &ours, NOW + LIFETIME), Some(session.clone()));
        assert_eq!(Session::opened(&good, &ours, NOW + LIFETIME + 1), None);
        assert_eq!(Session::opened(&good, &ours, NOW - 1), None, "of the future");
        assert_eq!(Session::opened(&text(&session, &theirs), &ours, NOW), None);
        assert_eq!(Session::opened(&good.replacen('7', "8", 1), &ours, NOW), None);
        for wrong in ["", ".", "...", "7", &good[..good.len() - 1], &good[1..], "é.é.é.é"] {
            assert_eq!(Session::opened(wrong, &ours, NOW), None, "{wrong:?}");
        }
    }

    #[test]
    fn a_token_belongs_to_one_session_and_differs_each_time() {
        let key = hmac::Key::new(hmac::HMAC_SHA256, b"ours");
        let mut randomness = Rng::from_seed(1);
        let [one, other] = [Some(7), Some(7)].map(|customer| Session::new(customer, NOW, &mut randomness));
        let tokens = [one.token(&key, &mut randomness), one.token(&key, &mut randomness)];
        assert_ne!(tokens[0], tokens[1]);
        assert!(tokens.iter().all(|token| one.has_given(token, &key) && !other.has_given(token, &key)));
        assert!(!one.has_given("", &key) && !one.has_given(".", &key));
        assert!(!one.has_given(&text(&one, &key), &key), "a session is no token");
    }
}
