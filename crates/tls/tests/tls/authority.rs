//! The lab's authority: kept well, and of no use outside of the lab.

use framewise_core::seams::stream::TlsErrorKind;
use framewise_tls::{
    Authority, AuthorityError, CertificateChain, Config, Crypto, Identity, PrivateKey, Roots, Server, store,
};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, PKCS_ECDSA_P256_SHA256};

use crate::common::{App, NOW, Pair, TIME};

#[test]
fn it_vouches_for_test_names_and_private_addresses_only() {
    let authority = Authority::create(NOW).expect("an authority");
    for name in [
        "shop.test",
        "a.b.test",
        "10.1.2.3",
        "172.31.0.1",
        "192.168.1.1",
        "127.0.0.1",
        "192.0.2.1",
        "198.51.100.7",
        "203.0.113.80",
        "fd00::1",
        "2001:db8::1",
        "::1",
        "SHOP.TEST",
    ] {
        assert!(authority.issue(name, NOW).is_ok(), "{name}");
    }
    for name in [
        "example.com",
        "test",
        ".test",
        "shoptest",
        "test.com",
        "8.8.8.8",
        "172.32.0.1",
        "2001:4860::1",
        "::2",
    ] {
        let refused = matches!(authority.issue(name, NOW), Err(AuthorityError::OutsideConstraints(_)));
        assert!(refused, "{name}");
    }
}

#[test]
fn it_is_made_once_and_its_key_is_for_its_owner_only() {
    let directory = tempfile::tempdir().expect("a directory");
    let inside = directory.path().join("lab");
    let made = store::load_or_create(&inside, NOW).expect("made");
    let again = store::load_or_create(&inside, NOW + 1_000_000).expect("loaded");
    assert_eq!(made.certificate(), again.certificate());
    let beside = std::fs::read_to_string(inside.join(store::CERTIFICATE_FILE)).expect("the certificate");
    assert_eq!(beside, made.certificate_pem());
    assert!(!beside.contains("PRIVATE"), "the file for browsers holds no key");
    assert_eq!(std::fs::read_dir(&inside).expect("a directory").count(), 2, "nothing is left over");
}

#[cfg(unix)]
#[test]
fn the_key_has_mode_0600_and_is_refused_with_any_other() {
    use std::os::unix::fs::PermissionsExt as _;
    let directory = tempfile::tempdir().expect("a directory");
    store::load_or_create(directory.path(), NOW).expect("made");
    let key = directory.path().join(store::KEY_FILE);
    let mode = std::fs::metadata(&key).expect("the key").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).expect("opened");
    let refused = store::load(directory.path()).expect_err("too open");
    assert!(matches!(refused, store::StoreError::TooOpen { mode: 0o644, .. }), "{refused}");
}

#[test]
fn a_loaded_authority_is_believed_by_those_who_trust_the_made_one() {
    let directory = tempfile::tempdir().expect("a directory");
    let made = store::load_or_create(directory.path(), NOW).expect("made");
    let loaded = store::load(directory.path()).expect("loaded");
    let pair = visit(made, Server::Authority(loaded), "shop.test");
    assert_eq!(pair.client_app(0).received, b"answer", "{}", pair.client_app(0).detail());
}

fn visit(trusted: Authority, server: Server, name: &str) -> Pair {
    let (mut client, mut config) = (Config::new(TIME, Crypto::Real), Config::new(TIME, Crypto::Real));
    client.client.roots = vec![Roots::Lab(trusted.certificate().clone())];
    config.server = Some(server);
    let mut pair = Pair::new(client, config);
    pair.connect(0, name, App::sending(*b"question"));
    pair
}

/// Whoever stole the key signs what they like; the constraints in the certificate stop it all the same.
#[test]
fn its_constraints_hold_against_a_thief() {
    let directory = tempfile::tempdir().expect("a directory");
    let authority = store::load_or_create(directory.path(), NOW).expect("made");
    let pem = std::fs::read(directory.path().join(store::KEY_FILE)).expect("the key");
    let stolen = PrivateKey::from_pem(&pem).expect("a key");
    drop(stolen);
    let text = String::from_utf8(pem).expect("text");
    let key_pem = text.split_inclusive("-----END PRIVATE KEY-----").next().expect("the key");
    let key = KeyPair::from_pem(key_pem).expect("a key");
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let tag: String = key.public_key_raw()[1..5].iter().map(|byte| format!("{byte:02x}")).collect();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(rcgen::DnType::CommonName, format!("framewise lab authority {tag}"));
    let leaf_key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).expect("a key");
    let issuer = Issuer::from_params(&params, &key);
    for (name, accepted) in [("shop.test", true), ("bank.example", false)] {
        let leaf = CertificateParams::new([name.to_owned()]).expect("a name");
        let leaf = leaf.signed_by(&leaf_key, &issuer).expect("signed");
        let identity = Identity {
            chain: CertificateChain::from_pem(leaf.pem().as_bytes()).expect("a chain"),
            key: PrivateKey::from_pem(leaf_key.serialize_pem().as_bytes()).expect("a key"),
        };
        let pair = visit(authority.clone(), Server::Identities(vec![identity]), name);
        assert_eq!(
            pair.client_app(0).received == b"answer",
            accepted,
            "{name}: {}",
            pair.client_app(0).detail()
        );
        if !accepted {
            assert_eq!(pair.client_app(0).error_kind(), Some(TlsErrorKind::CertificateBad));
            let sentence = "the authority behind the certificate of bank.example may not vouch for that name";
            assert_eq!(pair.client_app(0).detail(), sentence);
        }
    }
}

#[test]
fn a_name_outside_of_its_constraints_gets_no_certificate() {
    let authority = Authority::create(NOW).expect("an authority");
    let pair = visit(authority.clone(), Server::Authority(authority), "bank.example");
    assert_eq!(pair.client_app(0).error_kind(), Some(TlsErrorKind::Alert));
    let sentence = "I broke off: there is no certificate here for bank.example";
    assert_eq!(pair.server.watcher.notes, [("failed", sentence.to_owned())]);
}

#[test]
fn a_key_of_another_authority_is_refused() {
    let directories = [tempfile::tempdir().expect("one"), tempfile::tempdir().expect("other")];
    let [one, other] = &directories;
    let one = store::load_or_create(one.path(), NOW).expect("made");
    store::load_or_create(other.path(), NOW).expect("made");
    let key = std::fs::read(other.path().join(store::KEY_FILE)).expect("the key");
    let refused = Authority::from_pem(one.certificate_pem().as_bytes(), &key);
    assert!(matches!(refused, Err(AuthorityError::KeyMismatch)));
}
