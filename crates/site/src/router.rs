//! Which function answers which request: by method and path.

use std::sync::Arc;

use framewise_http::{Answer, Handler, Intake, Method, Request, Response, StatusCode};

use crate::html::{escape, problem};
use crate::pattern::{Pattern, PatternError};

/// Chooses a handler by method and path.
///
/// HEAD goes to the handler of GET, OPTIONS is answered here. What fits no path gets 404, what fits a path but not
/// its methods 405, each with a page that says what would be right.
#[derive(Clone, Default)]
pub struct Router {
    /// The most exact pattern first.
    routes: Vec<Route>,
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

    /// The value of `Allow`.
    fn allow(&self) -> String {
        let mut names: Vec<&str> = self.handlers.iter().map(|(method, _)| method.as_str()).collect();
        if names.contains(&"GET") && !names.contains(&"HEAD") {
            names.push("HEAD");
        }
        if !names.contains(&"OPTIONS") {
            names.push("OPTIONS");
        }
        names.join(", ")
    }
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

    fn not_found(&self, path: &str) -> Response {
        let paths: Vec<String> = self.routes.iter().map(|route| link(&route.pattern)).collect();
        let right = format!("There is: {}.", paths.join(", "));
        problem(StatusCode::NOT_FOUND, &format!("There is nothing at {path} here."), &right)
    }
}

impl Handler for Router {
    fn handle(&self, mut request: Request, answer: Answer) {
        let method = request.head.method.clone();
        if request.path() == "*" {
            return answer.respond(options("GET, HEAD, POST, PUT, DELETE, OPTIONS, PATCH"));
        }
        let mut allow: Option<String> = None;
        for route in &self.routes {
            let Some(params) = route.pattern.matches(request.path()) else {
                continue;
            };
            if let Some(handler) = route.handler(&method) {
                request.params = params;
                return handler.handle(request, answer);
            }
            allow.get_or_insert_with(|| route.allow());
        }
        answer.respond(match allow {
            None => self.not_found(request.path()),
            Some(allow) if method == Method::OPTIONS => options(&allow),
            Some(allow) => not_allowed(&method, request.path(), &allow),
        });
    }

    fn intake(&self, request: &Request) -> Option<Box<dyn Intake>> {
        let fits = |route: &Route| {
            Some((route.pattern.matches(request.path())?, route.handler(&request.head.method)?.clone()))
        };
        let (params, handler) = self.routes.iter().find_map(fits)?;
        let mut request = request.clone();
        request.params = params;
        handler.intake(&request)
    }
}

fn options(allow: &str) -> Response {
    Response::status(StatusCode::NO_CONTENT).header("Allow", allow)
}

fn not_allowed(method: &Method, path: &str, allow: &str) -> Response {
    let wrong = format!("{path} does not know the method {method}.");
    let right = format!("It knows {}.", escape(allow));
    problem(StatusCode::METHOD_NOT_ALLOWED, &wrong, &right).header("Allow", allow)
}

/// A pattern as HTML: a link where it is a path.
fn link(pattern: &Pattern) -> String {
    let text = escape(pattern.as_str());
    if text.contains('{') { format!("<code>{text}</code>") } else { format!("<a href=\"{text}\">{text}</a>") }
}
