//! What visitors do in the shop, and what they can't.
#![allow(clippy::unwrap_used)] // a failed step fails its test

mod common;

use common::{ACCOUNT, ADDRESS, Visitor, config, refuses, says, says_not, shop, token};
use framewise::Fetch;
use framewise_shop::Shop;

#[test]
fn a_customer_has_an_address_and_writes_a_review() {
    let mut ada = Visitor::of(&shop());
    says(&ada.get("/"), "A packet of tea. It travels well.");
    says(&ada.send("/account/new", &ACCOUNT), "Your account was created.");
    says(&ada.get("/account"), "You have no shipping address yet.");

    let saved = ada.send("/account/address", &ADDRESS);
    says(&saved, "Your address was saved.");
    says(&saved, "St James&#39;s Square 12<br>SW1Y 4JH London<br>England");
    let mut moved = ADDRESS;
    moved[2].1 = "Paris";
    says(&ada.send("/account/address", &moved), "SW1Y 4JH Paris");
    says_not(&ada.get("/account"), "London");

    let written = ada.review_tea("5", "It travelled well.\r\nTwice.");
    says(&written, "Your review was saved.");
    says(&written, "It travelled well.\nTwice.");
    says(&written, "<strong>Ada Lovelace</strong>");
    says(&written, "2026-01-01");
    says(&ada.review_tea("3", "On second thoughts."), "★★★☆☆");
    says(&ada.get("/products/1"), "from 1 review<");
    says(&ada.get("/account"), "On second thoughts.");
    says(&ada.get("/"), "aria-label=\"3.0 of 5 stars, 1 review\"");

    says(&ada.send("/account/name", &[("name", "Ada King")]), "Your name was changed.");
    says(&ada.get("/products/1"), "<strong>Ada King</strong>");
    let deleted = ada.send_from("/account/address", "/account/address/delete", &[]);
    says(&deleted, "You have no shipping address yet.");
    says(&ada.send_from("/products/1", "/products/1/review/delete", &[]), "Nobody has reviewed this yet.");
}

#[test]
fn closing_an_account_takes_all_of_it_along() {
    let mut ada = Visitor::of(&shop());
    ada.create_account();
    ada.send("/account/address", &ADDRESS);
    ada.review_tea("4", "Good.");
    says(&ada.send("/account/close", &[]), "Your account was closed.");
    says_not(&ada.get("/products/1"), "Good.");
    let again = ada.send("/sign-in", &ACCOUNT[1..]);
    refuses(&again, "password", "Email and password do not belong together.");
    ada.create_account();
    says(&ada.get("/account"), "You have no shipping address yet.");
}

#[test]
fn signing_in_leads_to_where_one_wanted_to_go_but_never_elsewhere() {
    let mut ada = Visitor::of(&shop());
    ada.create_account();
    says(&ada.send_from("/account", "/sign-out", &[]), "You are signed out.");
    let asked = ada.get("/products/1/review");
    says(&asked, "<h1>Sign in</h1>");
    says(&asked, "name=\"next\" value=\"/products/1/review\"");
    let signed = [("email", "ADA@example.com"), ("password", "analytical engine")];
    let there = ada.send("/sign-in", &[&signed[..], &[("next", "/products/1/review")]].concat());
    says(&there, "<h1>Review of Tea</h1>");
    ada.forget();
    let elsewhere = [&signed[..], &[("next", "//evil.example/")]].concat();
    let answer = ada.send_once("/sign-in", "/sign-in", &elsewhere);
    assert_eq!(answer.head.headers.text("location"), Some("/account?done=signed-in"));
    says(&ada.get("/sign-in?next=https://evil.example/"), "name=\"next\" value=\"\"");
}

