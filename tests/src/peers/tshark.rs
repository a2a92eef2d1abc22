//! tshark, which reads our captures with other people's eyes.

use super::pdml::{self, PdmlField};
use crate::place::{Host, Place};
use crate::process::finish;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(120);

/// What says of a frame that one of its checksums is wrong. Where a sum is 0, Linux writes its other name, ffff, for UDP's sake
/// in TCP too (RFC 1624, section 3): tshark complains, and no receiver does.
const BAD_CHECKSUM: &str = "ip.checksum.status == 0 || udp.checksum.status == 0 \
                            || (tcp.checksum.status == 0 \
                                && !(tcp.checksum == 0xffff && tcp.checksum_calculated == 0)) \
                            || icmp.checksum.status == 0 || icmpv6.checksum.status == 0";

/// A reading of one capture.
#[derive(Clone, Debug)]
pub struct Tshark {
    file: PathBuf,
    filter: String,
    keys: Option<PathBuf>,
}

impl Tshark {
    /// Reads a capture.
    pub fn new(file: &Path) -> Self {
        Tshark { file: file.to_owned(), filter: String::new(), keys: None }
    }

    /// Opens TLS with the secrets in this file.
    pub fn keys(mut self, file: &Path) -> Self {
        self.keys = Some(file.to_owned());
        self
    }

    /// Only the frames that this display filter lets through.
    pub fn filter(mut self, filter: &str) -> Self {
        self.filter = filter.to_owned();
        self
    }

    /// These fields of each frame, each with all of its occurrences separated by commas.
    ///
    /// # Panics
    ///
    /// Where tshark cannot read the file or knows no such field.
    #[track_caller]
    pub fn fields(&self, fields: &[&str]) -> Vec<Vec<String>> {
        let mut command = self.command();
        command.args(["-T", "fields"]);
        for field in fields {
            command.args(["-e", field]);
        }
        let rows = finish(&mut command, LIMIT).successful().text();
        rows.lines().map(|row| row.split('\t').map(str::to_owned).collect()).collect()
    }

    /// All that tshark makes of each frame.
    ///
    /// # Panics
    ///
    /// Where tshark cannot read the file.
    #[track_caller]
    pub fn json(&self) -> Value {
        let finished = finish(self.command().args(["-T", "json"]), LIMIT).successful();
        serde_json::from_slice(&finished.stdout).expect("tshark writes proper JSON")
    }

    /// Every field of each frame, with its place and in its order.
    ///
    /// # Panics
    ///
    /// Where tshark cannot read the file.
    #[track_caller]
    pub fn pdml(&self) -> Vec<Vec<PdmlField>> {
        pdml::frames(&finish(self.command().args(["-T", "pdml"]), LIMIT).successful().text())
    }

    /// A line in tshark's own words for each frame.
    ///
    /// # Panics
    ///
    /// Where tshark cannot read the file.
    #[track_caller]
    pub fn lines(&self) -> Vec<String> {
        finish(&mut self.command(), LIMIT).successful().text().lines().map(str::to_owned).collect()
    }

    /// What the two sides of the connection of this number said, as tshark puts it together whatever the order of its frames:
    /// `protocol` is `tcp`, or `tls` for what was sealed. What the side `first` (address, colon, port) said comes first.
    ///
    /// # Panics
    ///
    /// Where tshark cannot read the file.
    #[track_caller]
    pub fn follow(&self, protocol: &str, connection: usize, first: &str) -> [Vec<u8>; 2] {
        let mut command = self.command();
        command.args(["-q", "-o", "tcp.reassemble_out_of_order:TRUE"]);
        command.args(["-z", &format!("follow,{protocol},raw,{connection}")]);
        let mut said = [Vec::new(), Vec::new()];
        let text = finish(&mut command, LIMIT).successful().text();
        // tshark's own first one, whose lines begin without a tab, is whoever sent the first frame that it understood.
        let is_first = text.lines().any(|line| line == format!("Node 0: {first}"));
        for line in text.lines() {
            let digits = line.trim_start_matches('\t');
            let is_data = !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
            if is_data {
                let pairs = digits.as_bytes().chunks(2).filter_map(|pair| std::str::from_utf8(pair).ok());
                let bytes = pairs.map(|pair| u8::from_str_radix(pair, 16).expect("hexadecimal digits"));
                said[usize::from(line.starts_with('\t') == is_first)].extend(bytes);
            }
        }
        said
    }

    fn command(&self) -> Command {
        let mut command = Host.command("tshark");
        // No one's own preferences: what tshark says must be the same on every machine.
        command.env("HOME", "/nonexistent").env_remove("XDG_CONFIG_HOME").env_remove("WIRESHARK_CONFIG_DIR");
        command.arg("-n").arg("-r").arg(&self.file);
        // Checksums are not verified unless asked for, since most captures are taken before a card fills them in.
        for protocol in ["ip", "tcp", "udp"] {
            command.args(["-o", &format!("{protocol}.check_checksum:TRUE")]);
        }
        if let Some(keys) = &self.keys {
            command.args(["-o", &format!("tls.keylog_file:{}", keys.display())]);
        }
        if !self.filter.is_empty() {
            command.args(["-Y", &self.filter]);
        }
        command
    }
}

/// The frames of a capture that tshark calls malformed, a line for each.
///
/// # Panics
///
/// Where tshark cannot read the file.
#[track_caller]
pub fn malformed(file: &Path) -> Vec<String> {
    Tshark::new(file).filter("_ws.malformed").lines()
}

/// The frames of a capture with a wrong checksum in any layer, a line for each.
///
/// # Panics
///
/// Where tshark cannot read the file.
#[track_caller]
pub fn bad_checksums(file: &Path) -> Vec<String> {
    Tshark::new(file).filter(BAD_CHECKSUM).lines()
}

/// The bodies of HTTP messages in a capture, by the name that tshark gives each (the end of its path);
/// those sent over TLS too, where the capture carries its secrets.
///
/// # Panics
///
/// Where tshark cannot read the file.
#[track_caller]
pub fn http_objects(file: &Path) -> BTreeMap<String, Vec<u8>> {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let export = format!("http,{}", folder.path().display());
    let mut command = Tshark::new(file).command();
    finish(command.args(["-q", "--export-objects", &export]), LIMIT).successful();
    let objects = fs::read_dir(folder.path()).expect("tshark was given this folder");
    let read = |path: PathBuf| Some((path.file_name()?.to_str()?.to_owned(), fs::read(&path).ok()?));
    objects.filter_map(|entry| read(entry.ok()?.path())).collect()
}
