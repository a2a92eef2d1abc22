//! Extensions that offer a list to choose from: versions, groups, ways of signing and packing.

use super::extension::Carrier;
use super::list::{bytes, numbers};
use super::names;
use super::told::Told;
use crate::vector::Reader;

/// The client's list, or what the server has chosen of it (RFC 8446 section 4.2.1).
pub(super) fn versions(content: &mut Reader<'_>, carrier: Carrier, told: &mut Told) -> Option<()> {
    const SOURCE: &str = "RFC 8446 §4.2.1";
    if carrier != Carrier::ClientHello {
        let meaning = |version| match version {
            0x0304 => "TLS 1.3 it is, whatever the records and the hello call themselves.",
            _ => "The version that will be spoken.",
        };
        told.u16(content, "selected version", SOURCE, |version| {
            (names::version(version), meaning(version).into())
        })?;
        return Some(());
    }
    let versions = told.vector8(content, "supported versions length", SOURCE)?;
    let list = ("supported versions", "The versions of TLS that the client speaks.");
    numbers(versions, list, "supported version", SOURCE, told, |version| {
        let name = match names::is_grease(version) {
            true => "GREASE".to_owned(),
            false => crate::handshake::version(version),
        };
        (name, names::version(version), version_meaning(version).to_owned())
    });
    Some(())
}

fn version_meaning(version: u16) -> &'static str {
    match version {
        0x0304 => "TLS 1.3, of 2018: one round trip, and all but the hellos sealed.",
        0x0303 => "TLS 1.2, of 2008: two round trips, and certificates in the clear.",
        0x0301 | 0x0302 => "Given up in 2021 (RFC 8996): servers should refuse it.",
        version if names::is_grease(version) => names::GREASE,
        _ => "A version that is not known here.",
    }
}

pub(super) fn groups(content: &mut Reader<'_>, told: &mut Told) -> Option<()> {
    const SOURCE: &str = "RFC 8446 §4.2.7";
    let groups = told.vector16(content, "supported groups length", SOURCE)?;
    let list = ("supported groups", "The groups in which the sender can agree on a secret, the best first.");
    numbers(groups, list, "supported group", SOURCE, told, |number| {
        let name = names::group(number);
        let value = names::named_hex(number, name);
        (name.map_or_else(|| value.clone(), str::to_owned), value, names::group_meaning(number).to_owned())
    });
    Some(())
}

pub(super) fn signature_algorithms(content: &mut Reader<'_>, told: &mut Told) -> Option<()> {
    const SOURCE: &str = "RFC 8446 §4.2.3";
    let schemes = told.vector16(content, "signature algorithms length", SOURCE)?;
    let list = ("signature algorithms", "The ways of signing that the sender can check, the best first.");
    numbers(schemes, list, "signature algorithm", SOURCE, told, |number| {
        let name = names::signature_scheme(number);
        let value = names::named_hex(number, name);
        (
            name.map_or_else(|| value.clone(), str::to_owned),
            value,
            names::signature_meaning(number).to_owned(),
        )
    });
    Some(())
}

pub(super) fn point_formats(content: &mut Reader<'_>, told: &mut Told) -> Option<()> {
    const SOURCE: &str = "RFC 8422 §5.1.2";
    let formats = told.vector8(content, "point formats length", SOURCE)?;
    bytes(formats, "point format", SOURCE, told, |format| match format {
        0 => (
            "0 (uncompressed)".into(),
            "Points are written with both coordinates: the only way still in use.".into(),
        ),
        _ => (format.to_string(), "A way of writing points that was given up.".into()),
    });
    Some(())
}

pub(super) fn psk_modes(content: &mut Reader<'_>, told: &mut Told) -> Option<()> {
    const SOURCE: &str = "RFC 8446 §4.2.9";
    let modes = told.vector8(content, "psk modes length", SOURCE)?;
    bytes(modes, "psk mode", SOURCE, told, |mode| match mode {
        0 => (
            "0 (psk_ke)".into(),
            "Keys from the earlier secret alone: who gets it later can read all.".into(),
        ),
        1 => (
            "1 (psk_dhe_ke)".into(),
            "Fresh keys besides the earlier secret: safe even if that leaks.".into(),
        ),
        _ => (mode.to_string(), "A mode that is not known here, perhaps GREASE.".into()),
    });
    Some(())
}

pub(super) fn certificate_compression(content: &mut Reader<'_>, told: &mut Told) -> Option<()> {
    const SOURCE: &str = "RFC 8879 §3";
    let algorithms = told.vector8(content, "compression algorithms length", SOURCE)?;
    let list = ("compression algorithms", "The ways of packing certificates that the sender can unpack.");
    numbers(algorithms, list, "compression algorithm", SOURCE, told, |number| {
        let name = match number {
            1 => Some("zlib"),
            2 => Some("brotli"),
            3 => Some("zstd"),
            _ => None,
        };
        let value = names::named(number, name);
        let meaning = match name {
            Some(name) => format!("Certificates may come packed by {name}."),
            None => "A way of packing that is not known here.".to_owned(),
        };
        (name.map_or_else(|| value.clone(), str::to_owned), value, meaning)
    });
    Some(())
}

pub(super) fn record_size(content: &mut Reader<'_>, told: &mut Told) -> Option<()> {
    told.u16(content, "record size limit", "RFC 8449 §4", |size| {
        (size.to_string(), format!("The sender takes records of at most {size} bytes inside."))
    })?;
    Some(())
}
