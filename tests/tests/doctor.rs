//! `framewise doctor`: every failure that it knows is provoked once, and mended by the very command that it names.
#![allow(clippy::unwrap_used, reason = "the helpers of tests, too, fail by panicking")]

use framewise_tests::link::{TAP, V4, V6, tap};
use framewise_tests::peers::{Curl, Dnsmasq, Framewise, program};
use framewise_tests::{
    Beyond, Finished, Host, Namespace, Place, finish, in_namespace, require_program, require_tap,
    skip_because, skippable,
};
use serde_json::Value;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::time::Duration;

const SOON: Duration = Duration::from_secs(20);
const READY: &str = "Ctrl-C ends it";
/// A TAP of ours, and our address there.
const ON_TAP: [&str; 4] = ["--tap", TAP, "--address", V4.ours_cidr];

fn run(place: &impl Place, arguments: &[&str]) -> Finished {
    Framewise::new(place, arguments).limit(SOON).run()
}

/// What the doctor finds; names are asked of nobody else.
fn doctor(place: &impl Place, arguments: &[&str]) -> Finished {
    run(place, &[&["doctor", "--json", "--name", "localhost"], arguments].concat())
}

/// One check's verdict, and the command that mends it.
#[track_caller]
fn verdict(found: &Finished, check: &str) -> (String, Option<String>) {
    let all: Value = serde_json::from_slice(&found.stdout).unwrap_or_else(|_| panic!("{}", found.stderr));
    let groups = all["groups"].as_array().unwrap().iter();
    let mut checks = groups.flat_map(|group| group["checks"].as_array().unwrap());
    let check = checks.find(|it| it["check"] == check).unwrap_or_else(|| panic!("no {check}: {all}"));
    (check["verdict"].as_str().unwrap().to_owned(), check["mend"].as_str().map(str::to_owned))
}

/// The check fails; gives the command that mends it.
#[track_caller]
fn fails(found: &Finished, check: &str) -> String {
    let (verdict, mend) = verdict(found, check);
    assert_eq!(verdict, "fails", "{check}: {}", found.text());
    assert_eq!(found.status.code(), Some(8), "{}", found.stderr);
    mend.unwrap()
}

#[track_caller]
fn works(found: &Finished, check: &str) {
    assert_eq!(verdict(found, check), ("works".to_owned(), None), "{}", found.text());
}

/// Runs a command as it is shown, but that the remark after it is left out, and that we are root already.
fn as_shown(place: &impl Place, shown: &str) -> Finished {
    let command = shown.split("     (").next().unwrap().replace("sudo ", "");
    let mut shell = place.command("sh");
    let folder = program().parent().unwrap().to_owned();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = std::iter::once(folder).chain(std::env::split_paths(&path));
    shell.args(["-c", &command]).env("PATH", std::env::join_paths(path).unwrap());
    finish(&mut shell, SOON)
}

/// The check fails, and no more after the command that it names.
#[track_caller]
fn is_mended(ns: &Namespace, place: &impl Place, arguments: &[&str], check: &str, command: &str) {
    let mend = fails(&doctor(place, arguments), check);
    assert_eq!(mend, command);
    as_shown(ns, &mend).successful();
    works(&doctor(place, arguments), check);
}

/// The namespace, for programs that run as nobody.
struct AsNobody<'a>(&'a Namespace);

impl Place for AsNobody<'_> {
    fn command(&self, program: &str) -> Command {
        let mut command = self.0.command("setpriv");
        let users = fs::read_to_string("/proc/self/uid_map").unwrap();
        if users.split_whitespace().last() == Some("1") {
            skip_because("there is no user beside root in a namespace of an ordinary user's");
        }
        command
            .args(["--reuid", "65534", "--regid", "65534", "--clear-groups"])
            .arg(require_program(program));
        command
    }
}