#[test]
fn a_refused_form_says_why_at_the_field_and_keeps_what_was_typed() {
    let mut ada = Visitor::of(&shop());
    let page =
        ada.send("/account/new", &[("name", "Ada \"A\" <L>"), ("email", "ada"), ("password", "short")]);
    refuses(&page, "email", "Enter an email address, such as ada@example.com.");
    refuses(&page, "password", "Use at least 10 characters.");
    says(&page, "value=\"Ada &#34;A&#34; &#60;L&#62;\"");
    says(&page, "aria-describedby=\"email-error\" aria-invalid=\"true\"");
    says(&page, "aria-describedby=\"password-hint password-error\"");
    says_not(&page, "short");

    ada.create_account();
    let mut other = ACCOUNT;
    other[1].1 = "ADA@EXAMPLE.COM";
    refuses(&ada.send("/account/new", &other), "email", "There is an account with this email already.");
    let page = ada.review_tea("6", " ");
    refuses(&page, "rating", "Choose 1 to 5 stars.");
    refuses(&page, "text", "Write a few words.");
    refuses(&ada.review_tea("2", &"long ".repeat(500)), "text", "Use at most 2,000 characters.");
    let mut nowhere = ADDRESS;
    nowhere[2].1 = "";
    refuses(&ada.send("/account/address", &nowhere), "city", "Enter the town or city.");
    says(&ada.get("/account"), "You have no shipping address yet.");
    says(&ada.get("/account"), "You have written no review yet.");
}

#[test]
fn forms_from_elsewhere_change_nothing() {
    let shop = shop();
    let mut ada = Visitor::of(&shop);
    ada.create_account();
    ada.review_tea("5", "Good.");
    let refused = |page: framewise::Page| {
        assert_eq!(page.head.status, 403, "{}", page.text());
        says(&page, "This form did not come from a page of this shop");
    };
    let mut mallory = Visitor::of(&shop);
    let theirs = token(&mallory.get("/account/new"));
    for path in
        ["/account/close", "/account/name", "/account/address", "/products/1/review/delete", "/sign-out"]
    {
        refused(ada.post(path, &[("name", "Mallory")]));
        refused(ada.post(path, &[("csrf_token", ""), ("name", "Mallory")]));
        refused(ada.post(path, &[("csrf_token", &theirs), ("name", "Mallory")]));
    }
    says(&ada.get("/account"), "<dd>Ada Lovelace</dd>");
    says(&ada.get("/products/1"), "Good.");
    // Nor does a token outlive its session.
    let before = token(&ada.get("/account"));
    ada.send_from("/account", "/sign-out", &[]);
    refused(ada.post("/sign-in", &[("csrf_token", &before), ACCOUNT[1], ACCOUNT[2]]));
}

#[test]
fn a_forged_session_is_nobodys() {
    let mut ada = Visitor::of(&shop());
    let answer = ada.send_once("/account/new", "/account/new", &ACCOUNT);
    let field = answer.head.headers.text("set-cookie").unwrap().to_owned();
    assert!(field.starts_with("__Host-session=1.1767225600."), "{field}");
    assert!(field.ends_with("; Path=/; Max-Age=1209600; HttpOnly; SameSite=Lax; Secure"), "{field}");
    let (pair, _) = field.split_once(';').unwrap();
    let mut other = Visitor::of(&shop());
    let mut shown = |cookie: &str| {
        other.forget();
        other.fetch(Fetch::get("https://shop.test/account").header("Cookie", cookie)).head.status
    };
    // The same shop from the same seed believes it, and nothing that differs from it in any place.
    assert_eq!(shown(pair), 303, "in this shop there is no customer yet, so nobody is signed in");
    ada.forget();
    let mut shown = |cookie: &str| {
        ada.forget();
        ada.fetch(Fetch::get("https://shop.test/account").header("Cookie", cookie)).head.status
    };
    assert_eq!(shown(pair), 200);
    assert_eq!(shown(&pair.replacen("=1.", "=2.", 1)), 303);
    assert_eq!(shown(&pair.replacen("1767225600", "1767225601", 1)), 303);
    assert_eq!(shown(&pair[..pair.len() - 2]), 303);
    assert_eq!(shown(&pair.replacen("__Host-session", "session", 1)), 303, "that name is for plain http");
    assert_eq!(shown(&format!("__Host-session=forged; {pair}")), 200, "any of ours will do");
    for position in pair.find('=').unwrap() + 1..pair.len() {
        let mut forged = pair.to_owned();
        let other = if &forged[position..=position] == "A" { "B" } else { "A" };
        forged.replace_range(position..=position, other);
        // The last letter of an encoded signature has bits that count for nothing.
        if position + 1 < pair.len() {
            assert_eq!(shown(&forged), 303, "{forged}");
        }
    }
}

