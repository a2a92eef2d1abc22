//! A host of ours behind a gateway inside this program: the real network, without root.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::time::Duration;

use framewise::device::impair::ImpairmentConfig;
use framewise::dns::Family;
use framewise::gateway::{Outside, Setup, on_the_wire};
use framewise::http::Url;
use framewise::world::WorldError;

use crate::args;
use crate::cost::Stopwatch;
use crate::exit::{Failure, Kind};
use crate::live::Live;
use crate::real;
use crate::scene::ME;

/// Whether a URL means the real network, and not the world in memory.
pub(crate) fn is_real(url: &Url) -> bool {
    !framewise::world::is_here(url)
}

/// A client behind the gateway, its layers timed or not.
pub(crate) fn client(
    args: &args::Fetch,
    url: &Url,
    stopwatch: Option<&Stopwatch>,
) -> Result<Outside, Failure> {
    refuse_what_means_nothing(args)?;
    let mut tls = real::tls_config();
    tls.client.verify = !args.tls.insecure;
    tls.client.roots = real::roots(args)?;
    tls.versions = args.tls.versions();
    tls.export_secrets =
        args.capture_secrets || args.tap.keylog.is_some() || std::env::var_os("SSLKEYLOGFILE").is_some();
    let mut setup = Setup::new(ME, tls);
    setup.host.dns.prefer = if args.ipv6 { Family::Ipv6 } else { Family::Ipv4 };
    // One page, and the server is not left waiting for a next request.
    setup.host.http.idle_connections = 0;
    setup.wire.impairment = impairment(&args.memory);
    setup.wire.delay = Duration::from_millis(args.memory.delay.unwrap_or(0));
    setup.wire.rate = args.memory.rate.map(|kbit| kbit.saturating_mul(1_000));
    setup.know_this_computer(url.host());
    let known = args.tap.resolve.iter().map(|entry| real::known_address(entry));
    let known = known.collect::<Result<Vec<_>, _>>()?;
    let mut outside = build(setup, stopwatch)?;
    for mut known in known {
        known.addresses.iter_mut().for_each(|address| *address = on_the_wire(*address));
        outside.runner.host(outside.host).know(known);
    }
    Ok(outside)
}

/// A server behind the gateway, with the ways in that were asked for.
pub(crate) fn server(args: &args::Serve, mut tls: framewise::tls::Config) -> Result<Live, Failure> {
    // A browser that asks for an address by https wants to see that address on the certificate.
    let to_https = |forward: &&args::Forward| args.https != 0 && forward.to == args.https;
    tls.known_as = args.forward.iter().find(to_https).map(|forward| forward.from.ip());
    let mut setup = Setup::new("server", tls);
    args.options.limits.apply(&mut setup.host, args.options.pool.holds_threads());
    setup.host.http.epoch = Some(real::unix_time());
    for forward in &args.forward {
        if ![args.http, args.https].contains(&forward.to) {
            let sentence = format!("nothing is served on port {}, where --forward leads", forward.to);
            return Err(Failure::new(Kind::Usage, sentence).next(format!(
                "--forward {}={}",
                forward.from,
                args.http.max(args.https)
            )));
        }
        let taken = |error| not_taken(forward, &error);
        let listener = TcpListener::bind(forward.from).map_err(taken)?;
        setup.forward(listener, forward.to).map_err(taken)?;
    }
    let epoch = real::unix_time();
    let Outside { runner, host, forwards, .. } = build(setup, None)?;
    Ok(Live { runner, host, epoch, names: None, made: None, forwards })
}

