//! Two stations with one address on a link: who asks for it hears of it, who has it keeps it.

use std::time::Duration;

use framewise::core::MacAddr;
use framewise::device::wire::WireConfig;
use framewise::tls::{Crypto, SimulatedCrypto, TimeSource};
use framewise::world::EPOCH;
use framewise::{HostConfig, HostId, Interface, Plug, Runner};

const FIRST: MacAddr = MacAddr::new([2, 0, 0, 0, 0, 1]);
const SECOND: MacAddr = MacAddr::new([2, 0, 0, 0, 0, 2]);
const LATER: Duration = Duration::from_secs(20);

/// Two hosts on a wire, the second of which uses its address while it asks for it; and what they have to say after a while.
fn warnings(addresses: [&str; 2], macs: [MacAddr; 2]) -> [Vec<(&'static str, String)>; 2] {
    let mut runner = Runner::simulated(27).expect("a runner");
    let wire = runner.add_wire(WireConfig::default());
    let mut hosts = [None, None];
    for (index, host) in hosts.iter_mut().enumerate() {
        let crypto = SimulatedCrypto::never_on_a_real_device(runner.randomness("tls"));
        let tls = framewise::tls::Config::new(TimeSource::starting_at(EPOCH), Crypto::Simulated(crypto));
        let address = addresses[index].parse().expect("an address");
        let mut config =
            HostConfig::new(["first", "second"][index], vec![Interface::new(macs[index], [address])], tls);
        (config.announce, config.optimistic) = (index == 1, index == 1);
        let stack = config.stack(&runner.randomness("hosts")).expect("a stack");
        *host = Some(runner.add_host(&config.name, stack, vec![Plug::Wire(wire)]));
    }
    runner.run_for(LATER).expect("time passes");
    let mut heard = |host: Option<HostId>| {
        let warnings = runner.take_warnings(host.expect("a host"));
        warnings.into_iter().map(|warning| (warning.topic, warning.text)).collect()
    };
    hosts.map(&mut heard)
}

#[test]
fn an_address_of_another_is_given_up_and_said() {
    let [first, second] = warnings(["192.0.2.10/24"; 2], [FIRST, SECOND]);
    let taken = "02:00:00:00:00:01 has 192.0.2.10 already: I don't use it";
    assert_eq!((first, second), (vec![], vec![("taken", taken.to_owned())]));
    let [_, second] = warnings(["2001:db8::10/64"; 2], [FIRST, SECOND]);
    assert_eq!(second, [("taken", "2001:db8::10 is another station's: I don't use it".to_owned())]);
}

#[test]
fn one_mac_address_for_two_is_said() {
    let [first, _] = warnings(["192.0.2.10/24", "192.0.2.20/24"], [FIRST, FIRST]);
    let said = "another station uses my MAC address 02:00:00:00:00:01".to_owned();
    assert!(first.contains(&("duplicate", said)), "{first:?}");
}

#[test]
fn who_is_alone_has_nothing_to_say() {
    assert_eq!(warnings(["192.0.2.10/24", "192.0.2.20/24"], [FIRST, SECOND]), [vec![], vec![]]);
}
