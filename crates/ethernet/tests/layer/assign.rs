//! Addresses for stations that nobody manufactured.

use std::collections::BTreeSet;

use framewise_core::Rng;
use framewise_ethernet::MacAllocator;

#[test]
fn ten_thousand_stations_get_ten_thousand_local_addresses() {
    for mut addresses in [MacAllocator::counting(), MacAllocator::random(Rng::from_seed(3))] {
        let mut given = BTreeSet::new();
        for _ in 0..10_000 {
            let mac = addresses.assign();
            assert!(mac.is_local() && mac.is_unicast(), "{mac} is a local address of one station");
            assert!(given.insert(mac), "{mac} was given twice");
        }
    }
}

#[test]
fn the_same_seed_gives_the_same_addresses_and_skips_those_that_are_taken() {
    let draw = |seed, taken: Option<framewise_core::MacAddr>| {
        let mut addresses = MacAllocator::random(Rng::from_seed(seed));
        if let Some(mac) = taken {
            assert!(addresses.reserve(mac), "{mac} was free");
        }
        addresses.assign()
    };
    let first = draw(1, None);
    assert_eq!(first, draw(1, None));
    assert_ne!(first, draw(2, None));
    assert_ne!(first, draw(1, Some(first)));
}

#[test]
fn an_address_that_was_given_back_is_free() {
    let mut addresses = MacAllocator::counting();
    let mac = addresses.assign();
    assert!(!addresses.reserve(mac), "it is taken");
    addresses.release(mac);
    assert!(addresses.reserve(mac), "it is free again");
}
