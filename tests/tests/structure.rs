//! The invariants of the design that can be read off the sources: who may depend on whom, and who may name what.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The crates that are one protocol each.
const LAYERS: [&str; 7] = ["ethernet", "ip", "tcp", "udp", "dns", "tls", "http"];

/// What each crate may depend on among ours: arrows point down only.
const DOWN: [(&str, &[&str]); 13] = [
    ("core", &[]),
    ("device", &["framewise-core"]),
    ("gateway", &["framewise-core"]),
    ("site", &["framewise-core", "framewise-http"]),
    ("server", &["framewise-core", "framewise-http"]),
    (
        "trace",
        &[
            "framewise-core",
            "framewise-device",
            "framewise-dns",
            "framewise-ethernet",
            "framewise-http",
            "framewise-ip",
            "framewise-tcp",
            "framewise-tls",
            "framewise-udp",
        ],
    ),
    (
        "framewise",
        &[
            "framewise-core",
            "framewise-device",
            "framewise-dns",
            "framewise-ethernet",
            "framewise-gateway",
            "framewise-http",
            "framewise-ip",
            "framewise-tcp",
            "framewise-tls",
            "framewise-udp",
        ],
    ),
    ("lab", &["framewise", "framewise-server"]),
    ("conformance", &["framewise-core"]),
    ("replay", &["framewise", "framewise-site", "framewise-trace"]),
    (
        "cli",
        &[
            "framewise",
            "framewise-conformance",
            "framewise-core",
            "framewise-device",
            "framewise-http",
            "framewise-lab",
            "framewise-server",
            "framewise-shop",
            "framewise-replay",
            "framewise-site",
            "framewise-tls",
            "framewise-trace",
        ],
    ),
    ("step", &["framewise", "framewise-site", "framewise-trace"]),
    ("xtask", &[]),
];

fn crates() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates")
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Our own crates among the normal dependencies of a crate: those of its tests are its own affair.
fn own_dependencies(name: &str) -> BTreeSet<String> {
    let manifest = read(&crates().join(name).join("Cargo.toml"));
    let mut is_normal = false;
    let mut found = BTreeSet::new();
    for line in manifest.lines().map(str::trim) {
        if line.starts_with('[') {
            is_normal = line.ends_with("dependencies]") && !line.contains("dev-") && !line.contains("build-");
        } else if is_normal && line.starts_with("framewise") {
            let end = line.find(|c: char| !(c.is_ascii_alphanumeric() || c == '-')).unwrap_or(line.len());
            found.insert(line[..end].to_owned());
        }
    }
    found
}

#[test]
fn no_layer_depends_on_another_layer() {
    for layer in LAYERS {
        let expected = BTreeSet::from(["framewise-core".to_owned()]);
        assert_eq!(own_dependencies(layer), expected, "{layer}: a layer knows its seams, and no other layer");
    }
}

#[test]
fn dependencies_point_down_only() {
    for (name, below) in DOWN {
        let below: BTreeSet<String> = below.iter().map(|&name| name.to_owned()).collect();
        let found = own_dependencies(name);
        let upward: Vec<_> = found.difference(&below).collect();
        assert!(upward.is_empty(), "{name} depends on {upward:?}, which is not below it");
    }
    let known: BTreeSet<_> = LAYERS.into_iter().chain(DOWN.iter().map(|(name, _)| *name)).collect();
    let entries = fs::read_dir(crates()).expect("the crates are here");
    let names = entries.map(|entry| entry.expect("a folder").file_name().into_string().expect("plain names"));
    for name in names {
        assert!(
            known.contains(name.as_str()),
            "crates/{name}: its place in the order of crates is not written here"
        );
    }
}

/// A source file: its place below `crates`, and its code without comments.
struct Source {
    path: String,
    code: String,
}

impl Source {
    fn krate(&self) -> &str {
        self.path.split('/').next().unwrap_or_default()
    }
}

/// All sources of all crates, without their tests.
fn sources() -> Vec<Source> {
    let mut found = Vec::new();
    for entry in fs::read_dir(crates()).expect("the crates are here") {
        collect(&entry.expect("a folder").path().join("src"), &mut found);
    }
    assert!(found.len() > 100, "only {} sources were found", found.len());
    found
}

fn collect(folder: &Path, found: &mut Vec<Source>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for path in entries.map(|entry| entry.expect("an entry of a folder").path()) {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if path.is_dir() && name != "tests" {
            collect(&path, found);
        } else if name.ends_with(".rs") && name != "tests.rs" {
            let place = path.strip_prefix(crates()).expect("below the crates");
            let place = place.to_str().expect("plain names").replace('\\', "/");
            found.push(Source { path: place, code: without_comments(&read(&path)) });
        }
    }
}

/// Drops what stands behind `//`, unless it is part of a URL.
fn without_comments(text: &str) -> String {
    let code_of = |line: &str| {
        let comment = line.match_indices("//").find(|&(at, _)| !line[..at].ends_with(':'));
        comment.map_or(line.len(), |(at, _)| at)
    };
    text.lines().map(|line| format!("{}\n", &line[..code_of(line)])).collect()
}

/// The files of which `names` holds, sorted.
fn files(sources: &[Source], names: impl Fn(&Source) -> bool) -> Vec<&str> {
    let mut files: Vec<_> = sources.iter().filter(|source| names(source)).map(|s| s.path.as_str()).collect();
    files.sort_unstable();
    files
}

