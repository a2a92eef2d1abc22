//! The look: a struct for each template in `templates`, with what it shows.
//!
//! A template gets values and makes HTML of them; whatever they hold is escaped. It asks no database and decides nothing but how
//! things look.

use std::time::Duration;

use askama::Template;
use framewise_http::{Method, Problem, Request};

use crate::forms::Form;
use crate::models::{Place, Product, Rated, Review};
use crate::trail::{Account, Trail};

/// A template, and the name of its file.
pub(crate) trait View: Template {
    const FILE: &'static str;
}

/// Makes a page of a view, and notes how long that took.
pub(crate) fn render<V: View>(view: &V, trail: &Trail) -> Result<String, askama::Error> {
    let began = trail.now();
    let html = view.render()?;
    trail.shown_by(V::FILE, trail.now().saturating_sub(began));
    Ok(html)
}

/// What stands around every page.
pub(crate) struct Around {
    pub(crate) title: String,
    /// Of the customer who has signed in.
    pub(crate) name: Option<String>,
    /// Goes along with each form, and shows that it is from here.
    pub(crate) token: String,
    /// Whether `?mvc` goes along with each link.
    pub(crate) is_explained: bool,
    pub(crate) path: String,
    /// Where the same page is with what made it, or without that. `None`: it came of what was sent, and can't be asked for.
    pub(crate) other_way: Option<String>,
    /// What was just done.
    pub(crate) notice: Option<&'static str>,
}

impl Around {
    /// Around a page of which nothing is known but its title and path.
    pub(crate) fn bare(title: impl Into<String>, request: &Request, is_explained: bool) -> Self {
        Around {
            title: title.into(),
            name: None,
            token: String::new(),
            is_explained,
            path: request.path().to_owned(),
            other_way: other_way(request, is_explained),
            notice: None,
        }
    }

    /// What follows the path of a link.
    fn mvc(&self) -> &'static str {
        if self.is_explained { "?mvc" } else { "" }
    }

    /// What follows the query of a link.
    fn and_mvc(&self) -> &'static str {
        if self.is_explained { "&mvc" } else { "" }
    }
}

fn other_way(request: &Request, is_explained: bool) -> Option<String> {
    if ![Method::GET, Method::HEAD].contains(&request.head.method) {
        return None;
    }
    // One slash in front, for `//name/` would be another host.
    let path = format!("/{}", request.path().trim_start_matches('/'));
    let pairs = request.query().unwrap_or_default().split('&');
    let is_ours = |pair: &&str| !pair.is_empty() && *pair != "mvc" && !pair.starts_with("mvc=");
    let mut query: Vec<&str> = pairs.filter(is_ours).collect();
    query.extend((!is_explained).then_some("mvc"));
    Some(if query.is_empty() { path } else { format!("{path}?{}", query.join("&")) })
}

