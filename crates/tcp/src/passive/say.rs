//! Ends and findings in words.

use std::net::IpAddr;
use std::time::Duration;

use framewise_core::StateField;

use super::{End, Finding, Known, Resent};
use crate::segment::default_segment_size;

/// A segment that a finding refers to, as a view calls it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Referred {
    /// Such as `frame 11`.
    pub name: String,
    /// How long before this segment it was seen, if that is known.
    pub before: Option<Duration>,
}

impl Finding {
    /// Its name in a word or two.
    pub fn name(&self) -> &'static str {
        match self {
            Finding::Again { why: Resent::Timeout | Resent::MarkNeedlessly { .. }, .. } => "retransmission",
            Finding::Again { why: Resent::Told { .. }, .. } => "fast retransmission",
            Finding::Again { why: Resent::Needlessly { .. }, .. } => "needless retransmission",
            Finding::Again { why: Resent::NotTaken { .. }, .. } => "not taken with the SYN",
            Finding::OutOfOrder => "out of order",
            Finding::Missing { .. } => "segment missing before",
            Finding::AcknowledgesUnseen { .. } => "acknowledges unseen",
            Finding::DuplicateAck { .. } => "duplicate acknowledgment",
            Finding::ZeroWindow => "zero window",
            Finding::WindowFull => "window full",
            Finding::WindowUpdate { .. } => "window update",
            Finding::ZeroWindowProbe { .. } => "zero window probe",
            Finding::ZeroWindowProbeAck { .. } => "answer to a zero window probe",
            Finding::KeepAlive => "keep-alive",
            Finding::KeepAliveAck { .. } => "answer to a keep-alive",
        }
    }

    /// Whether it speaks of loss, disorder or repetition, which a healthy connection has none of.
    pub fn is_trouble(&self) -> bool {
        !matches!(
            self,
            Finding::WindowUpdate { .. }
                | Finding::KeepAlive
                | Finding::KeepAliveAck { .. }
                | Finding::Again { why: Resent::NotTaken { .. }, .. }
        )
    }

    /// Which segment it refers to: the one that was sent before, the acknowledgment that asked, the probe.
    pub fn refers_to(&self) -> Option<u32> {
        match *self {
            Finding::Again {
                why: Resent::Needlessly { acknowledged_by } | Resent::MarkNeedlessly { acknowledged_by },
                last,
            } => last.or(Some(acknowledged_by)),
            Finding::Again { last, .. } => last,
            Finding::DuplicateAck { of, .. }
            | Finding::ZeroWindowProbeAck { of }
            | Finding::KeepAliveAck { of } => Some(of),
            Finding::ZeroWindowProbe { closed_by } => closed_by,
            _ => None,
        }
    }
}

/// A finding in a sentence. `refer` says how a segment is called.
pub fn told(finding: &Finding, refer: impl Fn(u32) -> Referred) -> String {
    let name = |number: u32| refer(number).name;
    match *finding {
        Finding::Again { last, why } => again(last, why, refer),
        Finding::OutOfOrder => "Out of order: segments that were sent later have overtaken it.".to_owned(),
        Finding::Missing { bytes } => {
            let are = if bytes == 1 { "is" } else { "are" };
            format!("{} before this {are} missing: lost, or still on the way.", counted(bytes))
        }
        Finding::AcknowledgesUnseen { bytes } => {
            let (were, them) = if bytes == 1 { ("was", "it") } else { ("were", "them") };
            format!("It acknowledges {} that {were} not seen here: the capture lacks {them}.", counted(bytes))
        }
        Finding::DuplicateAck { count, of } => format!(
            "The same acknowledgment as in {}, for the {} time again: something else came, and not what is missing.",
            name(of),
            ordinal(count)
        ),
        Finding::ZeroWindow => "Its sender can take nothing more at present.".to_owned(),
        Finding::WindowFull => "It fills the window: its sender now has to wait for the receiver.".to_owned(),
        Finding::WindowUpdate { before, is_known } => {
            format!("It only says how much can be taken now; before, it was {}.", window(before, is_known))
        }
        Finding::ZeroWindowProbe { closed_by } => format!(
            "One byte beyond the closed window{}, to hear whether it has opened.",
            closed_by.map_or(String::new(), |by| format!(" ({} closed it)", name(by)))
        ),
        Finding::ZeroWindowProbeAck { of } => {
            format!("It answers the probe in {}: the window is still closed.", name(of))
        }
        Finding::KeepAlive => "It brings nothing new, to hear whether the other is still there.".to_owned(),
        Finding::KeepAliveAck { of } => format!("It answers {}: it is still there.", name(of)),
    }
}

