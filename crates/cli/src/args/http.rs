//! What `framewise fetch` is told about the request, and about what may follow it.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueHint};

use super::seconds;

/// The request, and what may follow it.
#[derive(Debug, Args)]
#[command(next_help_heading = "HTTP")]
pub(crate) struct Http {
    /// Ask for the head alone (HEAD), and print it.
    #[arg(short = 'I', long, conflicts_with_all = ["request"])]
    pub(crate) head: bool,

    /// Add a header field to the request.
    #[arg(short = 'H', long = "header", value_name = "NAME: VALUE")]
    pub(crate) headers: Vec<String>,

    /// Show this user and password to the server (Basic), and to none that it redirects to. (In the URL they may stand, too.)
    #[arg(short, long, value_name = "USER:PASSWORD")]
    pub(crate) user: Option<String>,

    /// Send this as a form (POST); from a file with `@FILE`. Several are joined by `&`.
    #[arg(short, long, value_name = "DATA")]
    pub(crate) data: Vec<String>,

    /// The same, encoded as a form has it: `VALUE`, `NAME=VALUE`, `@FILE` or `NAME@FILE`. It stands behind all of --data.
    #[arg(long, value_name = "DATA")]
    pub(crate) data_urlencode: Vec<String>,

    /// Put the data into the URL, behind a `?`, instead of sending it (GET).
    #[arg(short = 'G', long)]
    pub(crate) get: bool,

    /// Send a field of a form of several parts (POST): `NAME=VALUE`, `NAME=@FILE` as a file, `NAME=<FILE` what is in it; `-` is
    /// standard input. Behind it may stand `;type=text/plain` and `;filename=NAME`.
    #[arg(short = 'F', long = "form", value_name = "NAME=VALUE", conflicts_with_all = ["data", "data_urlencode", "get", "upload_file", "head"])]
    pub(crate) form: Vec<String>,

    /// Send this file, of any length, as it is read (PUT); in chunks where it has no length, such as `-`, standard input.
    #[arg(short = 'T', long, value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with_all = ["data", "data_urlencode", "get", "head"])]
    pub(crate) upload_file: Option<PathBuf>,

    /// The method, where it is not GET (POST with --data and --form, PUT with --upload-file).
    #[arg(short = 'X', long, value_name = "METHOD")]
    pub(crate) request: Option<String>,

    /// Ask for a page that was made shorter for the way (gzip, deflate, br), and decode it.
    #[arg(long)]
    pub(crate) compressed: bool,

    /// Go where redirects lead.
    #[arg(short = 'L', long)]
    pub(crate) location: bool,

    /// How many redirects to follow one after the other.
    #[arg(long, value_name = "NUMBER", default_value_t = 20, requires = "location")]
    pub(crate) max_redirs: usize,

    /// Send this cookie, `NAME=VALUE`, to the server alone that the URL names; or the cookies of a file to whom they are for.
    #[arg(short = 'b', long = "cookie", value_name = "NAME=VALUE|FILE")]
    pub(crate) cookies: Vec<String>,

    /// Keep the cookies that servers set, and write all to this file in the end.
    #[arg(short = 'c', long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) cookie_jar: Option<PathBuf>,

    /// Try so often again after what may pass: no connection, or 408, 429, 500, 502, 503, 504. Nothing is done twice: POST is
    /// tried again only if no connection was there.
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    pub(crate) retry: u32,

    /// How long to wait before each retry, in seconds; if not given 1, then twice as long each time. A server may ask for more.
    #[arg(long, value_name = "SECONDS", value_parser = seconds, requires = "retry")]
    pub(crate) retry_delay: Option<Duration>,
}
