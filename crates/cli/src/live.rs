//! A host of ours on a device: opened with the rights it needs, run without them.

use std::net::SocketAddr;
use std::time::Duration;

use framewise::{HostId, Runner};

use crate::args::{self, DeviceName};
use crate::cost::Stopwatch;
use crate::deadlines::Deadlines;
use crate::exit::{Failure, Kind};

/// A host on a device, and the Runner that drives it.
pub(crate) struct Live {
    pub(crate) runner: Runner,
    pub(crate) host: HostId,
    /// When the Runner's clock began, since 1970.
    pub(crate) epoch: Duration,
    /// Who turned names into addresses, for the walk.
    pub(crate) names: Option<String>,
    /// The TAP that was made when it was opened, if it was not there.
    pub(crate) made: Option<String>,
    /// Where the operating system takes connections for it, and for which ports.
    pub(crate) forwards: Vec<(SocketAddr, u16)>,
}

#[cfg(target_os = "linux")]
mod linux {
    use std::net::{IpAddr, ToSocketAddrs};

    use framewise::core::{MacAddr, Rng};
    use framewise::device::{
        Device, Offloading, PacketSocket, Tap, TapError, TapOptions, interfaces, privileges,
    };
    use framewise::dns::Family;
    use framewise::ethernet::MacAllocator;
    use framewise::http::Url;
    use framewise::{HostConfig, Interface, KnownAddress, Plug};

    use super::*;
    use crate::real::{known_address, roots, tls_config, unix_time};

    /// A client on a device, its layers timed or not.
    pub(crate) fn client(
        args: &args::Fetch,
        device: DeviceName<'_>,
        deadlines: &Deadlines,
        stopwatch: Option<&Stopwatch>,
    ) -> Result<Live, Failure> {
        let mut tls = tls_config();
        tls.client.verify = !args.tls.insecure;
        tls.client.roots = roots(args)?;
        tls.versions = args.tls.versions();
        tls.export_secrets =
            args.capture_secrets || args.tap.keylog.is_some() || std::env::var_os("SSLKEYLOGFILE").is_some();
        check_host(device, &args.tap.tap)?;
        let (known, names) = names(args, deadlines)?;
        let opened = open(device, args.tap.tap.offload)?;
        let mut config = host_config(crate::scene::ME, &opened, &args.tap.tap, tls);
        config.dns.servers = args.tap.dns.clone();
        config.dns.prefer = preferred(args);
        // One page, and the server is not left waiting for a next request.
        config.http.idle_connections = 0;
        let mut live = start(opened, &config, stopwatch)?;
        live.runner.set_spin(args.tap.tap.spin());
        for known in known {
            live.runner.host(live.host).know(known);
        }
        live.names = names;
        Ok(live)
    }

    fn preferred(args: &args::Fetch) -> Family {
        if args.ipv6 { Family::Ipv6 } else { Family::Ipv4 }
    }

    /// Whether the command line says enough about the host.
    pub(crate) fn check_host(device: DeviceName<'_>, args: &args::TapHost) -> Result<(), Failure> {
        if args.address.is_empty() {
            return Err(Failure::new(Kind::Usage, format!("which address do I have on {}?", device.name()))
                .next("add --address 192.0.2.10/24, an address of the network that is there"));
        }
        check_not_the_kernels(args)?;
        match args.mac {
            Some(mac) if !mac.is_unicast() => Err(Failure::new(
                Kind::Usage,
                format!("{mac} is no station's address: its first byte is odd"),
            )),
            _ => Ok(()),
        }
    }

    /// An address that this computer's kernel has, too, would be answered for by both: the kernel would end our
    /// connections by RST.
    fn check_not_the_kernels(args: &args::TapHost) -> Result<(), Failure> {
        let all = interfaces::all().unwrap_or_default();
        let has = |address: IpAddr| {
            all.iter().find(|interface| interface.addresses.iter().any(|(its, _)| *its == address))
        };
        let Some((cidr, interface)) = args.address.iter().find_map(|cidr| Some((cidr, has(cidr.address)?)))
        else {
            return Ok(());
        };
        let sentence = format!(
            "{} is this computer's own address, on {}: its kernel would answer for me, and end my connections",
            cidr.address, interface.name
        );
        Err(Failure::new(Kind::Device, sentence).next("another --address of that network"))
    }

