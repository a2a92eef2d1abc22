//! DNS messages, and the one file that names `hickory-proto`.
//!
//! Read first: RFC 1035 section 4; RFC 6891 section 6.1 (EDNS); RFC 9267 (what lying lengths, counts and pointers did to
//! other implementations).
//!
//! hickory reads and writes the bytes; its types stay in here, and what the rest of the crate sees is
//! [`Message`]. hickory follows compression pointers only backwards and checks each length against what is there.
//! It believes the counts of the header when it reserves memory, so these are held against the message's size
//! first.

use framewise_core::read::u16_at;
use hickory_proto::op::{Edns, Message as Wire, MessageType, OpCode, Query, ResponseCode as WireCode};
use hickory_proto::rr::rdata::{A, AAAA, CNAME, PTR, SOA};
use hickory_proto::rr::{DNSClass, Name as WireName, RData, Record as WireRecord, RecordType};
use hickory_proto::serialize::binary::{BinEncodable, BinEncoder};
use thiserror::Error;

use crate::name::Name;
use crate::record::{Data, Question, Record, ResponseCode, Soa};

/// Bytes of the header.
pub const HEADER: usize = 12;
/// Bytes of the longest message over UDP without EDNS (RFC 1035 section 4.2.1), and of the longest that we send.
pub const MAX_MESSAGE: usize = 512;
/// Bytes of the shortest question: the root's name, type and class.
const MIN_QUESTION: usize = 5;
/// Bytes of the shortest record: the root's name, type, class, time to live, length.
const MIN_RECORD: usize = 11;

/// A question or an answer as it travels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// What ties an answer to its question.
    pub id: u16,
    /// Whether it is a response.
    pub response: bool,
    /// What kind of query; 0 is the usual one.
    pub opcode: u8,
    /// Whether the server speaks for the zone itself.
    pub authoritative: bool,
    /// Whether something did not fit and was left out.
    pub truncated: bool,
    /// Whether the server is asked to ask others.
    pub recursion_desired: bool,
    /// Whether the server asks others.
    pub recursion_available: bool,
    /// How it went.
    pub code: ResponseCode,
    /// What is asked for: one question, in practice.
    pub questions: Vec<Question>,
    /// What answers it.
    pub answers: Vec<Record>,
    /// Whose zone it is.
    pub authority: Vec<Record>,
    /// What may help.
    pub additional: Vec<Record>,
    /// The version of EDNS that the sender speaks, if any.
    pub edns: Option<u8>,
}

/// Why bytes are no message.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum MessageError {
    /// Fewer bytes than a header has.
    #[error("a DNS header needs {needed} bytes from byte 0 on, found {found}")]
    Truncated {
        /// Bytes of a header.
        needed: usize,
        /// Bytes that there are.
        found: usize,
    },
    /// The header promises more questions and records than the bytes could hold.
    #[error("the counts at bytes 4 to 12 need at least {needed} bytes of DNS message, found {found}")]
    Counts {
        /// The least that so many questions and records take.
        needed: usize,
        /// Bytes that there are.
        found: usize,
    },
    /// A name, a record or a length in it makes no sense.
    #[error("the DNS message can't be read after byte {HEADER}: {detail}")]
    Malformed {
        /// What is wrong with it.
        detail: String,
    },
    /// It can't be written.
    #[error("the DNS message can't be written: {detail}")]
    Unwritable {
        /// Why not.
        detail: String,
    },
}

impl Message {
    /// Asks a server to find out, by itself or from others.
    pub fn query(id: u16, question: Question) -> Self {
        Message {
            id,
            response: false,
            opcode: 0,
            authoritative: false,
            truncated: false,
            recursion_desired: true,
            recursion_available: false,
            code: ResponseCode::NoError,
            questions: vec![question],
            answers: Vec::new(),
            authority: Vec::new(),
            additional: Vec::new(),
            edns: None,
        }
    }