/// Why nobody can connect there: the address, or the port, is somebody else's.
fn not_taken(forward: &args::Forward, error: &io::Error) -> Failure {
    let (address, port) = (forward.from.ip(), forward.from.port());
    let other = |port: u16| SocketAddr::new(address, port);
    let next = match error.kind() {
        io::ErrorKind::AddrNotAvailable => {
            let here = SocketAddr::new(Ipv4Addr::LOCALHOST.into(), port);
            format!("the same with an address of this computer, such as --forward {here}={}", forward.to)
        }
        io::ErrorKind::PermissionDenied if port < 1024 => {
            format!("the same with a port from 1024 on, such as --forward {}={}", other(8080), forward.to)
        }
        _ => {
            let free = port.checked_add(1).unwrap_or(8080);
            format!("the same with another port, such as --forward {}={}", other(free), forward.to)
        }
    };
    let sentence = format!("no connections can be taken at {}: {error}", forward.from);
    Failure::new(Kind::Connection, sentence).next(next)
}

fn build(setup: Setup, stopwatch: Option<&Stopwatch>) -> Result<Outside, Failure> {
    let entropy = framewise::entropy().map_err(|error| Failure::new(Kind::Device, error))?;
    let built = setup.build_with(entropy, &mut |host, randomness| match stopwatch {
        Some(stopwatch) => Ok(stopwatch.meter.timed(&host.name, host.layers(randomness)?).stacked()),
        None => host.stack(randomness),
    });
    built.map_err(|error| match error {
        WorldError::Io(error) => Failure::new(Kind::Device, error),
        error => Failure::new(Kind::Tls, error),
    })
}

/// Options that could not have the effect that they are given for.
fn refuse_what_means_nothing(args: &args::Fetch) -> Result<(), Failure> {
    let memory = &args.memory;
    let given = [
        ("--seed", memory.seed.is_some()),
        ("--flip", memory.flip.is_some()),
        ("--drop", memory.drop.is_some()),
    ];
    let Some((option, _)) = given.iter().find(|(_, is_given)| *is_given) else { return Ok(()) };
    let sentence =
        format!("{option} is for the world inside this program: on the real network no two runs are alike");
    Err(Failure::new(Kind::Usage, sentence).next("--loss 5, which damages the wire to the gateway at random"))
}

/// What goes wrong on my wire.
pub(crate) fn impairment(memory: &args::Memory) -> ImpairmentConfig {
    ImpairmentConfig {
        loss: memory.loss.unwrap_or(0.0),
        duplication: memory.duplicate.unwrap_or(0.0),
        reordering: memory.reorder.unwrap_or(0.0),
        bit_corruption: memory.corrupt.unwrap_or(0.0),
        ..ImpairmentConfig::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_for_tests_is_in_memory() {
        let real = |url: &str| is_real(&Url::parse(url).expect("a URL"));
        for url in [
            "https://shop.test/",
            "test:8080",
            "http://shop.test./",
            "http://203.0.113.80/",
            "http://[2001:db8:2::80]/",
        ] {
            assert!(!real(url), "{url}");
        }
        for url in [
            "https://example.com/",
            "http://shop.testing/",
            "localhost:8000",
            "http://127.0.0.1/",
            "http://[::1]/",
        ] {
            assert!(real(url), "{url}");
        }
    }

    #[test]
    fn an_address_that_is_not_ours_and_a_port_that_is_taken_have_different_ways_out() {
        let forward = |from: &str| args::Forward { from: from.parse().expect("an address"), to: 80 };
        let next = |from: &str, kind: io::ErrorKind| {
            format!("{:?}", not_taken(&forward(from), &io::Error::from(kind)))
        };
        let taken = next("127.0.0.1:8080", io::ErrorKind::AddrInUse);
        assert!(taken.contains("another port, such as --forward 127.0.0.1:8081=80"), "{taken}");
        let elsewhere = next("8.8.8.8:18099", io::ErrorKind::AddrNotAvailable);
        assert!(
            elsewhere.contains("an address of this computer, such as --forward 127.0.0.1:18099=80"),
            "{elsewhere}"
        );
        let low = next("127.0.0.1:81", io::ErrorKind::PermissionDenied);
        assert!(low.contains("from 1024 on, such as --forward 127.0.0.1:8080=80"), "{low}");
    }
}
