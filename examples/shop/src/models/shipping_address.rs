//! Where a customer's parcels go.

use rusqlite::Row;

use super::{Customer, DatabaseError, Records, Value};

const MODEL: &str = "ShippingAddress";

/// The shipping address of one customer: one row of the table `shipping_address`, whose key is the customer's.
pub(crate) struct ShippingAddress {
    customer: i64,
    pub(crate) place: Place,
}

/// What an address says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) street: String,
    pub(crate) postcode: String,
    pub(crate) city: String,
    pub(crate) country: String,
}

impl ShippingAddress {
    /// A new record, of this customer.
    pub(crate) fn create(
        records: &Records<'_>,
        customer: &Customer,
        place: Place,
    ) -> Result<Self, DatabaseError> {
        let sql = "INSERT INTO shipping_address (customer, street, postcode, city, country) \
                   VALUES (:customer, :street, :postcode, :city, :country)";
        let address = ShippingAddress { customer: customer.id, place };
        records.insert(MODEL, sql, &address.values())?;
        Ok(address)
    }

    /// Writes what has changed in this value into its record.
    pub(crate) fn update(&self, records: &Records<'_>) -> Result<(), DatabaseError> {
        let sql = "UPDATE shipping_address SET street = :street, postcode = :postcode, city = :city, \
                   country = :country WHERE customer = :customer";
        records.change(MODEL, sql, &self.values()).map(drop)
    }

    /// Removes the record.
    pub(crate) fn delete(self, records: &Records<'_>) -> Result<(), DatabaseError> {
        let sql = "DELETE FROM shipping_address WHERE customer = :customer";
        records.change(MODEL, sql, &[(":customer", Value::Number(self.customer))]).map(drop)
    }

    /// The one of this customer.
    pub(crate) fn of(records: &Records<'_>, customer: &Customer) -> Result<Option<Self>, DatabaseError> {
        let sql = "SELECT customer, street, postcode, city, country FROM shipping_address \
                   WHERE customer = :customer";
        records.one(MODEL, sql, &[(":customer", Value::Number(customer.id))], read)
    }

    fn values(&self) -> [(&'static str, Value<'_>); 5] {
        [
            (":customer", Value::Number(self.customer)),
            (":street", Value::Text(&self.place.street)),
            (":postcode", Value::Text(&self.place.postcode)),
            (":city", Value::Text(&self.place.city)),
            (":country", Value::Text(&self.place.country)),
        ]
    }
}

fn read(row: &Row<'_>) -> rusqlite::Result<ShippingAddress> {
    Ok(ShippingAddress {
        customer: row.get("customer")?,
        place: Place {
            street: row.get("street")?,
            postcode: row.get("postcode")?,
            city: row.get("city")?,
            country: row.get("country")?,
        },
    })
}
