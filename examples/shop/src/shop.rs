//! The shop as a handler: what happens around every controller.
//!
//! ```text
//!   Request ─► route ─► connection ─► session ─► customer ─► form, token ─► controller ─► page, or the way to one
//! ```
//!
//! None of this is a model, a view or a controller: see the chapter on MVC.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, UNIX_EPOCH};

use framewise_core::Rng;
use framewise_http::{Answer, Handler, Method, Problem, Request, Response, StatusCode};
use framewise_site::{Field as Sent, FormLimits, Router, form};

use crate::assets;
use crate::config::Config;
use crate::database::{Database, DatabaseError, Records};
use crate::models::Customer;
use crate::password::{self, PasswordHash};
use crate::routes::{NOWHERE, ROUTES, Route};
use crate::session::Session;
use crate::trail::Trail;
use crate::views::{self, Around, GoOn, Panel, ProblemPage};
use crate::visit::{Means, Reply, Stop, Visit};
use crate::watch::{Doing, Watch};

/// Bytes of a form. The longest one that is sound has less than a tenth of it.
const FORM_BYTES: usize = 128 << 10;
const FORM: FormLimits = FormLimits { fields: 20, name_bytes: 64, value_bytes: 64 << 10 };

/// Scripts, styles and pictures from elsewhere are none of ours, and no other site may put our pages into its own.
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; \
                      base-uri 'none'; frame-ancestors 'none'";

/// A shop: customers with a shipping address and reviews, in an embedded database.
///
/// It opens its database with the first request, and anew after one that found something wrong with the file: each page says how
/// things are now.
#[derive(Clone)]
pub struct Shop {
    inner: Arc<Inner>,
    router: Router,
}

struct Inner {
    database: Database,
    config: Config,
    randomness: Mutex<Rng>,
}

impl Shop {
    /// A shop made from this.
    pub fn new(config: Config) -> Self {
        let randomness = config.randomness.fork("database");
        let database = Database::new(config.place.clone(), config.connections, config.patience, randomness);
        let randomness = Mutex::new(config.randomness.fork("visits"));
        let inner = Arc::new(Inner { database, config, randomness });
        let page = |route: &'static Route| Page { inner: inner.clone(), route };
        let router = Router::new().get("/static/{file}", assets::asset);
        let router = ROUTES
            .iter()
            .fold(router, |router, route| router.route(route.method.clone(), route.pattern, page(route)));
        let router = NOWHERE.iter().fold(router, |router, route| router.fallback(page(route)));
        Shop { inner, router }
    }

    /// Opens the database, as the first request would.
    ///
    /// # Errors
    /// The page that visitors would get.
    pub fn check(&self) -> Result<(), Problem> {
        self.inner.database.lend(self.inner.watch()).map(drop).map_err(|error| self.inner.problem(&error))
    }
}

impl Handler for Shop {
    fn handle(&self, request: Request, answer: Answer) {
        self.router.handle(request, answer);
    }

    fn wants_body(&self, request: &Request) -> bool {
        self.router.wants_body(request)
    }
}

/// Answers what comes to one route.
struct Page {
    inner: Arc<Inner>,
    route: &'static Route,
}

impl Handler for Page {
    fn handle(&self, request: Request, answer: Answer) {
        answer.respond(self.inner.answer(self.route, &request));
    }

    fn wants_body(&self, request: &Request) -> bool {
        self.route.method == Method::POST && declared_length(request) <= FORM_BYTES
    }
}

fn declared_length(request: &Request) -> usize {
    request.header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0)
}

/// What became of a visit: the reply, and the cookie that goes with it.
type Outcome = Result<(Reply, Option<String>), Stop>;

impl Inner {
    fn answer(&self, route: &'static Route, request: &Request) -> Response {
        let is_explained = request.query_param("mvc").is_some();
        let trail = Trail::new(is_explained.then(|| self.config.stopwatch.clone()));
        let answered = self.visit(&trail, route, request).and_then(|(reply, cookie)| {
            let response = respond(reply, &trail, route, request)?;
            Ok(with_cookie(response, cookie))
        });
        let response = answered.unwrap_or_else(|stop| self.failed(&stop, &trail, route, request));
        with_rules(response)
    }

