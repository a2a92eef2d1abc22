//! How much of everything a client may take.

use std::time::Duration;

use clap::Args;
use framewise::HostConfig;
use framewise::tcp::LeastPace;

use crate::args::seconds;

/// Limits, each with what is answered beyond it.
#[derive(Debug, Args)]
#[command(next_help_heading = "Limits")]
pub(crate) struct Limits {
    /// How long a client may take over a request's head, in seconds. Beyond: 408.
    #[arg(long, value_name = "SECONDS", value_parser = seconds, default_value = "30")]
    pub(crate) head_timeout: Duration,

    /// How long a connection may stay open between two requests, in seconds. 60 if not given; 5 where it holds a thread (--model
    /// prefork and worker).
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub(crate) idle_timeout: Option<Duration>,

    /// Bytes that a client must send of a body, or read of an answer, in a second, on average over 35 seconds. Below: 408, or the
    /// end.
    #[arg(long, value_name = "BYTES", default_value_t = 1_000)]
    pub(crate) minimum_rate: u32,

    /// Bytes of a request's head. Beyond: 431.
    #[arg(long, value_name = "BYTES", default_value_t = 16 * 1024)]
    pub(crate) max_head: usize,

    /// Bytes of a request's target. Beyond: 414.
    #[arg(long, value_name = "BYTES", default_value_t = 8 * 1024)]
    pub(crate) max_target: usize,

    /// Bytes of a request's body. Beyond: 413. 64 MiB if not given, and none where a page takes bodies as they come.
    #[arg(long, value_name = "BYTES")]
    pub(crate) max_body: Option<u64>,

    /// Connections at a time. Further ones are refused.
    #[arg(long, value_name = "NUMBER", default_value_t = 65_536)]
    pub(crate) max_connections: usize,

    /// Connections at a time from one address, or one IPv6 network of 64 bits. Further ones are refused. By --forward all
    /// clients come from the gateway, as one.
    #[arg(long, value_name = "NUMBER")]
    pub(crate) max_per_client: Option<usize>,

    /// Requests at a time. Beyond: 503.
    #[arg(long, value_name = "NUMBER", default_value_t = 65_536)]
    pub(crate) max_requests: usize,
}

impl Limits {
    /// Tells HTTP, and TCP, which alone knows how much of an answer the client has taken. Whether connections hold threads, HTTP
    /// is told, too.
    pub(crate) fn apply(&self, host: &mut HostConfig, holds_threads: bool) {
        let http = &mut host.http;
        http.tells_who_left = holds_threads;
        http.head_timeout = self.head_timeout;
        let usual = Duration::from_secs(if holds_threads { 5 } else { 60 });
        http.idle_timeout = self.idle_timeout.unwrap_or(usual);
        http.minimum_rate = self.minimum_rate.into();
        http.limits.head_bytes = self.max_head;
        http.limits.target_bytes = self.max_target;
        http.connections = self.max_connections;
        http.connections_per_client = self.max_per_client.unwrap_or(usize::MAX);
        http.exchanges = self.max_requests;
        http.request_body_bytes = self.max_body.unwrap_or(http.request_body_bytes);
        let seconds = u32::try_from(http.pace_period.as_secs()).unwrap_or(u32::MAX);
        host.tcp.least_pace =
            Some(LeastPace { bytes: self.minimum_rate.saturating_mul(seconds), period: http.pace_period });
    }
}