    /// What the command line and the device say about the host.
    pub(crate) fn host_config(
        name: &str,
        opened: &Opened,
        args: &args::TapHost,
        tls: framewise::tls::Config,
    ) -> HostConfig {
        let mac = args.mac.unwrap_or_else(|| opened.made_up_mac());
        let mut interface = Interface::new(mac, args.address.iter().copied());
        interface.mtu = opened.device.mtu();
        let mut config = HostConfig::new(name, vec![interface], tls);
        config.gateways = args.gateway.clone();
        // A thousand clients may knock at once, as they may at Linux (net.core.somaxconn).
        config.tcp.backlog = 4_096;
        config.tcp.receive_window = 512 << 10;
        config.tcp.send_buffer = 512 << 10;
        config.leave_to(opened.device.capabilities());
        config
    }

    /// A device that is open.
    pub(crate) struct Opened {
        pub(crate) device: Box<dyn Device>,
        name: String,
        /// The MAC address of the kernel's end.
        host_mac: Option<MacAddr>,
        /// Whether it was not there before it was opened.
        is_new: bool,
    }

    impl Opened {
        /// The same device, the same address, so that neighbours need not learn another one each time. The address of
        /// the kernel's end tells this computer's `fw0` from another's: both may be bridged into one network.
        pub(crate) fn made_up_mac(&self) -> MacAddr {
            let there = self.host_mac.map_or_else(String::new, |mac| mac.to_string());
            mac_for(&self.name, &there)
        }

        /// Whether this is the MAC address of the kernel's end.
        pub(crate) fn is_the_kernels(&self, mac: MacAddr) -> bool {
            self.host_mac == Some(mac)
        }
    }

    fn mac_for(tap: &str, there: &str) -> MacAddr {
        MacAllocator::random(Rng::from_seed(0).fork(tap).fork(there)).assign()
    }

    /// The kernel notices within a second that its interface has been opened.
    const NOTICED: Duration = Duration::from_millis(1_500);

