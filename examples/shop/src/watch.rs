//! What a thread does for the shop, said as it goes: by this a pool shows the state of each of its threads.

/// What the thread that calls is about to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doing {
    /// Run the code of a controller.
    Executes,
    /// Ask the database, and wait for it.
    MakesDatabaseRequest,
    /// Wait for a connection to the database: others have them all.
    WaitsForConnection,
    /// Make something of what the database has said.
    ProcessesData,
}

/// Hears what the shop's threads do. It is called on the thread that does it, and holds it up as long as it takes.
pub trait Watch: Send + Sync {
    /// The calling thread is about to do this.
    fn doing(&self, doing: Doing);
}

impl<F: Fn(Doing) + Send + Sync> Watch for F {
    fn doing(&self, doing: Doing) {
        self(doing);
    }
}
