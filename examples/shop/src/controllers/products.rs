//! Showing what is sold.

use crate::models::{Product, Rated};
use crate::views::{ProductPage, ProductsPage};
use crate::visit::{Reply, Stop, Visit};

pub(crate) fn show_products(visit: &mut Visit<'_>) -> Result<Reply, Stop> {
    // The lesson of `Product::all_rated`: the same page by one statement, or by one for each record.
    let is_by_record = visit.request.query_param("by").as_deref() == Some("record");
    let products = if is_by_record {
        Product::all_rated_by_record(&visit.records)?
    } else {
        Product::all_rated(&visit.records)?
    };
    visit.show(&ProductsPage { around: visit.around("Four things that travel well"), products, is_by_record })
}

pub(crate) fn show_product(visit: &mut Visit<'_>) -> Result<Reply, Stop> {
    let product = Product::find(&visit.records, visit.id("product")?)?.ok_or(Stop::Nothing)?;
    let before = visit.request.query_param("before").and_then(|id| id.parse().ok());
    let (reviews, older) = product.reviews(&visit.records, before)?;
    let page = ProductPage {
        around: visit.around(&product.name),
        rated: Rated { rating: product.rating(&visit.records)?, product },
        reviews,
        older,
        is_first: before.is_none(),
        me: visit.customer.as_ref().map(|customer| customer.id),
    };
    visit.show(&page)
}

pub(crate) fn say_there_is_nothing(_visit: &mut Visit<'_>) -> Result<Reply, Stop> {
    Err(Stop::Nothing)
}