#[test]
fn a_tap_that_is_missing_or_down_or_without_an_address() {
    in_namespace("a_tap_that_is_missing_or_down_or_without_an_address", |ns| {
        require_tap();
        ns.own_run();
        is_mended(ns, ns, &ON_TAP, "device", "sudo framewise tap up fw0 --address 192.0.2.1/24");
        let all_well = doctor(ns, &[&ON_TAP[..], &["--gateway", V4.kernel]].concat());
        assert_eq!(fails(&all_well, "forwarding"), "sudo framewise tap up fw0 --nat");
        for check in ["device", "owner", "free", "kernel", "route", "neighbour", "duplicates"] {
            works(&all_well, check);
        }
        as_shown(ns, &fails(&all_well, "forwarding")).successful();
        assert_eq!(doctor(ns, &[&ON_TAP[..], &["--gateway", V4.kernel]].concat()).status.code(), Some(0));

        // As Docker leaves it.
        finish(ns.command("iptables").args(["-P", "FORWARD", "DROP"]), SOON).successful();
        let asked = [&ON_TAP[..], &["--gateway", V4.kernel]].concat();
        let accept = "sudo iptables -I FORWARD -i fw0 -j ACCEPT && sudo iptables -I FORWARD -o fw0 -j ACCEPT";
        is_mended(ns, ns, &asked, "firewall", accept);

        ns.ip("link set fw0 down");
        is_mended(ns, ns, &ON_TAP, "device", "sudo framewise tap up fw0");
        ns.ip("address flush dev fw0");
        is_mended(ns, ns, &ON_TAP, "route", "sudo framewise tap up fw0 --address 192.0.2.1/24");
        ns.ip("address flush dev fw0");
        let asked = [&ON_TAP[..], &["--gateway", "192.0.2.3"]].concat();
        is_mended(ns, ns, &asked, "neighbour", "sudo framewise tap up fw0 --address 192.0.2.3/24");
        let asked = ["--tap", TAP, "--address", V6.ours_cidr, "--gateway", V6.kernel];
        is_mended(ns, ns, &asked, "neighbour", "sudo framewise tap up fw0 --address 2001:db8:1::1/64");
        // What others made is brought up by other means.
        ns.ip("tuntap add theirs mode tap");
        let theirs = ["--tap", "theirs"];
        is_mended(ns, ns, &theirs, "device", "sudo ip link set theirs up");
    });
}

#[test]
fn a_tap_that_is_in_use_or_another_user_s() {
    in_namespace("a_tap_that_is_in_use_or_another_user_s", |ns| {
        require_tap();
        run(ns, &["tap", "up", "--address", V4.kernel_cidr]).successful();
        let mut server = Framewise::new(ns, &["serve", "--https", "0"]).arguments(&ON_TAP).spawn(READY);
        is_mended(ns, ns, &ON_TAP, "free", &format!("kill {}", server.id()));
        server.wait(SOON);

        let nobody = AsNobody(ns);
        own_tun(ns, "0666");
        is_mended(ns, &nobody, &ON_TAP, "owner", "sudo framewise tap up fw0 --owner 65534");
        assert_eq!(doctor(&nobody, &ON_TAP).status.code(), Some(0), "nothing else is missing");
        let shared = ["--interface", "fw0"];
        let mend = fails(&doctor(&nobody, &shared), "owner");
        assert_eq!(mend, "sudo framewise doctor --interface fw0");
        works(&doctor(ns, &shared), "owner");
    });
}

#[test]
fn an_address_that_the_kernel_has_or_sends_elsewhere() {
    in_namespace("an_address_that_the_kernel_has_or_sends_elsewhere", |ns| {
        require_tap();
        run(ns, &["tap", "up", "--address", V4.kernel_cidr]).successful();
        ns.ip("link add veth0 type veth peer name veth1");
        ns.ip("address add 192.0.2.10/32 dev lo");
        is_mended(ns, ns, &ON_TAP, "kernel", "sudo ip address del 192.0.2.10/32 dev lo");
        ns.address("veth1", "192.0.2.130/25");
        ns.address("veth0", "192.0.2.5/25");
        is_mended(ns, ns, &ON_TAP, "route", "sudo ip route replace 192.0.2.10/32 dev fw0");
        let mend = fails(&doctor(ns, &["--tap", "veth0"]), "device");
        assert_eq!(mend, "framewise doctor --interface veth0     (as root, by a packet socket)");
        works(&doctor(ns, &["--interface", "veth0"]), "device");
    });
}

