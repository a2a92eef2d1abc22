//! A database file that is missing, read-only, locked, damaged, somebody else's or gone: a page says so, and nothing is lost.
#![allow(clippy::unwrap_used)] // a failed step fails its test

mod common;

use std::fs;
use std::path::PathBuf;

use common::{ACCOUNT, ADDRESS, Visitor, says, says_not, shop_in};
use framewise::Page;
use rusqlite::Connection;
use tempfile::TempDir;

/// A folder for a database, and Ada, who has written a review into it.
fn with_a_review() -> (TempDir, PathBuf, Visitor) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("shop.db");
    let mut ada = Visitor::of(&shop_in(&file));
    ada.create_account();
    says(&ada.review_tea("5", "Good."), "Good.");
    (folder, file, ada)
}

#[track_caller]
fn troubled(page: &Page, status: u16, words: &str) {
    assert_eq!(page.head.status, status, "{}", page.text());
    says(page, words);
    says(page, "shop.css");
    let later = page.head.headers.text("retry-after");
    assert_eq!(later.is_some(), status == 503, "only what may pass is to be tried again");
}

#[test]
fn a_missing_file_is_made() {
    let (_folder, file, mut ada) = with_a_review();
    assert!(file.is_file());
    drop(Visitor::of(&shop_in(&file)));
    says(&ada.get("/products/1"), "Good.");
}

#[test]
fn what_is_in_the_file_is_there_for_the_next_shop_and_so_are_sessions() {
    let (_folder, file, mut ada) = with_a_review();
    let mut field = ada.send_once("/sign-in", "/sign-in", &ACCOUNT[1..]);
    let cookie = field.head.headers.text("set-cookie").unwrap().to_owned();
    field = Visitor::of(&shop_in(&file)).fetch(
        framewise::Fetch::get("https://shop.test/account")
            .header("Cookie", cookie.split(';').next().unwrap()),
    );
    says(&field, "ada@example.com");
    says(&field, "Good.");
}

#[test]
fn a_file_in_no_folder_can_not_be_made_until_there_is_one() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("later/shop.db");
    let mut visitor = Visitor::of(&shop_in(&file));
    troubled(&visitor.get("/"), 503, "The shop&#39;s database, shop.db, can&#39;t be opened.");
    fs::create_dir(file.parent().unwrap()).unwrap();
    says(&visitor.get("/"), "A packet of tea.");
}

#[test]
fn a_file_that_is_read_only_can_be_read() {
    let (_folder, file, _) = with_a_review();
    let writable = fs::metadata(&file).unwrap().permissions();
    let mut read_only = writable.clone();
    read_only.set_readonly(true);
    fs::set_permissions(&file, read_only).unwrap();
    let mut ada = Visitor::of(&shop_in(&file));
    says(&ada.get("/products/1"), "Good.");
    let signed = ada.send("/sign-in", &ACCOUNT[1..]);
    says(&signed, "You are signed in.");
    let words = "The shop&#39;s database, shop.db, can be read, but not written.";
    troubled(&ada.review_tea("1", "Bad."), 503, words);
    troubled(&ada.send("/account/address", &ADDRESS), 503, words);
    says(&ada.get("/products/1"), "Good.");
    fs::set_permissions(&file, writable).unwrap();
    says(&ada.review_tea("1", "Bad."), "Your review was saved.");
}

#[test]
fn an_empty_file_that_is_read_only_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("shop.db");
    fs::write(&file, "").unwrap();
    let mut permissions = fs::metadata(&file).unwrap().permissions();
    permissions.set_readonly(true);
    fs::set_permissions(&file, permissions).unwrap();
    troubled(&Visitor::of(&shop_in(&file)).get("/"), 503, "can be read, but not written");
}

#[test]
fn a_file_that_another_program_has_locked_is_waited_for() {
    let (_folder, file, mut ada) = with_a_review();
    let other = Connection::open(&file).unwrap();
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let words = "The shop&#39;s database, shop.db, is in use by another program.";
    troubled(&ada.get("/products/1"), 503, words);
    let explained = Visitor::of(&shop_in(&file)).get("/?mvc");
    troubled(&explained, 503, words);
    says(&explained, "products::show_products");
    other.execute_batch("ROLLBACK").unwrap();
    says(&ada.get("/products/1"), "Good.");
    // Who writes keeps others from writing, and from nothing else.
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    says(&ada.get("/products/1"), "Good.");
    troubled(&ada.review_tea("1", "Bad."), 503, words);
    other.execute_batch("ROLLBACK").unwrap();
    says(&ada.get("/products/1"), "Good.");
    says(&ada.review_tea("1", "Bad."), "Your review was saved.");
}

