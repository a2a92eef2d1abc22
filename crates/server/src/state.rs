//! What a thread is doing, in the seven words of the lecture, and how the code that it runs says so.
//!
//! ```
//! use framewise_server::state::{self, State};
//!
//! // Anywhere in what answers a request. Outside of a pool it costs a look at a thread's own variable, and does nothing.
//! let name = state::during(State::Database, || "what the database said");
//! assert_eq!(name, "what the database said");
//! ```

use std::cell::RefCell;

/// The seven states of a thread, in the order in which a request passes through them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// It waits for a connection: it is free, or the connection that it holds is silent.
    Waits,
    /// It has got a request, and passes it to the application.
    Passes,
    /// It executes the application's code.
    Executes,
    /// The database works on what it has asked.
    Database,
    /// It stands in line while other threads run: for a connection to the database, for a lock, for the processor.
    WaitsForOthers,
    /// It processes the data that has come.
    Processes,
    /// It returns the answer to the client.
    Returns,
}

impl State {
    /// All of them, in order.
    pub const ALL: [State; 7] = [
        State::Waits,
        State::Passes,
        State::Executes,
        State::Database,
        State::WaitsForOthers,
        State::Processes,
        State::Returns,
    ];

    /// Its number in the lecture, 1 to 7.
    pub const fn number(self) -> u8 {
        self as u8 + 1
    }

    /// The state of this number.
    pub fn of(number: u8) -> Option<State> {
        State::ALL.get(usize::from(number).checked_sub(1)?).copied()
    }

    /// One word for a narrow column.
    pub const fn word(self) -> &'static str {
        match self {
            State::Waits => "waits",
            State::Passes => "passes",
            State::Executes => "executes",
            State::Database => "database",
            State::WaitsForOthers => "in line",
            State::Processes => "processes",
            State::Returns => "returns",
        }
    }

    /// What it means, in a few words.
    pub const fn meaning(self) -> &'static str {
        match self {
            State::Waits => "waits for a connection",
            State::Passes => "passes the request to the application",
            State::Executes => "executes the application's code",
            State::Database => "has asked the database, which works on it",
            State::WaitsForOthers => "waits in line while other threads run",
            State::Processes => "processes the data that has come",
            State::Returns => "returns the answer to the client",
        }
    }
}

/// Who hears what a thread does.
pub type Reporter = Box<dyn Fn(State)>;

struct Reporting {
    to: Reporter,
    now: State,
}

thread_local! {
    static REPORTING: RefCell<Option<Reporting>> = const { RefCell::new(None) };
}

/// Has what this thread does reported, from now on until [`stop_reporting`].
pub fn report_to(reporter: Reporter) {
    REPORTING.with_borrow_mut(|reporting| *reporting = Some(Reporting { to: reporter, now: State::Waits }));
}

/// Ends that.
pub fn stop_reporting() {
    REPORTING.with_borrow_mut(Option::take);
}

/// Says what this thread does from now on.
pub fn set(state: State) {
    REPORTING.with_borrow_mut(|reporting| {
        if let Some(reporting) = reporting
            && reporting.now != state
        {
            reporting.now = state;
            (reporting.to)(state);
        }
    });
}

/// What this thread does, as far as it has said; `None` outside of a pool.
pub fn now() -> Option<State> {
    REPORTING.with_borrow(|reporting| reporting.as_ref().map(|reporting| reporting.now))
}

/// Says that this thread does this while `work` runs. After the database, or its line, comes the processing of what it sent;
/// after anything else, what was before.
pub fn during<R>(state: State, work: impl FnOnce() -> R) -> R {
    let Some(before) = now() else { return work() };
    let _after = Afterwards(match (state, before) {
        // Standing in line for the database is a part of asking it.
        (State::WaitsForOthers, State::Database) => State::Database,
        (State::Database | State::WaitsForOthers, _) => State::Processes,
        _ => before,
    });
    set(state);
    work()
}

/// Sets a state when it goes, by a panic, too.
struct Afterwards(State);

impl Drop for Afterwards {
    fn drop(&mut self) {
        set(self.0);
    }
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use super::*;

    #[test]
    fn numbers_are_those_of_the_lecture() {
        for (index, state) in State::ALL.into_iter().enumerate() {
            assert_eq!(usize::from(state.number()), index + 1);
            assert_eq!(State::of(state.number()), Some(state));
        }
        assert_eq!((State::of(0), State::of(8)), (None, None));
    }

    #[test]
    fn outside_of_a_pool_nothing_is_said() {
        assert_eq!(during(State::Database, || 7), 7);
        assert_eq!(now(), None);
    }

    #[test]
    fn after_the_database_comes_processing_and_each_change_is_said_once() {
        let said = Rc::new(RefCell::new(Vec::new()));
        let hears = said.clone();
        report_to(Box::new(move |state| hears.borrow_mut().push(state)));
        set(State::Executes);
        set(State::Executes);
        during(State::WaitsForOthers, || ());
        during(State::Database, || during(State::WaitsForOthers, || ()));
        during(State::Returns, || ());
        stop_reporting();
        set(State::Waits);
        use State::*;
        let expected = [
            Executes,
            WaitsForOthers,
            Processes,
            Database,
            WaitsForOthers,
            Database,
            Processes,
            Returns,
            Processes,
        ];
        assert_eq!(*said.borrow(), expected);
    }
}
