//! The names of TLS' numbers, and what they mean: the registries of RFC 8446 section 11 and of RFC 8447.

/// A number with its name, as fields show them: `29 (x25519)`.
pub(super) fn named(number: u16, name: Option<&str>) -> String {
    match name {
        Some(name) => format!("{number} ({name})"),
        None if is_grease(number) => format!("{number} (GREASE)"),
        None => number.to_string(),
    }
}

/// The same with the number in hexadecimal digits: `0x1301 (TLS_AES_128_GCM_SHA256)`.
pub(super) fn named_hex(number: u16, name: Option<&str>) -> String {
    match name {
        Some(name) => format!("{number:#06x} ({name})"),
        None if is_grease(number) => format!("{number:#06x} (GREASE)"),
        None => format!("{number:#06x}"),
    }
}

/// Numbers that mean nothing, which clients put among the others so that servers get used to what they don't know
/// (RFC 8701, section 2).
pub(super) fn is_grease(number: u16) -> bool {
    let [high, low] = number.to_be_bytes();
    high == low && low & 0x0f == 0x0a
}

/// The sentence for such a number.
pub(super) const GREASE: &str =
    "GREASE: means nothing; it is sent so that servers stay used to what they don't know.";

/// A cipher suite's name, where it has one here.
pub(super) fn cipher_suite(number: u16) -> Option<String> {
    Some(crate::handshake::cipher_suite(number)).filter(|name| !name.starts_with("0x"))
}

/// What a cipher suite does, by its name: how it seals, and what it leaves to others.
pub(super) fn cipher_suite_meaning(number: u16) -> String {
    if is_grease(number) {
        return GREASE.to_owned();
    }
    let Some(name) = cipher_suite(number) else {
        return "A way of sealing that is not known here.".to_owned();
    };
    match number {
        0x00ff => {
            return "No cipher: the client promises that it is not being led into an old hole.".to_owned();
        }
        0x5600 => {
            return "No cipher: the client says that it speaks an older version only by need.".to_owned();
        }
        _ => {}
    }
    let seal = match name.as_str() {
        name if name.contains("CHACHA20") => "ChaCha20-Poly1305 seals, fast even without special hardware",
        name if name.contains("AES_256_GCM") => "AES-GCM with keys of 256 bits seals",
        name if name.contains("AES_128_GCM") => {
            "AES-GCM with keys of 128 bits seals, which is enough and faster"
        }
        name if name.contains("CCM") => "AES-CCM seals, which small devices prefer",
        name if name.contains("CBC") => "AES-CBC encrypts: an old way that was attacked often",
        _ => "an old cipher",
    };
    let keys = match name.as_str() {
        name if name.starts_with("TLS_ECDHE_RSA") => "; keys by ECDHE, signed with RSA",
        name if name.starts_with("TLS_ECDHE_ECDSA") => "; keys by ECDHE, signed with ECDSA",
        name if name.starts_with("TLS_DHE") => "; keys by Diffie-Hellman, signed with RSA",
        name if name.starts_with("TLS_RSA") => "; whoever gets the server's key later can read all",
        _ => "",
    };
    super::sentence(&format!("{seal}{keys}"))
}

/// A group of RFC 8446 section 4.2.7, in which two sides agree on a secret.
pub(super) fn group(number: u16) -> Option<&'static str> {
    Some(match number {
        0x0015 => "secp224r1",
        0x0017 => "secp256r1",
        0x0018 => "secp384r1",
        0x0019 => "secp521r1",
        0x001d => "x25519",
        0x001e => "x448",
        0x0100 => "ffdhe2048",
        0x0101 => "ffdhe3072",
        0x0102 => "ffdhe4096",
        0x0103 => "ffdhe6144",
        0x0104 => "ffdhe8192",
        0x11eb => "SecP256r1MLKEM768",
        0x11ec => "X25519MLKEM768",
        0x11ed => "SecP384r1MLKEM1024",
        0x6399 => "X25519Kyber768Draft00",
        _ => return None,
    })
}

pub(super) fn group_meaning(number: u16) -> &'static str {
    match number {
        0x001d => "An elliptic curve that is fast and hard to get wrong: the usual choice.",
        0x001e => "The larger sister of x25519.",
        0x0015 | 0x0017..=0x0019 => "An elliptic curve of the American standards office.",
        0x0100..=0x0104 => "Diffie-Hellman with numbers of thousands of bits, without curves.",
        0x11eb..=0x11ed | 0x6399 => {
            "A curve and a lattice together: safe even from a quantum computer of later days."
        }
        number if is_grease(number) => GREASE,
        _ => "A group that is not known here.",
    }
}

/// A signature scheme of RFC 8446 section 4.2.3.
pub(super) fn signature_scheme(number: u16) -> Option<&'static str> {
    Some(match number {
        0x0201 => "rsa_pkcs1_sha1",
        0x0203 => "ecdsa_sha1",
        0x0401 => "rsa_pkcs1_sha256",
        0x0403 => "ecdsa_secp256r1_sha256",
        0x0501 => "rsa_pkcs1_sha384",
        0x0503 => "ecdsa_secp384r1_sha384",
        0x0601 => "rsa_pkcs1_sha512",
        0x0603 => "ecdsa_secp521r1_sha512",
        0x0804 => "rsa_pss_rsae_sha256",
        0x0805 => "rsa_pss_rsae_sha384",
        0x0806 => "rsa_pss_rsae_sha512",
        0x0807 => "ed25519",
        0x0808 => "ed448",
        0x0809 => "rsa_pss_pss_sha256",
        0x080a => "rsa_pss_pss_sha384",
        0x080b => "rsa_pss_pss_sha512",
        _ => return None,
    })
}

pub(super) fn signature_meaning(number: u16) -> &'static str {
    match (signature_scheme(number), number) {
        (Some("rsa_pkcs1_sha1" | "ecdsa_sha1"), _) => {
            "Rests on SHA-1, which is broken: nobody should accept it."
        }
        (Some(name), _) if name.starts_with("rsa_pkcs1") => {
            "RSA in its old form: in TLS 1.3 only certificates may be signed so."
        }
        (Some(name), _) if name.starts_with("rsa_pss") => "RSA in its newer form.",
        (Some(name), _) if name.starts_with("ecdsa") => "ECDSA: short signatures on an elliptic curve.",
        (Some(_), _) => "EdDSA: short signatures that need no luck with random numbers.",
        (None, number) if is_grease(number) => GREASE,
        (None, _) => "A way of signing that is not known here.",
    }
}

/// A protocol version, as names in brackets show it.
pub(super) fn version(number: u16) -> String {
    match is_grease(number) {
        true => format!("{number:#06x} (GREASE)"),
        false => format!("{number:#06x} ({})", crate::handshake::version(number)),
    }
}