#[test]
fn over_http_the_cookie_is_another() {
    let mut ada = Visitor::by("http://shop.test", &shop());
    let answer = ada.send_once("/account/new", "/account/new", &ACCOUNT);
    let field = answer.head.headers.text("set-cookie").unwrap();
    assert!(field.starts_with("session=1."), "{field}");
    assert!(field.ends_with("; HttpOnly; SameSite=Lax"), "{field}");
    says(&ada.get("/account"), "ada@example.com");
}

#[test]
fn what_is_typed_is_shown_and_never_obeyed() {
    let mut mallory = Visitor::of(&shop());
    let script = "<script>alert(1)</script><!-- mvc -->";
    let mut account = ACCOUNT;
    account[0].1 = script;
    mallory.send("/account/new", &account);
    let sql = format!("'); DROP TABLE review; --{script}");
    mallory.review_tea("1", &sql);
    for path in
        ["/products/1", "/products/1?mvc", "/account?mvc", "/products/1/review?mvc", "/account/name?mvc"]
    {
        let page = mallory.get(path);
        says_not(&page, "<script");
        says(&page, "&#60;script&#62;alert(1)&#60;/script&#62;");
    }
    says(&mallory.get("/products/1"), "&#39;); DROP TABLE review; --");
    for path in ["/products/1%20OR%201=1", "/products/1'--", "/products/0", "/products/-1", "/products/1e0"] {
        assert_eq!(mallory.get(path).head.status, 404, "{path}");
    }
    let tricks = ["' OR '1'='1", "ada@example.com' --", "\" OR \"\"=\""];
    for trick in tricks {
        let answer = mallory.send("/sign-in", &[("email", trick), ("password", trick)]);
        assert_eq!(answer.head.status, 422);
    }
}

#[test]
fn asking_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("shop.db");
    let mut ada = Visitor::of(&common::shop_in(&file));
    ada.create_account();
    ada.send("/account/address", &ADDRESS);
    ada.review_tea("4", "Good.");
    let before = std::fs::read(&file).unwrap();
    for path in ["/sign-out", "/account/address/delete", "/products/1/review/delete"] {
        let answer = ada.get(path);
        assert_eq!(answer.head.status, 405, "{path}");
        assert_eq!(answer.head.headers.text("allow"), Some("POST, OPTIONS"));
    }
    for path in [
        "/",
        "/?by=record&mvc",
        "/products/1",
        "/products/1/review?rating=1&text=Bad",
        "/account",
        "/account/new?name=x&email=x@example.com&password=analytical+engine",
        "/account/name?name=x",
        "/account/address?city=x",
        "/account/close?mvc",
        "/sign-in",
        "/nowhere",
        "/static/shop.css",
    ] {
        let status = ada.get(path).head.status;
        assert_eq!(status, if path == "/nowhere" { 404 } else { 200 }, "{path}");
    }
    assert!(std::fs::read(&file).unwrap() == before, "the file is as it was, byte for byte");
    says(&ada.get("/account"), "Good.");
}

#[test]
fn what_is_too_large_or_no_form_is_refused() {
    let mut ada = Visitor::of(&shop());
    let large = ada.post("/account/new", &[("name", &"x".repeat(200_000))]);
    assert_eq!(large.head.status, 413);
    says(&large, "<h1>This form has more than 128 KiB.</h1>");
    let post = |kind: &str, body: &str| Fetch::post("https://shop.test/account/new", kind, body.to_owned());
    assert_eq!(ada.fetch(post("application/json", "{}")).head.status, 415);
    assert_eq!(ada.fetch(post("multipart/form-data", "x")).head.status, 400);
    assert_eq!(ada.fetch(post("application/x-www-form-urlencoded", "")).head.status, 403);
    let many: Vec<_> = (0..30).map(|_| ("a", "b")).collect();
    assert_eq!(ada.post("/account/new", &many).head.status, 413);
}

