//! What is sold, and where models fit badly.

use rusqlite::Row;

use super::{DatabaseError, Records, Review, Value};

const MODEL: &str = "Product";

/// One product: one row of the table `product`.
pub(crate) struct Product {
    pub(crate) id: i64,
    pub(crate) name: String,
    pub(crate) about: String,
    pub(crate) cents: i64,
}

/// What all reviews of a product say together.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Rating {
    /// The mean, 1 to 5; 0 where there is no review.
    pub(crate) mean: f64,
    pub(crate) count: i64,
}

/// A product with its rating: no record of any table, but the answer to a question about two of them.
pub(crate) struct Rated {
    pub(crate) product: Product,
    pub(crate) rating: Rating,
}

impl Product {
    pub(crate) fn find(records: &Records<'_>, id: i64) -> Result<Option<Self>, DatabaseError> {
        let sql = "SELECT id, name, about, cents FROM product WHERE id = :id";
        records.one(MODEL, sql, &[(":id", Value::Number(id))], read)
    }

    pub(crate) fn all(records: &Records<'_>) -> Result<Vec<Self>, DatabaseError> {
        let sql = "SELECT id, name, about, cents FROM product ORDER BY id LIMIT 100";
        records.all(MODEL, sql, &[], read)
    }

    /// The relation: a product has many reviews. The newest, or those older than `before`; and where the next page begins.
    pub(crate) fn reviews(
        &self,
        records: &Records<'_>,
        before: Option<i64>,
    ) -> Result<(Vec<Review>, Option<i64>), DatabaseError> {
        Review::about(records, self, before)
    }

    /// What its reviews say together.
    pub(crate) fn rating(&self, records: &Records<'_>) -> Result<Rating, DatabaseError> {
        let sql =
            "SELECT coalesce(avg(rating), 0.0) AS mean, count(*) AS count FROM review WHERE product = :id";
        let found = records.one("Review", sql, &[(":id", Value::Number(self.id))], read_rating)?;
        Ok(found.unwrap_or(Rating { mean: 0.0, count: 0 }))
    }

    /// All products with their ratings, each by its own record's means: one statement, and one more for each product.
    pub(crate) fn all_rated_by_record(records: &Records<'_>) -> Result<Vec<Rated>, DatabaseError> {
        let products = Product::all(records)?.into_iter();
        products.map(|product| Ok(Rated { rating: product.rating(records)?, product })).collect()
    }

    /// The same in one statement, however many products there are. It belongs to no record: here a noun that deletes and updates
    /// itself is the wrong thought, and a question to the database the right one.
    pub(crate) fn all_rated(records: &Records<'_>) -> Result<Vec<Rated>, DatabaseError> {
        let sql = "SELECT product.id, name, about, cents, \
                   coalesce(avg(rating), 0.0) AS mean, count(rating) AS count \
                   FROM product LEFT JOIN review ON review.product = product.id \
                   GROUP BY product.id ORDER BY product.id LIMIT 100";
        records.all("Product + Review", sql, &[], |row| {
            Ok(Rated { product: read(row)?, rating: read_rating(row)? })
        })
    }
}

fn read(row: &Row<'_>) -> rusqlite::Result<Product> {
    Ok(Product {
        id: row.get("id")?,
        name: row.get("name")?,
        about: row.get("about")?,
        cents: row.get("cents")?,
    })
}

fn read_rating(row: &Row<'_>) -> rusqlite::Result<Rating> {
    Ok(Rating { mean: row.get("mean")?, count: row.get("count")? })
}
