//! What the book shows of the example is what the example says.
#![allow(clippy::unwrap_used)] // a failed step fails its test

#[path = "../examples/shopping.rs"]
#[allow(dead_code, reason = "its main is for who runs it")]
mod shopping;

#[test]
fn the_book_shows_what_the_example_says() {
    let told = shopping::tell().unwrap();
    let chapter = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/src/mvc.md");
    let text = std::fs::read_to_string(&chapter).unwrap();
    let command = "cargo run -p framewise-shop --example shopping\n```\n\n```text\n";
    let (before, rest) = text.split_once(command).expect("the chapter shows the example");
    let (shown, after) = rest.split_once("```\n").expect("the block ends");
    if std::env::var_os("FRAMEWISE_UPDATE_DOCS").is_some() {
        std::fs::write(&chapter, format!("{before}{command}{told}```\n{after}")).unwrap();
    } else {
        assert_eq!(shown, told, "look at the change, then run this test with FRAMEWISE_UPDATE_DOCS=1");
    }
}
