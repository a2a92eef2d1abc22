//! What is known from earlier answers, for as long as their servers allow.
//!
//! Read first: RFC 1035 section 3.2.1 (TTL); RFC 2181 section 8 (which TTLs count); RFC 2308 section 5 (remembering that
//! something is not there).

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use framewise_core::Instant;

use crate::config::Family;
use crate::name::Name;

/// What is asked: which addresses of one family has this name?
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    pub(crate) name: Name,
    pub(crate) family: Family,
}

/// What a server said to that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// These, at least one.
    Addresses(Vec<IpAddr>),
    /// It stands for another name, of which nothing was said.
    Alias(Name),
    /// There is no such name.
    NoSuchName,
    /// The name has no address of this family.
    NoAddress,
}

/// What a server said, who, and for how long it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Known {
    pub(crate) outcome: Outcome,
    pub(crate) server: IpAddr,
    pub(crate) ttl: Duration,
}

/// A bounded memory of answers.
#[derive(Debug)]
pub(crate) struct Cache {
    limit: usize,
    entries: BTreeMap<Key, (Instant, Known)>,
}

impl Cache {
    pub(crate) fn new(limit: usize) -> Self {
        Cache { limit, entries: BTreeMap::new() }
    }

    /// Remembers an answer until its time is over. What would be over first makes room, where there is none.
    pub(crate) fn insert(&mut self, key: Key, known: Known, now: Instant) {
        if known.ttl.is_zero() || self.limit == 0 {
            return;
        }
        self.entries.retain(|_, (expires, _)| *expires > now);
        if self.entries.len() >= self.limit && !self.entries.contains_key(&key) {
            let first = self.entries.iter().min_by_key(|(_, (expires, _))| *expires);
            if let Some(first) = first.map(|(key, _)| key.clone()) {
                self.entries.remove(&first);
            }
        }
        self.entries.insert(key, (now + known.ttl, known));
    }

    /// What is still known, its TTL being what is left of it.
    pub(crate) fn get(&self, key: &Key, now: Instant) -> Option<Known> {
        let (expires, known) = self.entries.get(key)?;
        let ttl = expires.saturating_since(now);
        (!ttl.is_zero()).then(|| Known { ttl, ..known.clone() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(name: &str) -> Key {
        Key { name: name.parse().unwrap(), family: Family::Ipv4 }
    }

    fn known(seconds: u64) -> Known {
        Known {
            outcome: Outcome::NoAddress,
            server: IpAddr::from([192, 0, 2, 53]),
            ttl: Duration::from_secs(seconds),
        }
    }

    #[test]
    fn an_answer_is_known_until_its_time_is_over() {
        let mut cache = Cache::new(8);
        cache.insert(key("a.test"), known(10), Instant::from_secs(5));
        let at = |seconds| cache.get(&key("A.TEST"), Instant::from_secs(seconds)).map(|known| known.ttl);
        assert_eq!(at(5), Some(Duration::from_secs(10)));
        assert_eq!(at(14), Some(Duration::from_secs(1)), "what is left");
        assert_eq!(at(15), None);
    }

    #[test]
    fn a_time_of_zero_is_not_remembered() {
        let mut cache = Cache::new(8);
        cache.insert(key("a.test"), known(0), Instant::ZERO);
        assert_eq!(cache.get(&key("a.test"), Instant::ZERO), None);
    }

    #[test]
    fn a_full_cache_forgets_what_is_over_first() {
        let mut cache = Cache::new(2);
        cache.insert(key("long.test"), known(100), Instant::ZERO);
        cache.insert(key("short.test"), known(10), Instant::ZERO);
        cache.insert(key("new.test"), known(50), Instant::ZERO);
        let has = |name| cache.get(&key(name), Instant::ZERO).is_some();
        assert!(has("long.test") && has("new.test") && !has("short.test"));
    }

    #[test]
    fn a_flood_of_answers_stays_bounded() {
        let mut cache = Cache::new(16);
        for number in 0..10_000 {
            cache.insert(key(&format!("n{number}.test")), known(60), Instant::from_millis(number));
        }
        assert_eq!(cache.entries.len(), 16);
    }
}
