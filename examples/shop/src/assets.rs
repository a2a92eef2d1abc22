//! The shop's stylesheet and pictures, built in.

use framewise_http::{Problem, Request, Response, StatusCode};

macro_rules! assets {
    ($($name:literal),*) => {
        &[$(($name, include_bytes!(concat!("../static/", $name)))),*]
    };
}

static ASSETS: &[(&str, &[u8])] = assets!["shop.css", "tea.svg", "frame.svg", "envelope.svg", "stamp.svg"];

/// The file that the path names.
pub(crate) fn asset(request: Request) -> Response {
    let name = request.params.get("file").unwrap_or_default();
    match ASSETS.iter().find(|(known, _)| *known == name) {
        Some((name, bytes)) => {
            let kind = if name.ends_with(".css") { "text/css" } else { "image/svg+xml" };
            Response::bytes(kind, *bytes)
                .header("Cache-Control", "max-age=3600")
                .header("X-Content-Type-Options", "nosniff")
        }
        None => {
            let wrong = format!("There is no file {name} here.");
            let right = "Go to the shop and look around.";
            Problem::new(StatusCode::NOT_FOUND, wrong, right).link("The shop", "/").answer(&request)
        }
    }
}