fn again(last: Option<u32>, why: Resent, refer: impl Fn(u32) -> Referred) -> String {
    let last = last.map(&refer);
    if last.is_none() && why == Resent::Timeout {
        return "Sent again, it seems: it comes late, and what it brings was not seen here before."
            .to_owned();
    }
    let first = last.as_ref().map_or("what was not seen here".to_owned(), |last| last.name.clone());
    match why {
        Resent::Timeout => {
            let waited = last
                .and_then(|last| last.before)
                .map_or("in time".to_owned(), |before| format!("within {} ms", millis(before)));
            format!("Sent again: no acknowledgment came for {first} {waited}.")
        }
        Resent::Told { by } => format!(
            "Sent again at once: three acknowledgments, {} the last of them, told that {first} is missing.",
            refer(by).name
        ),
        Resent::Needlessly { acknowledged_by } | Resent::MarkNeedlessly { acknowledged_by } => format!(
            "Sent again for nothing: {} had acknowledged what came in {first}.",
            refer(acknowledged_by).name
        ),
        Resent::NotTaken { by } => format!(
            "Sent again as it has to be: {} took the SYN of {first} alone, and not what came with it.",
            refer(by).name
        ),
    }
}

fn ordinal(number: u32) -> String {
    match (number, number % 100, number % 10) {
        (1, ..) => "first".to_owned(),
        (2, ..) => "second".to_owned(),
        (3, ..) => "third".to_owned(),
        (_, 11..=13, _) => format!("{number}th"),
        (.., 1) => format!("{number}st"),
        (.., 2) => format!("{number}nd"),
        (.., 3) => format!("{number}rd"),
        _ => format!("{number}th"),
    }
}

fn counted(bytes: u32) -> String {
    if bytes == 1 { "1 byte".to_owned() } else { format!("{bytes} bytes") }
}

/// How much a window is, in bytes, or in units of which nobody knows how many bytes they are.
fn window(value: u32, is_known: bool) -> String {
    match (value, is_known) {
        (_, true) => counted(value),
        (1, false) => "1 unit".to_owned(),
        (_, false) => format!("{value} units"),
    }
}

/// What is said behind such units.
const UNKNOWN_UNITS: &str = "; how many bytes each is, only the SYNs said, which were not seen";

/// The value of such a window, and how its unit is told behind the rest.
fn window_told(value: u32, is_known: bool) -> (String, &'static str) {
    match is_known {
        true => (value.to_string(), ""),
        false => (window(value, false), UNKNOWN_UNITS),
    }
}

const VARIABLES: &str = "RFC 9293 §3.3.1";

impl End {
    /// What is known of it, each with a sentence; `address` is its own.
    pub fn fields(&self, address: IpAddr) -> Vec<StateField> {
        let mut fields = Vec::new();
        if let Some(state) = self.state {
            let field =
                StateField::new("state", state.value.name(), state.value.meaning(), "RFC 9293 §3.3.2");
            fields.push(field.inferred_if(state.inferred));
        }
        self.sending(&mut fields);
        self.receiving(&mut fields);
        self.agreed(address, &mut fields);
        self.measured(&mut fields);
        fields
    }

    fn sending(&self, fields: &mut Vec<StateField>) {
        fields.extend(number("SND.UNA", self.unacknowledged, |value| {
            format!("All that it sent before byte {value} is acknowledged, as far as it knows.")
        }));
        fields.extend(self.next.map(|next| {
            let meaning = format!("What it sends next is byte {next} of its stream.");
            StateField::new("SND.NXT", format!("+{next}"), meaning, VARIABLES)
        }));
        fields.extend(self.send_window.map(|window| {
            let is_known = !self.counts_unknown_units[0];
            let (value, unit) = window_told(window.value, is_known);
            let size = self::window(window.value, is_known);
            let meaning = format!("The other takes {size} beyond SND.UNA{unit}.");
            StateField::new("SND.WND", value, meaning, VARIABLES).inferred_if(window.inferred)
        }));
        fields.extend(self.in_flight().map(|bytes| {
            let meaning = match bytes {
                0 => "All that it sent is acknowledged.".to_owned(),
                1 => "One number, a byte or a SYN or FIN, is under way or unacknowledged.".to_owned(),
                _ => format!("{bytes} bytes are under way or unacknowledged: SND.NXT less SND.UNA."),
            };
            let is_inferred = self.unacknowledged.is_some_and(|known| known.inferred);
            StateField::new("in flight", bytes.to_string(), meaning, VARIABLES).inferred_if(is_inferred)
        }));
    }

