//! Writing a review, changing it, deleting it.

use crate::forms::Form;
use crate::models::{Product, Review, Words};
use crate::views::ReviewForm;
use crate::visit::{Done, Reply, Stop, Visit};

pub(crate) fn show_review_form(visit: &mut Visit<'_>) -> Result<Reply, Stop> {
    let customer = visit.signed_in()?;
    let product = Product::find(&visit.records, visit.id("product")?)?.ok_or(Stop::Nothing)?;
    let form = match Review::find(&visit.records, customer, &product)? {
        None => Form::review(),
        Some(review) => Form::review()
            .showing("rating", &review.words.rating.to_string())
            .showing("text", &review.words.text),
    };
    visit.show(&ReviewForm { around: visit.around(title(&product)), form, product })
}

pub(crate) fn write_review(visit: &mut Visit<'_>) -> Result<Reply, Stop> {
    let customer = visit.signed_in()?;
    let product = Product::find(&visit.records, visit.id("product")?)?.ok_or(Stop::Nothing)?;
    let form = Form::review().with(&visit.sent);
    let (true, Ok(rating)) = (form.is_sound(), form.value("rating").parse()) else {
        return visit.show_again(&ReviewForm { around: visit.around(title(&product)), form, product });
    };
    let words = Words { rating, text: form.value("text").to_owned() };
    let now = i64::try_from(visit.now).unwrap_or(i64::MAX);
    visit.records.atomically(|| match Review::find(&visit.records, customer, &product)? {
        Some(mut review) => {
            review.words = words;
            review.written = now;
            review.update(&visit.records)
        }
        None => Review::create(&visit.records, customer, &product, words, now).map(drop),
    })?;
    visit.go(format!("/products/{}", product.id), Done::ReviewSaved)
}

pub(crate) fn delete_review(visit: &mut Visit<'_>) -> Result<Reply, Stop> {
    let customer = visit.signed_in()?;
    let product = Product::find(&visit.records, visit.id("product")?)?.ok_or(Stop::Nothing)?;
    if let Some(review) = Review::find(&visit.records, customer, &product)? {
        review.delete(&visit.records)?;
    }
    visit.go(format!("/products/{}", product.id), Done::ReviewDeleted)
}

fn title(product: &Product) -> String {
    format!("Review of {}", product.name)
}
