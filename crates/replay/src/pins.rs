//! What a fixture pins, so that tuning elsewhere changes nothing in it.

use std::time::Duration;

use framewise::HostConfig;
use framewise::device::Capabilities;
use framewise::tcp::CongestionControl;
use framewise::tls::Versions;

/// What is pinned; the rest is as a host has it by default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pins {
    /// Bytes of TCP's receive window.
    pub window: Option<usize>,
    /// Bytes of TCP's send buffer.
    pub send_buffer: Option<usize>,
    /// How long an acknowledgment may wait.
    pub delayed_ack: Option<Option<Duration>>,
    /// Whether small segments wait for an acknowledgment.
    pub nagle: Option<bool>,
    /// What slows TCP down when segments are lost.
    pub congestion: Option<CongestionControl>,
    /// Half-open connections per listener.
    pub backlog: Option<usize>,
    /// How long to try to connect.
    pub connect_timeout: Option<Duration>,
    /// How long a half-open connection may wait.
    pub half_open_timeout: Option<Duration>,
    /// How long nothing may be acknowledged.
    pub user_timeout: Option<Duration>,
    /// How long only the peer's FIN may be missing.
    pub fin_timeout: Option<Duration>,
    /// How long the remains of a connection answer for it.
    pub time_wait: Option<Duration>,
    /// After how much silence the peer is asked whether it lives.
    pub keep_alive: Option<Option<Duration>>,
    /// What is left to the device.
    pub offload: Option<Offload>,
    /// Versions of TLS.
    pub tls: Option<Versions>,
    /// Whether certificates are checked.
    pub verify: Option<bool>,
    /// Whether TLS sessions are resumed.
    pub resumption: Option<bool>,
    /// How long a connection of HTTP may stay open between two exchanges.
    pub idle_timeout: Option<Duration>,
    /// How long a client may take over a head.
    pub head_timeout: Option<Duration>,
    /// How long a closed connection waits for the peer's end.
    pub linger: Option<Duration>,
}

/// What is left to the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offload {
    /// Nothing.
    None,
    /// Checksums.
    Checksums,
    /// Checksums and segmentation.
    Full,
}

impl Pins {
    /// Writes what is pinned into a host's configuration.
    pub fn apply(&self, host: &mut HostConfig) {
        // First, for it decides about delayed acknowledgments, too.
        host.leave_to(match self.offload.unwrap_or(Offload::None) {
            Offload::None => Capabilities::default(),
            Offload::Checksums => Capabilities { checksums: true, segmentation: false },
            Offload::Full => Capabilities { checksums: true, segmentation: true },
        });
        let tcp = &mut host.tcp;
        set(&mut tcp.receive_window, self.window);
        set(&mut tcp.send_buffer, self.send_buffer);
        set(&mut tcp.delayed_ack, self.delayed_ack);
        set(&mut tcp.nagle, self.nagle);
        set(&mut tcp.congestion, self.congestion);
        set(&mut tcp.backlog, self.backlog);
        set(&mut tcp.connect_timeout, self.connect_timeout);
        set(&mut tcp.half_open_timeout, self.half_open_timeout);
        set(&mut tcp.user_timeout, self.user_timeout);
        set(&mut tcp.fin_timeout, self.fin_timeout);
        set(&mut tcp.time_wait, self.time_wait);
        set(&mut tcp.keep_alive, self.keep_alive);
        set(&mut host.tls.versions, self.tls);
        set(&mut host.tls.client.verify, self.verify);
        set(&mut host.tls.resumption, self.resumption);
        set(&mut host.http.idle_timeout, self.idle_timeout);
        set(&mut host.http.head_timeout, self.head_timeout);
        set(&mut host.http.linger, self.linger);
    }
}

fn set<T>(place: &mut T, pinned: Option<T>) {
    if let Some(value) = pinned {
        *place = value;
    }
}