    /// Finds out who asks, and has the controller answer.
    fn visit(&self, trail: &Trail, route: &'static Route, request: &Request) -> Outcome {
        let is_asking = route.method == Method::GET;
        let records = Records::new(&self.database, is_asking, trail, self.watch())?;
        // Until the end, also if another database should lie there by then: who was found in this one is nobody in that.
        let key = &records.key()?;
        let now = self.now();
        let shown = Session::of(request, key, now);
        let session = shown.clone().unwrap_or_else(|| self.session(None));
        let customer = match session.customer {
            Some(id) => Customer::find(&records, id)?,
            None => None,
        };
        let token = session.token(key, &mut self.randomness());
        let sent = Vec::new();
        let mut visit = Visit { request, sent, records, trail, customer, session, token, now, shop: self };
        let form = if is_asking { Ok(Vec::new()) } else { self.form(&visit, key) };
        let reply = form.and_then(|sent| {
            visit.sent = sent;
            self.watch().doing(Doing::Executes);
            (route.controller)(&mut visit)
        });
        let mut reply = reply.or_else(|stop| explain(&visit, stop))?;
        if let Reply::Go { to } = &reply
            && trail.is_kept()
        {
            visit.token = visit.session.token(key, &mut self.randomness());
            reply = stop_on_the_way(&visit, to)?;
        }
        let is_new = shown.as_ref() != Some(&visit.session);
        let given = if is_new { Some(visit.session.clone()) } else { visit.session.renewed(now) };
        Ok((reply, given.map(|session| session.set_cookie(request, key))))
    }

    /// The fields of the form that came, if it is from one of our own pages.
    fn form(&self, visit: &Visit<'_>, key: &ring::hmac::Key) -> Result<Vec<Sent>, Stop> {
        if visit.request.body.len().max(declared_length(visit.request)) > FORM_BYTES {
            let wrong = format!("This form has more than {} KiB.", FORM_BYTES >> 10);
            let problem = Problem::new(StatusCode::PAYLOAD_TOO_LARGE, wrong, "Send less.");
            return Err(Stop::Problem(Box::new(problem.by("RFC 9110 §15.5.14"))));
        }
        // A request without any body is a form without fields: its token is missing, which is what it hears.
        let is_empty = visit.request.body.is_empty();
        let sent = if is_empty { Ok(Vec::new()) } else { form(visit.request, &FORM) };
        let sent = sent.map_err(|error| Stop::Problem(Box::new(error.problem())))?;
        let token = sent.iter().find(|field| field.name == "csrf_token").map(Sent::text);
        if token.is_some_and(|token| visit.session.has_given(&token, key)) {
            return Ok(sent);
        }
        let wrong = "This form did not come from a page of this shop, or from one that is too old.";
        let right =
            "Nothing was changed. Open the page again, with cookies allowed, and send its form from there.";
        Err(Stop::Problem(Box::new(Problem::new(StatusCode::FORBIDDEN, wrong, right).by("RFC 9110 §15.5.4"))))
    }

    /// The page where there was no visit, or none that could be shown.
    fn failed(&self, stop: &Stop, trail: &Trail, route: &'static Route, request: &Request) -> Response {
        let problem = match stop {
            Stop::Database(error) => self.problem(error),
            _ => {
                let right = "The fault is on this side: try again, or tell who runs this server.";
                Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "The page could not be made.", right)
            }
        };
        let around = Around::bare(problem.status.to_string(), request, trail.is_kept());
        let plain = problem.answer(request);
        if is_text(&plain) {
            return plain;
        }
        let status = problem.status;
        let page = views::render(&ProblemPage { around, problem }, trail);
        match page.and_then(|page| explained(page, trail, route, request)) {
            Ok(html) => Response::html(html).with_status(status).header("Vary", "Accept"),
            Err(_) => plain,
        }
    }

    fn problem(&self, error: &DatabaseError) -> Problem {
        error.problem(&self.database.name())
    }

    fn watch(&self) -> &dyn Watch {
        &*self.config.watch
    }

    fn now(&self) -> u64 {
        (self.config.clock)().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs()
    }

    fn randomness(&self) -> std::sync::MutexGuard<'_, Rng> {
        self.randomness.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Means for Inner {
    fn hash(&self, password: &str) -> PasswordHash {
        // Drawn first: hashing takes long, and others are not to wait for it.
        let salt = self.randomness().bytes();
        PasswordHash::new(password, self.config.iterations, salt)
    }

    fn pretend_to_check(&self, password: &str) {
        password::pretend(password, self.config.iterations);
    }

    fn session(&self, customer: Option<i64>) -> Session {
        Session::new(customer, self.now(), &mut self.randomness())
    }
}

