//! The learning switch alone.

#![allow(clippy::unwrap_used)]

use std::time::Duration;

use framewise_core::{Instant, MacAddr};
use framewise_device::{Forward, PortId, Switch, SwitchConfig};

const A: PortId = PortId(0);
const B: PortId = PortId(1);

fn mac(number: u16) -> MacAddr {
    let [high, low] = number.to_be_bytes();
    MacAddr::new([2, 0, 0, 0, high, low])
}

fn frame(to: MacAddr, from: MacAddr) -> Vec<u8> {
    [to.octets(), from.octets()].concat()
}

fn secs(secs: u64) -> Instant {
    Instant::from_secs(secs)
}

#[test]
fn it_learns_by_sources_and_floods_what_it_does_not_know() {
    let mut switch = Switch::new(SwitchConfig::default());
    assert_eq!(switch.forward(A, &frame(mac(2), mac(1)), secs(0)), Forward::Flood);
    assert_eq!(switch.forward(B, &frame(mac(1), mac(2)), secs(0)), Forward::To(A));
    assert_eq!(switch.forward(B, &frame(MacAddr::BROADCAST, mac(2)), secs(0)), Forward::Flood);
    assert_eq!(switch.stations(secs(0)).collect::<Vec<_>>(), [(mac(1), A), (mac(2), B)]);
}

#[test]
fn a_station_that_is_silent_is_forgotten_and_one_that_speaks_is_not() {
    let mut switch =
        Switch::new(SwitchConfig { ageing: Duration::from_secs(300), ..SwitchConfig::default() });
    switch.forward(A, &frame(mac(9), mac(1)), secs(0));
    switch.forward(B, &frame(mac(9), mac(2)), secs(0));
    switch.forward(B, &frame(mac(9), mac(2)), secs(200));
    assert_eq!(switch.port_of(mac(1), secs(299)), Some(A));
    assert_eq!(switch.port_of(mac(1), secs(300)), None);
    assert_eq!(switch.port_of(mac(2), secs(499)), Some(B));
}

#[test]
fn the_table_is_bounded_and_who_is_in_stays_in() {
    let mut switch = Switch::new(SwitchConfig { capacity: 100, ..SwitchConfig::default() });
    for number in 0..10_000 {
        switch.forward(A, &frame(MacAddr::BROADCAST, mac(number)), secs(1));
    }
    assert_eq!(switch.stations(secs(1)).count(), 100);
    assert_eq!(switch.port_of(mac(0), secs(1)), Some(A));
    // After ageing there is room again.
    switch.forward(B, &frame(MacAddr::BROADCAST, mac(20_000)), secs(1_000));
    assert_eq!(switch.port_of(mac(20_000), secs(1_000)), Some(B));
}

#[test]
fn a_station_that_moves_is_told() {
    let mut switch = Switch::new(SwitchConfig::default());
    switch.forward(A, &frame(MacAddr::BROADCAST, mac(1)), secs(0));
    switch.forward(B, &frame(MacAddr::BROADCAST, mac(1)), secs(5));
    let moved = switch.poll_moved().expect("the move is told");
    assert_eq!((moved.now, moved.mac, moved.from, moved.to), (secs(5), mac(1), A, B));
    assert_eq!(switch.poll_moved(), None);
    assert_eq!(switch.port_of(mac(1), secs(5)), Some(B));
}

#[test]
fn a_runt_and_a_group_as_source_are_not_learnt() {
    let mut switch = Switch::new(SwitchConfig::default());
    assert!(matches!(switch.forward(A, &[0; 11], secs(0)), Forward::Filter(_)));
    switch.forward(A, &frame(mac(1), MacAddr::BROADCAST), secs(0));
    assert_eq!(switch.stations(secs(0)).count(), 0);
}

#[test]
fn a_link_that_goes_down_takes_its_stations_along() {
    let mut switch = Switch::new(SwitchConfig::default());
    switch.forward(A, &frame(MacAddr::BROADCAST, mac(1)), secs(0));
    switch.forward(B, &frame(MacAddr::BROADCAST, mac(2)), secs(0));
    switch.forget(A);
    assert_eq!(switch.stations(secs(0)).collect::<Vec<_>>(), [(mac(2), B)]);
}
