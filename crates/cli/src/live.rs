//! A host of ours on a TAP device: opened with the rights it needs, run without them.

use std::time::Duration;

use framewise::{HostId, Runner};

use crate::args;
use crate::deadlines::Deadlines;
use crate::exit::{Failure, Kind};

/// A host on a device, and the Runner that drives it.
pub(crate) struct Live {
    pub(crate) runner: Runner,
    pub(crate) host: HostId,
    /// When the Runner's clock began, since 1970.
    pub(crate) epoch: Duration,
    /// Who turned names into addresses, for the walk.
    pub(crate) names: String,
}

#[cfg(target_os = "linux")]
mod linux {
    use std::fs;
    use std::net::{IpAddr, ToSocketAddrs};
    use std::time::{SystemTime, UNIX_EPOCH};

    use framewise::core::{MacAddr, Rng};
    use framewise::device::{Device as _, Tap, TapError, privileges};
    use framewise::dns::Family;
    use framewise::ethernet::MacAllocator;
    use framewise::http::Url;
    use framewise::tls::{Crypto, Roots, TimeSource};
    use framewise::{HostConfig, Interface, KnownAddress, Plug};

    use super::*;

    /// A client behind a TAP device.
    pub(crate) fn client(args: &args::Fetch, tap: &str, deadlines: &Deadlines) -> Result<Live, Failure> {
        let mut tls = tls_config();
        tls.client.verify = !args.tls.insecure;
        tls.client.roots = roots(args)?;
        tls.versions = args.tls.versions();
        tls.export_secrets =
            args.capture_secrets || args.tap.keylog.is_some() || std::env::var_os("SSLKEYLOGFILE").is_some();
        check_host(tap, &args.tap.tap)?;
        let (known, names) = names(args, deadlines)?;
        let device = running_tap(tap)?;
        let mut config = host_config(crate::scene::ME, &device, &args.tap.tap, tls)?;
        config.dns.servers = args.tap.dns.clone();
        config.dns.prefer = preferred(args);
        // One page, and the server is not left waiting for a next request.
        config.http.idle_connections = 0;
        let mut live = start(device, &config)?;
        for known in known {
            live.runner.host(live.host).know(known);
        }
        live.names = names;
        Ok(live)
    }

    fn preferred(args: &args::Fetch) -> Family {
        if args.ipv6 { Family::Ipv6 } else { Family::Ipv4 }
    }

    /// TLS with real keys and the real time.
    pub(crate) fn tls_config() -> framewise::tls::Config {
        framewise::tls::Config::new(TimeSource::starting_at(unix_seconds()), Crypto::Real)
    }

    /// The time since 1970.
    fn unix_time() -> Duration {
        SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
    }

    /// Seconds since 1970.
    pub(crate) fn unix_seconds() -> u64 {
        unix_time().as_secs()
    }

    /// Whether the command line says enough about the host.
    pub(crate) fn check_host(tap: &str, args: &args::TapHost) -> Result<(), Failure> {
        if args.address.is_empty() {
            return Err(Failure::new(Kind::Usage, format!("which address do I have on {tap}?"))
                .next("add --address 192.0.2.10/24, an address of the network that is on the TAP"));
        }
        match args.mac {
            Some(mac) if !mac.is_unicast() => Err(Failure::new(
                Kind::Usage,
                format!("{mac} is no station's address: its first byte is odd"),
            )),
            _ => Ok(()),
        }
    }

    /// What the command line and the device say about the host.
    pub(crate) fn host_config(
        name: &str,
        device: &Tap,
        args: &args::TapHost,
        tls: framewise::tls::Config,
    ) -> Result<HostConfig, Failure> {
        let mac = match args.mac {
            Some(mac) => mac,
            None => made_up_mac(device).map_err(|error| device_failure(&error))?,
        };
        let mut interface = Interface::new(mac, args.address.iter().copied());
        interface.mtu = device.mtu();
        let mut config = HostConfig::new(name, vec![interface], tls);
        config.gateways = args.gateway.clone();
        config.tcp.receive_window = 512 << 10;
        config.tcp.send_buffer = 512 << 10;
        Ok(config)
    }

    /// The same device, the same address, so that neighbours need not learn another one each time. The address of the
    /// kernel's end tells this computer's `fw0` from another's: both may be bridged into one network.
    fn made_up_mac(device: &Tap) -> Result<MacAddr, TapError> {
        let there = device.host_mac()?.map_or_else(String::new, |mac| mac.to_string());
        Ok(mac_for(device.name(), &there))
    }

    fn mac_for(tap: &str, there: &str) -> MacAddr {
        MacAllocator::random(Rng::from_seed(0).fork(tap).fork(there)).assign()
    }