    /// The beginning of the response to `query`: its id, its question, nothing else.
    pub fn response_to(query: &Message, code: ResponseCode) -> Self {
        Message {
            id: query.id,
            response: true,
            opcode: query.opcode,
            authoritative: false,
            truncated: false,
            recursion_desired: query.recursion_desired,
            recursion_available: false,
            code,
            questions: query.questions.clone(),
            answers: Vec::new(),
            authority: Vec::new(),
            additional: Vec::new(),
            edns: query.edns.map(|_| 0),
        }
    }

    /// Reads a message.
    ///
    /// # Errors
    ///
    /// Where the bytes are none; no input makes it panic or reserve more than a small multiple of their length.
    pub fn parse(bytes: &[u8]) -> Result<Self, MessageError> {
        check_counts(bytes)?;
        let wire =
            Wire::from_vec(bytes).map_err(|error| MessageError::Malformed { detail: error.to_string() })?;
        let malformed = |error: crate::NameError| MessageError::Malformed { detail: error.to_string() };
        from_wire(&wire).map_err(malformed)
    }

    /// Writes the message in at most [`MAX_MESSAGE`] bytes. Records that don't fit are left out, and the message
    /// then says that it is truncated.
    ///
    /// # Errors
    ///
    /// Where it has a record with [data](Data::Other) that we don't look into, or hickory can't write it; every other
    /// message made of [`Name`]s it can.
    pub fn emit(&self) -> Result<Vec<u8>, MessageError> {
        let records = self.answers.iter().chain(&self.authority).chain(&self.additional);
        for record in records {
            if let Data::Other(kind) = record.data {
                let detail = format!("what is in a {kind} record is not known");
                return Err(MessageError::Unwritable { detail });
            }
        }
        let unwritable =
            |error: hickory_proto::ProtoError| MessageError::Unwritable { detail: error.to_string() };
        let wire = to_wire(self).map_err(unwritable)?;
        let mut bytes = Vec::with_capacity(MAX_MESSAGE);
        let mut encoder = BinEncoder::new(&mut bytes);
        encoder.set_max_size(MAX_MESSAGE as u16);
        wire.emit(&mut encoder).map_err(unwritable)?;
        Ok(bytes)
    }
}

fn check_counts(bytes: &[u8]) -> Result<(), MessageError> {
    let found = bytes.len();
    let count = |offset| u16_at(bytes, offset).map(usize::from);
    let (Some(questions), Some(answers), Some(authority), Some(additional)) =
        (count(4), count(6), count(8), count(10))
    else {
        return Err(MessageError::Truncated { needed: HEADER, found });
    };
    // Four 16-bit counts: no overflow.
    let needed = HEADER + questions * MIN_QUESTION + (answers + authority + additional) * MIN_RECORD;
    if needed > found {
        return Err(MessageError::Counts { needed, found });
    }
    Ok(())
}

fn from_wire(wire: &Wire) -> Result<Message, crate::NameError> {
    let meta = &wire.metadata;
    let question = |query: &Query| {
        Ok(Question {
            name: from_wire_name(&query.name)?,
            kind: u16::from(query.query_type).into(),
            class: query.query_class.into(),
        })
    };
    Ok(Message {
        id: meta.id,
        response: meta.message_type == MessageType::Response,
        opcode: meta.op_code.into(),
        authoritative: meta.authoritative,
        truncated: meta.truncation,
        recursion_desired: meta.recursion_desired,
        recursion_available: meta.recursion_available,
        code: u16::from(meta.response_code).into(),
        questions: wire.queries.iter().map(question).collect::<Result<_, _>>()?,
        answers: from_wire_records(&wire.answers)?,
        authority: from_wire_records(&wire.authorities)?,
        additional: from_wire_records(&wire.additionals)?,
        edns: wire.edns.as_ref().map(Edns::version),
    })
}

