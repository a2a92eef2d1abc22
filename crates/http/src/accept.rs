//! What a client would like best: the weights in `Accept` and `Accept-Encoding`.
//!
//! Read RFC 9110 sections 12.4.2, 12.5.1 and 12.5.3 first. Weights are of 1,000, as three digits allow.
//!
//! ```
//! use framewise_http::accept;
//!
//! assert_eq!(accept::coding("br, gzip;q=0.5", "gzip"), 500);
//! assert_eq!(accept::media("text/*;q=0.3, */*;q=0.1", "image/png"), 100);
//! ```

/// The weight that an `Accept` gives to a media type: the most exact range counts.
pub fn media(field: &str, kind: &str) -> u16 {
    let top = kind.split('/').next().unwrap_or_default();
    let exact = |wanted: &str| weight(field, |name| name.eq_ignore_ascii_case(wanted));
    exact(kind).or_else(|| exact(&format!("{top}/*"))).or_else(|| exact("*/*")).unwrap_or(0)
}

/// The weight that an `Accept-Encoding` gives to a content coding.
pub fn coding(field: &str, coding: &str) -> u16 {
    let exact = weight(field, |name| {
        let name = name.strip_prefix("x-").or_else(|| name.strip_prefix("X-")).unwrap_or(name);
        name.eq_ignore_ascii_case(coding)
    });
    exact.or_else(|| weight(field, |name| name == "*")).unwrap_or(0)
}

/// Whether an `Accept-Encoding` has a body in a content coding no less than one without: `identity`, if it names that.
///
/// ```
/// assert!(framewise_http::accept::prefers_coding("identity;q=0.5, gzip", "gzip"));
/// assert!(!framewise_http::accept::prefers_coding("identity, gzip;q=0.5", "gzip"));
/// ```
pub fn prefers_coding(field: &str, coding: &str) -> bool {
    let plain = weight(field, |name| name.eq_ignore_ascii_case("identity")).unwrap_or(0);
    let coded = self::coding(field, coding);
    coded > 0 && coded >= plain
}

/// The weight of the first member of a list whose name is wanted.
fn weight(field: &str, is_wanted: impl Fn(&str) -> bool) -> Option<u16> {
    field.split(',').find_map(|member| {
        let mut parts = member.split(';').map(str::trim);
        let name = parts.next()?;
        is_wanted(name).then(|| parts.find_map(quality).unwrap_or(1_000))
    })
}

/// The value of a parameter `q`; of what is no weight, 0.
fn quality(parameter: &str) -> Option<u16> {
    let (name, value) = parameter.split_once('=')?;
    let value = name.trim().eq_ignore_ascii_case("q").then(|| value.trim())?;
    let number = value.parse::<f32>().ok().filter(|number| (0.0..=1.0).contains(number));
    Some(number.map_or(0, |number| (number * 1_000.0).round() as u16))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights() {
        for (field, weighed) in [
            ("gzip", 1_000),
            ("br, GZIP;q=0.5", 500),
            ("deflate, x-gzip ; Q=0.25", 250),
            ("*", 1_000),
            ("gzip;q=0, *", 0),
            ("gzip; q=0.000", 0),
            ("gzip;q=2", 0),
            ("gzip;q=NaN", 0),
            ("identity", 0),
            ("gzipped", 0),
            ("", 0),
        ] {
            assert_eq!(coding(field, "gzip"), weighed, "{field}");
        }
        for (field, weighed) in [
            ("text/html", 1_000),
            ("text/*;q=0.5, text/html;level=1;q=0.7", 700),
            ("*/*;q=0.1, text/*;q=0.2", 200),
            ("image/*, */*;q=0.1", 100),
            ("image/*", 0),
        ] {
            assert_eq!(media(field, "text/html"), weighed, "{field}");
        }
    }
}