#[test]
fn an_address_or_a_mac_that_another_station_has() {
    in_namespace("an_address_or_a_mac_that_another_station_has", |ns| {
        require_tap();
        let both = ["--address", V4.kernel_cidr, "--address", V6.kernel_cidr];
        run(ns, &[&["tap", "up", "a", "b", "--bridge", "fwbr"], &both[..]].concat()).successful();
        let mac = "02:00:00:00:00:07";
        let there = ["--tap", "b", "--mac", mac, "--address", V4.ours_cidr, "--address", V6.ours_cidr];
        let _server = Framewise::new(ns, &["serve", "--https", "0"]).arguments(&there).spawn(READY);
        for (taken, free) in [(V4.ours_cidr, "192.0.2.11/24"), (V6.ours_cidr, "2001:db8:1::11/64")] {
            let mend = fails(&doctor(ns, &["--tap", "a", "--address", taken]), "duplicates");
            assert_eq!(mend, format!("framewise doctor --tap a --address {free}"));
            works(&as_shown(ns, &format!("{mend} --name localhost --json")), "duplicates");
        }
        assert_eq!(Curl::new(ns).get(&format!("http://{}/", V4.ours)).status, 200, "the kernel knows it now");
        let same = ["--tap", "a", "--address", "192.0.2.12/24", "--mac", mac];
        let mend = fails(&doctor(ns, &same), "duplicates");
        assert_eq!(mend, "framewise doctor --tap a --address 192.0.2.12/24     (without --mac)");
        let shown = mend.split("     (").next().unwrap();
        works(&as_shown(ns, &format!("{shown} --name localhost --json")), "duplicates");
        // That of the kernel's own end is another station's, too.
        let kernel: Value = serde_json::from_str(&ns.ip("-json link show a")).unwrap();
        let kernel = kernel[0]["address"].as_str().unwrap();
        let same = ["--tap", "a", "--address", "192.0.2.12/24", "--mac", kernel];
        assert!(fails(&doctor(ns, &same), "duplicates").contains("without --mac"));
        // The same host, started twice.
        let twin = ["--tap", "a", "--address", V4.ours_cidr, "--mac", mac];
        assert_eq!(
            fails(&doctor(ns, &twin), "duplicates"),
            "framewise doctor --tap a --address 192.0.2.11/24"
        );
        // Who was ourselves, in another run, is no other station.
        let before = ["--tap", "a", "--address", "192.0.2.20/24"];
        Framewise::new(ns, &["fetch", "-q", "http://192.0.2.1/"]).arguments(&before).limit(SOON).run();
        assert!(ns.ip("neighbour show dev fwbr").contains("192.0.2.20"));
        works(&doctor(ns, &["--tap", "a", "--address", "192.0.2.21/24"]), "duplicates");
    });
}

/// In the test's own mount namespace: another `/dev/net`, with a device file of this mode, or none.
fn own_tun(ns: &Namespace, mode: &str) {
    let script = "mount -t tmpfs -o mode=755 none /dev/net && { [ -z \"$1\" ] || mknod -m \"$1\" /dev/net/tun c 10 200; }";
    let made = finish(ns.command("sh").args(["-c", script, "sh", mode]), SOON);
    if !made.status.success() {
        skip_because(format!("no device file can be made here: {}", made.stderr.trim()));
    }
}

#[test]
fn a_driver_s_file_that_is_missing_or_closed() {
    in_namespace("a_driver_s_file_that_is_missing_or_closed", |ns| {
        require_tap();
        let nobody = AsNobody(ns);
        own_tun(ns, "0600");
        is_mended(ns, &nobody, &[], "TAP driver", "sudo chmod 0666 /dev/net/tun");
        own_tun(ns, "");
        let mknod = "sudo mkdir -p /dev/net && sudo mknod -m 0666 /dev/net/tun c 10 200";
        is_mended(ns, &nobody, &[], "TAP driver", mknod);
    });
}

#[test]
fn a_resolver_that_has_no_server() {
    in_namespace("a_resolver_that_has_no_server", |ns| {
        let beyond = Beyond::new(ns, &[("198.51.100.1/24", "198.51.100.80/24")]);
        ns.ip("route add default via 198.51.100.80");
        let addresses = ["203.0.113.7".parse().unwrap()];
        let _names =
            Dnsmasq::start(&beyond, "198.51.100.80:53".parse().unwrap(), &[("lab.test", &addresses)]);
        let folder = tempfile::tempdir().unwrap();
        for (file, text) in [("resolv.conf", ""), ("nsswitch.conf", "hosts: files dns\n")] {
            fs::write(folder.path().join(file), text).unwrap();
            let mount = format!("--bind {} /etc/{file}", folder.path().join(file).display());
            finish(ns.command("mount").args(mount.split(' ')), SOON).successful();
        }
        let asked = ["doctor", "--json", "--name", "lab.test"];
        let mend = fails(&run(ns, &asked), "names");
        assert_eq!(mend, "echo nameserver 198.51.100.80 | sudo tee -a /etc/resolv.conf");
        as_shown(ns, &mend).successful();
        works(&run(ns, &asked), "names");
        // A name that is not there is no matter of the resolver.
        let mend = fails(&run(ns, &["doctor", "--json", "--name", "nobody.test"]), "names");
        assert!(mend.starts_with("cat /etc/resolv.conf     (who was asked"), "{mend}");
    });
}

