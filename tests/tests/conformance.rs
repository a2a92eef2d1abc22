//! The tables of `docs/src/conformance.md` name tests: each must be there.
#![allow(clippy::unwrap_used, reason = "the helpers of tests, too, fail by panicking")]

use std::collections::BTreeSet;
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
            assert!(tests(&source).contains(test), "{} has no test {test} that is run", path.display());
            found += 1;
        }
        let heads = ["| section", "| attack", "| what is wrong"];
        let is_row = line.starts_with("| ") && !heads.iter().any(|head| line.starts_with(head));
        assert!(!is_row || quoted(line).any(|name| name.contains("::")), "a row without a test: {line}");
    }
    assert!(found > 50, "only {found} tests are named");
}

/// The tests of a file that are run: functions with `#[test]` among the attributes right before them, and no `#[ignore]`.
fn tests(source: &str) -> BTreeSet<String> {
    let code = code(source);
    let functions = code.match_indices("fn ").filter_map(|(at, _)| {
        let (name, _) = code[at + 3..].split_once('(')?;
        let attributes = attributes_before(&code[..at]);
        let is_run = attributes.contains(&"test") && !attributes.contains(&"ignore");
        is_run.then(|| name.trim().to_owned())
    });
    functions.collect()
}

/// The names of the attributes that stand right before a function, which is where `code` ends.
fn attributes_before(code: &str) -> Vec<&str> {
    let mut names = Vec::new();
    let mut left = code.trim_end();
    while let Some(inner) = left.strip_suffix(']') {
        let Some((before, attribute)) = inner.rsplit_once("#[") else {
            break;
        };
        let end = attribute.find(|c: char| !c.is_alphanumeric() && c != '_');
        names.push(attribute[..end.unwrap_or(attribute.len())].trim());
        left = before.trim_end();
    }
    names
}

/// The source without its comments, and without what stands in its strings.
fn code(source: &str) -> String {
    let mut code = String::with_capacity(source.len());
    let mut left = source;
    while let Some(first) = left.chars().next() {
        let skipped = comment(left).or_else(|| literal(left));
        if skipped.is_none() {
            code.push(first);
        }
        left = &left[skipped.unwrap_or(first.len_utf8())..];
    }
    code
}

/// The length of the comment that begins here, if one does. One between `/*` and `*/` may hold others.
fn comment(text: &str) -> Option<usize> {
    if text.starts_with("//") {
        return Some(text.find('\n').unwrap_or(text.len()));
    }
    if !text.starts_with("/*") {
        return None;
    }
    let (mut depth, mut at) = (1, 2);
    while depth > 0 && at < text.len() {
        let step = match text.as_bytes().get(at..at + 2) {
            Some(b"/*") => 1,
            Some(b"*/") => -1,
            _ => 0,
        };
        depth += step;
        at += if step == 0 { 1 } else { 2 };
    }
    Some(at)
}

/// The length of the string or the quotation mark that begins here, if one does.
fn literal(text: &str) -> Option<usize> {
    if let Some(mark) = ["'\"'", "'\\\"'", "b'\"'"].iter().find(|mark| text.starts_with(**mark)) {
        return Some(mark.len());
    }
    if let Some(raw) = text.strip_prefix('r') {
        let hashes = raw.len() - raw.trim_start_matches('#').len();
        if let Some(inner) = raw[hashes..].strip_prefix('"') {
            let end = format!("\"{}", "#".repeat(hashes));
            let length = inner.find(&end).map_or(inner.len(), |at| at + end.len());
            return Some(1 + hashes + 1 + length);
        }
    }
    let inner = text.strip_prefix('"')?;
    let mut escaped = false;
    let end = inner.bytes().position(|byte| {
        let ends = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        ends
    });
    Some(end.map_or(text.len(), |end| end + 2))
}

#[test]
fn what_is_no_test_that_is_run_is_none() {
    let source = r##"
        #[test]
        fn plain() {}
        #[test]
        #[cfg(target_os = "linux")] // "
        /// A comment, and /* another.
        #[allow(clippy::unwrap_used, reason = "a ] in a string")]
        fn with_attributes() { let marks = ('"', '\"', r#"a " in a raw string"#, "an escaped \" in one"); }

        fn helper() {}
        // #[test] fn in_a_line() {}
        /* #[test] fn in_a_comment() {} /* in another */ #[test] fn behind_that() {} */
        let text = "#[test] fn in_a_string() {}";
        #[test]
        #[ignore = "not now"]
        fn ignored() {}
        #[ignore]
        #[test]
        fn ignored_too() {}
        #[test]
        const BETWEEN: () = ();
        fn not_right_behind_it() {}
        #[cfg(test)]
        fn only_for_tests() {}
        proptest! {
            #[test]
            fn in_a_macro(bytes: Vec<u8>) {}
        }
    "##;
    let expected = ["in_a_macro", "plain", "with_attributes"];
    assert_eq!(tests(source).into_iter().collect::<Vec<_>>(), expected);
}
