//! A host of ours on a TAP device: opened with the rights it needs, run without them.

use framewise::{HostId, Runner};

use crate::args;
use crate::exit::{Failure, Kind};

/// A host on a device, and the Runner that drives it.
pub(crate) struct Live {
    pub(crate) runner: Runner,
    pub(crate) host: HostId,
    /// Who turned names into addresses, for the walk.
    pub(crate) names: String,
}

#[cfg(target_os = "linux")]
mod linux {
    use std::fs;
    use std::net::{IpAddr, ToSocketAddrs};
    use std::time::{Duration, SystemTime, UNIX_EPOCH};

    use framewise::core::Rng;
    use framewise::device::{Device as _, Tap, TapError, privileges};
    use framewise::ethernet::MacAllocator;
    use framewise::http::Url;
    use framewise::tls::{Crypto, Roots, TimeSource};
    use framewise::{HostConfig, Interface, KnownAddress, Plug};

    use super::*;

    /// A client behind a TAP device.
    pub(crate) fn client(args: &args::Fetch, tap: &str) -> Result<Live, Failure> {
        let mut tls = tls_config();
        tls.client.verify = !args.tls.insecure;
        tls.client.roots = roots(args)?;
        tls.versions = args.tls.versions();
        tls.export_secrets =
            args.capture_secrets || args.tap.keylog.is_some() || std::env::var_os("SSLKEYLOGFILE").is_some();
        let mut config = host_config(crate::scene::ME, tap, &args.tap.tap, tls)?;
        config.dns.servers = args.tap.dns.clone();
        // One page, and the server is not left waiting for a next request.
        config.http.idle_connections = 0;
        let (known, names) = names(args, &config)?;
        let mut live = open(tap, &config)?;
        for known in known {
            live.runner.host(live.host).know(known);
        }
        live.names = names;
        Ok(live)
    }

    /// TLS with real keys and the real time.
    pub(crate) fn tls_config() -> framewise::tls::Config {
        framewise::tls::Config::new(TimeSource::starting_at(unix_seconds()), Crypto::Real)
    }

    /// Seconds since 1970.
    pub(crate) fn unix_seconds() -> u64 {
        SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs())
    }

    /// What the command line says about the host.
    pub(crate) fn host_config(
        name: &str,
        tap: &str,
        args: &args::TapHost,
        tls: framewise::tls::Config,
    ) -> Result<HostConfig, Failure> {
        if args.address.is_empty() {
            return Err(Failure::new(Kind::Usage, format!("which address do I have on {tap}?"))
                .next("add --address 192.0.2.10/24, an address of the network that is on the TAP"));
        }
        let mac = args.mac.unwrap_or_else(|| made_up_mac(tap));
        if !mac.is_unicast() {
            return Err(Failure::new(
                Kind::Usage,
                format!("{mac} is no station's address: its first byte is odd"),
            ));
        }
        let interface = Interface::new(mac, args.address.iter().copied());
        let mut config = HostConfig::new(name, vec![interface], tls);
        config.gateways = args.gateway.clone();
        config.tcp.receive_window = 512 << 10;
        config.tcp.send_buffer = 512 << 10;
        Ok(config)
    }

    /// The same device, the same address, so that neighbours need not learn another one each time.
    fn made_up_mac(tap: &str) -> framewise::core::MacAddr {
        MacAllocator::random(Rng::from_seed(0).fork(tap)).assign()
    }

    /// The kernel notices within a second that its interface has been opened.
    const NOTICED: Duration = Duration::from_millis(1_500);

    fn running_tap(name: &str) -> Result<Tap, TapError> {
        let device = Tap::open(name)?;
        device.bring_up()?;
        device.wait_until_running(NOTICED)?;
        Ok(device)
    }

    /// Opens the TAP, gives up every right, and builds the host on it.
    pub(crate) fn open(tap: &str, config: &HostConfig) -> Result<Live, Failure> {
        let device = running_tap(tap).map_err(|error| device_failure(&error))?;
        let mut config = config.clone();
        for interface in &mut config.interfaces {
            interface.mtu = device.mtu();
        }
        privileges::drop_privileges().map_err(|error| {
            Failure::new(
                Kind::Device,
                format!("the rights to open devices could not be given up again: {error}"),
            )
        })?;
        let failed = |error: std::io::Error| Failure::new(Kind::Device, error);
        let mut runner = Runner::real(framewise::entropy().map_err(failed)?).map_err(failed)?;
        let stack =
            config.stack(&runner.randomness("hosts")).map_err(|error| Failure::new(Kind::Tls, error))?;
        let host = runner.add_host(&config.name, stack, vec![Plug::Device(Box::new(device))]);
        Ok(Live { runner, host, names: String::new() })
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
    fn names(args: &args::Fetch, config: &HostConfig) -> Result<(Vec<KnownAddress>, String), Failure> {
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
        known.push(ask_this_computer(&url, config)?);
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
    fn ask_this_computer(url: &Url, config: &HostConfig) -> Result<KnownAddress, Failure> {
        let has =
            |v4: bool| config.interfaces.iter().flat_map(|i| &i.addresses).any(|a| a.address.is_ipv4() == v4);
        let found = (url.host(), url.port()).to_socket_addrs().map_err(|error| {
            Failure::new(Kind::Name, format!("this computer finds no address for {}: {error}", url.host()))
                .next(format!(
                    "--dns ADDRESS of a name server, or --resolve {}:{}:ADDRESS",
                    url.host(),
                    url.port()
                ))
        })?;
        let addresses: Vec<IpAddr> = found.map(|a| a.ip()).filter(|address| has(address.is_ipv4())).collect();
        if addresses.is_empty() {
            let sentence =
                format!("{} has only addresses of an IP version that I have no --address for", url.host());
            return Err(Failure::new(Kind::Name, sentence));
        }
        Ok(KnownAddress { host: url.host().to_owned(), port: None, addresses })
    }
}

#[cfg(target_os = "linux")]
pub(crate) use linux::{client, host_config, open, tls_config, unix_seconds};

#[cfg(not(target_os = "linux"))]
pub(crate) fn client(_args: &args::Fetch, _tap: &str) -> Result<Live, Failure> {
    Err(elsewhere())
}

/// Why there is no TAP on other systems.
#[cfg(not(target_os = "linux"))]
pub(crate) fn elsewhere() -> Failure {
    Failure::new(Kind::Device, "TAP devices are for Linux")
        .next("framewise fetch https://shop.test/     (inside this program, on any system)")
}
