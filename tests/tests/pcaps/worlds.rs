//! Captures from the world in memory, with a server that no option of the command makes.

use std::fs;
use std::path::Path;

use framewise::core::Rng;
use framewise::http::{Request, Response};
use framewise::tls::{Authority, CertificateChain, Identity, PrivateKey, Server, TimeSource, Versions};
use framewise::world::{EPOCH, SERVER};
use framewise::{Fetch, HostConfig, World, WorldConfig};
use framewise_replay::sidecar_of;
use framewise_tests::memory;
use rcgen::{CertificateParams, KeyPair};

/// All of them.
pub(crate) const NAMES: &[&str] = &[
    "cert-expired",
    "cert-not-yet-valid",
    "cert-other-name",
    "cert-self-signed",
    "cert-unknown-authority",
    "tls-asked-in-plain",
    "tls-no-common-version",
    "tls-plain-answers",
    "tls12-resumption",
    "tls13-resumption",
];

const DAY: u64 = 86_400;

/// What a capture is of.
struct Scene {
    title: &'static str,
    versions: Versions,
    urls: &'static [&'static str],
    server: fn(&mut HostConfig),
}

fn scene(name: &str) -> Scene {
    let healthy =
        Scene { title: "", versions: Versions::Both, urls: &["https://shop.test/"], server: |_| {} };
    let twice: &[&str] = &["https://shop.test/", "https://shop.test/again"];
    match name {
        "cert-expired" => Scene {
            title: "The server's certificate is no longer valid: the client says so by an alert, and goes",
            server: |host| show(host, |authority| authority.issue(SERVER, EPOCH - 400 * DAY)),
            ..healthy
        },
        "cert-not-yet-valid" => Scene {
            title: "The server's certificate is not valid yet",
            server: |host| show(host, |authority| authority.issue(SERVER, EPOCH + 400 * DAY)),
            ..healthy
        },
        "cert-other-name" => Scene {
            title: "The server's certificate is for another name",
            server: |host| show(host, |authority| authority.issue("other.test", EPOCH)),
            ..healthy
        },
        "cert-unknown-authority" => Scene {
            title: "Nobody whom the client trusts vouches for the server",
            server: |host| show(host, |_| stranger().issue(SERVER, EPOCH)),
            ..healthy
        },
        "cert-self-signed" => Scene {
            title: "The server vouches for itself",
            server: |host| show(host, |_| Ok::<_, std::convert::Infallible>(self_signed())),
            ..healthy
        },
        "tls-no-common-version" => Scene {
            title: "The client speaks TLS 1.2 alone, the server TLS 1.3 alone",
            versions: Versions::Only12,
            server: |host| host.tls.versions = Versions::Only13,
            ..healthy
        },
        "tls-plain-answers" => Scene {
            title: "A client of TLS meets a server that speaks plain HTTP",
            urls: &["https://shop.test:80/"],
            ..healthy
        },
        "tls-asked-in-plain" => Scene {
            title: "A server of TLS is asked in plain HTTP, and says what is wrong",
            urls: &["http://shop.test:443/"],
            ..healthy
        },
        "tls12-resumption" => Scene {
            title: "A session of TLS 1.2 is resumed: no certificate the second time",
            versions: Versions::Only12,
            urls: twice,
            ..healthy
        },
        "tls13-resumption" => Scene {
            title: "A session of TLS 1.3 is resumed, by a ticket of the first visit",
            urls: twice,
            ..healthy
        },
        other => panic!("{other} is no world"),
    }
}

/// Has the server show the identity that is made of its authority.
fn show<E: std::fmt::Debug>(host: &mut HostConfig, make: impl FnOnce(&Authority) -> Result<Identity, E>) {
    let Some(Server::Authority(authority)) = &host.tls.server else { panic!("the server has an authority") };
    let identity = make(authority).expect("the authority may vouch for it");
    host.tls.server = Some(Server::Identities(vec![identity]));
}

/// An authority that nobody has heard of.
fn stranger() -> Authority {
    let time = TimeSource::starting_at(EPOCH);
    Authority::simulated_never_on_a_real_device(&Rng::from_seed(99), time).expect("an authority")
}

fn self_signed() -> Identity {
    // An Ed25519 key in PKCS #8 (RFC 8410, section 7); anybody may know it.
    let prefix = [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];
    let der = [&prefix[..], &[7; 32]].concat();
    let key = KeyPair::try_from(der).expect("a key");
    let mut params = CertificateParams::new([SERVER.to_owned()]).expect("a name");
    params.serial_number = Some(rcgen::SerialNumber::from(vec![7; 8]));
    params.not_before = rcgen::date_time_ymd(2025, 12, 1);
    params.not_after = rcgen::date_time_ymd(2026, 12, 1);
    let certificate = params.self_signed(&key).expect("it signs itself");
    Identity {
        chain: CertificateChain::from_pem(certificate.pem().as_bytes()).expect("a chain"),
        key: PrivateKey::from_pem(key.serialize_pem().as_bytes()).expect("a key"),
    }
}

/// Makes a capture and its sidecar.
pub(crate) fn make(name: &str, path: &Path) {
    let scene = scene(name);
    let config = WorldConfig { tls_versions: scene.versions, ..WorldConfig::default() };
    let world = World::build(&config, &mut |host, randomness| {
        let mut host = host.clone();
        if host.name == SERVER {
            (scene.server)(&mut host);
        }
        host.stack(randomness)
    });
    let mut world = world.expect("a world");
    // Each page by a connection of its own, so that a session can be resumed.
    let page = |request: Request| Response::text(request.path().to_owned()).header("Connection", "close");
    let mut server = world.runner.host(world.server);
    server.return_page(80, page).expect("port 80 is free");
    server.return_page_secure(443, page).expect("port 443 is free");
    let recorder = memory::record(&mut world);
    for url in scene.urls {
        // Whether the page comes is not the point of each.
        let _ = world.runner.host(world.me).fetch(Fetch::get(*url));
    }
    world.runner.run_for(std::time::Duration::from_millis(200)).expect("a run in memory");
    let capture = memory::capture(&recorder.borrow().trace(), "me");
    fs::write(path, capture).expect("the folder can be written to");
    fs::write(sidecar_of(path), sidecar(&scene)).expect("the folder can be written to");
}

fn sidecar(scene: &Scene) -> String {
    let tls = match scene.versions {
        Versions::Both => "both",
        Versions::Only12 => "1.2",
        Versions::Only13 => "1.3",
    };
    let mut text = format!("title \"{}\"\nworld me\nseed 1\nwindow 65536\nsend-buffer 65536\n", scene.title);
    text.push_str("delayed-ack 10ms\nnagle no\ncongestion cubic\noffload none\n");
    text.push_str(&format!("tls {tls}\n\n"));
    for (number, url) in scene.urls.iter().enumerate() {
        let when = if number == 0 { "" } else { "then " };
        text.push_str(&format!("{when}fetch {url}\n"));
    }
    text
}