    /// The kernel notices within a second that its interface has been opened.
    const NOTICED: Duration = Duration::from_millis(1_500);

    /// Opens the TAP, and waits until it carries what the kernel sends.
    pub(crate) fn running_tap(name: &str) -> Result<Tap, Failure> {
        let run = || {
            let device = Tap::open(name)?;
            device.bring_up()?;
            device.wait_until_running(NOTICED)?;
            Ok(device)
        };
        run().map_err(|error: TapError| device_failure(&error))
    }

    /// Gives up every right, and builds the host on its device.
    pub(crate) fn start(device: Tap, config: &HostConfig) -> Result<Live, Failure> {
        privileges::drop_privileges().map_err(|error| {
            Failure::new(
                Kind::Device,
                format!("the rights to open devices could not be given up again: {error}"),
            )
        })?;
        let failed = |error: std::io::Error| Failure::new(Kind::Device, error);
        let entropy = framewise::entropy().map_err(failed)?;
        let (epoch, mut runner) = (unix_time(), Runner::real(entropy).map_err(failed)?);
        let stack =
            config.stack(&runner.randomness("hosts")).map_err(|error| Failure::new(Kind::Tls, error))?;
        let host = runner.add_host(&config.name, stack, vec![Plug::Device(Box::new(device))]);
        Ok(Live { runner, host, epoch, names: String::new() })
    }

    fn device_failure(error: &framewise::device::TapError) -> Failure {
        let mut sentence = error.to_string();
        if let Some(cause) = std::error::Error::source(error) {
            sentence = format!("{sentence} ({cause})");
        }
        Failure::new(Kind::Device, sentence)
            .next("framewise fetch https://shop.test/     (needs no rights and no device)")
    }

    fn roots(args: &args::Fetch) -> Result<Vec<Roots>, Failure> {
        if let Some(file) = &args.tls.cacert {
            let pem = fs::read(file).map_err(|error| {
                Failure::new(Kind::File, format!("{} can't be read: {error}", file.display()))
            })?;
            return Ok(vec![Roots::Pem(pem)]);
        }
        let is_https = Url::parse(&args.url).is_ok_and(|url| url.is_https());
        Ok(if is_https && !args.tls.insecure { vec![Roots::System] } else { Vec::new() })
    }

    /// Addresses that need no asking, and who knows the others.
    fn names(args: &args::Fetch, deadlines: &Deadlines) -> Result<(Vec<KnownAddress>, String), Failure> {
        let mut known =
            args.tap.resolve.iter().map(|entry| known_address(entry)).collect::<Result<Vec<_>, _>>()?;
        let url = Url::parse(&args.url).map_err(|error| Failure::of_fetch(&error.into(), &args.url))?;
        let is_known =
            |k: &KnownAddress| k.host == url.host() && k.port.is_none_or(|port| port == url.port());
        if url.address().is_some() || known.iter().any(is_known) {
            return Ok((known, "the command line".to_owned()));
        }
        if let Some(server) = args.tap.dns.first() {
            return Ok((known, server.to_string()));
        }
        known.push(ask_this_computer(&url, args, deadlines)?);
        Ok((known, "this computer's own resolver (use --dns ADDRESS to ask by our own DNS)".to_owned()))
    }

    /// `HOST:PORT:ADDRESS`, as curl writes it.
    fn known_address(entry: &str) -> Result<KnownAddress, Failure> {
        let wrong = || {
            Failure::new(Kind::Usage, format!("{entry:?} does not say which name, port and address"))
                .next("--resolve shop.test:443:192.0.2.80")
        };
        let mut parts = entry.splitn(3, ':');
        let (Some(host), Some(port), Some(addresses)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(wrong());
        };
        let address = |text: &str| text.trim_matches(['[', ']']).parse::<IpAddr>().map_err(|_| wrong());
        Ok(KnownAddress {
            host: host.to_ascii_lowercase(),
            port: if port == "*" { None } else { Some(port.parse().map_err(|_| wrong())?) },
            addresses: addresses.split(',').map(address).collect::<Result<_, _>>()?,
        })
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
pub(crate) use linux::{check_host, client, host_config, running_tap, start, tls_config, unix_seconds};

#[cfg(not(target_os = "linux"))]
pub(crate) fn client(_args: &args::Fetch, _tap: &str, _deadlines: &Deadlines) -> Result<Live, Failure> {
    Err(elsewhere())
}

/// Why there is no TAP on other systems.
#[cfg(not(target_os = "linux"))]
pub(crate) fn elsewhere() -> Failure {
    Failure::new(Kind::Device, "TAP devices are for Linux")
        .next("framewise fetch https://shop.test/     (inside this program, on any system)")
}
