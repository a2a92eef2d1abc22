//! What can be set.

use std::time::Duration;

/// How a [`Tcp`](crate::Tcp) behaves. The default suits two hosts in memory and a small server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Bytes a connection keeps for data that came and was not granted yet, and so the largest window it offers.
    /// Rounded down to 65,535 times a power of two (RFC 7323 scales windows by powers of two).
    pub receive_window: usize,
    /// Bytes a connection keeps of what was sent and not acknowledged yet, once its peer has shown that it takes them: it begins
    /// with 64 KiB at most.
    pub send_buffer: usize,
    /// Bytes that all connections together keep so beyond the first 64 KiB of each.
    pub send_budget: usize,
    /// Connections at a time, half-open ones included.
    pub max_connections: usize,
    /// Listeners at a time.
    pub max_listeners: usize,
    /// Whether the layer above is asked about every connection that a peer wants where nobody listens, to whatever address
    /// and port ([`StreamUp::Asked`]): for a gateway, which takes connections for hosts beyond it. Off, such a peer is
    /// answered by RST, as RFC 9293 section 3.10.7.1 has it.
    ///
    /// [`StreamUp::Asked`]: framewise_core::seams::stream::StreamUp::Asked
    pub asks: bool,
    /// Half-open connections per listener. Who comes when there are so many is answered with a SYN cookie (RFC 4987, section
    /// 3.6), of whose connection nothing is kept before the handshake is done, and whose windows are not scaled.
    pub backlog: usize,
    /// Remains of finished connections that are kept in TIME-WAIT. One more, and the oldest is dropped.
    pub max_time_wait: usize,
    /// How long an acknowledgment may wait for data to travel with (RFC 9293, section 3.8.6.3); `None`: not at all.
    pub delayed_ack: Option<Duration>,
    /// Whether small segments wait while others are unacknowledged (RFC 9293, section 3.7.4).
    pub nagle: bool,
    /// What slows a sender down when segments are lost.
    pub congestion: CongestionControl,
    /// How long to try to connect (RFC 9293, section 3.8.3: at least three minutes for a SYN).
    pub connect_timeout: Duration,
    /// How long a half-open connection may wait for the last step of its handshake.
    pub half_open_timeout: Duration,
    /// Gives up when nothing new was acknowledged for so long though something waits (RFC 5482).
    pub user_timeout: Duration,
    /// The least that a peer must take of what is sent to it; who takes less is left. `None`: it may be as slow as
    /// [`user_timeout`](Self::user_timeout) lets it.
    pub least_pace: Option<LeastPace>,
    /// How long the peer may send nothing new in FIN-WAIT-2, when only its FIN is missing.
    pub fin_timeout: Duration,
    /// How long the remains of a finished connection answer for it (RFC 9293, section 3.4.2). The four minutes there are twice
    /// a segment lifetime that no network has today; a minute is what other hosts use.
    pub time_wait: Duration,
    /// After how much silence to ask whether the peer still lives (RFC 9293, section 3.8.4).
    pub keep_alive: Option<Duration>,
    /// Whether segments may be larger than the peer's MSS, to be cut by the device (which then computes the sum).
    pub super_segments: bool,
    /// Whether the device computes the checksum of what is sent.
    pub checksum_offload: bool,
    /// Bytes of the largest packet, IP header included, that any connection uses; less where IP says so.
    pub mtu: usize,
}

/// What slows a sender down when segments are lost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CongestionControl {
    /// CUBIC (RFC 9438).
    #[default]
    Cubic,
    /// Nothing but the peer's window: for tests of something else, never for a network that others are on.
    None,
}

/// The least that a peer must do in a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeastPace {
    /// Bytes that it acknowledges,
    pub bytes: u32,
    /// in each period of this length in which something waits for it.
    pub period: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            receive_window: 64 * 1_024,
            send_buffer: 64 * 1_024,
            send_budget: 64 * 1_024 * 1_024,
            max_connections: 16_384,
            max_listeners: 64,
            asks: false,
            backlog: 256,
            max_time_wait: 4_096,
            delayed_ack: Some(Duration::from_millis(10)),
            nagle: false,
            congestion: CongestionControl::default(),
            connect_timeout: Duration::from_secs(180),
            half_open_timeout: Duration::from_secs(60),
            user_timeout: Duration::from_secs(300),
            least_pace: None,
            fin_timeout: Duration::from_secs(120),
            time_wait: Duration::from_secs(60),
            keep_alive: None,
            super_segments: false,
            checksum_offload: false,
            mtu: 1_500,
        }
    }
}