    /// Opens the device.
    pub(crate) fn open(device: DeviceName<'_>, offload: args::Offload) -> Result<Opened, Failure> {
        let failed =
            |error: &(dyn std::error::Error + 'static)| Failure::of_device(error).next(look_into(device));
        let name = device.name().to_owned();
        match device {
            DeviceName::Tap(_) => {
                let is_there = |all: Vec<interfaces::KernelInterface>| all.iter().any(|i| i.name == name);
                let is_new = !interfaces::all().map_or(true, is_there);
                let tap = running_tap(&name, offload).map_err(|error| failed(&error))?;
                let host_mac = tap.host_mac().map_err(|error| failed(&error))?;
                Ok(Opened { device: Box::new(tap), name, host_mac, is_new })
            }
            DeviceName::Interface(_) => {
                let socket = PacketSocket::open(&name).map_err(|error| failed(&error))?;
                let host_mac = socket.host_mac();
                Ok(Opened { device: Box::new(socket), name, host_mac, is_new: false })
            }
        }
    }

    /// Opens the TAP, and waits until it carries what the kernel sends.
    fn running_tap(name: &str, offload: args::Offload) -> Result<Tap, TapError> {
        let offload = match offload {
            args::Offload::Auto => Offloading::Auto,
            args::Offload::On => Offloading::On,
            args::Offload::Off => Offloading::Off,
        };
        let device = Tap::open_with(name, TapOptions { offload, ..TapOptions::default() })?;
        device.bring_up()?;
        device.wait_until_running(NOTICED)?;
        Ok(device)
    }

    fn look_into(device: DeviceName<'_>) -> String {
        match device {
            DeviceName::Tap(name) => format!("framewise doctor --tap {name}     (says what mends it)"),
            DeviceName::Interface(name) => {
                format!("framewise doctor --interface {name}     (says what mends it)")
            }
        }
    }

    /// From here on this process may do no more than whoever called it.
    pub(crate) fn give_up_rights() -> Result<(), Failure> {
        privileges::drop_privileges().map(drop).map_err(|error| {
            Failure::new(
                Kind::Device,
                format!("the rights to open devices could not be given up again: {error}"),
            )
        })
    }

    /// Gives up every right, and builds the host on its device.
    pub(crate) fn start(
        opened: Opened,
        config: &HostConfig,
        stopwatch: Option<&Stopwatch>,
    ) -> Result<Live, Failure> {
        give_up_rights()?;
        let failed = |error: std::io::Error| Failure::new(Kind::Device, error);
        let entropy = framewise::entropy().map_err(failed)?;
        let (epoch, mut runner) = (unix_time(), Runner::real(entropy).map_err(failed)?);
        let randomness = runner.randomness("hosts");
        let stack = match stopwatch {
            Some(stopwatch) => {
                config.layers(&randomness).map(|layers| stopwatch.meter.timed(&config.name, layers).stacked())
            }
            None => config.stack(&randomness),
        };
        let stack = stack.map_err(|error| Failure::new(Kind::Tls, error))?;
        let host = runner.add_host(&config.name, stack, vec![Plug::Device(opened.device)]);
        let made = opened.is_new.then_some(opened.name);
        Ok(Live { runner, host, epoch, names: None, made, forwards: Vec::new() })
    }

    /// Addresses that need no asking, and who knows the name that is asked for, if there is one.
    fn names(
        args: &args::Fetch,
        deadlines: &Deadlines,
    ) -> Result<(Vec<KnownAddress>, Option<String>), Failure> {
        let mut known =
            args.tap.resolve.iter().map(|entry| known_address(entry)).collect::<Result<Vec<_>, _>>()?;
        let url = Url::parse(&args.url).map_err(|error| Failure::of_fetch(&error.into(), &args.url))?;
        let is_known =
            |k: &KnownAddress| k.host == url.host() && k.port.is_none_or(|port| port == url.port());
        if url.address().is_some() {
            return Ok((known, None));
        }
        if known.iter().any(is_known) {
            return Ok((known, Some("the command line".to_owned())));
        }
        if let Some(server) = args.tap.dns.first() {
            return Ok((known, Some(server.to_string())));
        }
        known.push(ask_this_computer(&url, args, deadlines)?);
        let resolver = "this computer's own resolver (use --dns ADDRESS to ask by our own DNS)";
        Ok((known, Some(resolver.to_owned())))
    }

    /// The operating system's resolver, for the IP versions that the host has.
    fn ask_this_computer(
        url: &Url,
        args: &args::Fetch,
        deadlines: &Deadlines,
    ) -> Result<KnownAddress, Failure> {
        let (host, port) = (url.host().to_owned(), url.port());
        let found = deadlines
            .wait_for(move || (host, port).to_socket_addrs().map(|found| found.collect::<Vec<_>>()))?;
        let found = found.map_err(|error| {
            Failure::new(Kind::Name, format!("this computer finds no address for {}: {error}", url.host()))
                .next(format!(
                    "--dns ADDRESS of a name server, or --resolve {}:{}:ADDRESS",
                    url.host(),
                    url.port()
                ))
        })?;
        let has = |v4: bool| args.tap.tap.address.iter().any(|a| a.address.is_ipv4() == v4);
        let mut addresses: Vec<IpAddr> =
            found.iter().map(|a| a.ip()).filter(|address| has(address.is_ipv4())).collect();
        if args.ipv6 {
            addresses.sort_by_key(IpAddr::is_ipv4);
        }
        if addresses.is_empty() {
            let sentence =
                format!("{} has only addresses of an IP version that I have no --address for", url.host());
            return Err(Failure::new(Kind::Name, sentence));
        }
        Ok(KnownAddress { host: url.host().to_owned(), port: None, addresses })
    }

    #[cfg(test)]
    mod tests {
        use super::mac_for;

        #[test]
        fn a_made_up_address_is_kept_and_nobody_else_s() {
            let mine = mac_for("fw0", "02:11:22:33:44:55");
            assert_eq!(mine, mac_for("fw0", "02:11:22:33:44:55"));
            assert_ne!(mine, mac_for("fw0", "02:11:22:33:44:56"), "another computer's fw0");
            assert_ne!(mine, mac_for("fw1", "02:11:22:33:44:55"), "another device of this one");
        }
    }
}

#[cfg(target_os = "linux")]
pub(crate) use linux::{Opened, check_host, client, give_up_rights, host_config, open, start};

#[cfg(not(target_os = "linux"))]
pub(crate) fn client(
    _args: &args::Fetch,
    _device: DeviceName<'_>,
    _deadlines: &Deadlines,
    _stopwatch: Option<&Stopwatch>,
) -> Result<Live, Failure> {
    Err(elsewhere())
}

/// Why there is no TAP on other systems.
#[cfg(not(target_os = "linux"))]
pub(crate) fn elsewhere() -> Failure {
    Failure::new(Kind::Device, "TAP devices are for Linux")
        .next("framewise fetch https://shop.test/     (inside this program, on any system)")
}
