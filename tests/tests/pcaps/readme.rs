//! The table of `pcaps/README.md` says of each capture what it shows, and where it comes from.

use std::fs;

use framewise_replay::sidecar_of;

use crate::made::{Origin, origins};
use crate::{capture, folder, updates};

/// What stands before and behind the table.
const BEGIN: &str = "<!-- written by the test pcaps -->\n";
const END: &str = "<!-- end -->\n";

#[test]
fn the_readme_tells_every_capture() {
    let path = folder().join("README.md");
    let text = fs::read_to_string(&path).expect("pcaps/ has a README");
    let (front, rest) = text.split_once(BEGIN).expect("the README has a place for the table");
    let (shown, back) = rest.split_once(END).expect("the table has an end");
    let fresh = table();
    if updates() {
        return fs::write(&path, [front, BEGIN, &fresh, END, back].concat()).expect("it can be written");
    }
    assert_eq!(shown, fresh, "run this test with FRAMEWISE_UPDATE_PCAPS=1");
}

fn table() -> String {
    let mut rows: Vec<_> = origins();
    rows.sort_by(|(a, _), (b, _)| a.cmp(b));
    let mut text = String::from("\n| file | what it shows | made by |\n|---|---|---|\n");
    for (name, origin) in rows {
        let origin = match origin {
            Origin::Fetch(_) => "a fetch".to_owned(),
            Origin::Script => format!("[a script](scripts/{name}.script)"),
            Origin::World => "a world".to_owned(),
            Origin::Peer(peer) => peer.to_owned(),
        };
        text.push_str(&format!("| `{name}.pcapng` | {} | {origin} |\n", title(&name)));
    }
    text.push('\n');
    text
}

/// What the capture's sidecar calls it.
fn title(name: &str) -> String {
    let sidecar = framewise_replay::read(&sidecar_of(&capture(name)));
    let sidecar = sidecar.unwrap_or_else(|error| panic!("{name}: {error}"));
    sidecar.title.unwrap_or_else(|| panic!("{name}: its sidecar has no title"))
}
