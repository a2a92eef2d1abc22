//! What a customer thinks of a product.

use rusqlite::Row;

use super::{Customer, DatabaseError, Product, Records, Value};

const MODEL: &str = "Review";

/// Reviews that one page shows.
const PAGE: usize = 20;

/// One review: one row of the table `review`. It belongs to one customer and one product, whose names it brings along, for they
/// are shown wherever it is.
pub(crate) struct Review {
    id: i64,
    /// Whose it is.
    pub(crate) customer: i64,
    /// Of what.
    pub(crate) product: i64,
    pub(crate) words: Words,
    /// When it was written, in seconds since 1970.
    pub(crate) written: i64,
    pub(crate) customer_name: String,
    pub(crate) product_name: String,
}

/// What a review says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Words {
    /// 1 to 5 stars.
    pub(crate) rating: i64,
    pub(crate) text: String,
}

/// The statement that finds reviews, with the condition that differs.
macro_rules! select {
    ($condition:literal) => {
        concat!(
            "SELECT review.id, customer, product, rating, text, written, \
             customer.name AS customer_name, product.name AS product_name \
             FROM review JOIN customer ON customer.id = customer JOIN product ON product.id = product \
             WHERE ",
            $condition
        )
    };
}

impl Review {
    /// A new record. [`DatabaseError::Taken`] where this customer has reviewed this product already.
    pub(crate) fn create(
        records: &Records<'_>,
        customer: &Customer,
        product: &Product,
        words: Words,
        written: i64,
    ) -> Result<Self, DatabaseError> {
        let sql = "INSERT INTO review (customer, product, rating, text, written) \
                   VALUES (:customer, :product, :rating, :text, :written)";
        let values = [
            (":customer", Value::Number(customer.id)),
            (":product", Value::Number(product.id)),
            (":rating", Value::Number(words.rating)),
            (":text", Value::Text(&words.text)),
            (":written", Value::Number(written)),
        ];
        let id = records.insert(MODEL, sql, &values)?;
        let (customer_name, product_name) = (customer.name.clone(), product.name.clone());
        let (customer, product) = (customer.id, product.id);
        Ok(Review { id, customer, product, words, written, customer_name, product_name })
    }

    /// Writes what has changed in this value into its record.
    pub(crate) fn update(&self, records: &Records<'_>) -> Result<(), DatabaseError> {
        let sql = "UPDATE review SET rating = :rating, text = :text, written = :written WHERE id = :id";
        let values = [
            (":rating", Value::Number(self.words.rating)),
            (":text", Value::Text(&self.words.text)),
            (":written", Value::Number(self.written)),
            (":id", Value::Number(self.id)),
        ];
        records.change(MODEL, sql, &values).map(drop)
    }

    /// Removes the record.
    pub(crate) fn delete(self, records: &Records<'_>) -> Result<(), DatabaseError> {
        let sql = "DELETE FROM review WHERE id = :id";
        records.change(MODEL, sql, &[(":id", Value::Number(self.id))]).map(drop)
    }

    /// The one of this customer about this product.
    pub(crate) fn find(
        records: &Records<'_>,
        customer: &Customer,
        product: &Product,
    ) -> Result<Option<Self>, DatabaseError> {
        let values = [(":customer", Value::Number(customer.id)), (":product", Value::Number(product.id))];
        records.one(MODEL, select!("customer = :customer AND product = :product"), &values, read)
    }

    /// The newest of this customer.
    pub(super) fn by(records: &Records<'_>, customer: &Customer) -> Result<Vec<Self>, DatabaseError> {
        let sql = select!("customer = :customer ORDER BY review.id DESC LIMIT 100");
        records.all(MODEL, sql, &[(":customer", Value::Number(customer.id))], read)
    }

    /// The newest of this product, or those that are older than `before`; and where the next page begins, if there are more.
    pub(super) fn about(
        records: &Records<'_>,
        product: &Product,
        before: Option<i64>,
    ) -> Result<(Vec<Self>, Option<i64>), DatabaseError> {
        // One more than are shown tells whether there are more.
        let most = i64::try_from(PAGE + 1).unwrap_or(i64::MAX);
        let values = [(":product", Value::Number(product.id)), (":most", Value::Number(most))];
        let mut reviews = match before {
            None => {
                let sql = select!("product = :product ORDER BY review.id DESC LIMIT :most");
                records.all(MODEL, sql, &values, read)?
            }
            Some(before) => {
                let sql =
                    select!("product = :product AND review.id < :before ORDER BY review.id DESC LIMIT :most");
                let [product, most] = values;
                records.all(MODEL, sql, &[product, (":before", Value::Number(before)), most], read)?
            }
        };
        let is_more = reviews.len() > PAGE;
        reviews.truncate(PAGE);
        let next = reviews.last().filter(|_| is_more).map(|review| review.id);
        Ok((reviews, next))
    }
}

fn read(row: &Row<'_>) -> rusqlite::Result<Review> {
    Ok(Review {
        id: row.get("id")?,
        customer: row.get("customer")?,
        product: row.get("product")?,
        words: Words { rating: row.get("rating")?, text: row.get("text")? },
        written: row.get("written")?,
        customer_name: row.get("customer_name")?,
        product_name: row.get("product_name")?,
    })
}
