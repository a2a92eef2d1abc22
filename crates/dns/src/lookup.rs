//! One name being looked up: its two families of addresses, each followed from alias to alias.

use std::net::IpAddr;
use std::time::Duration;

use framewise_core::Instant;
use framewise_core::seams::resolve::{Addresses, ResolveError};

use crate::cache::{Key, Known, Outcome};
use crate::config::Family;
use crate::name::Name;

/// A name that somebody waits for.
#[derive(Debug)]
pub(crate) struct Lookup {
    /// The name as it was asked for.
    pub(crate) text: String,
    branches: [Branch; 2],
    /// Until when the slower family is waited for.
    pub(crate) patience: Option<Instant>,
    /// Who was asked; `None` as long as all was known.
    server: Option<IpAddr>,
}

/// The addresses of one family.
#[derive(Debug)]
struct Branch {
    key: Key,
    aliases: usize,
    /// For how long all that was found holds.
    ttl: Duration,
    end: Option<End>,
}

#[derive(Debug, Clone)]
enum End {
    Found(Vec<IpAddr>),
    NoSuchName(IpAddr),
    NoAddress(IpAddr),
    Failed(ResolveError),
}

impl Lookup {
    pub(crate) fn new(text: String, name: Name) -> Self {
        let branch = |family| Branch {
            key: Key { name: name.clone(), family },
            aliases: 0,
            ttl: Duration::MAX,
            end: None,
        };
        Lookup { text, branches: Family::BOTH.map(branch), patience: None, server: None }
    }

    /// What is still to be found out.
    pub(crate) fn open(&self) -> impl Iterator<Item = &Key> {
        self.branches.iter().filter(|branch| branch.end.is_none()).map(|branch| &branch.key)
    }

    /// Takes in what is known about `key`. `from` is the server, where it was asked just now.
    pub(crate) fn learn(&mut self, key: &Key, known: &Known, from: Option<IpAddr>, max_aliases: usize) {
        let Some(branch) = self.branches.iter_mut().find(|branch| branch.waits_for(key)) else {
            return;
        };
        branch.ttl = branch.ttl.min(known.ttl);
        self.server = from.or(self.server);
        match &known.outcome {
            Outcome::Addresses(addresses) => branch.end = Some(End::Found(addresses.clone())),
            Outcome::NoSuchName => branch.end = Some(End::NoSuchName(known.server)),
            Outcome::NoAddress => branch.end = Some(End::NoAddress(known.server)),
            Outcome::Alias(_) if branch.aliases >= max_aliases => {
                branch.end = Some(End::Failed(ResolveError::Refused {
                    name: self.text.clone(),
                    server: known.server,
                    code: format!("more than {max_aliases} aliases in a row"),
                }));
            }
            Outcome::Alias(target) => {
                branch.aliases += 1;
                branch.key.name = target.clone();
            }
        }
    }

    /// Takes in that `key` can't be found out.
    pub(crate) fn fail(&mut self, key: &Key, error: ResolveError) {
        if let Some(branch) = self.branches.iter_mut().find(|branch| branch.waits_for(key)) {
            branch.end = Some(End::Failed(error));
        }
    }

    /// Whether one family at least is found.
    pub(crate) fn is_usable(&self) -> bool {
        self.branches.iter().any(|branch| matches!(branch.end, Some(End::Found(_))))
    }

    /// Whether there is an answer now.
    pub(crate) fn is_over(&self, now: Instant) -> bool {
        self.open().next().is_none() || self.patience.is_some_and(|patience| patience <= now)
    }

    /// The answer.
    pub(crate) fn result(&self, prefer: Family) -> Result<Addresses, ResolveError> {
        let mut found: Vec<(&Branch, &Vec<IpAddr>)> = self
            .branches
            .iter()
            .filter_map(|branch| match &branch.end {
                Some(End::Found(addresses)) => Some((branch, addresses)),
                _ => None,
            })
            .collect();
        found.sort_by_key(|(branch, _)| branch.key.family != prefer);
        let ttl = found.iter().map(|(branch, _)| branch.ttl).min();
        let Some(ttl) = ttl else {
            return Err(self.failure());
        };
        Ok(Addresses {
            addresses: found.iter().flat_map(|(_, addresses)| addresses.iter().copied()).collect(),
            server: self.server,
            ttl,
        })
    }

    /// Why there is no address. That there is no such name counts for both families, that a server failed counts more
    /// than that it had no address of the other kind.
    fn failure(&self) -> ResolveError {
        let ends = || self.branches.iter().filter_map(|branch| branch.end.as_ref());
        let name = || self.text.clone();
        let no_name = ends().find_map(|end| match end {
            End::NoSuchName(server) => Some(ResolveError::NoSuchName { name: name(), server: *server }),
            _ => None,
        });
        let failed = ends().find_map(|end| match end {
            End::Failed(error) => Some(error.clone()),
            _ => None,
        });
        let no_address = ends().find_map(|end| match end {
            End::NoAddress(server) => Some(ResolveError::NoAddress { name: name(), server: *server }),
            _ => None,
        });
        no_name.or(failed).or(no_address).unwrap_or_else(|| ResolveError::NoServer { name: name() })
    }
}

impl Branch {
    fn waits_for(&self, key: &Key) -> bool {
        self.end.is_none() && self.key == *key
    }
}
