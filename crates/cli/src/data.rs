//! `--data`, `--data-urlencode` and `--get`: what a form holds, as a body or as a URL's query.

use framewise::http::Url;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};

use crate::args;
use crate::exit::Failure;
use crate::upload::read;

/// What stands for itself in an encoded value (RFC 3986, section 2.3).
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// What cannot stand in a query as it is (WHATWG URL, the query percent-encode set).
const NOT_IN_A_QUERY: &AsciiSet =
    &percent_encoding::CONTROLS.add(b' ').add(b'"').add(b'#').add(b'<').add(b'>').add(b'\'');

/// All data joined by `&`; `None` where there is none.
pub(crate) fn of(http: &args::Http) -> Result<Option<Vec<u8>>, Failure> {
    let plain = http.data.iter().map(|data| as_given(data));
    let encoded = http.data_urlencode.iter().map(|data| encoded(data));
    let parts = plain.chain(encoded).collect::<Result<Vec<_>, _>>()?;
    Ok((!parts.is_empty()).then(|| parts.join(&b"&"[..])))
}

/// The URL with this data behind what its query has already.
pub(crate) fn in_query(url: &Url, data: Option<&[u8]>) -> String {
    let text = url.to_string();
    let Some(data) = data.filter(|data| !data.is_empty()) else { return text };
    let (page, fragment) = match text.split_once('#') {
        Some((page, fragment)) => (page, format!("#{fragment}")),
        None => (&text[..], String::new()),
    };
    let joint = match url.query() {
        None => "?",
        Some("") => "",
        Some(_) => "&",
    };
    format!("{page}{joint}{}{fragment}", percent_encode(data, NOT_IN_A_QUERY))
}

/// The data itself, or what is in the file that it names.
fn as_given(data: &str) -> Result<Vec<u8>, Failure> {
    match data.strip_prefix('@') {
        Some(file) => read(file.as_ref()),
        None => Ok(data.as_bytes().to_vec()),
    }
}

/// `VALUE`, `=VALUE`, `NAME=VALUE`, `@FILE` and `NAME@FILE`, of which the value is encoded and the name is as it is.
fn encoded(data: &str) -> Result<Vec<u8>, Failure> {
    let (name, value) = match data.find(['=', '@']) {
        None => ("", data.as_bytes().to_vec()),
        Some(at) => {
            let (name, rest) = (&data[..at], &data[at + 1..]);
            let value =
                if data.as_bytes()[at] == b'@' { read(rest.as_ref())? } else { rest.as_bytes().to_vec() };
            (name, value)
        }
    };
    let joint = if name.is_empty() { "" } else { "=" };
    Ok(format!("{name}{joint}{}", percent_encode(&value, ENCODED)).into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_encoded_and_names_are_not() {
        for (data, expected) in
            [("a b", "a%20b"), ("=a=b", "a%3Db"), ("name=a&b/\u{e9}~", "name=a%26b%2F%C3%A9~")]
        {
            let encoded = encoded(data).expect("no file is read");
            assert_eq!(String::from_utf8(encoded).unwrap(), expected, "{data}");
        }
    }

    #[test]
    fn data_goes_behind_the_query_and_before_the_fragment() {
        let with = |url: &str, data: &str| in_query(&Url::parse(url).expect("a URL"), Some(data.as_bytes()));
        assert_eq!(with("http://shop.test", "a=1"), "http://shop.test/?a=1");
        assert_eq!(with("http://shop.test/x?b=2#part", "a=1"), "http://shop.test/x?b=2&a=1#part");
        assert_eq!(with("http://shop.test/x?", "a=1"), "http://shop.test/x?a=1");
        assert_eq!(with("http://shop.test/", "a=1 2#3"), "http://shop.test/?a=1%202%233");
        assert_eq!(with("http://shop.test/", ""), "http://shop.test/");
    }
}
