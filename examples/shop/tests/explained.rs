//! `?mvc`: below any page, what made it; and what a pool hears.
#![allow(clippy::unwrap_used)] // a failed step fails its test

mod common;

use std::sync::{Arc, Mutex};

use common::{ACCOUNT, ADDRESS, Visitor, config, says, says_not, shop, token};
use framewise_shop::{Config, Doing, Shop};

#[test]
fn a_page_shows_its_route_controller_statements_and_template() {
    let mut ada = Visitor::of(&shop());
    let page = ada.get("/products/2?mvc");
    says(&page, "<code>GET /products/2</code> fits <code>GET /products/{product}</code>");
    says(
        &page,
        "<code>products::show_product</code> in <code>examples/shop/src/controllers/products.rs</code>",
    );
    says(
        &page,
        "<strong>Product</strong> <code>SELECT id, name, about, cents FROM product WHERE id = :id</code>",
    );
    says(&page, "<code>id = 2</code>; 1 row<");
    says(&page, "<code>examples/shop/templates/product.html</code>");
    // The clock of a simulated shop counts a millisecond each time that it is asked.
    says(&page, "In 9.00 ms, by one controller, 3 statements and one template.");
    says(&page, "Controller 5.00 ms, models 3.00 ms, view 1.00 ms");
    says_not(&ada.get("/products/2"), "How this page was made</h2>");
}

#[test]
fn links_and_forms_go_on_explaining() {
    let mut ada = Visitor::of(&shop());
    let page = ada.get("/products/2?mvc");
    for link in
        ["href=\"/?mvc\"", "href=\"/sign-in?mvc\"", "href=\"/products/2/review?mvc\"", "href=\"/products/2\""]
    {
        says(&page, link);
    }
    says(&ada.get("/account/new?mvc"), "action=\"/account/new?mvc\"");
}

#[test]
fn the_link_to_how_a_page_was_made_leads_to_the_same_page_of_this_shop() {
    let mut ada = Visitor::of(&shop());
    for (path, link) in [
        ("/products/2", "/products/2?mvc"),
        ("/products/2?before=7", "/products/2?before=7&#38;mvc"),
        ("/products/2?mvc&before=7", "/products/2?before=7"),
        ("/sign-in?next=/account", "/sign-in?next=/account&#38;mvc"),
        // Two slashes would be another host.
        ("//evil.example/", "/evil.example/?mvc"),
    ] {
        says(&ada.get(path), &format!("<a href=\"{link}\">"));
    }
    // What was sent can't be asked for again.
    let foreign = ada.post("/sign-out", &[]);
    assert_eq!(foreign.head.status, 403);
    says_not(&foreign, "How was this page made?");
}

#[test]
fn a_form_stops_on_its_way_so_that_one_can_look() {
    let mut ada = Visitor::of(&shop());
    let done = ada.send("/account/new?mvc", &ACCOUNT);
    assert_eq!(done.head.status, 200);
    says(&done, "INSERT INTO customer (name, email, password) VALUES (:name, :email, :password)");
    says(&done, "<code>email = &#39;ada@example.com&#39;</code>, <code>password = (secret)</code>");
    says(&done, "accounts::create_account");
    says(&done, "<a class=\"button\" href=\"/account?done=created&#38;mvc\">Go on</a>");
    says(&done, "None: the answer is the way to another page.");
    // The page knows who has just come in, and its form is theirs.
    says(&done, "Your account</a>");
    assert_eq!(ada.post("/sign-out", &[("csrf_token", &token(&done))]).head.status, 303);
    assert_eq!(ada.get("/account").text().matches("<h1>Sign in</h1>").count(), 1);
    ada.send("/sign-in", &ACCOUNT[1..]);
    says_not(&done, "analytical engine");
    says_not(&done, "pbkdf2");
    says(&ada.get("/account?done=created&mvc"), "Your account was created.");
    let saved = ada.send("/account/address?mvc", &ADDRESS);
    for statement in ["BEGIN IMMEDIATE", "INSERT INTO shipping_address", "COMMIT"] {
        says(&saved, statement);
    }
}

#[test]
fn a_question_is_one_statement_and_records_are_many() {
    let mut ada = Visitor::of(&shop());
    let (question, records) = (ada.get("/?mvc"), ada.get("/?by=record&mvc"));
    says(&question, "by one controller, 1 statement and one template");
    says(&records, "by one controller, 5 statements and one template");
    for page in [question, records] {
        says(&page, "A packet of tea. It travels well.");
    }
}

#[test]
fn what_is_not_there_is_explained_too() {
    let page = Visitor::of(&shop()).get("/nowhere?mvc");
    assert_eq!(page.head.status, 404);
    says(&page, "products::say_there_is_nothing");
    says(&page, "None was asked.");
    says(&page, "examples/shop/templates/problem.html");
}

#[test]
fn a_pool_hears_what_its_threads_do() {
    let heard = Arc::new(Mutex::new(Vec::new()));
    let ears = heard.clone();
    let watch = move |doing: Doing| ears.lock().unwrap().push(doing);
    let mut visitor = Visitor::of(&Shop::new(Config { watch: Arc::new(watch), ..config() }));
    visitor.get("/");
    heard.lock().unwrap().clear();
    visitor.get("/products/1");
    let asked = [Doing::MakesDatabaseRequest, Doing::ProcessesData];
    let expected = [&[Doing::Executes][..], &asked, &asked, &asked].concat();
    assert_eq!(*heard.lock().unwrap(), expected);
}
