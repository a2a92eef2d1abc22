//! Every reason for which something is dropped is explained where it is counted, and nothing else is.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The crates that count drops, with the name under which they do; what a reason is written behind in each.
const COUNTING: [(&str, &str, &[&str]); 11] = [
    ("core", "beside", &[]),
    ("device", "device", &["Filter(", "let lost ="]),
    ("ethernet", "ethernet", &[]),
    ("ip", "ip", &["Halt::Drop(", "Outcome::Dropped(", "Err(\"", "invalid(", "reason: \"", "ok_or("]),
    ("udp", "udp", &["Err(\""]),
    ("tcp", "tcp", &["Verdict::Drop(", "Verdict::Refuse(", "Verdict::Challenge(", "Err(\"", "map_err("]),
    ("dns", "dns", &["Some(\""]),
    ("tls", "tls", &["turn_away("]),
    ("http", "http", &[]),
    ("gateway", "gateway", &[]),
    ("framewise", "os", &[]),
];
/// What a reason is written behind everywhere.
const COUNTS: [&str; 4] = ["dropped(", "ignored(", "count_drop(", "counters.count("];

fn sources(krate: &str) -> Vec<(PathBuf, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates").join(krate).join("src");
    let mut found = Vec::new();
    collect(&folder, &mut found);
    found
}

fn collect(folder: &Path, found: &mut Vec<(PathBuf, String)>) {
    for entry in fs::read_dir(folder).expect("the sources are here") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            collect(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") && !path.ends_with("drops.rs") {
            let text = fs::read_to_string(&path).expect("a source can be read");
            let code = text.split("#[cfg(test)]").next().unwrap_or_default();
            let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
            found.push((path.clone(), lines.map(|line| format!("{line}\n")).collect()));
        }
    }
}

/// The literals in `code` up to where the call that it begins in ends.
fn literals(code: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let (mut depth, mut begin) = (1, None);
    for (at, character) in code.char_indices() {
        match (character, begin) {
            ('"', None) => begin = Some(at + 1),
            ('"', Some(from)) => {
                found.extend(code.get(from..at));
                begin = None;
            }
            (_, Some(_)) => {}
            ('(', None) => depth += 1,
            (')', None) => depth -= 1,
            (';', None) => break,
            _ => {}
        }
        if depth == 0 {
            break;
        }
    }
    found
}

/// The reasons that the sources of a crate write where they drop something, or say why.
fn written(krate: &str, layer: &str, marks: &[&str]) -> BTreeSet<String> {
    let mut reasons = BTreeSet::new();
    for (_, code) in sources(krate) {
        for mark in COUNTS.iter().chain(marks) {
            for (at, _) in code.match_indices(mark) {
                // A mark that ends with the quotation mark ends before its literal does.
                let from = at + mark.len() - usize::from(mark.ends_with('"'));
                reasons.extend(literals(&code[from..]).into_iter().map(str::to_owned));
            }
        }
        // What an error is counted as: `fn reason(&self) -> &'static str { match self { … => "…" } }`.
        for body in code.split("fn reason(").skip(1) {
            let body = body.split("\n    }").next().unwrap_or_default();
            let arms = body.split("=> \"").skip(1).filter_map(|arm| arm.split('"').next());
            reasons.extend(arms.map(str::to_owned));
        }
    }
    reasons.retain(|reason| {
        ![layer, "device"].contains(&reason.as_str())
            && reason.contains(|letter: char| letter.is_ascii_lowercase())
    });
    reasons
}

#[test]
fn every_reason_is_explained_and_every_explanation_is_of_a_reason() {
    let all = framewise::drops::drops();
    let of_the_runner: String = sources("framewise").into_iter().map(|(_, code)| code).collect();
    let mut wrong = Vec::new();
    for (krate, layer, marks) in COUNTING {
        let explained: BTreeSet<&str> =
            all.iter().filter(|drop| drop.layer == layer).map(|drop| drop.reason).collect();
        assert!(!explained.is_empty(), "{layer} explains nothing");
        for reason in written(krate, layer, marks) {
            if !all.iter().any(|drop| drop.reason == reason) {
                wrong.push(format!(
                    "crates/{krate} drops for {reason:?}, which its drops.rs does not explain"
                ));
            }
        }
        let code: String = sources(krate).into_iter().map(|(_, code)| code).collect();
        for reason in explained {
            let quoted = format!("\"{reason}\"");
            if !code.contains(&quoted) && !of_the_runner.contains(&quoted) {
                wrong.push(format!("crates/{krate}/src/drops.rs explains {reason:?}, which nothing says"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn explanations_are_short_and_told_once() {
    let all = framewise::drops::drops();
    let known: BTreeSet<_> = all.iter().map(|drop| (drop.layer, drop.reason)).collect();
    assert_eq!(known.len(), all.len(), "a reason is explained once");
    for drop in all {
        let words = [drop.reason, drop.meaning];
        assert!(words.iter().all(|words| !words.is_empty() && !words.ends_with('.')), "{drop:?}");
        assert!(drop.reason.len() <= 52 && drop.meaning.len() <= 84, "{drop:?} is too long");
        assert!(drop.source.is_empty() || drop.source.contains(' '), "{drop:?}");
    }
}
