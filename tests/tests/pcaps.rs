//! The captures in `pcaps/` are what their commands make, byte for byte, and others read them without complaint.

use framewise_tests::peers::{Framewise, bad_checksums, http_objects, malformed};
use framewise_tests::{Host, skippable};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../pcaps")
}

/// The arguments of each command in the folder's README, with the name of the file that it writes.
fn commands() -> Vec<(String, Vec<String>)> {
    let readme = fs::read_to_string(folder().join("README.md")).expect("pcaps/ has a README");
    let typed = readme.lines().filter_map(|line| line.strip_prefix("$ framewise "));
    let split = typed.map(|line| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>());
    split.map(|arguments| (arguments.last().expect("a command has arguments").clone(), arguments)).collect()
}

fn captures() -> BTreeSet<String> {
    let names = fs::read_dir(folder()).expect("pcaps/ can be read");
    let names = names.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    names.filter(|name| name.ends_with(".pcapng")).collect()
}

#[test]
fn every_capture_has_its_command() {
    let made: BTreeSet<_> = commands().into_iter().map(|(file, _)| file).collect();
    assert_eq!(captures(), made, "left: files in pcaps/; right: files that the README's commands write");
    for file in captures() {
        let size = fs::metadata(folder().join(&file)).expect("it was listed").len();
        assert!(size < 100_000, "{file} has {size} bytes; fixtures stay below 100,000");
    }
}

#[test]
fn every_capture_is_made_again_byte_for_byte() {
    let fresh = tempfile::tempdir().expect("a temporary folder can be made");
    for (file, arguments) in commands() {
        let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
        Framewise::new(&Host, &arguments).within(fresh.path()).run().successful();
        let made = fs::read(fresh.path().join(&file)).expect("the command writes the capture");
        let kept = fs::read(folder().join(&file)).expect("the README names what is there");
        if made != kept {
            let at = made.iter().zip(&kept).take_while(|(a, b)| a == b).count();
            let (made, kept) = (made.len(), kept.len());
            panic!(
                "{file}: {made} bytes made, {kept} kept, different from byte {at} on; see pcaps/README.md"
            );
        }
    }
}

#[test]
fn tshark_reads_every_capture_without_complaint() {
    skippable("tshark_reads_every_capture_without_complaint", || {
        for file in captures() {
            let path = folder().join(&file);
            assert_eq!(malformed(&path), [""; 0], "{file}: malformed");
            assert_eq!(bad_checksums(&path), [""; 0], "{file}: wrong checksums");
            // Without being told to, tshark puts no stream together that came out of order.
            let is_in_order = file != "lossy.pcapng";
            assert!(!is_in_order || !http_objects(&path).is_empty(), "{file}: tshark finds no page in it");
        }
    });
}
