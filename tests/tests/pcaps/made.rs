//! How each capture is made again.
//!
//! | origin | made by |
//! |---|---|
//! | a fetch | the command in `pcaps/README.md` |
//! | a script | `framewise replay scripts/NAME.script -w NAME.pcapng`, which writes the sidecar, too |
//! | a world | `worlds.rs`: what takes a server that no option of the command makes |
//! | a peer | `kernel_pcaps.rs`: once, with a program of others; never again the same bytes |

use std::fs;
use std::path::Path;

use framewise_replay::sidecar_of;
use framewise_tests::Host;
use framewise_tests::peers::Framewise;

use crate::{capture, folder, updates, worlds};

/// Where a capture comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// `framewise fetch` with these arguments.
    Fetch(Vec<String>),
    /// The script of the same name.
    Script,
    /// A world with a server of its own.
    World,
    /// Another program.
    Peer(&'static str),
}

/// Captures with programs of others, recorded once.
pub(crate) const PEERS: &[(&str, &str)] = &[
    ("peer-chromium", "Chromium"),
    ("peer-curl", "curl"),
    ("peer-curl-chunked", "curl"),
    ("peer-curl-form", "curl"),
    ("peer-curl-tls12", "curl"),
    ("peer-curl-tls13", "curl"),
    ("peer-nginx", "nginx"),
    ("peer-nginx-404", "nginx"),
    ("peer-nginx-range", "nginx"),
    ("peer-nginx-tls13", "nginx"),
];

/// All captures and their origins.
pub(crate) fn origins() -> Vec<(String, Origin)> {
    let mut origins = fetches();
    origins.extend(scripts().into_iter().map(|name| (name, Origin::Script)));
    origins.extend(worlds::NAMES.iter().map(|name| ((*name).to_owned(), Origin::World)));
    origins.extend(PEERS.iter().map(|(name, peer)| ((*name).to_owned(), Origin::Peer(peer))));
    origins
}

/// The commands in the folder's README, by the name of the capture that each writes.
fn fetches() -> Vec<(String, Origin)> {
    let readme = fs::read_to_string(folder().join("README.md")).expect("pcaps/ has a README");
    let typed = readme.lines().filter_map(|line| line.strip_prefix("$ framewise fetch "));
    let split = typed.map(|line| {
        let mut arguments = vec!["fetch".to_owned()];
        arguments.extend(line.split_whitespace().map(str::to_owned));
        let file = arguments.last().expect("a command has arguments");
        (file.trim_end_matches(".pcapng").to_owned(), Origin::Fetch(arguments))
    });
    split.collect()
}

fn scripts() -> Vec<String> {
    let entries = fs::read_dir(folder().join("scripts")).expect("pcaps/scripts can be read");
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let mut names: Vec<_> =
        names.filter_map(|name| name.strip_suffix(".script").map(str::to_owned)).collect();
    names.sort();
    names
}

#[test]
fn every_capture_is_made_again_byte_for_byte() {
    let fresh = tempfile::tempdir().expect("a temporary folder can be made");
    for (name, origin) in origins() {
        let path = fresh.path().join(format!("{name}.pcapng"));
        match origin {
            Origin::Fetch(arguments) => run(&arguments, fresh.path()),
            Origin::Script => {
                let script = folder().join(format!("scripts/{name}.script")).display().to_string();
                let arguments = ["replay", &script, "-q", "-w", &format!("{name}.pcapng")].map(str::to_owned);
                run(&arguments, fresh.path());
                same(&sidecar_of(&path), &sidecar_of(&capture(&name)));
            }
            Origin::World => {
                worlds::make(&name, &path);
                same(&sidecar_of(&path), &sidecar_of(&capture(&name)));
            }
            Origin::Peer(_) => continue,
        }
        same(&path, &capture(&name));
    }
}

fn run(arguments: &[String], folder: &Path) {
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    Framewise::new(&Host, &arguments).within(folder).run().successful();
}

/// What was made is what is kept; or it is kept from now on.
fn same(made: &Path, kept: &Path) {
    let fresh = fs::read(made).expect("it was made");
    if updates() {
        return fs::write(kept, fresh).expect("pcaps/ can be written to");
    }
    let old = fs::read(kept).unwrap_or_default();
    if fresh != old {
        let at = fresh.iter().zip(&old).take_while(|(a, b)| a == b).count();
        let name = kept.file_name().unwrap_or_default().to_string_lossy();
        let (fresh, old) = (fresh.len(), old.len());
        panic!("{name}: {fresh} bytes made, {old} kept, different from byte {at} on; see pcaps/README.md");
    }
}