fn respond(reply: Reply, trail: &Trail, route: &'static Route, request: &Request) -> Result<Response, Stop> {
    match reply {
        Reply::Page { status, html } => {
            Ok(Response::html(explained(html, trail, route, request)?).with_status(status))
        }
        Reply::Plain(response) => Ok(*response),
        Reply::Go { to } => Ok(Response::status(StatusCode::SEE_OTHER).header("Location", &to)),
    }
}

/// The page with what made it below, for who asks.
fn explained(
    page: String,
    trail: &Trail,
    route: &'static Route,
    request: &Request,
) -> Result<String, askama::Error> {
    if trail.is_kept() {
        Panel { account: trail.tell(route, request.path()) }.put_into(&page)
    } else {
        Ok(page)
    }
}

/// Where a browser would be by now, had nobody asked how things are made: a page that lets one look at what a form did.
fn stop_on_the_way(visit: &Visit<'_>, to: &str) -> Result<Reply, Stop> {
    // Who does not want to see it any more goes on, too.
    let around =
        Around { path: to.to_owned(), other_way: Some(to.to_owned()), ..visit.around("On to another page") };
    let page = GoOn { around, to: format!("{to}&mvc") };
    Ok(Reply::Page { status: StatusCode::OK, html: askama::Template::render(&page)? })
}

/// The page for who can't go on, or the way to where they can.
fn explain(visit: &Visit<'_>, stop: Stop) -> Result<Reply, Stop> {
    let problem = match stop {
        Stop::SignInFirst => {
            let path = visit.request.path();
            // What deletes has no page of its own.
            let page = path.strip_suffix("/delete").unwrap_or(path);
            return Ok(Reply::Go { to: format!("/sign-in?next={page}") });
        }
        Stop::Nothing => {
            let wrong = format!("There is nothing at {} here.", visit.request.path());
            Problem::new(StatusCode::NOT_FOUND, wrong, "Go to the shop and look around.")
                .by("RFC 9110 §15.5.5")
                .link("The shop", "/")
        }
        Stop::Problem(problem) => *problem,
        Stop::Database(_) | Stop::Template(_) => return Err(stop),
    };
    let plain = problem.answer(visit.request);
    if is_text(&plain) {
        return Ok(Reply::Plain(Box::new(plain)));
    }
    let around = visit.around(problem.status.to_string());
    visit.show_with(problem.status, &ProblemPage { around, problem })
}

fn is_text(response: &Response) -> bool {
    response.head.headers.text("content-type").is_some_and(|kind| kind.starts_with("text/plain"))
}

fn with_cookie(response: Response, cookie: Option<String>) -> Response {
    match cookie {
        Some(cookie) => response.header("Set-Cookie", &cookie),
        None => response,
    }
}

/// What goes with every answer: it is for this visitor alone, and is what it says it is.
fn with_rules(response: Response) -> Response {
    let is_busy = response.head.status == StatusCode::SERVICE_UNAVAILABLE;
    let mut response = if is_busy { response.header("Retry-After", "1") } else { response };
    // In the place of the one that a plain page about a problem has.
    response.head.headers.set("Content-Security-Policy", POLICY);
    response
        .header("Cache-Control", "no-store")
        .header("X-Content-Type-Options", "nosniff")
        .header("Referrer-Policy", "same-origin")
}
