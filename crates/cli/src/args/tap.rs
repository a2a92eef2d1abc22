//! What `framewise tap` is told.

use clap::{Args, Subcommand, ValueEnum};
use framewise::ip::Cidr;

/// What to do with TAP devices.
#[derive(Debug, Subcommand)]
pub(crate) enum Tap {
    /// Make TAP devices, with an address for this computer's side.
    ///
    /// What is there already gets what it lacks. Whatever this does, `framewise tap down` undoes, and nothing else.
    Up(TapUp),
    /// Remove TAP devices that framewise made, and undo what was done for them.
    Down {
        /// Their names.
        #[arg(default_value = "fw0")]
        names: Vec<String>,
        /// All that framewise has made here.
        #[arg(long)]
        all: bool,
    },
    /// List the TAP devices that framewise made, and what was done for them.
    Status {
        /// These alone.
        names: Vec<String>,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
}

/// Make TAP devices.
#[derive(Debug, Args)]
pub(crate) struct TapUp {
    /// Their names; several are joined by --bridge.
    #[arg(default_value = "fw0")]
    pub(crate) names: Vec<String>,
    /// This computer's address and network on it, such as 192.0.2.1/24; once more for IPv6.
    #[arg(long, value_name = "CIDR", value_parser = super::device::host_address)]
    pub(crate) address: Vec<Cidr>,
    /// Who may use it; the user behind sudo if not given.
    #[arg(long, value_name = "UID")]
    pub(crate) owner: Option<u32>,
    /// Join them by this bridge, a switch in the kernel; the address is then the bridge's.
    #[arg(long, value_name = "NAME")]
    pub(crate) bridge: Option<String>,
    /// Let this computer's kernel forward packets, as a router does.
    #[arg(long)]
    pub(crate) forward: bool,
    /// Let what comes from there go on under this computer's addresses (NAT), which takes --forward with it.
    #[arg(long, value_name = "WITH", num_args = 0..=1, require_equals = true, default_missing_value = "any")]
    pub(crate) nat: Option<NatTool>,
}

/// Which program keeps the kernel's table for NAT.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum NatTool {
    /// Whichever of the others is installed, the first if both are.
    Any,
    /// nftables.
    Nft,
    /// iptables.
    Iptables,
}
