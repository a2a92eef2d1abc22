//! On which device a host of ours is, and as whom.

use std::net::IpAddr;
#[cfg(target_os = "linux")]
use std::time::Duration;

use clap::{Args, ValueEnum};
use framewise::ip::Cidr;
use framewise::ip::cidr::ParseCidrError;

/// A host of ours on a device.
#[derive(Debug, Args)]
pub(crate) struct TapHost {
    /// The TAP device; made by `framewise tap up`, or by this command when it may.
    #[arg(long, value_name = "NAME", group = "device")]
    pub(crate) tap: Option<String>,

    /// An interface of this computer, shared with its kernel by a packet socket (as root).
    #[arg(long, value_name = "NAME", group = "device")]
    pub(crate) interface: Option<String>,

    /// My address and network there, such as 192.0.2.10/24; once more for IPv6.
    #[arg(long, value_name = "CIDR", requires = "device", value_parser = host_address)]
    pub(crate) address: Vec<Cidr>,

    /// The router to everything else.
    #[arg(long, value_name = "IP", requires = "device")]
    pub(crate) gateway: Vec<IpAddr>,

    /// My MAC address; made up of the device's name if not given.
    #[arg(long, value_name = "MAC", requires = "device")]
    pub(crate) mac: Option<framewise::core::MacAddr>,

    /// Whether the kernel shall cut and join segments and do without checksums: where it can, or not at all.
    #[arg(long, value_name = "WHEN", value_enum, default_value_t = Offload::Auto, requires = "tap")]
    pub(crate) offload: Offload,

    /// How long to stay awake after a frame, for the next may be about to come: 50, or 0 where there is one processor.
    #[arg(long, value_name = "MICROSECONDS", requires = "device")]
    pub(crate) spin: Option<u64>,
}

/// An address that a host can have, with its network.
pub(super) fn host_address(text: &str) -> Result<Cidr, String> {
    let cidr: Cidr = text.parse().map_err(|error: ParseCidrError| error.to_string())?;
    cidr.of_a_host().map_err(|error| error.to_string())
}

/// When to use a TAP's offload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Offload {
    /// Where the kernel offers it.
    Auto,
    /// Always; fail where the kernel does not offer it.
    On,
    /// Never: every frame is one that a cable could carry.
    Off,
}

impl TapHost {
    /// On which device the host is, if on one.
    pub(crate) fn device(&self) -> Option<DeviceName<'_>> {
        let tap = self.tap.as_deref().map(DeviceName::Tap);
        tap.or(self.interface.as_deref().map(DeviceName::Interface))
    }

    /// How long to stay awake after a frame.
    #[cfg(target_os = "linux")]
    pub(crate) fn spin(&self) -> Duration {
        let several = std::thread::available_parallelism().is_ok_and(|processors| processors.get() > 1);
        Duration::from_micros(self.spin.unwrap_or(if several { 50 } else { 0 }))
    }
}

/// A device of this computer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DeviceName<'a> {
    /// A TAP, whose other end is this program.
    Tap(&'a str),
    /// An interface that the kernel uses, too.
    Interface(&'a str),
}

impl<'a> DeviceName<'a> {
    /// What the kernel calls it.
    pub(crate) fn name(self) -> &'a str {
        match self {
            DeviceName::Tap(name) | DeviceName::Interface(name) => name,
        }
    }
}
