//! The tables of `docs/src/conformance.md` name tests: each must be there.
#![allow(clippy::unwrap_used, reason = "the helpers of tests, too, fail by panicking")]

use std::fs;
use std::path::Path;

/// What stands between backticks in a line.
fn quoted(line: &str) -> impl Iterator<Item = &str> {
    line.split('`').skip(1).step_by(2)
}

#[test]
fn every_test_that_the_tables_name_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let chapter = fs::read_to_string(root.join("docs/src/conformance.md")).unwrap();
    let mut folder = None;
    let mut found = 0;
    // The first paragraph says how tests are named.
    let sections = chapter.lines().skip_while(|line| !line.starts_with("## "));
    for line in sections {
        if let Some(rest) = line.strip_prefix("Tests in `") {
            folder = rest.split('`').next();
        }
        for (file, test) in quoted(line).filter_map(|name| name.split_once("::")) {
            let path = root.join(folder.expect("a section names its folder")).join(format!("{file}.rs"));
            let source =
                fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            assert!(source.contains(&format!("fn {test}(")), "{} has no test {test}", path.display());
            found += 1;
        }
        let heads = ["| section", "| attack", "| what is wrong"];
        let is_row = line.starts_with("| ") && !heads.iter().any(|head| line.starts_with(head));
        assert!(!is_row || quoted(line).any(|name| name.contains("::")), "a row without a test: {line}");
    }
    assert!(found > 50, "only {found} tests are named");
}
