//! What the layers say of each field of each frame, against what tshark says of it: value and place.
//!
//! ```text
//!   frame ──► Ethernet, IP, TCP, TLS, … describe it ──► (protocol, field) ─┐
//!     └─────► tshark dissects it ─────────────────────► its field's name  ─┴─ the table ──► alike?
//! ```
//!
//! The table is in `table.rs`; what tshark does not tell is in `untold.rs`, each with the reason. A field in neither fails
//! the test, and so does one that no frame has.

mod agree;
mod compare;
mod crafted;
mod dissect;
mod secrets;
mod table;
mod untold;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use compare::Comparison;
use framewise_tests::peers::Tshark;
use framewise_tests::skippable;

fn captures() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../pcaps");
    let entries = fs::read_dir(folder).expect("pcaps/ can be read");
    let paths = entries.map(|entry| entry.expect("a file").path());
    let mut paths: Vec<_> =
        paths.filter(|path| path.extension().is_some_and(|end| end == "pcapng")).collect();
    paths.sort();
    paths
}

/// One process for each file, and one more where it holds secrets: every field is compared in the frames as they were on
/// the wire, and handshakes once more as they were inside.
#[test]
fn every_field_says_what_tshark_says() {
    skippable("every_field_says_what_tshark_says", || {
        let folder = tempfile::tempdir().expect("there is room for temporary files");
        let mut comparison = Comparison::default();
        for path in captures() {
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            let bytes = fs::read(&path).expect("it was listed");
            let bare = folder.path().join(&name);
            fs::write(&bare, secrets::removed(&bytes)).expect("there is room for a capture");
            comparison.frames(&name, &dissect::frames(&bytes), &Tshark::new(&bare).pdml());
            if secrets::removed(&bytes) != bytes {
                comparison.opened(&name, &Tshark::new(&path).pdml());
            }
        }
        let path = folder.path().join("crafted.pcap");
        let frames = crafted::frames();
        fs::write(&path, crafted::capture(&frames)).expect("there is room for a capture");
        comparison.frames("crafted", &frames, &Tshark::new(&path).pdml());
        comparison.conclude();
    });
}

#[test]
fn no_field_is_in_the_table_twice() {
    let mut seen = BTreeSet::new();
    for (protocol, name) in
        table::ROWS.iter().map(|row| row.ours).chain(untold::UNTOLD.iter().map(|row| row.0))
    {
        assert!(seen.insert((protocol, name)), "{protocol}, {name}: in two places");
    }
}
