//! Which function answers which request: the shop's table of contents.

use framewise_http::Method;

use crate::controllers::{accounts, addresses, products, reviews, sessions};
use crate::visit::{Controller, Visit};

/// One route.
pub(crate) struct Route {
    pub(crate) method: Method,
    pub(crate) pattern: &'static str,
    /// The controller's name, as the code has it.
    pub(crate) name: &'static str,
    pub(crate) controller: Controller,
}

impl Route {
    /// Where the controller's code is.
    pub(crate) fn file(&self) -> String {
        let module = self.name.split("::").next().unwrap_or_default();
        format!("examples/shop/src/controllers/{module}.rs")
    }
}

/// A route whose controller is named once.
macro_rules! routes {
    ($($method:ident $pattern:literal => $module:ident::$controller:ident)*) => {
        &[$(Route {
            method: Method::$method,
            pattern: $pattern,
            name: concat!(stringify!($module), "::", stringify!($controller)),
            controller: |visit: &mut Visit<'_>| $module::$controller(visit),
        }),*]
    };
}

/// All that the shop answers. Asking (GET) changes nothing; what changes something is sent (POST).
pub(crate) static ROUTES: &[Route] = routes! {
    GET  "/"                             => products::show_products
    GET  "/products/{product}"           => products::show_product
    GET  "/products/{product}/review"    => reviews::show_review_form
    POST "/products/{product}/review"    => reviews::write_review
    POST "/products/{product}/review/delete" => reviews::delete_review
    GET  "/account"                      => accounts::show_account
    GET  "/account/new"                  => accounts::show_account_form
    POST "/account/new"                  => accounts::create_account
    GET  "/account/name"                 => accounts::show_name_form
    POST "/account/name"                 => accounts::change_name
    GET  "/account/close"                => accounts::ask_before_closing
    POST "/account/close"                => accounts::close_account
    GET  "/account/address"              => addresses::show_address_form
    POST "/account/address"              => addresses::update_shipping_address
    POST "/account/address/delete"       => addresses::delete_shipping_address
    GET  "/sign-in"                      => sessions::show_sign_in_form
    POST "/sign-in"                      => sessions::sign_in
    POST "/sign-out"                     => sessions::sign_out
};

/// What answers where no route fits.
pub(crate) static NOWHERE: &[Route] = routes! {
    GET  "(none fits)"                   => products::say_there_is_nothing
};