#[test]
fn a_form_in_parts_is_a_form_too() {
    let mut ada = Visitor::of(&shop());
    let token = token(&ada.get("/account/new"));
    let parts = [ACCOUNT[0], ACCOUNT[1], ACCOUNT[2], ("csrf_token", &token)];
    let body: String = parts
        .iter()
        .map(|(name, value)| {
            format!("--cut\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
        })
        .collect();
    let kind = "multipart/form-data; boundary=cut";
    let answer = ada.fetch(Fetch::post("https://shop.test/account/new", kind, format!("{body}--cut--\r\n")));
    assert_eq!(answer.head.status, 303);
}

#[test]
fn what_goes_wrong_is_told_in_the_words_one_prefers() {
    let mut ada = Visitor::of(&shop());
    let page = ada.get("/nowhere");
    assert_eq!(page.head.status, 404);
    says(&page, "<h1>There is nothing at /nowhere here.</h1>");
    let text = ada.fetch(Fetch::get("https://shop.test/nowhere").header("Accept", "text/plain"));
    assert_eq!(text.text().lines().next(), Some("404 Not Found"));
    assert_eq!(ada.get("/static/nothing.css").head.status, 404);
    ada.create_account();
    says(&ada.get("/products/99"), "Sign out");
}

#[test]
fn a_head_is_that_of_the_page() {
    let mut ada = Visitor::of(&shop());
    let head = ada.fetch(Fetch::new(framewise::http::Method::HEAD, "https://shop.test/products/1"));
    assert_eq!((head.head.status.as_u16(), head.body.len()), (200, 0));
    assert!(head.head.headers.contains("set-cookie"));
}

#[test]
fn pages_load_nothing_from_elsewhere_and_are_kept_by_nobody() {
    let mut ada = Visitor::of(&shop());
    let page = ada.get("/?mvc");
    let header = |name| page.head.headers.text(name).unwrap_or_default();
    assert!(header("content-security-policy").starts_with("default-src 'none'; style-src 'self'"));
    assert_eq!(header("cache-control"), "no-store");
    assert_eq!(header("x-content-type-options"), "nosniff");
    for outside in ["http://", "https://", "<script", "style="] {
        says_not(&page, outside);
    }
}

#[test]
fn older_reviews_are_a_page_further() {
    let mut visitor = Visitor::of(&shop());
    for number in 0..25 {
        visitor.forget();
        let email = format!("{number}@example.com");
        visitor.send(
            "/account/new",
            &[("name", "Reader"), ("email", &email), ("password", "analytical engine")],
        );
        visitor.review_tea("4", &format!("Review {number}."));
    }
    let newest = visitor.get("/products/1");
    says(&newest, "Review 5.");
    says_not(&newest, "Review 4.");
    says(&newest, "<a href=\"/products/1?before=6\">Older reviews</a>");
    let older = visitor.get("/products/1?before=6");
    says(&older, "Review 4.");
    says_not(&older, "Older reviews");
}

#[test]
fn the_same_visits_are_the_same_bytes() {
    let visit = || {
        let mut ada = Visitor::of(&Shop::new(config()));
        ada.create_account();
        let written = ada.review_tea("5", "Good.");
        [written.body, ada.get("/account?mvc").body]
    };
    assert!(visit() == visit());
}

#[test]
fn both_shops_look_the_same() {
    let here = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    for entry in std::fs::read_dir(here.join("static")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap();
        let other = here.join("../django_shop/store/static/store").join(name);
        assert!(std::fs::read(&path).unwrap() == std::fs::read(other).unwrap(), "{name:?} differs");
    }
}
