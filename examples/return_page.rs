//! Returns pages: the URL's path determines which function runs, and what it gives goes down the layers again.
//!
//! Run it: `cargo run -p framewise-examples --example return_page`

use std::error::Error;

use framewise::http::{Method, Request, Response, StatusCode};
use framewise::{Fetch, World};

fn main() -> Result<(), Box<dyn Error>> {
    let mut world = World::new(7)?;
    world.runner.host(world.server).return_page(80, return_page)?;

    let asked = [
        Fetch::get("http://shop.test/"),
        Fetch::get("http://shop.test/search?q=green+tea"),
        Fetch::post("http://shop.test/order", "application/x-www-form-urlencoded", "item=tea&pieces=2"),
        Fetch::new(Method::HEAD, "http://shop.test/"),
        Fetch::get("http://shop.test/nowhere"),
    ];
    for fetch in asked {
        println!("> {fetch:?}");
        let page = world.runner.host(world.me).fetch(fetch)?;
        let again = if page.reused { ", over the connection that was there" } else { "" };
        println!("< {}{again}", page.head.status);
        for line in page.text().lines() {
            println!("  {line}");
        }
    }
    Ok(())
}

/// What the server does with a request. It sees no connection, no packet and no frame.
fn return_page(request: Request) -> Response {
    match (request.head.method.as_str(), request.path()) {
        ("GET" | "HEAD", "/") => Response::html("<h1>shop</h1>\n"),
        ("GET", "/search") => match request.query_param("q") {
            Some(wanted) => Response::text(format!("nothing found for {wanted:?}\n")),
            None => Response::text("what shall I look for? add ?q=\n").with_status(StatusCode::BAD_REQUEST),
        },
        ("POST", "/order") => Response::text(format!("ordered: {:?}\n", request.form().unwrap_or_default())),
        _ => Response::text("there is no such page\n").with_status(StatusCode::NOT_FOUND),
    }
}