fn from_wire_records(records: &[WireRecord]) -> Result<Vec<Record>, crate::NameError> {
    let record = |record: &WireRecord| {
        Ok(Record {
            name: from_wire_name(&record.name)?,
            class: record.dns_class.into(),
            ttl: record.ttl,
            data: match &record.data {
                RData::A(A(address)) => Data::A(*address),
                RData::AAAA(AAAA(address)) => Data::Aaaa(*address),
                RData::CNAME(CNAME(name)) => Data::Cname(from_wire_name(name)?),
                RData::PTR(PTR(name)) => Data::Ptr(from_wire_name(name)?),
                RData::SOA(soa) => Data::Soa(Box::new(Soa {
                    server: from_wire_name(&soa.mname)?,
                    mailbox: from_wire_name(&soa.rname)?,
                    serial: soa.serial,
                    minimum: soa.minimum,
                })),
                _ => Data::Other(u16::from(record.record_type()).into()),
            },
        })
    };
    records.iter().map(record).collect()
}

fn from_wire_name(name: &WireName) -> Result<Name, crate::NameError> {
    Name::from_labels(name.iter())
}

fn to_wire(message: &Message) -> Result<Wire, hickory_proto::ProtoError> {
    let kind = if message.response { MessageType::Response } else { MessageType::Query };
    let mut wire = Wire::new(message.id, kind, OpCode::from_u8(message.opcode));
    wire.metadata.authoritative = message.authoritative;
    wire.metadata.truncation = message.truncated;
    wire.metadata.recursion_desired = message.recursion_desired;
    wire.metadata.recursion_available = message.recursion_available;
    wire.metadata.response_code = <WireCode as From<u16>>::from(message.code.into());
    for question in &message.questions {
        let mut query = Query::query(to_wire_name(&question.name)?, u16::from(question.kind).into());
        query.set_query_class(question.class.into());
        wire.add_query(query);
    }
    wire.answers = to_wire_records(&message.answers)?;
    wire.authorities = to_wire_records(&message.authority)?;
    wire.additionals = to_wire_records(&message.additional)?;
    if let Some(version) = message.edns {
        let mut edns = Edns::new();
        edns.set_version(version).set_max_payload(MAX_MESSAGE as u16);
        wire.set_edns(edns);
    }
    Ok(wire)
}

fn to_wire_records(records: &[Record]) -> Result<Vec<WireRecord>, hickory_proto::ProtoError> {
    let record = |record: &Record| {
        let data = match &record.data {
            Data::A(address) => RData::A(A(*address)),
            Data::Aaaa(address) => RData::AAAA(AAAA(*address)),
            Data::Cname(name) => RData::CNAME(CNAME(to_wire_name(name)?)),
            Data::Ptr(name) => RData::PTR(PTR(to_wire_name(name)?)),
            Data::Soa(soa) => RData::SOA(to_wire_soa(soa)?),
            Data::Other(kind) => RData::Update0(RecordType::from(u16::from(*kind))),
        };
        let mut wire = WireRecord::from_rdata(to_wire_name(&record.name)?, record.ttl, data);
        wire.dns_class = DNSClass::from(record.class);
        Ok(wire)
    };
    records.iter().map(record).collect()
}

/// The timers are for secondary servers (RFC 1035 section 3.3.13); RFC 1912 section 2.2 gives their usual values.
fn to_wire_soa(soa: &Soa) -> Result<SOA, hickory_proto::ProtoError> {
    let (refresh, retry, expire) = (86_400, 7_200, 1_209_600);
    Ok(SOA::new(
        to_wire_name(&soa.server)?,
        to_wire_name(&soa.mailbox)?,
        soa.serial,
        refresh,
        retry,
        expire,
        soa.minimum,
    ))
}

fn to_wire_name(name: &Name) -> Result<WireName, hickory_proto::ProtoError> {
    WireName::from_labels(name.labels())
}
