//! What the operating system said went wrong, for whoever reports an error: on the wire there are fewer words for it.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

/// So many are kept, the last ones.
const KEPT: usize = 8;

/// The last complaints; shared by what complains and who reads.
#[derive(Clone, Debug, Default)]
pub(super) struct Complaints(Rc<RefCell<VecDeque<String>>>);

impl Complaints {
    pub(super) fn add(&self, said: String) {
        let mut all = self.0.borrow_mut();
        if all.len() == KEPT {
            all.pop_front();
        }
        all.push_back(said);
    }

    pub(super) fn all(&self) -> Vec<String> {
        self.0.borrow().iter().cloned().collect()
    }
}
