//! For which hosts and paths a cookie is (RFC 6265, sections 5.1.3, 5.1.4 and 5.3).

use framewise_http::Url;

/// Whether a cookie for `domain` and all below it is for this host: only names have something below them.
pub(super) fn domain_matches(host: &str, domain: &str) -> bool {
    if host == domain {
        return true;
    }
    let below = host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'));
    below && !is_address(host)
}

fn is_address(host: &str) -> bool {
    host.starts_with('[') || host.parse::<std::net::Ipv4Addr>().is_ok()
}

/// The host that a cookie is for, and whether for that alone; `None` if it may not be for what it says.
///
/// A domain of one label, such as `com`, has hosts of many owners below it: it is taken only from the host of that name, for
/// itself. (Of suffixes of more labels, such as `co.uk`, nothing is known here.)
pub(super) fn domain_of(said: Option<&str>, url: &Url) -> Option<(String, bool)> {
    let host = url.host().to_owned();
    let Some(said) = said.map(|said| said.trim_start_matches('.').to_ascii_lowercase()) else {
        return Some((host, true));
    };
    if said.is_empty() {
        return Some((host, true));
    }
    let has_one_label = !said.trim_end_matches('.').contains('.');
    match said == host {
        true => Some((host.clone(), has_one_label || is_address(&host))),
        false if !has_one_label && domain_matches(&host, &said) => Some((said, false)),
        false => None,
    }
}

/// The path of a cookie that says none: the request's up to its last `/`.
pub(super) fn default_path(path: &str) -> String {
    match path.rfind('/') {
        None | Some(0) => "/".to_owned(),
        Some(end) => path[..end].to_owned(),
    }
}

/// Whether a cookie of this path is for a request of that one.
pub(super) fn path_matches(request: &str, cookie: &str) -> bool {
    let Some(rest) = request.strip_prefix(cookie) else { return false };
    rest.is_empty() || cookie.ends_with('/') || rest.starts_with('/')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn domains_match_themselves_and_what_is_below() {
        for (host, domain, matches) in [
            ("shop.test", "shop.test", true),
            ("www.shop.test", "shop.test", true),
            ("bookshop.test", "shop.test", false),
            ("shop.test", "www.shop.test", false),
            ("10.0.0.1", "0.0.1", false),
            ("[2001:db8::1]", "[2001:db8::1]", true),
        ] {
            assert_eq!(domain_matches(host, domain), matches, "{host} {domain}");
        }
    }

    #[test]
    fn a_server_speaks_for_itself_and_its_own_domain() {
        let of = |url: &str, said: &str| domain_of(Some(said), &Url::parse(url).expect("a URL"));
        assert_eq!(of("http://www.shop.test/", ".shop.test"), Some(("shop.test".to_owned(), false)));
        assert_eq!(of("http://www.shop.test/", "SHOP.test"), Some(("shop.test".to_owned(), false)));
        for foreign in ["test", "other.test", "www.other.test", "a.www.shop.test", "op.test"] {
            assert_eq!(of("http://www.shop.test/", foreign), None, "{foreign}");
        }
        assert_eq!(of("http://localhost/", "localhost"), Some(("localhost".to_owned(), true)));
        assert_eq!(of("http://192.0.2.1/", "192.0.2.1"), Some(("192.0.2.1".to_owned(), true)));
        assert_eq!(of("http://192.0.2.1/", "2.1"), None);
    }

    #[test]
    fn paths_match_whole_segments() {
        assert_eq!([default_path("/"), default_path("/a"), default_path("/a/b")], ["/", "/", "/a"]);
        for (request, cookie, matches) in [
            ("/a", "/a", true),
            ("/a/b", "/a", true),
            ("/a/b", "/a/", true),
            ("/ab", "/a", false),
            ("/", "/a", false),
            ("/a", "/", true),
        ] {
            assert_eq!(path_matches(request, cookie), matches, "{request} {cookie}");
        }
    }
}
