//! Extensions about keys: RFC 8446 sections 4.2.8 (shares), 4.2.10 (early data), 4.2.11 (shared before).

use super::extension::Carrier;
use super::names;
use super::told::Told;
use crate::vector::Reader;

const SHARE: &str = "RFC 8446 §4.2.8";
const SHARED_BEFORE: &str = "RFC 8446 §4.2.11";

/// The client's shares, the server's one, or the group of which the server would like one.
pub(super) fn key_share(content: &mut Reader<'_>, carrier: Carrier, told: &mut Told) -> Option<()> {
    match carrier {
        Carrier::ClientHello => {
            let mut shares = told.vector16(content, "key shares length", SHARE)?;
            while share(&mut shares, told).is_some() {}
            told.unread(&shares);
        }
        Carrier::HelloRetryRequest => {
            told.u16(content, "selected group", SHARE, |number| {
                let meaning = "The group of which the client shall send a share in its next hello.";
                (names::named(number, names::group(number)), meaning.into())
            })?;
        }
        _ => share(content, told)?,
    }
    Some(())
}

fn share(from: &mut Reader<'_>, told: &mut Told) -> Option<()> {
    told.u16(from, "key share group", SHARE, |number| {
        (names::named(number, names::group(number)), names::group_meaning(number).into())
    })?;
    let mut public = told.vector16(from, "key exchange length", SHARE)?;
    let meaning = "The public half of a key made for this conversation alone; the secret half never travels.";
    told.all(&mut public, "key exchange", meaning, SHARE)
}

/// The client's identities with a proof for each, or which of them the server has taken.
pub(super) fn pre_shared_key(content: &mut Reader<'_>, carrier: Carrier, told: &mut Told) -> Option<()> {
    if carrier != Carrier::ClientHello {
        told.u16(content, "selected identity", SHARED_BEFORE, |index| {
            let meaning = "Which of the client's secrets is used, counted from 0: no certificate is needed.";
            (index.to_string(), meaning.into())
        })?;
        return Some(());
    }
    let mut identities = told.vector16(content, "psk identities length", SHARED_BEFORE)?;
    while identity(&mut identities, told).is_some() {}
    told.unread(&identities);
    let mut binders = told.vector16(content, "psk binders length", SHARED_BEFORE)?;
    while binder(&mut binders, told).is_some() {}
    told.unread(&binders);
    Some(())
}

fn identity(from: &mut Reader<'_>, told: &mut Told) -> Option<()> {
    let mut ticket = told.vector16(from, "psk identity length", SHARED_BEFORE)?;
    let meaning = "The name of the secret: the ticket that the server gave last time.";
    told.all(&mut ticket, "psk identity", meaning, SHARED_BEFORE)?;
    told.u32(from, "obfuscated ticket age", SHARED_BEFORE, |_| {
        "How old the ticket is, with a secret number added, so that nobody else learns its age.".into()
    })?;
    Some(())
}

fn binder(from: &mut Reader<'_>, told: &mut Told) -> Option<()> {
    let mut binder = told.vector8(from, "psk binder length", SHARED_BEFORE)?;
    let meaning = "Proves that the client has the secret, and ties it to this very hello.";
    told.all(&mut binder, "psk binder", meaning, SHARED_BEFORE)
}

/// In a ticket: how much early data it allows.
pub(super) fn early_data(content: &mut Reader<'_>, told: &mut Told) -> Option<()> {
    told.u32(content, "max early data size", "RFC 8446 §4.6.1", |size| {
        format!("With this ticket the client may send {size} bytes that don't wait for the handshake.")
    })?;
    Some(())
}
