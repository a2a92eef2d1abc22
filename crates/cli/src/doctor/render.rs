//! What the doctor found: as text of 80 columns, and as JSON.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use serde_json::{Value, json};

use super::{Check, Group, Verdict};
use crate::table::{WIDTH, style_of};
use framewise_trace::words::{printable, wrapped};

/// Columns of the verdict and of the check's name, with what is around them.
const BEFORE: usize = 21;

pub(super) fn as_text(groups: &[Group]) -> String {
    let bold = Style::new().bold();
    let mut text =
        String::from("In memory everything works, with no rights: framewise fetch https://shop.test/\n");
    for Group { title, checks } in groups {
        let _ = writeln!(text, "\n{bold}{title}{bold:#}");
        for check in checks {
            row(&mut text, check);
        }
    }
    text
}

fn row(text: &mut String, check: &Check) {
    let red = AnsiColor::Red.on_default();
    let grey = AnsiColor::BrightBlack.on_default();
    let (word, mark) = match check.verdict {
        Verdict::Works => ("ok", Style::new()),
        Verdict::Fails { .. } => ("FAILS", red),
        Verdict::Open => ("-", grey),
    };
    let hue = style_of(check.protocol);
    let mut lines = wrapped(&check.says, WIDTH - BEFORE).into_iter();
    let first = lines.next().unwrap_or_default();
    let _ = writeln!(text, "  {mark}{word:<5}{mark:#}  {hue}{:<11}{hue:#} {first}", check.name);
    for line in lines {
        let _ = writeln!(text, "{:BEFORE$}{line}", "");
    }
    if let Verdict::Fails { mend } = &check.verdict {
        // A command is never cut: it is there to be copied.
        let bold = Style::new().bold();
        let _ = writeln!(text, "         mend it by  {bold}{}{bold:#}", printable(mend));
    }
}

pub(super) fn as_json(groups: &[Group]) -> String {
    let check = |check: &Check| {
        let (verdict, mend) = match &check.verdict {
            Verdict::Works => ("works", None),
            Verdict::Fails { mend } => ("fails", Some(mend)),
            Verdict::Open => ("open", None),
        };
        json!({ "check": check.name, "verdict": verdict, "says": check.says, "mend": mend })
    };
    let group = |group: &Group| json!({ "group": group.title, "checks": group.checks.iter().map(check).collect::<Vec<_>>() });
    let groups: Vec<Value> = groups.iter().map(group).collect();
    json!({ "format": "framewise-doctor", "version": 1, "groups": groups }).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_but_a_command_fits() {
        let long = "a sentence ".repeat(20);
        let checks = vec![
            Check::works("clock", "TLS", long.trim()),
            Check::fails("names", "DNS", "none", "sudo a-command"),
            Check::open("holder", "Ethernet", "not looked at"),
        ];
        let text = as_text(&[Group { title: "THIS COMPUTER".to_owned(), checks }]);
        let plain = anstream::adapter::strip_str(&text).to_string();
        for line in plain.lines().filter(|line| !line.contains("mend it by")) {
            assert!(line.chars().count() <= WIDTH, "{line:?}");
        }
        assert!(
            plain.contains("  FAILS  names       none\n         mend it by  sudo a-command\n"),
            "{plain}"
        );
    }
}
