//! What made a page, noted on the way for who asks by `?mvc`: the route, the controller, each statement, the template.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use crate::config::Stopwatch;
use crate::routes::Route;

/// Statements that are kept of one request. What goes on is counted.
const MOST: usize = 100;

/// The notes of one request.
pub(crate) struct Trail {
    /// `None`: nobody asked, and nothing is noted.
    stopwatch: Option<Stopwatch>,
    began: Duration,
    statements: RefCell<Vec<Statement>>,
    asked: Cell<usize>,
    view: Cell<Option<(&'static str, Duration)>>,
}

/// One statement, and what came of it.
#[derive(Clone, Debug)]
pub(crate) struct Statement {
    /// On behalf of which model.
    pub(crate) model: &'static str,
    pub(crate) sql: &'static str,
    /// Names and values that travelled beside it, as they are shown.
    pub(crate) values: Vec<(&'static str, String)>,
    /// Rows found, or changed; `None` where it is about none.
    pub(crate) rows: Option<usize>,
    pub(crate) took: Duration,
}

impl Trail {
    /// Begins. Without a stopwatch nothing is noted.
    pub(crate) fn new(stopwatch: Option<Stopwatch>) -> Self {
        let began = stopwatch.as_ref().map(|stopwatch| stopwatch()).unwrap_or_default();
        Trail { stopwatch, began, statements: RefCell::default(), asked: Cell::new(0), view: Cell::new(None) }
    }

    /// Whether somebody asked for the notes.
    pub(crate) fn is_kept(&self) -> bool {
        self.stopwatch.is_some()
    }

    pub(crate) fn now(&self) -> Duration {
        self.stopwatch.as_ref().map(|stopwatch| stopwatch()).unwrap_or_default()
    }

    /// Notes a statement that has ended now.
    pub(crate) fn add(&self, statement: impl FnOnce(Duration) -> Statement) {
        if !self.is_kept() {
            return;
        }
        self.asked.set(self.asked.get() + 1);
        let mut statements = self.statements.borrow_mut();
        if statements.len() < MOST {
            statements.push(statement(self.now()));
        }
    }

    /// Notes which template made the page, and how long it took.
    pub(crate) fn shown_by(&self, template: &'static str, took: Duration) {
        self.view.set(Some((template, took)));
    }

    /// All that was noted.
    pub(crate) fn tell(&self, route: &'static Route, path: &str) -> Account {
        let statements = self.statements.take();
        let models: Duration = statements.iter().map(|statement| statement.took).sum();
        let (template, view) = match self.view.get() {
            Some((template, took)) => (Some(template), took),
            None => (None, Duration::ZERO),
        };
        let total = self.now().saturating_sub(self.began);
        Account {
            route,
            path: path.to_owned(),
            more: self.asked.get().saturating_sub(statements.len()),
            statements,
            template,
            controller: total.saturating_sub(models + view),
            models,
            view,
            total,
        }
    }
}

/// How one page was made.
pub(crate) struct Account {
    pub(crate) route: &'static Route,
    pub(crate) path: String,
    pub(crate) statements: Vec<Statement>,
    /// Statements that are not among these.
    pub(crate) more: usize,
    /// `None`: no page was made; the browser was sent elsewhere.
    pub(crate) template: Option<&'static str>,
    /// Time in the controller itself, and in all that stands around it.
    pub(crate) controller: Duration,
    /// Time in the database.
    pub(crate) models: Duration,
    /// Time in the template.
    pub(crate) view: Duration,
    pub(crate) total: Duration,
}

impl Account {
    /// How many statements there were.
    pub(crate) fn count(&self) -> usize {
        self.statements.len() + self.more
    }

    /// The three times as lengths of a bar: where each begins, and how long it is, of a thousand.
    pub(crate) fn bar(&self) -> [(u128, u128); 3] {
        let all = self.total.as_nanos().max(1);
        let [controller, models, view] =
            [self.controller, self.models, self.view].map(|time| time.as_nanos() * 1000 / all);
        [(0, controller), (controller, models), (controller + models, view)]
    }
}
