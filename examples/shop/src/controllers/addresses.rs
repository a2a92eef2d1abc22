//! The shipping address: showing its form, updating it, deleting it.

use crate::forms::Form;
use crate::models::{Place, ShippingAddress};
use crate::views::AddressForm;
use crate::visit::{Done, Reply, Stop, Visit};

pub(crate) fn show_address_form(visit: &mut Visit<'_>) -> Result<Reply, Stop> {
    let address = visit.signed_in()?.shipping_address(&visit.records)?;
    let form = match &address {
        None => Form::address(),
        Some(ShippingAddress { place, .. }) => Form::address()
            .showing("street", &place.street)
            .showing("postcode", &place.postcode)
            .showing("city", &place.city)
            .showing("country", &place.country),
    };
    visit.show(&AddressForm { around: visit.around("Shipping address"), form, is_there: address.is_some() })
}

pub(crate) fn update_shipping_address(visit: &mut Visit<'_>) -> Result<Reply, Stop> {
    let customer = visit.signed_in()?;
    let form = Form::address().with(&visit.sent);
    if !form.is_sound() {
        let is_there = customer.shipping_address(&visit.records)?.is_some();
        return visit.show_again(&AddressForm { around: visit.around("Shipping address"), form, is_there });
    }
    let value = |name| form.value(name).to_owned();
    let place = Place {
        street: value("street"),
        postcode: value("postcode"),
        city: value("city"),
        country: value("country"),
    };
    visit.records.atomically(|| match customer.shipping_address(&visit.records)? {
        Some(mut address) => {
            address.place = place;
            address.update(&visit.records)
        }
        None => ShippingAddress::create(&visit.records, customer, place).map(drop),
    })?;
    visit.go("/account", Done::AddressSaved)
}

pub(crate) fn delete_shipping_address(visit: &mut Visit<'_>) -> Result<Reply, Stop> {
    if let Some(address) = visit.signed_in()?.shipping_address(&visit.records)? {
        address.delete(&visit.records)?;
    }
    visit.go("/account", Done::AddressDeleted)
}
