//! What a view is told to look at.

use std::path::PathBuf;

use clap::{Args, ValueHint};

#[derive(Debug, Args)]
pub(crate) struct Subject {
    /// What to look at: a capture file (pcap or pcapng, of anybody's), or a URL of the world inside this program, which is
    /// fetched for it.
    #[arg(value_name = "URL|FILE", value_hint = ValueHint::AnyPath)]
    pub(crate) what: String,

    /// Open TLS with the secrets in this file, as browsers and `curl` write it (SSLKEYLOGFILE). Those in a capture are used
    /// anyway.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) keylog: Option<PathBuf>,

    /// Options of `framewise fetch` for the run that is looked at, such as: -- --tls 1.2 --drop 5
    #[arg(last = true, value_name = "FETCH OPTIONS")]
    pub(crate) fetch: Vec<String>,
}