#[test]
fn one_file_names_each_engine() {
    let sources = sources();
    let engines: [(&str, &[&str]); 3] = [
        ("smoltcp's sockets and interface", &["smoltcp::socket", "smoltcp::iface", "smoltcp::{"]),
        ("rustls' connections", &["ClientConnection", "ServerConnection", "rustls::Connection"]),
        ("httparse", &["httparse::"]),
    ];
    for (engine, names) in engines {
        let files = files(&sources, |source| names.iter().any(|name| source.code.contains(name)));
        assert_eq!(files.len(), 1, "one file was to name {engine}, these do: {files:?}");
    }
}

#[test]
fn engines_stay_within_their_layer() {
    let sources = sources();
    for (engine, home) in
        [("smoltcp", "tcp"), ("rustls", "tls"), ("httparse", "http"), ("hickory_proto", "dns")]
    {
        let uses =
            |code: &str| code.contains(&format!("{engine}::")) || code.contains(&format!("use {engine}"));
        let files = files(&sources, |source| uses(&source.code) && source.krate() != home);
        assert!(files.is_empty(), "{engine} belongs to {home}, and is named in {files:?}");
    }
}

/// Files that may read clocks, and may use threads, sockets and files of the operating system; a folder for all in it.
const IMPURE: [&str; 18] = [
    "device/",
    "cli/",
    "xtask/",
    "framewise/src/answers.rs",
    "framewise/src/clock.rs",
    "framewise/src/gateway/",
    "framewise/src/wait.rs",
    "framewise/src/wake.rs",
    "server/src/lesson.rs",
    "server/src/pool/",
    "server/src/wsgi/",
    "replay/src/file.rs",
    "site/src/files/",
    "step/src/main.rs",
    "step/src/open.rs",
    "step/src/terminal.rs",
    "tls/src/store.rs",
    "trace/src/bin/",
];

/// By which code does so.
const IMPURE_NAMES: [&str; 17] = [
    "time::Instant::now",
    "SystemTime::now",
    "SystemTime::elapsed",
    "net::TcpStream",
    "net::TcpListener",
    "net::UdpSocket",
    "UnixStream",
    "std::thread",
    "thread::spawn",
    "thread::sleep",
    "std::fs",
    "File::open",
    "File::create",
    "std::env",
    "std::process",
    "getrandom::",
    "thread_rng",
];

#[test]
fn nothing_else_does_input_output_or_reads_a_clock() {
    let sources = sources();
    // The one function that hands the operating system's entropy to a run in real time.
    let is_entropy =
        |source: &Source, name: &str| source.path == "framewise/src/lib.rs" && name == "getrandom::";
    for name in IMPURE_NAMES {
        let files = files(&sources, |source| {
            let may =
                IMPURE.iter().any(|allowed| source.path.starts_with(allowed)) || is_entropy(source, name);
            !may && source.code.contains(name)
        });
        assert!(files.is_empty(), "{name} stands in {files:?}, which may do no input, output or waiting");
    }
}

/// The shop is an application, and as pure as what carries it: the opening of its database alone touches files.
#[test]
fn the_shop_takes_time_and_randomness_as_they_are_handed_in() {
    let folder = crates().join("../examples/shop/src");
    let mut sources = Vec::new();
    collect(&folder, &mut sources);
    assert!(sources.len() > 20, "only {} sources were found", sources.len());
    for source in sources.iter().filter(|source| !source.path.ends_with("database/open.rs")) {
        let named: Vec<_> = IMPURE_NAMES.into_iter().filter(|name| source.code.contains(name)).collect();
        assert!(named.is_empty(), "{} names {named:?}", source.path);
    }
    assert!(read(&folder.join("lib.rs")).contains("#![forbid(unsafe_code)]"));
}

#[test]
fn hashes_seeded_by_the_process_decide_nothing() {
    let sources = sources();
    let layers = files(&sources, |source| {
        let random =
            ["RandomState", "HashMap::new()", "HashSet::new()", "HashMap::default()", "HashSet::default()"];
        LAYERS.contains(&source.krate()) && random.iter().any(|name| source.code.contains(name))
    });
    assert!(layers.is_empty(), "the order of their iteration differs from run to run: {layers:?}");
}

#[test]
fn unsafe_code_is_in_two_files() {
    let sources = sources();
    let allowed = files(&sources, |source| source.code.contains("allow(unsafe_code)"));
    let known = ["device/src/linux.rs", "tcp/src/rings/mapped.rs"];
    assert_eq!(allowed, known, "the files that may hold unsafe code");
    let forbid = ["core", "gateway", "replay", "site", "step", "trace", "framewise", "conformance"]
        .into_iter()
        .chain(LAYERS);
    for name in forbid.filter(|name| *name != "tcp") {
        let root = read(&crates().join(name).join("src/lib.rs"));
        assert!(root.contains("#![forbid(unsafe_code)]"), "{name} was to forbid unsafe code");
    }
    let manifest = read(&crates().join("../Cargo.toml"));
    assert!(manifest.contains("unsafe_code = \"deny\""), "the workspace was to deny it elsewhere");
}

/// Where none of the engines' types stands in a public signature, any of them can be replaced.
#[test]
fn no_public_item_names_an_engines_type() {
    for source in sources() {
        for line in source.code.lines().map(str::trim) {
            let is_public = line.starts_with("pub ") && !line.starts_with("pub use crate");
            let named = ["smoltcp::", "rustls::", "httparse::"].iter().find(|name| line.contains(*name));
            assert!(
                !(is_public && named.is_some()),
                "{}: a public item names an engine: {line}",
                source.path
            );
        }
    }
}
