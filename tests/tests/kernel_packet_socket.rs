//! `--interface`: our stack beside the kernel's on one end of a veth pair, with the kernel's offloads as they are.
//!
//! ```text
//!   framewise 192.0.2.10 ─┐
//!      the kernel 192.0.2.1 ─ near ═══ far ─ 192.0.2.80: nginx, curl
//! ```
#![allow(clippy::unwrap_used, reason = "the helpers of tests, too, fail by panicking")]

use framewise_tests::link::{V4, V6, as_host};
use framewise_tests::peers::{Curl, Framewise, Nginx, body_of};
use framewise_tests::{Beyond, Finished, Namespace, Running, in_namespace};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

const SOON: Duration = Duration::from_secs(20);
const FAR: [&str; 2] = ["192.0.2.80", "2001:db8:1::80"];
const SIZE: usize = 3_000_000;

fn link(ns: &Namespace) -> Beyond {
    Beyond::new(ns, &[(V4.kernel_cidr, "192.0.2.80/24"), (V6.kernel_cidr, "2001:db8:1::80/64")])
}

fn on_interface(ns: &Namespace, arguments: &[&str]) -> Framewise {
    let here = ["--interface", "near", "--address", V4.ours_cidr, "--address", V6.ours_cidr];
    Framewise::new(ns, &[arguments, &here].concat()).limit(SOON)
}

/// How many segments with RST this kernel has sent (`/proc/net/snmp`).
fn resets() -> u64 {
    let counters = fs::read_to_string("/proc/net/snmp").unwrap();
    let [names, values] =
        [0, 1].map(|line| counters.lines().filter(|l| l.starts_with("Tcp:")).nth(line).unwrap());
    let position = names.split_whitespace().position(|name| name == "OutRsts").unwrap();
    values.split_whitespace().nth(position).unwrap().parse().unwrap()
}

#[test]
fn fetches_from_nginx_at_the_other_end() {
    in_namespace("fetches_from_nginx_at_the_other_end", |ns| {
        let far = link(ns);
        let nginx = FAR.iter().fold(Nginx::new(), |nginx, host| nginx.http(&format!("{}:80", as_host(host))));
        let _nginx = nginx.page("page", &body_of(SIZE)).start(&far);
        for host in FAR {
            let url = format!("http://{}/page", as_host(host));
            let page = on_interface(ns, &["fetch", "-q", &url]).run().successful();
            assert!(page.stdout == body_of(SIZE), "{url}: {} bytes came", page.stdout.len());
        }
        assert_eq!(resets(), 0, "the kernel beside us has left our connections alone");
    });
}

#[test]
fn curl_at_the_other_end_gets_what_we_serve() {
    in_namespace("curl_at_the_other_end_gets_what_we_serve", |ns| {
        let far = link(ns);
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        fs::write(folder.path().join("page"), body_of(SIZE)).unwrap();
        let mut server = on_interface(ns, &["serve", "--https", "0", folder.path().to_str().unwrap()])
            .spawn("Ctrl-C ends it");
        for host in [V4.ours, V6.ours] {
            let answer = Curl::new(&far).get(&format!("http://{}/page", as_host(host)));
            assert_eq!((answer.exit, answer.status), (Some(0), 200), "{host}: {}", answer.complaint);
            assert!(answer.body == body_of(SIZE), "{host}: {} bytes came", answer.body.len());
        }
        assert_eq!(resets(), 0, "the kernel beside us has left our connections alone");
        server.interrupt();
        assert_eq!(server.wait(SOON).code(), Some(0));
    });
}

#[test]
fn the_interface_is_left_as_it_was() {
    in_namespace("the_interface_is_left_as_it_was", |ns| {
        let _far = link(ns);
        let before = ns.ip("-json -details link show near");
        let server = on_interface(ns, &["serve", "--https", "0"]).spawn("Ctrl-C ends it");
        assert!(ns.ip("-details link show near").contains("promiscuity 1"), "our MAC address is not its own");
        drop(server);
        framewise_tests::until("the kernel has taken it back", SOON, || {
            (ns.ip("-json -details link show near") == before).then_some(())
        });
    });
}