    fn receiving(&self, fields: &mut Vec<StateField>) {
        fields.extend(number("RCV.NXT", self.expected, |value| {
            format!("It has all of the other's stream before byte {value}.")
        }));
        fields.extend(self.receive_window.map(|bytes| {
            let is_known = !self.counts_unknown_units[1];
            let (value, unit) = window_told(bytes, is_known);
            let meaning = format!("It takes {} more, as it said last{unit}.", window(bytes, is_known));
            StateField::new("RCV.WND", value, meaning, VARIABLES)
        }));
        if let (Some(&(start, _)), Some(&(_, end))) = (self.ahead.first(), self.ahead.last()) {
            let bytes: u32 = self.ahead.iter().map(|(from, to)| to.wrapping_sub(*from)).sum();
            let meaning = format!(
                "It keeps {} between {start} and {end} until what is missing before comes.",
                counted(bytes)
            );
            fields.push(StateField::new("held ahead", counted(bytes), meaning, "RFC 9293 §3.10.7.4"));
        }
    }

    fn agreed(&self, address: IpAddr, fields: &mut Vec<StateField>) {
        if !self.has_begun {
            return;
        }
        let (size, meaning) = match self.maximum_segment_size {
            Some(size) => (size, format!("It takes payloads of up to {size} bytes, as its SYN said.")),
            None => {
                let size = default_segment_size(address);
                (size, format!("Its SYN said nothing, so {size} bytes are the most that it is sent at once."))
            }
        };
        fields.push(StateField::new("MSS", size.to_string(), meaning, "RFC 9293 §3.7.1"));
        if let Some(shift) = self.window_scale {
            let unit = 1_u32 << shift.min(14);
            let meaning = match (shift, self.scales_windows) {
                (0, _) => "Its windows count bytes, as its SYN said.".to_owned(),
                (_, Some(true)) => format!("Its windows count in units of {unit} bytes, as its SYN said."),
                (_, None) => {
                    format!("Its SYN offers windows in units of {unit} bytes, if the other's does, too.")
                }
                (_, Some(false)) => format!(
                    "Its SYN offered windows in units of {unit} bytes; the other's did not, so they count bytes."
                ),
            };
            fields.push(StateField::new("window scale", shift.to_string(), meaning, "RFC 7323 §2.2"));
        }
        if self.takes_selective {
            let meaning = "It understands which pieces came, and not only up to where all came.";
            fields.push(StateField::new("SACK", "permitted", meaning, "RFC 2018 §2"));
        }
    }

    fn measured(&self, fields: &mut Vec<StateField>) {
        if let Some(trip) = self.round_trip() {
            let meaning = format!(
                "The last acknowledgment took {} ms; smoothed it is {} ms. Sent twice is never timed.",
                millis(trip.last),
                millis(trip.smoothed)
            );
            let field =
                StateField::new("round trip", format!("{} ms", millis(trip.last)), meaning, "RFC 6298 §2");
            fields.push(field.inferred_if(!self.is_here));
        }
        if self.sent_again > 0 {
            let meaning =
                format!("So many of its segments brought what it had sent before: {}.", self.sent_again);
            fields.push(StateField::new(
                "sent again",
                self.sent_again.to_string(),
                meaning,
                "RFC 9293 §3.8.1",
            ));
        }
    }
}

fn number(
    name: &'static str,
    known: Option<Known<u32>>,
    meaning: impl Fn(u32) -> String,
) -> Option<StateField> {
    let known = known?;
    let field = StateField::new(name, format!("+{}", known.value), meaning(known.value), VARIABLES);
    Some(field.inferred_if(known.inferred))
}

/// Milliseconds with as many places as say something.
fn millis(time: Duration) -> String {
    let millis = time.as_secs_f64() * 1_000.0;
    if millis < 10.0 { format!("{millis:.3}") } else { format!("{millis:.0}") }
}