/// `$name { fields }` is what the template `$file` shows, inside `layout.html`.
macro_rules! view {
    ($(#[$about:meta])* $name:ident $file:literal { $($field:ident: $kind:ty,)* }) => {
        $(#[$about])*
        #[derive(Template)]
        #[template(path = $file)]
        pub(crate) struct $name {
            pub(crate) around: Around,
            $(pub(crate) $field: $kind,)*
        }

        impl View for $name {
            const FILE: &'static str = $file;
        }
    };
}

view! {
    /// What is sold.
    ProductsPage "products.html" {
        products: Vec<Rated>,
        is_by_record: bool,
    }
}

view! {
    /// One product and its reviews.
    ProductPage "product.html" {
        rated: Rated,
        reviews: Vec<Review>,
        // Before which review older ones are to be had.
        older: Option<i64>,
        is_first: bool,
        // The customer who looks on.
        me: Option<i64>,
    }
}

view! {
    /// What a customer thinks of a product.
    ReviewForm "review_form.html" {
        form: Form,
        product: Product,
    }
}

view! {
    /// A customer's own page.
    AccountPage "account.html" {
        email: String,
        address: Option<Place>,
        reviews: Vec<Review>,
    }
}

view! {
    /// Who a new customer is.
    AccountForm "account_form.html" {
        form: Form,
    }
}

view! {
    /// What a customer is called.
    NameForm "name_form.html" {
        form: Form,
    }
}

view! {
    /// Where parcels go.
    AddressForm "address_form.html" {
        form: Form,
        is_there: bool,
    }
}

view! {
    /// Who comes back.
    SignInForm "sign_in.html" {
        form: Form,
        next: String,
    }
}

view! {
    /// Whether an account is really to be closed.
    CloseAccount "close_account.html" {}
}

view! {
    /// Something went wrong, or is not there.
    ProblemPage "problem.html" {
        problem: Problem,
    }
}

view! {
    /// Where a browser would be by now, had nobody asked how the page was made.
    GoOn "go_on.html" {
        to: String,
    }
}

/// How a page was made: what `?mvc` puts below it.
#[derive(Template)]
#[template(path = "mvc.html")]
pub(crate) struct Panel {
    pub(crate) account: Account,
}

/// Where the panel goes: no page holds it but by the layout, for `<` in what is shown is escaped.
const PLACE: &str = "<!-- mvc -->";

impl Panel {
    /// The page with this panel in it.
    pub(crate) fn put_into(&self, page: &str) -> Result<String, askama::Error> {
        Ok(page.replacen(PLACE, &self.render()?, 1))
    }

    fn time(&self, time: &Duration) -> String {
        match time.as_micros() {
            micros if micros >= 10_000 => format!("{} ms", micros / 1000),
            micros => format!("{}.{:02} ms", micros / 1000, micros % 1000 / 10),
        }
    }
}

impl ProductPage {
    /// Whether the customer who looks on has written it.
    fn is_mine(&self, review: &Review) -> bool {
        self.me == Some(review.customer)
    }
}

/// How products look in words.
impl Product {
    fn price(&self) -> String {
        format!("{}.{:02} €", self.cents / 100, self.cents % 100)
    }

    fn picture(&self) -> &'static str {
        match self.name.as_str() {
            "Tea" => "/static/tea.svg",
            "Frame" => "/static/frame.svg",
            "Stamp" => "/static/stamp.svg",
            _ => "/static/envelope.svg",
        }
    }
}

/// How ratings look.
impl Rated {
    fn has_reviews(&self) -> bool {
        self.rating.count > 0
    }

    fn stars(&self) -> String {
        stars(self.rating.mean.round() as i64)
    }

    fn mean(&self) -> String {
        to_one_decimal(self.rating.mean)
    }

    fn in_words(&self) -> String {
        let reviews = if self.rating.count == 1 { "review" } else { "reviews" };
        format!("{} of 5 stars, {} {reviews}", self.mean(), self.rating.count)
    }
}

/// How reviews look.
impl Review {
    fn stars(&self) -> String {
        stars(self.words.rating)
    }

    /// The day on which it was written, as `2026-01-31`.
    fn day(&self) -> String {
        let (year, month, day) = civil(self.written.div_euclid(86_400));
        format!("{year:04}-{month:02}-{day:02}")
    }
}

/// Half of a tenth counts as one, as half a star does; Django's `floatformat` has it so, too.
fn to_one_decimal(mean: f64) -> String {
    format!("{:.1}", (mean * 10.0).round() / 10.0)
}

fn stars(number: i64) -> String {
    (1..=5).map(|star| if star <= number { '★' } else { '☆' }).collect()
}

/// Year, month and day of the day with this number, 1970-01-01 being 0.
///
/// The year is counted from March, so that the leap day comes last; 400 years have 146,097 days.
fn civil(number: i64) -> (i64, i64, i64) {
    let shifted = number.saturating_add(719_468);
    let (era, day_of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_have_their_dates() {
        for (number, date) in [
            (0, (1970, 1, 1)),
            (-1, (1969, 12, 31)),
            (19_782, (2024, 2, 29)),
            (19_783, (2024, 3, 1)),
            (20_454, (2026, 1, 1)),
            (47_541, (2100, 3, 1)),
        ] {
            assert_eq!(civil(number), date, "{number}");
        }
    }

    #[test]
    fn half_of_a_tenth_counts_as_one() {
        assert_eq!([4.24, 4.25, 4.35].map(to_one_decimal), ["4.2", "4.3", "4.4"]);
    }

    #[test]
    fn a_number_of_stars_is_five_stars_wide() {
        assert_eq!([stars(0), stars(3), stars(5)], ["☆☆☆☆☆", "★★★☆☆", "★★★★★"]);
    }
}
