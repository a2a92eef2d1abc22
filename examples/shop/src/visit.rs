//! One request from a controller's point of view: what was asked and sent, who asks, and the records.

use framewise_http::{Problem, Request, Response, StatusCode};
use framewise_site::Field as Sent;

use crate::database::{DatabaseError, Records};
use crate::models::Customer;
use crate::session::Session;
use crate::trail::Trail;
use crate::views::{Around, View};

/// A verb of the shop: takes a visit, uses models, and says what to show or where to go.
pub(crate) type Controller = fn(&mut Visit<'_>) -> Result<Reply, Stop>;

/// One request on its way through the shop.
pub(crate) struct Visit<'a> {
    pub(crate) request: &'a Request,
    /// The fields of the form that was sent; none for a GET.
    pub(crate) sent: Vec<Sent>,
    pub(crate) records: Records<'a>,
    pub(crate) trail: &'a Trail,
    /// Who signed in.
    pub(crate) customer: Option<Customer>,
    pub(crate) session: Session,
    /// For the forms of the page.
    pub(crate) token: String,
    /// Seconds since 1970.
    pub(crate) now: u64,
    pub(crate) shop: &'a dyn Means,
}

/// What the shop has for its controllers beside its records.
pub(crate) trait Means {
    /// The hash of a password that was chosen.
    fn hash(&self, password: &str) -> crate::password::PasswordHash;
    /// Works as long as checking a password does.
    fn pretend_to_check(&self, password: &str);
    /// A session of this customer that nobody had before.
    fn session(&self, customer: Option<i64>) -> Session;
}

/// What a controller wants the visitor to see.
pub(crate) enum Reply {
    /// This page.
    Page { status: StatusCode, html: String },
    /// Another page, by GET: so that going back or loading again sends nothing twice (RFC 9110, section 15.4.4).
    Go { to: String },
    /// An answer that is complete, for who would rather have text.
    Plain(Box<Response>),
}

/// Why a controller did not come to its end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Stop {
    #[error(transparent)]
    Database(#[from] DatabaseError),
    #[error("the template failed")]
    Template(#[from] askama::Error),
    /// It is for customers only.
    #[error("nobody has signed in")]
    SignInFirst,
    /// There is no such thing.
    #[error("there is nothing here")]
    Nothing,
    /// Something else that a page is to say.
    #[error("{}", .0.wrong)]
    Problem(Box<Problem>),
}

/// What has just been done, as the next page says it. It goes along in that page's address.
#[derive(Clone, Copy)]
pub(crate) enum Done {
    Created,
    SignedIn,
    SignedOut,
    Renamed,
    AddressSaved,
    AddressDeleted,
    ReviewSaved,
    ReviewDeleted,
    Closed,
}

impl Done {
    const ALL: [(Done, &'static str, &'static str); 9] = [
        (Done::Created, "created", "Your account was created."),
        (Done::SignedIn, "signed-in", "You are signed in."),
        (Done::SignedOut, "signed-out", "You are signed out."),
        (Done::Renamed, "renamed", "Your name was changed."),
        (Done::AddressSaved, "address-saved", "Your address was saved."),
        (Done::AddressDeleted, "address-deleted", "Your address was deleted."),
        (Done::ReviewSaved, "review-saved", "Your review was saved."),
        (Done::ReviewDeleted, "review-deleted", "Your review was deleted."),
        (Done::Closed, "closed", "Your account was closed."),
    ];

    fn word(self) -> &'static str {
        Done::ALL[self as usize].1
    }

    /// The sentence that this word stands for. Of other words there is none: nobody puts sentences into our pages.
    fn sentence(word: &str) -> Option<&'static str> {
        Done::ALL.iter().find(|(_, known, _)| *known == word).map(|(_, _, sentence)| *sentence)
    }
}

impl Visit<'_> {
    /// What a part of the path stands for.
    pub(crate) fn param(&self, name: &str) -> &str {
        self.request.params.get(name).unwrap_or_default()
    }

    /// The id that a part of the path is.
    pub(crate) fn id(&self, name: &str) -> Result<i64, Stop> {
        self.param(name).parse().map_err(|_| Stop::Nothing)
    }

    /// The customer, where only customers may go on.
    pub(crate) fn signed_in(&self) -> Result<&Customer, Stop> {
        self.customer.as_ref().ok_or(Stop::SignInFirst)
    }

    /// From now on the visitor is this customer, in a session of their own: whoever knew the one before knows nothing of it.
    pub(crate) fn let_in(&mut self, customer: Customer) {
        self.session = self.shop.session(Some(customer.id));
        self.customer = Some(customer);
    }

    /// From now on the visitor is nobody; gives who it was.
    pub(crate) fn let_out(&mut self) -> Option<Customer> {
        self.session = self.shop.session(None);
        self.customer.take()
    }

    /// What stands around a page with this title.
    pub(crate) fn around(&self, title: impl Into<String>) -> Around {
        let done = self.request.query_param("done");
        Around {
            name: self.customer.as_ref().map(|customer| customer.name.clone()),
            token: self.token.clone(),
            notice: done.as_deref().and_then(Done::sentence),
            ..Around::bare(title, self.request, self.trail.is_kept())
        }
    }

    /// A page.
    pub(crate) fn show(&self, view: &impl View) -> Result<Reply, Stop> {
        self.show_with(StatusCode::OK, view)
    }

    /// The page of a form in which something is wrong: what was typed is kept.
    pub(crate) fn show_again(&self, view: &impl View) -> Result<Reply, Stop> {
        self.show_with(StatusCode::UNPROCESSABLE_ENTITY, view)
    }

    pub(crate) fn show_with(&self, status: StatusCode, view: &impl View) -> Result<Reply, Stop> {
        let html = crate::views::render(view, self.trail)?;
        Ok(Reply::Page { status, html })
    }

    /// On to another page, which says what was done.
    pub(crate) fn go(&self, to: impl Into<String>, done: Done) -> Result<Reply, Stop> {
        Ok(Reply::Go { to: format!("{}?done={}", to.into(), done.word()) })
    }
}
