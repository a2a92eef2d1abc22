//! What a reply says about a question.
//!
//! Read first: RFC 1034 section 5.3.3 (aliases); RFC 2181 sections 5.4.1 and 8 (which records are believed, and for how long);
//! RFC 2308 sections 2 and 5 (what is not there).
//!
//! Believed is only what stands in the answer section under the name asked for, or under a name to which the
//! answer's own aliases lead. Anything else in a reply is there to be believed by somebody else.

use std::net::IpAddr;
use std::time::Duration;

use crate::cache::{Key, Outcome};
use crate::config::Limits;
use crate::message::Message;
use crate::name::Name;
use crate::record::{Data, INTERNET, Kind, Record, ResponseCode};

/// What a reply to a question says, and for how long; or why it says nothing, in a few words.
pub(crate) fn outcome(message: &Message, key: &Key, limits: &Limits) -> Result<(Outcome, Duration), String> {
    match message.code {
        ResponseCode::NoError => {}
        ResponseCode::NameError => {
            let ttl = negative_ttl(message, &key.name, limits);
            return Ok((Outcome::NoSuchName, ttl));
        }
        code => return Err(code.to_string()),
    }
    let (name, aliases_ttl) = follow_aliases(message, key, limits)?;
    let (addresses, ttl) = addresses(message, name, key.family.kind(), limits);
    let ttl = aliases_ttl.min(ttl);
    if !addresses.is_empty() {
        return Ok((Outcome::Addresses(addresses), ttl));
    }
    if *name != key.name {
        return Ok((Outcome::Alias(name.clone()), ttl));
    }
    nothing_there(message, key, limits)
}

/// Follows the answer's aliases from the name asked for as far as they lead, if they end.
fn follow_aliases<'m>(
    message: &'m Message,
    key: &'m Key,
    limits: &Limits,
) -> Result<(&'m Name, Duration), String> {
    let (mut name, mut ttl) = (&key.name, limits.ttl);
    for _ in 0..=limits.aliases {
        let mut about = message.answers.iter().filter(|record| is_about(record, name));
        let alias = about.find_map(|record| match &record.data {
            Data::Cname(target) => Some((target, positive_ttl(record, limits))),
            _ => None,
        });
        let Some((target, alias_ttl)) = alias else {
            return Ok((name, ttl));
        };
        name = target;
        ttl = ttl.min(alias_ttl);
    }
    Err(format!("more than {} aliases in a row", limits.aliases))
}

/// The addresses of `name` in the answer, in the server's order, and for how long all of them hold.
fn addresses(message: &Message, name: &Name, kind: Kind, limits: &Limits) -> (Vec<IpAddr>, Duration) {
    let (mut found, mut ttl) = (Vec::new(), limits.ttl);
    for record in message.answers.iter().filter(|record| is_about(record, name)) {
        let Some(address) = record.data.address() else {
            continue;
        };
        if record.data.kind() == kind && found.len() < limits.addresses && !found.contains(&address) {
            found.push(address);
            ttl = ttl.min(positive_ttl(record, limits));
        }
    }
    (found, ttl)
}

/// An answer without a record: nothing of that kind there, unless the server means that it can't say.
fn nothing_there(message: &Message, key: &Key, limits: &Limits) -> Result<(Outcome, Duration), String> {
    let has = |kind| message.authority.iter().any(|record| record.data.kind() == kind);
    if message.truncated {
        return Err("its answer was cut short (TC) and holds no address".to_owned());
    }
    // RFC 2308 section 2.2: name servers but no start of a zone make a referral.
    if !message.authoritative && has(Kind::Ns) && !has(Kind::Soa) {
        return Err("it only names other servers to ask".to_owned());
    }
    Ok((Outcome::NoAddress, negative_ttl(message, &key.name, limits)))
}

/// For how long it is known that something is not there: not at all unless the zone's start says so (RFC 2308 section 5).
fn negative_ttl(message: &Message, name: &Name, limits: &Limits) -> Duration {
    message
        .authority
        .iter()
        .find_map(|record| match &record.data {
            Data::Soa(soa) if record.class == INTERNET && name.is_within(&record.name) => {
                let seconds = believable(record.ttl).min(believable(soa.minimum));
                Some(Duration::from_secs(seconds).min(limits.negative_ttl))
            }
            _ => None,
        })
        .unwrap_or(Duration::ZERO)
}

fn positive_ttl(record: &Record, limits: &Limits) -> Duration {
    Duration::from_secs(believable(record.ttl)).min(limits.ttl)
}

/// A TTL with its highest bit set counts as zero (RFC 2181 section 8).
fn believable(ttl: u32) -> u64 {
    if ttl > i32::MAX as u32 { 0 } else { u64::from(ttl) }
}

fn is_about(record: &Record, name: &Name) -> bool {
    record.class == INTERNET && record.name == *name
}
