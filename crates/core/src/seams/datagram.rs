//! Between UDP and its users: datagrams by local port.

use std::net::{IpAddr, SocketAddr};

use bytes::Bytes;

use super::segment::ErrorKind;
use crate::message::Message;
use crate::seam::Seam;

/// The datagram seam.
#[derive(Debug, Clone, Copy)]
pub enum Datagrams {}

impl Seam for Datagrams {
    const NAME: &'static str = "datagram";
    type Down = DatagramDown;
    type Up = DatagramUp;
}

/// A datagram and between whom it travels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Datagram {
    /// Our port.
    pub port: u16,
    /// Our address: where it came to. Outbound `None` lets IP choose.
    pub local: Option<IpAddr>,
    /// The peer.
    pub remote: SocketAddr,
    /// The payload.
    pub data: Bytes,
}

/// What the upper side says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DatagramDown {
    /// Bring me what comes to this port.
    Bind {
        /// The port, not 0: who binds chooses.
        port: u16,
    },
    /// Bring me no more of it.
    Unbind {
        /// The port.
        port: u16,
    },
    /// Send this, from a port that is bound.
    Send(Datagram),
}

/// What the lower side says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DatagramUp {
    /// This came.
    Datagram(Datagram),
    /// What was sent from `port` to `remote` did not arrive.
    Unreachable {
        /// Our port.
        port: u16,
        /// The peer.
        remote: SocketAddr,
        /// Why; `None`: there is no route.
        kind: Option<ErrorKind>,
    },
    /// The port could not be bound: it is taken, 0, or there are too many.
    BindFailed {
        /// The port.
        port: u16,
    },
}

impl Message for DatagramDown {
    fn summary(&self) -> String {
        match self {
            DatagramDown::Bind { port } => format!("bring me what comes to port {port}"),
            DatagramDown::Unbind { port } => format!("done with port {port}"),
            DatagramDown::Send(datagram) => {
                format!("{} bytes from port {} to {}", datagram.data.len(), datagram.port, datagram.remote)
            }
        }
    }

    fn bytes(&self) -> &[u8] {
        match self {
            DatagramDown::Send(datagram) => &datagram.data,
            _ => &[],
        }
    }
}

impl Message for DatagramUp {
    fn summary(&self) -> String {
        match self {
            DatagramUp::Datagram(datagram) => {
                format!("{} bytes from {} to port {}", datagram.data.len(), datagram.remote, datagram.port)
            }
            DatagramUp::Unreachable { remote, kind: Some(kind), .. } => {
                format!("{remote}: {}", kind.as_str())
            }
            DatagramUp::Unreachable { remote, kind: None, .. } => format!("no route to {remote}"),
            DatagramUp::BindFailed { port } => format!("port {port} can't be had"),
        }
    }

    fn bytes(&self) -> &[u8] {
        match self {
            DatagramUp::Datagram(datagram) => &datagram.data,
            _ => &[],
        }
    }
}