#[track_caller]
fn assert_refused(refused: &Finished, words: &str) {
    assert_eq!(refused.status.code(), Some(8), "{}", refused.stderr);
    assert!(refused.stderr.contains(words), "{words:?} is not in: {}", refused.stderr);
    assert!(refused.stderr.contains("\n  try: "), "{}", refused.stderr);
}

#[test]
fn what_can_not_work_is_refused() {
    in_namespace("what_can_not_work_is_refused", |ns| {
        let _far = link(ns);
        let fetch = |interface: &str, address: &str| {
            let arguments =
                ["fetch", "-q", "http://192.0.2.80/", "--interface", interface, "--address", address];
            Framewise::new(ns, &arguments).limit(SOON).run()
        };
        assert_refused(&fetch("near", V4.kernel_cidr), "192.0.2.1 is this computer's own address, on near");
        assert_refused(&fetch("nowhere", V4.ours_cidr), "there is no interface nowhere");
        ns.ip("link set near down");
        assert_refused(&fetch("near", V4.ours_cidr), "sudo ip link set near up");
        assert!(ns.ip("-brief link show near").contains("DOWN"), "what others made is left alone");
        let both =
            Framewise::new(ns, &["fetch", "http://192.0.2.80/", "--tap", "fw0", "--interface", "near"]).run();
        assert_eq!(both.status.code(), Some(2), "{}", both.stderr);
    });
}

/// Its rights, once it has given up what it gives up.
fn rights_of(running: &Running) -> impl Fn(&str) -> Vec<String> {
    let status = format!("/proc/{}/status", running.id());
    framewise_tests::until("rights are given up", SOON, || {
        fs::read_to_string(&status).ok().filter(|status| status.contains("NoNewPrivs:\t1"))
    });
    // This is given up last; but while the kernel wrote the lines above it, the other rights may still have been there.
    let status = fs::read_to_string(&status).expect("the program runs");
    move |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name)).unwrap_or_default();
        line.split_whitespace().skip(1).map(str::to_owned).collect()
    }
}

#[test]
fn root_s_rights_are_given_up_on_every_device() {
    in_namespace("root_s_rights_are_given_up_on_every_device", |ns| {
        let users = fs::read_to_string("/proc/self/uid_map").unwrap();
        if users.split_whitespace().last() == Some("1") {
            framewise_tests::skip_because(
                "there is no user beside root in a namespace of an ordinary user's",
            );
        }
        let _far = link(ns);
        let devices = [["--tap", "fw0"], ["--interface", "near"]];
        // Nobody answers there, so that the fetch lasts a while.
        let actions = [&["serve", "--https", "0"][..], &["fetch", "-q", "http://192.0.2.77/"]];
        for (device, action) in devices.iter().flat_map(|device| actions.map(|action| (device, action))) {
            let mut command = framewise_tests::Place::command(ns, "setpriv");
            command.args(["--groups", "4,24,27"]).arg(framewise_tests::peers::program());
            command.args(action).args(device).args(["--address", "192.0.2.20/24"]);
            command.env("SUDO_UID", "1000").env("SUDO_GID", "1001");
            let running = Running::start(&mut command);
            let of = rights_of(&running);
            assert_eq!(of("Uid:"), ["1000"; 4], "{action:?} {device:?}");
            assert_eq!(of("Gid:"), ["1001"; 4]);
            assert_eq!(of("Groups:"), [""; 0]);
            for set in ["CapInh:", "CapPrm:", "CapEff:", "CapBnd:", "CapAmb:"] {
                assert_eq!(of(set), ["0000000000000000"], "{set} {action:?} {device:?}");
            }
        }
    });
}
