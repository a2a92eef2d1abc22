//! The names that a small server answers for.
//!
//! Read first: RFC 1034 section 4.3.2 (how a server answers); RFC 2308 section 3 (what is not there); RFC 8482 (ANY).

use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::message::Message;
use crate::name::{Name, NameError};
use crate::record::{Data, INTERNET, Kind, Question, Record, ResponseCode, Soa};

/// For how many seconds it may be remembered that something is not in the zone.
const NEGATIVE_TTL: u32 = 60;

/// A zone: a name, and the addresses of names below it.
///
/// ```
/// use framewise_dns::Zone;
/// let zone = Zone::new("test")?
///     .with_ttl(60)
///     .with("shop.test", ["203.0.113.80".parse()?])?;
/// assert_eq!(zone.addresses("SHOP.test").len(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Zone {
    origin: Name,
    ttl: u32,
    names: BTreeMap<Name, Vec<IpAddr>>,
    /// Names by the name of their address: built as names are put in.
    pointers: BTreeMap<Name, Name>,
}

/// What the zone has to say to a question.
enum Found {
    Records(Vec<Record>),
    /// The name is there, such a record is not.
    Nothing(Name),
    NoSuchName(Name),
    Outside,
}

impl Zone {
    /// An empty zone of this name, whose addresses may be remembered for five minutes.
    ///
    /// # Errors
    ///
    /// Where `origin` is no name.
    pub fn new(origin: &str) -> Result<Self, NameError> {
        Ok(Zone { origin: origin.parse()?, ttl: 300, names: BTreeMap::new(), pointers: BTreeMap::new() })
    }

    /// The same, whose addresses may be remembered for so many seconds.
    pub fn with_ttl(mut self, seconds: u32) -> Self {
        self.ttl = seconds;
        self
    }

    /// The same, with the addresses of a name put in. A name outside the zone may be put in too: it is a zone of
    /// its own then.
    ///
    /// # Errors
    ///
    /// Where `name` is no name.
    pub fn with(
        mut self,
        name: &str,
        addresses: impl IntoIterator<Item = IpAddr>,
    ) -> Result<Self, NameError> {
        let name: Name = name.parse()?;
        let known = self.names.entry(name.clone()).or_default();
        for address in addresses {
            if !known.contains(&address) {
                known.push(address);
            }
            self.pointers.entry(Name::reverse(address)).or_insert_with(|| name.clone());
        }
        Ok(self)
    }

    /// The addresses of a name; empty where it has none or is no name.
    pub fn addresses(&self, name: &str) -> &[IpAddr] {
        name.parse().ok().and_then(|name: Name| self.names.get(&name)).map_or(&[], Vec::as_slice)
    }

    /// The response to a query.
    pub(crate) fn respond(&self, query: &Message) -> Message {
        let code = |code| Message::response_to(query, code);
        if query.edns.is_some_and(|version| version > 0) {
            return code(ResponseCode::BAD_VERSION);
        }
        if query.opcode != 0 {
            return code(ResponseCode::NotImplemented);
        }
        let [question] = &query.questions[..] else {
            return code(ResponseCode::FormatError);
        };
        let mut response = code(ResponseCode::NoError);
        response.authoritative = true;
        match self.find(question) {
            Found::Records(records) => response.answers = records,
            Found::Nothing(start) => response.authority.push(self.start(start)),
            Found::NoSuchName(start) => {
                response.code = ResponseCode::NameError;
                response.authority.push(self.start(start));
            }
            Found::Outside => return code(ResponseCode::Refused),
        }
        response
    }

    fn find(&self, question: &Question) -> Found {
        let name = &question.name;
        if question.class != INTERNET {
            return Found::Outside;
        }
        if let Some(owner) = self.pointers.get(name) {
            return match question.kind {
                Kind::Ptr | Kind::Any => Found::Records(vec![self.record(name, Data::Ptr(owner.clone()))]),
                _ => Found::Nothing(name.clone()),
            };
        }
        let addresses = self.names.get(name);
        let Some(start) = self.start_of(name, addresses.is_some()) else {
            return Found::Outside;
        };
        if question.kind == Kind::Soa && *name == start {
            return Found::Records(vec![self.start(start)]);
        }
        let records = self.address_records(name, question.kind, addresses.map_or(&[], Vec::as_slice));
        if !records.is_empty() {
            return Found::Records(records);
        }
        // A name that only others lie below is there too (RFC 8020 section 2).
        let there = *name == start || self.names.keys().any(|known| known.is_within(name));
        if there { Found::Nothing(start) } else { Found::NoSuchName(start) }
    }

    /// The zone that a name is in: ours, or that which it is itself.
    fn start_of(&self, name: &Name, known: bool) -> Option<Name> {
        if name.is_within(&self.origin) { Some(self.origin.clone()) } else { known.then(|| name.clone()) }
    }

    /// Of ANY only one kind is told: nobody shall be answered with much for little (RFC 8482 section 4.1).
    fn address_records(&self, name: &Name, kind: Kind, addresses: &[IpAddr]) -> Vec<Record> {
        let records = |kind: Kind| -> Vec<Record> {
            addresses
                .iter()
                .map(|address| self.record(name, (*address).into()))
                .filter(|record| record.data.kind() == kind)
                .collect()
        };
        match kind {
            Kind::A | Kind::Aaaa => records(kind),
            Kind::Any => Some(records(Kind::A))
                .filter(|found| !found.is_empty())
                .unwrap_or_else(|| records(Kind::Aaaa)),
            _ => Vec::new(),
        }
    }

    fn record(&self, name: &Name, data: Data) -> Record {
        Record { name: name.clone(), class: INTERNET, ttl: self.ttl, data }
    }

    fn start(&self, name: Name) -> Record {
        let soa = Soa {
            server: name.clone(),
            // RFC 2142 section 7: the mailbox of whoever runs a zone.
            mailbox: Name::from_labels([&b"hostmaster"[..]].into_iter().chain(name.labels()))
                .unwrap_or_else(|_| name.clone()),
            serial: 1,
            minimum: NEGATIVE_TTL,
        };
        Record { ttl: NEGATIVE_TTL, ..self.record(&name, Data::Soa(Box::new(soa))) }
    }
}
