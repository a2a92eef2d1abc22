//! Creating an account, showing it, changing its name, closing it.

use crate::database::DatabaseError;
use crate::forms::Form;
use crate::models::Customer;
use crate::views::{AccountForm, AccountPage, CloseAccount, NameForm};
use crate::visit::{Done, Reply, Stop, Visit};

pub(crate) fn show_account_form(visit: &mut Visit<'_>) -> Result<Reply, Stop> {
    visit.show(&AccountForm { around: visit.around("Create an account"), form: Form::account() })
}

pub(crate) fn create_account(visit: &mut Visit<'_>) -> Result<Reply, Stop> {
    let mut form = Form::account().with(&visit.sent);
    if !form.is_sound() {
        return visit.show_again(&AccountForm { around: visit.around("Create an account"), form });
    }
    // Hashing takes long.
    visit.records.give_back();
    let password = visit.shop.hash(form.value("password"));
    match Customer::create(&visit.records, form.value("name"), form.value("email"), password) {
        Ok(customer) => {
            visit.let_in(customer);
            visit.go("/account", Done::Created)
        }
        // Asked of the database and not before, for between question and answer somebody else may be faster.
        Err(DatabaseError::Taken) => {
            form.refuse("email", "There is an account with this email already.");
            visit.show_again(&AccountForm { around: visit.around("Create an account"), form })
        }
        Err(error) => Err(error.into()),
    }
}

pub(crate) fn show_account(visit: &mut Visit<'_>) -> Result<Reply, Stop> {
    let customer = visit.signed_in()?;
    let page = AccountPage {
        around: visit.around("Your account"),
        email: customer.email.clone(),
        address: customer.shipping_address(&visit.records)?.map(|address| address.place),
        reviews: customer.reviews(&visit.records)?,
    };
    visit.show(&page)
}

pub(crate) fn show_name_form(visit: &mut Visit<'_>) -> Result<Reply, Stop> {
    let form = Form::name().showing("name", &visit.signed_in()?.name);
    visit.show(&NameForm { around: visit.around("Your name"), form })
}

pub(crate) fn change_name(visit: &mut Visit<'_>) -> Result<Reply, Stop> {
    visit.signed_in()?;
    let form = Form::name().with(&visit.sent);
    if !form.is_sound() {
        return visit.show_again(&NameForm { around: visit.around("Your name"), form });
    }
    if let Some(customer) = &mut visit.customer {
        form.value("name").clone_into(&mut customer.name);
        customer.update(&visit.records)?;
    }
    visit.go("/account", Done::Renamed)
}

pub(crate) fn ask_before_closing(visit: &mut Visit<'_>) -> Result<Reply, Stop> {
    visit.signed_in()?;
    visit.show(&CloseAccount { around: visit.around("Close the account") })
}

pub(crate) fn close_account(visit: &mut Visit<'_>) -> Result<Reply, Stop> {
    visit.signed_in()?;
    if let Some(customer) = visit.let_out() {
        customer.delete(&visit.records)?;
    }
    visit.go("/", Done::Closed)
}
