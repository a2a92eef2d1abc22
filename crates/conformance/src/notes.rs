//! What a script remembers from one step to the next.

use std::any::Any;
use std::collections::BTreeMap;

/// Values that a check kept for later steps: the sequence number that a layer chose, the name of a connection.
#[derive(Default)]
pub struct Notes(BTreeMap<&'static str, Box<dyn Any>>);

impl Notes {
    /// Keeps `value` under `name`.
    pub fn keep<T: 'static>(&mut self, name: &'static str, value: T) {
        self.0.insert(name, Box::new(value));
    }

    /// What was kept under `name`.
    ///
    /// # Panics
    ///
    /// If no step before kept a value of this type under this name: then the script is wrong, not the layer.
    pub fn recall<T: Clone + 'static>(&self, name: &'static str) -> T {
        self.find(name).unwrap_or_else(|| panic!("the script recalls `{name}`, which no step before kept"))
    }

    /// What was kept under `name`, if anything was.
    pub fn find<T: Clone + 'static>(&self, name: &'static str) -> Option<T> {
        self.0.get(name)?.downcast_ref::<T>().cloned()
    }
}
