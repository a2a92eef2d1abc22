//! What UDP has to say about its own header.

use std::net::IpAddr;

use framewise_core::{Description, Field};

use crate::header::{DatagramView, HEADER, HeaderError};

const SOURCE: &str = "RFC 768";

/// Explains a datagram. `addresses` are the packet's source and destination, without which the checksum can be shown
/// but not checked.
///
/// # Errors
///
/// Those of [`DatagramView::parse`]: a wrong checksum is described, not refused.
pub fn describe(datagram: &[u8], addresses: Option<(IpAddr, IpAddr)>) -> Result<Description, HeaderError> {
    describe_of_length(datagram, datagram.len(), addresses)
}

/// Explains a datagram for which its packet had `length` bytes, of which `datagram` has at least the header: a capture may have
/// kept no more.
///
/// # Errors
///
/// Those of [`describe`].
pub fn describe_of_length(
    datagram: &[u8],
    length: usize,
    addresses: Option<(IpAddr, IpAddr)>,
) -> Result<Description, HeaderError> {
    let view = DatagramView::caught(datagram, length)?;
    let verdict = Verdict::of(&view, addresses);
    let destination = view.destination_port();
    Ok(Description {
        protocol: "UDP",
        unit: "datagram",
        outbound: match service(destination) {
            Some(service) => format!("port {destination}, {service}; no promise"),
            None => format!("port {destination}; no promise"),
        },
        inbound: verdict.short().to_owned(),
        next: match service(destination) {
            Some(service) => format!("port {destination}: {service}"),
            None => format!("port {destination}: who asked"),
        },
        header: 0..HEADER,
        payload: HEADER..view.length(),
        fields: fields(&view, verdict),
    })
}

fn fields(view: &DatagramView<'_>, verdict: Verdict) -> Vec<Field> {
    let length = view.length();
    let data = length.saturating_sub(HEADER);
    vec![
        Field::new(
            "source port",
            0..2,
            view.source_port().to_string(),
            port_meaning(view.source_port(), "sent this, and is where an answer goes"),
            SOURCE,
        ),
        Field::new(
            "destination port",
            2..4,
            view.destination_port().to_string(),
            port_meaning(view.destination_port(), "gets this"),
            SOURCE,
        ),
        Field::new(
            "length",
            4..6,
            length.to_string(),
            format!("{length} bytes in all: {HEADER} of this header and {data} of data."),
            SOURCE,
        ),
        Field::new(
            "checksum",
            6..8,
            format!("{:#06x}", view.checksum()),
            verdict.meaning(),
            "RFC 768, RFC 8200 §8.1",
        ),
    ]
}

fn port_meaning(port: u16, role: &str) -> String {
    match (port, service(port)) {
        (0, _) => "The sender wants no answer.".to_owned(),
        (_, Some(service)) => format!("Which program {role}: {service}."),
        (_, None) => format!("Which program {role}."),
    }
}

/// The service that usually has this port (IANA, Service Name and Transport Protocol Port Number Registry).
fn service(port: u16) -> Option<&'static str> {
    Some(match port {
        53 => "DNS",
        67 => "DHCP server",
        68 => "DHCP client",
        123 => "NTP",
        443 => "QUIC",
        5353 => "mDNS",
        _ => return None,
    })
}

/// What became of the checksum.
#[derive(Clone, Copy)]
enum Verdict {
    Unchecked,
    /// Not all of the datagram is there.
    Unknown,
    None,
    Right,
    /// Only the pseudo-header's sum stands there: the device does the rest.
    Left,
    Wrong(HeaderError),
}

impl Verdict {
    fn of(view: &DatagramView<'_>, addresses: Option<(IpAddr, IpAddr)>) -> Self {
        let Some((source, destination)) = addresses else {
            return Verdict::Unchecked;
        };
        if !view.is_whole() && view.checksum() != 0 {
            return Verdict::Unknown;
        }
        match view.verify(source, destination) {
            Ok(()) if view.checksum() == 0 => Verdict::None,
            Ok(()) => Verdict::Right,
            Err(_) if view.is_sum_left(source, destination) => Verdict::Left,
            Err(error) => Verdict::Wrong(error),
        }
    }

    fn short(self) -> &'static str {
        match self {
            Verdict::Unchecked => "length right",
            Verdict::Unknown => "length right, sum unknown",
            Verdict::None => "length right, sender gave no sum",
            Verdict::Right => "length right, sum right",
            Verdict::Left => "length right, no sum needed",
            Verdict::Wrong(_) => "damaged: the sum is wrong",
        }
    }

    fn meaning(self) -> String {
        match self {
            Verdict::Unchecked => {
                "Detects damage: a sum over the data, the ports and both addresses.".to_owned()
            }
            Verdict::Unknown => {
                "Nobody can tell whether it is right: not all of the datagram was captured.".to_owned()
            }
            Verdict::None => "The sender computed no sum, which IPv4 allows.".to_owned(),
            Verdict::Right => {
                "Right: data, ports and both addresses add up as they did for the sender.".to_owned()
            }
            Verdict::Left => {
                "Not computed yet: the network device does it, or there is no wire to be damaged on."
                    .to_owned()
            }
            Verdict::Wrong(error) => format!("Damaged on the way: {error}."),
        }
    }
}
