//! Networks, as text and as sets of addresses.

use std::net::IpAddr;

use framewise_ip::Cidr;
use framewise_ip::cidr::{NotAHost, ParseCidrError};
use framewise_ip::ipv6::{link_local, solicited_node};
use proptest::prelude::*;

#[test]
fn text_that_is_no_network_says_why() {
    let wrong = |text: &str| text.parse::<Cidr>().expect_err(text);
    assert_eq!(
        wrong("192.0.2.1").to_string(),
        "\"192.0.2.1\" lacks the prefix length: write it like 192.0.2.10/24"
    );
    assert!(matches!(wrong("shop.test/24"), ParseCidrError::Address { .. }));
    for text in ["192.0.2.1/33", "192.0.2.1/", "192.0.2.1/+8", "192.0.2.1/-1", "::/129", "::/1x"] {
        assert!(matches!(wrong(text), ParseCidrError::Prefix { .. }), "{text}");
    }
}

#[test]
fn networks_have_a_broadcast_address_or_none() {
    let broadcast =
        |text: &str| text.parse::<Cidr>().expect("a CIDR").broadcast().map(|address| address.to_string());
    assert_eq!(broadcast("192.0.2.10/24").as_deref(), Some("192.0.2.255"));
    assert_eq!(broadcast("10.1.2.3/8").as_deref(), Some("10.255.255.255"));
    assert_eq!(broadcast("0.0.0.0/0").as_deref(), Some("255.255.255.255"));
    assert_eq!(broadcast("192.0.2.10/31"), None);
    assert_eq!(broadcast("192.0.2.10/32"), None);
    assert_eq!(broadcast("2001:db8::/64"), None);
}

#[test]
fn the_addresses_that_a_mac_address_makes() {
    // The example of RFC 2464, section 4.
    let mac = "34-56-78-9a-bc-de".parse().expect("a MAC address");
    assert_eq!(link_local(mac).to_string(), "fe80::3656:78ff:fe9a:bcde");
    assert_eq!(solicited_node(link_local(mac)).to_string(), "ff02::1:ff9a:bcde");
}

fn any_address() -> impl Strategy<Value = IpAddr> {
    prop_oneof![any::<[u8; 4]>().prop_map(IpAddr::from), any::<[u8; 16]>().prop_map(IpAddr::from)]
}

proptest! {
    #[test]
    fn text_and_back(address in any_address(), prefix: u8) {
        let prefix = if address.is_ipv4() { prefix % 33 } else { prefix % 129 };
        let cidr = Cidr::new(address, prefix);
        prop_assert_eq!(cidr.to_string().parse::<Cidr>(), Ok(cidr));
    }

    #[test]
    fn a_network_holds_its_own_addresses(address in any_address(), prefix: u8, other in any_address()) {
        let cidr = Cidr::new(address, prefix);
        prop_assert!(cidr.contains(address));
        prop_assert!(cidr.contains(cidr.network().address));
        prop_assert_eq!(cidr.contains(other), cidr.network().contains(other));
    }
}

#[test]
fn some_addresses_are_no_hosts() {
    let judged = |text: &str| text.parse::<Cidr>().expect(text).of_a_host().err();
    for text in
        ["192.0.2.1/24", "192.0.2.0/31", "192.0.2.255/31", "192.0.2.0/32", "2001:db8::1/64", "fe80::1/64"]
    {
        assert_eq!(judged(text), None, "{text}");
    }
    let wrong = |why: fn(_) -> _, texts: &[&str]| {
        for text in texts {
            let address = text.parse::<Cidr>().expect(text).address;
            assert_eq!(judged(text), Some(why(address)), "{text}");
        }
    };
    wrong(NotAHost::Nobody, &["0.0.0.0/0", "0.1.2.3/8", "::/0"]);
    wrong(NotAHost::Loopback, &["127.0.0.1/8", "::1/128"]);
    wrong(NotAHost::Group, &["224.0.0.1/24", "255.255.255.255/32", "ff02::1/64"]);
    wrong(NotAHost::Network, &["192.0.2.0/24"]);
    wrong(NotAHost::Broadcast, &["192.0.2.255/24"]);
}