#[test]
fn namespaces_that_are_forbidden() {
    in_namespace("namespaces_that_are_forbidden", |ns| {
        // In a user namespace the limit is that namespace's own.
        let script = r#"
            echo 0 > /proc/sys/user/max_net_namespaces
            "$0" doctor --json --name localhost 2> "$1"/said > "$1"/before
            sysctl -q user.max_net_namespaces=15000
            "$0" doctor --json --name localhost 2> "$1"/said > "$1"/after
            true"#;
        let folder = tempfile::tempdir().unwrap();
        let mut command = ns.command("unshare");
        command
            .args(["--user", "--map-root-user", "--", "sh", "-c", script])
            .arg(program())
            .arg(folder.path());
        let tried = finish(&mut command, SOON);
        if !tried.status.success() {
            skip_because(format!("no user namespace within: {}", tried.stderr.trim()));
        }
        let found =
            |name: &str| Finished { stdout: fs::read(folder.path().join(name)).unwrap(), ..tried.clone() };
        let (verdict_before, mend) = verdict(&found("before"), "namespaces");
        assert_eq!(
            (&*verdict_before, &*mend.unwrap()),
            ("fails", "sudo sysctl user.max_net_namespaces=15000")
        );
        works(&found("after"), "namespaces");
    });
}

#[test]
fn an_authority_that_can_not_be_used() {
    in_namespace("an_authority_that_can_not_be_used", |ns| {
        tap(ns);
        let folder = tempfile::tempdir().unwrap();
        let ca = folder.path().join("ca");
        let asked = ["--ca-dir", ca.to_str().unwrap()];
        assert_eq!(verdict(&doctor(ns, &asked), "authority").0, "open", "there is none yet");
        let serve = || Framewise::new(ns, &["serve"]).arguments(&ON_TAP).arguments(&asked).spawn(READY);
        drop(serve());
        works(&doctor(ns, &asked), "authority");
        let key = ca.join("authority.key.pem");
        fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
        is_mended(ns, ns, &asked, "authority", &format!("chmod 600 {}", key.display()));
        fs::write(&key, "no key").unwrap();
        let mend = fails(&doctor(ns, &asked), "authority");
        assert_eq!(mend, format!("mv {0} {0}.old     (the next serve makes another)", ca.display()));
        as_shown(ns, &mend).successful();
        drop(serve());
        works(&doctor(ns, &asked), "authority");
    });
}

#[test]
fn a_clock_that_is_wrong() {
    skippable("a_clock_that_is_wrong", || {
        // It is mended for all of the computer, so not here.
        let mut command = Host.command("faketime");
        command.args(["2001-01-01 00:00:00"]).arg(program()).args([
            "doctor",
            "--json",
            "--name",
            "localhost",
        ]);
        let mend = fails(&finish(&mut command, SOON), "clock");
        assert_eq!(mend, "sudo timedatectl set-ntp true");
        works(&doctor(&Host, &[]), "clock");
    });
}

#[test]
fn what_is_found_fits_a_screen_with_and_without_colour() {
    in_namespace("what_is_found_fits_a_screen_with_and_without_colour", |ns| {
        tap(ns);
        let asked = ["doctor", "--name", "nobody.test", "--tap", TAP, "--address", V4.kernel_cidr];
        let plain = run(ns, &[&asked[..], &["--no-color"]].concat());
        assert_eq!(plain.status.code(), Some(8));
        for line in plain.text().lines().filter(|line| !line.contains("mend it by")) {
            assert!(line.chars().count() <= 80, "longer than 80 columns: {line}");
        }
        let (says, next) = plain.stderr.split_once('\n').unwrap();
        assert!(says.starts_with("framewise: ") && next.starts_with("  try: "), "{}", plain.stderr);
        let mut coloured = ns.command("env");
        coloured.arg("CLICOLOR_FORCE=1").arg(program()).args(asked);
        let coloured = finish(&mut coloured, SOON).text();
        assert!(coloured.contains("\x1b["), "no colour: {coloured}");
        let stripped: String = strip(&coloured);
        assert_eq!(stripped, plain.text(), "colour adds nothing else");
    });
}

/// The text without its colours.
fn strip(text: &str) -> String {
    let mut parts = text.split('\x1b');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| text + part.split_once('m').map_or("", |(_, rest)| rest))
}
