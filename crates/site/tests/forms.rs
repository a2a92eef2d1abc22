//! Forms in both of their shapes, and what is too much of one.
#![allow(clippy::unwrap_used)] // a failed step fails its test

mod common;

use common::{ask, request};
use framewise_http::Method;
use framewise_site::{FormError, FormLimits, builtin, form};
use proptest::prelude::*;

const PARTS: &str = "multipart/form-data; boundary=\"x y\"";

fn part(fields: &str, value: &str) -> String {
    format!("--x y\r\n{fields}\r\n\r\n{value}\r\n")
}

fn named(name: &str, value: &str) -> String {
    part(&format!("Content-Disposition: form-data; name=\"{name}\""), value)
}

fn parsed(kind: &str, body: &str) -> Result<Vec<(String, Option<String>, String)>, FormError> {
    let limits = FormLimits { fields: 3, name_bytes: 10, value_bytes: 100 };
    let request = request(Method::POST, "/form", &[("Content-Type", kind)], body);
    let fields = form(&request, &limits)?.into_iter();
    Ok(fields.map(|field| (field.name.clone(), field.file.clone(), field.text())).collect())
}

#[test]
fn fields_and_files_come_in_order() {
    let file =
        "Content-Disposition: form-data; name=picture; filename=\"../a b.png\"\r\nContent-Type: image/png";
    let body =
        ["preamble\r\n", &named("item", "tea\r\n--x"), &part(file, "\0png"), "--x y--\r\nepilogue"].concat();
    let expected = [("item", None, "tea\r\n--x"), ("picture", Some("../a b.png"), "\0png")];
    let expected =
        expected.map(|(name, file, text)| (name.to_owned(), file.map(str::to_owned), text.to_owned()));
    assert_eq!(parsed(PARTS, &body).unwrap(), expected);
    let pair = |name: &str, value: &str| (name.to_owned(), None, value.to_owned());
    let coded = "application/x-www-form-urlencoded; charset=utf-8";
    assert_eq!(parsed(coded, "a=1&b=%3C+&a").unwrap(), [pair("a", "1"), pair("b", "< "), pair("a", "")]);
    assert_eq!(parsed(PARTS, "--x y--\r\n").unwrap(), []);
}

#[test]
fn what_is_none_or_too_much_is_said() {
    let end = "--x y--\r\n";
    for (kind, body, error) in [
        ("text/plain", "a=1".to_owned(), FormError::NoForm),
        ("", "a=1".to_owned(), FormError::NoForm),
        (PARTS, named("a", "1").repeat(4) + end, FormError::TooManyFields(3)),
        (PARTS, named("a", "1").repeat(100_000) + end, FormError::TooManyFields(3)),
        (PARTS, named("abcdefghijk", "1") + end, FormError::NameTooLong(10)),
        (PARTS, named("a", &"1".repeat(101)) + end, FormError::ValueTooLong(100)),
        ("application/x-www-form-urlencoded", "a=1&".repeat(4), FormError::TooManyFields(3)),
        ("application/x-www-form-urlencoded", "abcdefghijk=1".to_owned(), FormError::NameTooLong(10)),
        ("application/x-www-form-urlencoded", format!("a={}", "1".repeat(101)), FormError::ValueTooLong(100)),
    ] {
        assert_eq!(parsed(kind, &body), Err(error), "{kind} {:.200}", body);
    }
    for (kind, body) in [
        ("multipart/form-data", named("a", "1") + end),
        (PARTS, named("a", "1")),
        (PARTS, "--x y\r\nContent-Disposition: form-data; name=a\r\n".to_owned()),
        (PARTS, format!("--x y\r\n{}\r\n\r\n1\r\n{end}", "X: y\r\n".repeat(1_000))),
        (PARTS, String::new()),
        (PARTS, "a=1".to_owned()),
    ] {
        let error = parsed(kind, &body).unwrap_err();
        assert!(matches!(error, FormError::Malformed(_)), "{kind} {body:.200}: {error:?}");
    }
}

#[test]
fn the_shop_takes_either() {
    let body = named("item", "<tea>")
        + &part("Content-Disposition: form-data; name=f; filename=\"<b>\"", "12345")
        + "--x y--\r\n";
    let ordered = ask(&builtin(), Method::POST, "/form", &[("Content-Type", PARTS)], &body);
    assert_eq!(ordered.status(), 200, "{}", ordered.text());
    let text = ordered.text();
    assert!(text.contains("<li>item: &lt;tea&gt;\n<li>f: the file &lt;b&gt;, 5 bytes"), "{text}");
    let broken = ask(&builtin(), Method::POST, "/form", &[("Content-Type", PARTS)], "--x y");
    assert_eq!(broken.status(), 400, "{}", broken.text());
    let many = named("a", "1").repeat(101) + "--x y--\r\n";
    let large = ask(&builtin(), Method::POST, "/form", &[("Content-Type", PARTS)], &many);
    assert_eq!(large.status(), 413);
    assert!(large.text().contains("more than 100 fields"), "{}", large.text());
    let text = ask(
        &builtin(),
        Method::POST,
        "/form",
        &[("Content-Type", "text/plain"), ("Accept", "text/plain")],
        "x",
    );
    assert_eq!((text.status(), text.header("Content-Type").unwrap()), (415, "text/plain; charset=utf-8"));
    assert!(text.text().starts_with("415 Unsupported Media Type\n\n"), "{}", text.text());
}

proptest! {
    #[test]
    fn any_body_is_a_form_or_is_none(
        body in "(--x y|--|\r\n|Content-Disposition: form-data; name=|a|\"|\\PC){0,40}",
        kind in prop_oneof![Just(PARTS), Just("application/x-www-form-urlencoded"), Just("multipart/form-data; boundary=")],
    ) {
        let _ = parsed(kind, &body);
    }
}
