//! Which function answers which request: by method and path.

use std::sync::Arc;

use framewise_http::{
    Answer, ConnInfo, Handler, Intake, Method, Params, Problem, RefusedRequest, Request, Response, StatusCode,
};

use crate::pattern::{Pattern, PatternError};

/// Chooses a handler by method and path.
///
/// HEAD goes to the handler of GET, OPTIONS is answered here. What fits no path gets 404, what fits a path but not
/// its methods 405, each with a page that says what would be right.
#[derive(Clone, Default)]
pub struct Router {
    /// The most exact pattern first.
    routes: Vec<Route>,
    /// Who answers where none fits.
    fallback: Option<Arc<dyn Handler>>,
}

#[derive(Clone)]
struct Route {
    pattern: Pattern,
    handlers: Vec<(Method, Arc<dyn Handler>)>,
}

impl Route {
    fn handler(&self, method: &Method) -> Option<&Arc<dyn Handler>> {
        let find = |wanted: &Method| self.handlers.iter().find(|(method, _)| method == wanted);
        let found = find(method).or_else(|| find(&Method::GET).filter(|_| method == Method::HEAD));
        found.map(|(_, handler)| handler)
    }
}

/// The value of `Allow` for a path that fits all these.
fn allow(routes: &[&Route]) -> String {
    let methods = routes.iter().flat_map(|route| &route.handlers).map(|(method, _)| method.as_str());
    let mut names: Vec<&str> = Vec::new();
    for name in methods {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    if names.contains(&"GET") && !names.contains(&"HEAD") {
        names.push("HEAD");
    }
    if !names.contains(&"OPTIONS") {
        names.push("OPTIONS");
    }
    names.join(", ")
}

impl Router {
    /// A router without routes.
    pub fn new() -> Self {
        Router::default()
    }

    /// Adds a route for GET and HEAD.
    ///
    /// # Panics
    /// If `pattern` is none; [`try_route`](Self::try_route) tells why instead.
    pub fn get(self, pattern: &str, handler: impl Handler + 'static) -> Self {
        self.route(Method::GET, pattern, handler)
    }

    /// Adds a route for POST.
    ///
    /// # Panics
    /// If `pattern` is none.
    pub fn post(self, pattern: &str, handler: impl Handler + 'static) -> Self {
        self.route(Method::POST, pattern, handler)
    }

    /// Adds a route.
    ///
    /// # Panics
    /// If `pattern` is none.
    pub fn route(self, method: Method, pattern: &str, handler: impl Handler + 'static) -> Self {
        match self.try_route(method, pattern, handler) {
            Ok(router) => router,
            Err(error) => panic!("{error}"),
        }
    }

    /// Adds a route, where `pattern` comes from outside. A later route for the same method and pattern takes the
    /// place of an earlier one.
    pub fn try_route(
        mut self,
        method: Method,
        pattern: &str,
        handler: impl Handler + 'static,
    ) -> Result<Self, PatternError> {
        let pattern = Pattern::parse(pattern)?;
        let handler: Arc<dyn Handler> = Arc::new(handler);
        let rank = pattern.rank();
        match self.routes.iter_mut().find(|route| route.pattern == pattern) {
            Some(route) => {
                route.handlers.retain(|(other, _)| *other != method);
                route.handlers.push((method, handler));
            }
            None => {
                let place = self.routes.partition_point(|route| route.pattern.rank() <= rank);
                let handlers = vec![(method, handler)];
                self.routes.insert(place, Route { pattern, handlers });
            }
        }
        Ok(self)
    }

    /// Has this handler answer requests whose path fits no pattern, instead of the page that says so.
    pub fn fallback(mut self, handler: impl Handler + 'static) -> Self {
        self.fallback = Some(Arc::new(handler));
        self
    }

    /// All there are: what is about no request in particular is told to each.
    fn handlers(&self) -> impl Iterator<Item = &Arc<dyn Handler>> {
        self.routes.iter().flat_map(|route| &route.handlers).map(|(_, handler)| handler).chain(&self.fallback)
    }

    /// The route and the handler of a request, if both are there; the fallback where no path fits.
    fn chosen(&self, request: &Request) -> Option<(Params, &Arc<dyn Handler>)> {
        let mut fits_none = true;
        for route in &self.routes {
            let Some(params) = route.pattern.matches(request.path()) else { continue };
            fits_none = false;
            if let Some(handler) = route.handler(&request.head.method) {
                return Some((params, handler));
            }
        }
        let is_about_server = request.path() == "*";
        let fallback = self.fallback.as_ref().filter(|_| fits_none && !is_about_server)?;
        Some((Params::default(), fallback))
    }

    /// What is answered where there is no handler.
    fn otherwise(&self, request: &Request) -> Response {
        let (method, path) = (&request.head.method, request.path());
        let fits = |route: &&Route| route.pattern.matches(path).is_some();
        let fitting: Vec<&Route> = self.routes.iter().filter(fits).collect();
        match fitting.as_slice() {
            [] if path == "*" => options("GET, HEAD, POST, PUT, DELETE, OPTIONS, PATCH"),
            [] => self.not_found(request),
            fitting if method == Method::OPTIONS => options(&allow(fitting)),
            fitting => not_allowed(request, &allow(fitting)),
        }
    }

    fn not_found(&self, request: &Request) -> Response {
        let (patterns, paths): (Vec<&str>, Vec<&str>) =
            self.routes.iter().map(|route| route.pattern.as_str()).partition(|path| path.contains('{'));
        let right = match patterns.as_slice() {
            [] => "There is:".to_owned(),
            patterns => format!("There are paths such as {}, and:", patterns.join(", ")),
        };
        let wrong = format!("There is nothing at {} here.", request.path());
        let problem = Problem::new(StatusCode::NOT_FOUND, wrong, right).by("RFC 9110 §15.5.5");
        paths.into_iter().fold(problem, |problem, path| problem.link(path, path)).answer(request)
    }
}

impl Handler for Router {
    fn handle(&self, mut request: Request, answer: Answer) {
        match self.chosen(&request) {
            Some((params, handler)) => {
                request.params = params;
                handler.handle(request, answer);
            }
            None => answer.respond(self.otherwise(&request)),
        }
    }

    fn wants_body(&self, request: &Request) -> bool {
        self.chosen(request).is_some_and(|(params, handler)| {
            let mut request = request.clone();
            request.params = params;
            handler.wants_body(&request)
        })
    }

    fn intake(&self, request: &Request) -> Option<Box<dyn Intake>> {
        let (params, handler) = self.chosen(request)?;
        let mut request = request.clone();
        request.params = params;
        handler.intake(&request)
    }

    fn refused(&self, refused: &RefusedRequest) {
        self.handlers().for_each(|handler| handler.refused(refused));
    }

    fn left(&self, connection: &ConnInfo) {
        self.handlers().for_each(|handler| handler.left(connection));
    }
}

/// What is known here, without a body (RFC 9110, section 9.3.7).
pub(crate) fn options(allow: &str) -> Response {
    Response::status(StatusCode::NO_CONTENT).header("Allow", allow)
}

/// The method is one of others (RFC 9110, section 15.5.6).
pub(crate) fn not_allowed(request: &Request, allow: &str) -> Response {
    let wrong = format!("{} does not know the method {}.", request.path(), request.head.method);
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, wrong, format!("It knows {allow}."))
        .by("RFC 9110 §15.5.6")
        .answer(request)
        .header("Allow", allow)
}
