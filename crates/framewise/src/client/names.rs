//! Names: what fetches wait for, and what was asked without a fetch.

use std::collections::BTreeSet;

use framewise_core::Cx;
use framewise_core::seams::resolve::{Addresses, NameDown, NameUp, ResolveError};

use super::Client;

/// A name that was asked for, and who waits for it.
pub(super) struct Naming {
    query: u64,
    fetches: BTreeSet<u64>,
}

impl Client {
    /// Asks DNS for a name.
    pub(crate) fn ask(&mut self, name: &str) -> u64 {
        let query = self.next;
        self.next += 1;
        self.asked.insert(query);
        self.say_of_names(NameDown::Resolve { query, name: name.to_owned() });
        query
    }

    /// Whether DNS has answered this question.
    pub(crate) fn is_answered(&self, query: u64) -> bool {
        self.answers.contains_key(&query)
    }

    /// What DNS answered; once. Where it has not answered yet, it need not any more.
    pub(crate) fn answer(&mut self, query: u64) -> Option<Result<Addresses, ResolveError>> {
        if self.asked.remove(&query) {
            self.say_of_names(NameDown::Cancel { query });
        }
        self.answers.remove(&query)
    }

    /// Takes what DNS says.
    pub(crate) fn handle_name(&mut self, event: NameUp, cx: &mut Cx) {
        let NameUp::Resolved { query, result } = event;
        if self.asked.remove(&query) {
            self.answers.insert(query, result);
            return;
        }
        let asked = self.naming.iter().find(|(_, naming)| naming.query == query);
        let Some(name) = asked.map(|(name, _)| name.clone()) else { return };
        let waiting = self.naming.remove(&name).map(|naming| naming.fetches);
        for id in waiting.into_iter().flatten() {
            self.named(id, result.clone(), cx);
        }
    }

    /// The name of this fetch has these addresses, or none.
    fn named(&mut self, id: u64, result: Result<Addresses, ResolveError>, cx: &mut Cx) {
        let Some(running) = self.fetches.get_mut(&id) else { return };
        match result {
            Ok(found) => {
                running.found(found.addresses.iter().copied(), cx.now);
                running.attempt.name = Some(found);
                self.try_next_address(id, cx.now);
            }
            Err(error) => self.failed(id, error.into(), cx),
        }
    }

    /// Asks DNS for the name of a fetch, or waits with others that asked for the same name already.
    pub(super) fn ask_for(&mut self, id: u64, name: String) {
        if let Some(naming) = self.naming.get_mut(&name) {
            naming.fetches.insert(id);
            return;
        }
        let query = self.next;
        self.next += 1;
        self.naming.insert(name.clone(), Naming { query, fetches: BTreeSet::from([id]) });
        self.say_of_names(NameDown::Resolve { query, name });
    }

    /// A fetch waits for its name no more; the last one takes the question back.
    pub(super) fn stop_asking(&mut self, id: u64, name: &str) {
        let Some(naming) = self.naming.get_mut(name) else { return };
        naming.fetches.remove(&id);
        if naming.fetches.is_empty() {
            let query = naming.query;
            self.naming.remove(name);
            self.say_of_names(NameDown::Cancel { query });
        }
    }
}
