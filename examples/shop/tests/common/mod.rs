//! A visitor of the shop, over the whole stack: their pages and forms cross two wires and a router, all in memory.
#![allow(clippy::unwrap_used, dead_code, unreachable_pub)] // each test file uses its part

use framewise::world::EPOCH;
use framewise::{CookieJar, Fetch, Page, SharedJar, World};
use framewise_shop::{Config, Place, Shop};
use url::form_urlencoded;

pub const ACCOUNT: [(&str, &str); 3] =
    [("name", "Ada Lovelace"), ("email", "ada@example.com"), ("password", "analytical engine")];
pub const ADDRESS: [(&str, &str); 4] = [
    ("street", "St James's Square 12"),
    ("postcode", "SW1Y 4JH"),
    ("city", "London"),
    ("country", "England"),
];

/// A shop in memory, the same in every run.
pub fn shop() -> Shop {
    Shop::new(config())
}

pub fn config() -> Config {
    Config::simulated(7, EPOCH)
}

/// A shop whose records are in this file.
pub fn shop_in(file: &std::path::Path) -> Shop {
    Shop::new(Config { place: Place::File(file.to_owned()), ..config() })
}

/// Somebody at a computer of their own, with a browser that keeps cookies.
pub struct Visitor {
    world: World,
    jar: SharedJar,
    origin: &'static str,
}

impl Visitor {
    /// Who comes by https.
    pub fn of(shop: &Shop) -> Self {
        Visitor::by("https://shop.test", shop)
    }

    /// Who comes by `http://shop.test` or `https://shop.test`.
    pub fn by(origin: &'static str, shop: &Shop) -> Self {
        let mut world = World::new(7).unwrap();
        let mut host = world.runner.host(world.server);
        host.return_page(80, shop.clone()).unwrap();
        host.return_page_secure(443, shop.clone()).unwrap();
        Visitor { world, jar: CookieJar::starting_at(EPOCH).shared(), origin }
    }

    /// Somebody else at the same computer: without cookies.
    pub fn forget(&mut self) {
        self.jar = CookieJar::starting_at(EPOCH).shared();
    }

    pub fn fetch(&mut self, fetch: Fetch) -> Page {
        self.world.runner.host(self.world.me).fetch(fetch.cookies(self.jar.clone())).unwrap()
    }

    /// The page at this path, wherever it leads.
    pub fn get(&mut self, path: &str) -> Page {
        self.fetch(Fetch::get(format!("{}{path}", self.origin)).follow_redirects(5))
    }

    /// Fills in the form at `page` and sends it to `path`; what comes of it, without going on.
    pub fn send_once(&mut self, page: &str, path: &str, fields: &[(&str, &str)]) -> Page {
        let token = token(&self.get(page));
        let mut fields = fields.to_vec();
        fields.push(("csrf_token", &token));
        self.post(path, &fields)
    }

    /// Sends these fields and no others.
    pub fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Page {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let url = format!("{}{path}", self.origin);
        self.fetch(Fetch::post(url, "application/x-www-form-urlencoded", body))
    }

    /// Fills in the form at this path, sends it, and follows to the page that it leads to.
    pub fn send(&mut self, path: &str, fields: &[(&str, &str)]) -> Page {
        self.send_from(path, path, fields)
    }

    /// The same, with a form that is on another page.
    pub fn send_from(&mut self, page: &str, path: &str, fields: &[(&str, &str)]) -> Page {
        let answer = self.send_once(page, path, fields);
        match answer.head.headers.text("location") {
            Some(next) if answer.head.status == 303 => {
                let next = next.to_owned();
                self.get(&next)
            }
            _ => answer,
        }
    }

    /// Creates Ada's account, and signs in with that.
    pub fn create_account(&mut self) {
        says(&self.send("/account/new", &ACCOUNT), "Your account was created.");
    }

    /// Writes a review of the tea.
    pub fn review_tea(&mut self, rating: &str, text: &str) -> Page {
        self.send("/products/1/review", &[("rating", rating), ("text", text)])
    }
}

/// The token of the first form on a page.
pub fn token(page: &Page) -> String {
    let text = page.text();
    let (_, rest) = text.split_once("name=\"csrf_token\" value=\"").expect("the page has a form");
    rest.split_once('"').unwrap().0.to_owned()
}

#[track_caller]
pub fn says(page: &Page, text: &str) {
    assert!(page.text().contains(text), "{} should say {text:?}:\n{}", page.url, page.text());
}

#[track_caller]
pub fn says_not(page: &Page, text: &str) {
    assert!(!page.text().contains(text), "{} should not say {text:?}:\n{}", page.url, page.text());
}

/// The form came back, with this message at this field.
#[track_caller]
pub fn refuses(page: &Page, field: &str, message: &str) {
    assert_eq!(page.head.status, 422, "{}", page.text());
    says(page, &format!("<p class=\"error\" id=\"{field}-error\">{message}</p>"));
}