#[test]
fn a_damaged_file_is_left_as_it_is() {
    let (_folder, file, mut ada) = with_a_review();
    let good = fs::read(&file).unwrap();
    for damaged in [b"no database".repeat(1000), {
        let mut damaged = good.clone();
        damaged[100..4000].fill(0xff);
        damaged
    }] {
        fs::write(&file, &damaged).unwrap();
        let mut visitor = Visitor::of(&shop_in(&file));
        for path in ["/", "/account/new", "/products/1"] {
            troubled(&visitor.get(path), 500, "What is in shop.db is no SQLite database, or a damaged one.");
        }
        assert!(fs::read(&file).unwrap() == damaged, "what can be saved of it is still there");
    }
    fs::write(&file, good).unwrap();
    says(&Visitor::of(&shop_in(&file)).get("/products/1"), "Good.");
    says(&ada.get("/products/1"), "Good.");
}

#[test]
fn a_file_that_is_damaged_while_it_is_open_is_said_to_be() {
    let (_folder, file, mut ada) = with_a_review();
    let good = fs::read(&file).unwrap();
    // Another program writes over it, and tells nobody: SQLite notices by the counter in the file's head.
    let mut damaged = good.clone();
    damaged[27] = damaged[27].wrapping_add(1);
    damaged[100..].fill(0xff);
    fs::write(&file, damaged).unwrap();
    troubled(&ada.get("/products/1"), 500, "What is in shop.db is no SQLite database, or a damaged one.");
    fs::write(&file, good).unwrap();
    says(&ada.get("/products/1"), "Good.");
}

#[test]
fn another_programs_database_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("accounts.db");
    Connection::open(&file).unwrap().execute_batch("CREATE TABLE salary (person, amount)").unwrap();
    let before = fs::read(&file).unwrap();
    troubled(&Visitor::of(&shop_in(&file)).get("/"), 500, "accounts.db is the database of another program.");
    assert!(fs::read(&file).unwrap() == before);
}

#[test]
fn a_newer_shops_database_is_left_alone() {
    let (_folder, file, _) = with_a_review();
    Connection::open(&file).unwrap().execute_batch("PRAGMA user_version = 99").unwrap();
    troubled(&Visitor::of(&shop_in(&file)).get("/"), 500, "shop.db was made by a newer version of the shop.");
}

#[test]
fn a_file_that_is_taken_away_takes_nothing_with_it() {
    let (folder, file, mut ada) = with_a_review();
    let away = folder.path().join("away.db");
    fs::rename(&file, &away).unwrap();
    // What is still open can't be written to: nobody would find it.
    troubled(&ada.review_tea("1", "Bad."), 503, "was moved or deleted while the shop had it open");
    fs::rename(&away, &file).unwrap();
    says(&ada.get("/products/1"), "Good.");
    says_not(&ada.get("/products/1"), "Bad.");
    says(&ada.review_tea("1", "Bad."), "Your review was saved.");
}

#[test]
fn sessions_of_a_file_that_was_deleted_are_nobody_in_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("shop.db");
    let shop = shop_in(&file);
    let mut ada = Visitor::of(&shop);
    ada.create_account();
    fs::remove_file(&file).unwrap();
    troubled(&ada.review_tea("1", "Bad."), 503, "was moved or deleted while the shop had it open");
    // In the new file, somebody else is the first customer.
    let eve = [("name", "Eve"), ("email", "eve@example.com"), ("password", "forbidden fruit")];
    says(&Visitor::of(&shop).send("/account/new", &eve), "Your account was created.");
    let page = ada.get("/account");
    says_not(&page, "eve@example.com");
    says(&page, "Sign in");
}

#[test]
fn a_shop_tells_before_it_serves() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("shop.db");
    assert!(shop_in(&file).check().is_ok());
    fs::write(&file, "no database at all").unwrap();
    let problem = shop_in(&file).check().unwrap_err();
    assert!(problem.right.ends_with("mv shop.db shop.db.damaged"), "{}", problem.right);
}
