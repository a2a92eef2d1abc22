//! Who buys here.

use rusqlite::Row;

use super::{DatabaseError, Records, Review, ShippingAddress, Value};
use crate::password::PasswordHash;

const MODEL: &str = "Customer";

/// One customer: one row of the table `customer`.
pub(crate) struct Customer {
    pub(crate) id: i64,
    pub(crate) name: String,
    pub(crate) email: String,
    pub(crate) password: PasswordHash,
}

impl Customer {
    /// A new record. [`DatabaseError::Taken`] where somebody has this email already.
    pub(crate) fn create(
        records: &Records<'_>,
        name: &str,
        email: &str,
        password: PasswordHash,
    ) -> Result<Self, DatabaseError> {
        let sql = "INSERT INTO customer (name, email, password) VALUES (:name, :email, :password)";
        let id = records.insert(
            MODEL,
            sql,
            &[
                (":name", Value::Text(name)),
                (":email", Value::Text(email)),
                (":password", Value::Secret(password.as_str())),
            ],
        )?;
        Ok(Customer { id, name: name.to_owned(), email: email.to_owned(), password })
    }

    /// Writes what has changed in this value into its record.
    pub(crate) fn update(&self, records: &Records<'_>) -> Result<(), DatabaseError> {
        let sql = "UPDATE customer SET name = :name, email = :email, password = :password WHERE id = :id";
        let values = [
            (":name", Value::Text(&self.name)),
            (":email", Value::Text(&self.email)),
            (":password", Value::Secret(self.password.as_str())),
            (":id", Value::Number(self.id)),
        ];
        records.change(MODEL, sql, &values).map(drop)
    }

    /// Removes the record, and by the foreign keys the address and all reviews with it.
    pub(crate) fn delete(self, records: &Records<'_>) -> Result<(), DatabaseError> {
        let sql = "DELETE FROM customer WHERE id = :id";
        records.change(MODEL, sql, &[(":id", Value::Number(self.id))]).map(drop)
    }

    pub(crate) fn find(records: &Records<'_>, id: i64) -> Result<Option<Self>, DatabaseError> {
        let sql = "SELECT id, name, email, password FROM customer WHERE id = :id";
        records.one(MODEL, sql, &[(":id", Value::Number(id))], read)
    }

    pub(crate) fn with_email(records: &Records<'_>, email: &str) -> Result<Option<Self>, DatabaseError> {
        let sql = "SELECT id, name, email, password FROM customer WHERE email = :email";
        records.one(MODEL, sql, &[(":email", Value::Text(email))], read)
    }

    /// The relation: a customer has one shipping address, or none yet.
    pub(crate) fn shipping_address(
        &self,
        records: &Records<'_>,
    ) -> Result<Option<ShippingAddress>, DatabaseError> {
        ShippingAddress::of(records, self)
    }

    /// The relation: a customer has many reviews; of these the newest.
    pub(crate) fn reviews(&self, records: &Records<'_>) -> Result<Vec<Review>, DatabaseError> {
        Review::by(records, self)
    }
}

fn read(row: &Row<'_>) -> rusqlite::Result<Customer> {
    Ok(Customer {
        id: row.get("id")?,
        name: row.get("name")?,
        email: row.get("email")?,
        password: PasswordHash::stored(row.get("password")?),
    })
}
