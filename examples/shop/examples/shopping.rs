//! A customer goes through the shop over the whole stack, in memory, and the shop tells what each visit took.
//!
//! Run it: `cargo run -p framewise-shop --example shopping`

use std::error::Error;

use framewise::world::EPOCH;
use framewise::{CookieJar, Fetch, Page, SharedJar, World};
use framewise_shop::{Config, Shop};

const FORM: &str = "application/x-www-form-urlencoded";

fn main() -> Result<(), Box<dyn Error>> {
    print!("{}", tell()?);
    Ok(())
}

/// What happened, in lines.
pub(crate) fn tell() -> Result<String, Box<dyn Error>> {
    let mut world = World::new(7)?;
    let shop = Shop::new(Config::simulated(7, EPOCH));
    world.runner.host(world.server).return_page_secure(443, shop)?;
    let cookies = CookieJar::starting_at(EPOCH).shared();
    let mut ada = Customer { world, cookies, told: String::new() };

    ada.look("/")?;
    ada.send("/account/new", "name=Ada&email=ada@example.com&password=short")?;
    ada.send("/account/new", "name=Ada&email=ada@example.com&password=analytical+engine")?;
    ada.send(
        "/account/address",
        "street=St+James's+Square+12&postcode=SW1Y+4JH&city=London&country=England",
    )?;
    ada.send("/products/1/review", "rating=5&text=It+travelled+well.")?;
    ada.look("/products/1")?;
    Ok(ada.told)
}

/// Somebody with a browser that keeps cookies.
struct Customer {
    world: World,
    cookies: SharedJar,
    told: String,
}

impl Customer {
    fn fetch(&mut self, fetch: Fetch) -> Result<Page, Box<dyn Error>> {
        Ok(self.world.runner.host(self.world.me).fetch(fetch.cookies(self.cookies.clone()))?)
    }

    /// Gets a page with `?mvc`, and prints what the shop says of it.
    fn look(&mut self, path: &str) -> Result<(), Box<dyn Error>> {
        let page = self.fetch(Fetch::get(format!("https://shop.test{path}?mvc")))?;
        self.told += &format!("GET {path}: {}\n{}", page.head.status, explained(&page.text()));
        Ok(())
    }

    /// Fills in the form at this path and sends it: with the token that the shop has put into it.
    fn send(&mut self, path: &str, fields: &str) -> Result<(), Box<dyn Error>> {
        let form = self.fetch(Fetch::get(format!("https://shop.test{path}")))?;
        let token =
            between(&form.text(), "name=\"csrf_token\" value=\"", "\"").unwrap_or_default().to_owned();
        let body = format!("{fields}&csrf_token={token}");
        let page = self.fetch(Fetch::post(format!("https://shop.test{path}?mvc"), FORM, body))?;
        let text = page.text();
        self.told += &format!("POST {path}: {}\n", page.head.status);
        for message in text.split("class=\"error\"").skip(1) {
            self.told += &format!("  refused: {}\n", between(message, ">", "<").unwrap_or_default());
        }
        self.told += &explained(&text);
        Ok(())
    }
}

/// The controller, and each statement with its model.
fn explained(page: &str) -> String {
    let Some((_, panel)) = page.split_once("2 Controller") else { return String::new() };
    let mut text = format!("  {}\n", between(panel, "<code>", "</code>").unwrap_or_default());
    for statement in panel.split("<li><strong>").skip(1) {
        let model = between(statement, "", "</strong>").unwrap_or_default();
        let sql = between(statement, "<code>", "</code>").unwrap_or_default();
        text += &short(&format!("    {model}: {sql}"));
    }
    text
}

/// As many words as fit on a line.
fn short(text: &str) -> String {
    if text.len() < 80 {
        return format!("{text}\n");
    }
    let start: String = text.chars().take(76).collect();
    let words = start.rsplit_once(' ').map_or(start.as_str(), |(words, _)| words);
    format!("{words} ...\n")
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(before)?;
    Some(rest.split_once(after)?.0)
}
