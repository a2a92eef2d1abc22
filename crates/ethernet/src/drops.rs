//! Why this layer drops frames and packets.

use framewise_core::drops::{DropReason, table};

/// Every reason that is counted.
#[rustfmt::skip]
pub const DROPS: [DropReason; 26] = table("ethernet", [
    ("runt frame", "shorter than its header", "RFC 894"),
    ("oversize frame", "longer than the link carries", "RFC 894"),
    ("802.1Q tag", "it belongs to a virtual network that nobody set up here", "IEEE 802.1Q §9"),
    ("802.3 length field", "a length stands where its type should: not IP's kind of frame", "RFC 1122 §2.3.3"),
    ("source is no station", "its source address is a group's, which nobody has", "IEEE 802.3 §3.2.3"),
    ("my own address as source", "another station uses our MAC address, or our frame came back", "IEEE 802.3 §3.2.5"),
    ("for another station", "its destination is another's MAC address: a shared link brings such", "IEEE 802.3 §3.2.4"),
    ("for another protocol's group", "it went to a group that neither IPv4 nor IPv6 has", "RFC 1112 §6.4"),
    ("unknown EtherType", "it carries neither IPv4, IPv6 nor ARP", "RFC 894"),
    ("EtherType of the other IP version", "its type says IPv4 and its packet IPv6, or the reverse", "RFC 2464 §3"),
    ("unknown interface", "it came from, or was for, an interface that this host has not", ""),
    ("inbound queue full", "the layer above did not take the packets before it", ""),
    ("outbound queue full", "the device did not take the frames before it", ""),
    ("packet larger than the MTU", "what the layer above sends does not fit a frame", "RFC 894"),
    ("packet is neither IPv4 nor IPv6", "its version has no EtherType", "RFC 894"),
    ("ARP packet too short", "its fields are not all there", "RFC 826"),
    ("ARP not for IPv4 over Ethernet", "its kinds of addresses or their lengths are others", "RFC 826"),
    ("ARP sender is no station", "the sender's MAC address is a group's", "RFC 826"),
    ("ARP sender is no host", "the sender's IP address is a group's or everybody's", "RFC 1122 §3.2.1.3"),
    ("ARP sender is not the frame's", "the frame was sent by another than who it says", "RFC 826"),
    ("ARP for another station", "somebody looks for another", "RFC 826"),
    ("another station claims my address", "two hosts have the same IP address", "RFC 5227 §2.4"),
    ("conflicting neighbour binding", "a live neighbour's address is claimed by another station", "RFC 5227 §2.4"),
    ("neighbour's address is no station", "we were told a group's MAC address for a neighbour", "RFC 4861 §7.2.5"),
    ("neighbour table full", "all neighbours in it are in use", "RFC 1122 §2.3.2.1"),
    ("too many addresses claimed", "an interface has as many addresses as it may", ""),
]);
