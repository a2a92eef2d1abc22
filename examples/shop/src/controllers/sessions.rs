//! Signing in and out.

use crate::forms::Form;
use crate::models::Customer;
use crate::views::SignInForm;
use crate::visit::{Done, Reply, Stop, Visit};

pub(crate) fn show_sign_in_form(visit: &mut Visit<'_>) -> Result<Reply, Stop> {
    let next = own_path(&visit.request.query_param("next").unwrap_or_default());
    visit.show(&SignInForm { around: visit.around("Sign in"), form: Form::sign_in(), next })
}

pub(crate) fn sign_in(visit: &mut Visit<'_>) -> Result<Reply, Stop> {
    let mut form = Form::sign_in().with(&visit.sent);
    let next = visit.sent.iter().find(|field| field.name == "next").map(|field| own_path(&field.text()));
    let next = next.unwrap_or_default();
    if form.is_sound() {
        let password = form.value("password");
        let found = Customer::with_email(&visit.records, form.value("email"))?;
        // Hashing takes long.
        visit.records.give_back();
        match found {
            Some(customer) if customer.password.is_of(password) => {
                visit.let_in(customer);
                return visit.go(if next.is_empty() { "/account" } else { &next }, Done::SignedIn);
            }
            Some(_) => {}
            None => visit.shop.pretend_to_check(password),
        }
        form.refuse("password", "Email and password do not belong together.");
    }
    visit.show_again(&SignInForm { around: visit.around("Sign in"), form, next })
}

pub(crate) fn sign_out(visit: &mut Visit<'_>) -> Result<Reply, Stop> {
    visit.let_out();
    visit.go("/", Done::SignedOut)
}

/// The path, if it is one of this shop: whoever sends a link with another would lead visitors away from here.
fn own_path(path: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/-".contains(c);
    let is_own = path.starts_with('/') && !path.starts_with("//") && path.chars().all(is_plain);
    if is_own { path.to_owned() } else { String::new() }
}

#[cfg(test)]
mod tests {
    use super::own_path;

    #[test]
    fn the_way_after_signing_in_stays_in_the_shop() {
        assert_eq!(own_path("/products/1/review"), "/products/1/review");
        for elsewhere in [
            "",
            "https://evil.example/",
            "//evil.example",
            "/\\evil.example",
            "javascript:x",
            "/a?b",
            "/\r\nx",
        ] {
            assert_eq!(own_path(elsewhere), "", "{elsewhere:?}");
        }
    }
}
