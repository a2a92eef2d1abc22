//! Each way in which a certificate can be bad has its name and its sentence.

use framewise_core::seams::stream::TlsErrorKind;
use framewise_tls::{CertificateChain, Config, Crypto, Identity, PrivateKey, Roots, Server};
use rcgen::{
    BasicConstraints, Certificate, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};

use crate::common::{App, Pair, TIME, client_config, server_config};

/// An authority of the tests, without constraints.
struct Ca {
    params: CertificateParams,
    key: KeyPair,
    certificate: Certificate,
}

fn ca() -> Ca {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(rcgen::DnType::CommonName, "A Test Authority");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    let key = KeyPair::generate().expect("a key");
    let certificate = params.self_signed(&key).expect("signed");
    Ca { params, key, certificate }
}

/// What the client makes of a server that shows a leaf of this kind.
fn visit(leaf: impl FnOnce(&mut CertificateParams)) -> Pair {
    let ca = ca();
    let (mut params, key) = (good(), KeyPair::generate().expect("a key"));
    leaf(&mut params);
    let issuer = Issuer::from_params(&ca.params, &ca.key);
    let certificate = params.signed_by(&key, &issuer).expect("signed");
    visit_server(&certificate, &key, Roots::Pem(ca.certificate.pem().into_bytes()))
}

fn good() -> CertificateParams {
    let mut params = CertificateParams::new(["shop.test".to_owned()]).expect("a name");
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params
}

fn visit_server(certificate: &Certificate, key: &KeyPair, roots: Roots) -> Pair {
    visit_with(&certificate.pem(), &key.serialize_pem(), roots)
}

/// The same with chain and key in PEM.
fn visit_with(chain: &str, key: &str, roots: Roots) -> Pair {
    visit_as("shop.test", chain, key, roots)
}

/// The same with the name that is asked for.
fn visit_as(name: &str, chain: &str, key: &str, roots: Roots) -> Pair {
    let (mut client, mut server) = (Config::new(TIME, Crypto::Real), Config::new(TIME, Crypto::Real));
    client.client.roots = vec![roots];
    server.server = Some(Server::Identities(vec![Identity {
        chain: CertificateChain::from_pem(chain.as_bytes()).expect("a chain"),
        key: PrivateKey::from_pem(key.as_bytes()).expect("a key"),
    }]));
    let mut pair = Pair::new(client, server);
    pair.connect(0, name, App::sending(*b"question"));
    pair
}

fn assert_refused(pair: &Pair, kind: TlsErrorKind, sentence: &str) {
    let app = pair.client_app(0);
    assert_eq!(app.error_kind(), Some(kind), "{}", app.detail());
    assert_eq!(app.detail(), sentence);
    assert_eq!(app.info, None, "never opened");
    assert!(pair.server.apps.is_empty() || pair.server_app(0).received.is_empty());
}

#[test]
fn a_good_one_is_accepted() {
    assert_eq!(visit(|_| {}).client_app(0).received, b"answer");
}

#[test]
fn expired() {
    let pair = visit(|leaf| leaf.not_after = date_time_ymd(2026, 11, 20));
    let sentence = "the certificate of shop.test expired on 2026-11-20";
    assert_refused(&pair, TlsErrorKind::CertificateExpired, sentence);
}

#[test]
fn not_yet_valid() {
    let pair = visit(|leaf| leaf.not_before = date_time_ymd(2026, 12, 24));
    let sentence = "the certificate of shop.test is valid only from 2026-12-24 on";
    assert_refused(&pair, TlsErrorKind::CertificateNotYetValid, sentence);
}

#[test]
fn for_another_name() {
    let pair = visit(|leaf| {
        let names = ["bank.test".to_owned(), "www.bank.test".to_owned()];
        leaf.subject_alt_names = CertificateParams::new(names).expect("names").subject_alt_names;
    });
    let sentence = "the certificate is not for shop.test: it is for bank.test or www.bank.test";
    assert_refused(&pair, TlsErrorKind::CertificateWrongName, sentence);
}

#[test]
fn for_another_use() {
    let pair = visit(|leaf| leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth]);
    let sentence = "the certificate of shop.test is not made for servers";
    assert_refused(&pair, TlsErrorKind::CertificateWrongUse, sentence);
}

#[test]
fn self_signed() {
    let key = KeyPair::generate().expect("a key");
    let certificate = good().self_signed(&key).expect("signed");
    let pair = visit_server(&certificate, &key, Roots::Pem(ca().certificate.pem().into_bytes()));
    let sentence = "the certificate of shop.test is self-signed: nobody but itself vouches for it";
    assert_refused(&pair, TlsErrorKind::CertificateSelfSigned, sentence);
}

#[test]
fn an_authoritys_own_is_not_told_as_one_that_only_lacks_trust() {
    let (mut params, key) = (good(), KeyPair::generate().expect("a key"));
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let certificate = params.self_signed(&key).expect("signed");
    let sentence = "the certificate of shop.test is an authority's, made to sign others \
                    (basicConstraints CA:TRUE), and is not taken for a server's own, trusted or not";
    for trusted in [&certificate, &ca().certificate] {
        let pair = visit_server(&certificate, &key, Roots::Pem(trusted.pem().into_bytes()));
        assert_refused(&pair, TlsErrorKind::CertificateOfAuthority, sentence);
    }
}

#[test]
fn who_has_the_name_of_the_issuer_is_not_the_issuer() {
    let (mut params, key) = (good(), KeyPair::generate().expect("a key"));
    params.distinguished_name.push(rcgen::DnType::CommonName, "shop.test");
    let other = KeyPair::generate().expect("a key");
    let certificate = params.signed_by(&key, &Issuer::from_params(&params, &other)).expect("signed");
    let pair = visit_server(&certificate, &key, Roots::Pem(ca().certificate.pem().into_bytes()));
    let sentence = "the certificate of shop.test was issued by somebody who has its own name, \"shop.test\", \
                    and another key, whom none of our roots knows";
    assert_refused(&pair, TlsErrorKind::CertificateUnknownIssuer, sentence);
}

#[test]
fn of_an_unknown_issuer() {
    let (ca, key) = (ca(), KeyPair::generate().expect("a key"));
    let issuer = Issuer::from_params(&ca.params, &ca.key);
    let certificate = good().signed_by(&key, &issuer).expect("signed");
    let pair = visit_server(&certificate, &key, Roots::WebPki);
    let app = pair.client_app(0);
    assert_eq!(app.error_kind(), Some(TlsErrorKind::CertificateUnknownIssuer), "{}", app.detail());
    let sentence =
        "the certificate of shop.test was issued by \"A Test Authority\", whom none of our roots knows";
    assert_eq!(app.detail(), sentence);
    assert_eq!(pair.client.watcher.notes[0], ("failed", format!("I broke off: {sentence}")));
    let server = &pair.server.watcher.notes;
    assert!(
        server.iter().any(|(_, text)| text.contains("unknown_ca")),
        "the alert reached the server: {server:?}"
    );
}

/// What the client makes of a leaf that was issued by an intermediate of this kind.
fn visit_chain(intermediate: impl FnOnce(&mut CertificateParams), shown: bool) -> Pair {
    let ca = ca();
    let root = Issuer::from_params(&ca.params, &ca.key);
    let (mut middle, middle_key) = (CertificateParams::default(), KeyPair::generate().expect("a key"));
    middle.distinguished_name.push(rcgen::DnType::CommonName, "One In Between");
    middle.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    intermediate(&mut middle);
    let middle_certificate = middle.signed_by(&middle_key, &root).expect("signed");
    let key = KeyPair::generate().expect("a key");
    let leaf = good().signed_by(&key, &Issuer::from_params(&middle, &middle_key)).expect("signed");
    let mut chain = leaf.pem();
    if shown {
        chain.push_str(&middle_certificate.pem());
    }
    visit_with(&chain, &key.serialize_pem(), Roots::Pem(ca.certificate.pem().into_bytes()))
}

#[test]
fn a_chain_with_an_authority_in_between_is_accepted() {
    assert_eq!(visit_chain(|_| {}, true).client_app(0).received, b"answer");
}

#[test]
fn a_chain_that_lacks_its_middle() {
    let pair = visit_chain(|_| {}, false);
    let sentence =
        "the certificate of shop.test was issued by \"One In Between\", whom none of our roots knows";
    assert_refused(&pair, TlsErrorKind::CertificateUnknownIssuer, sentence);
}

#[test]
fn a_chain_through_one_who_is_no_authority() {
    let pair = visit_chain(|middle| middle.is_ca = IsCa::ExplicitNoCa, true);
    let sentence = "a certificate in the chain of shop.test vouches for another, and is no authority's";
    assert_refused(&pair, TlsErrorKind::CertificateBad, sentence);
}

#[test]
fn a_fault_of_one_in_between_is_not_told_as_the_servers() {
    use TlsErrorKind as K;
    type Spoil = fn(&mut CertificateParams);
    let cases: [(Spoil, K, &str); 3] = [
        (
            |middle| middle.not_after = date_time_ymd(2026, 11, 20),
            K::CertificateExpired,
            "expired on 2026-11-20",
        ),
        (
            |middle| middle.not_before = date_time_ymd(2026, 12, 24),
            K::CertificateNotYetValid,
            "is valid only from 2026-12-24 on",
        ),
        (
            |middle| middle.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth],
            K::CertificateWrongUse,
            "is not made for servers",
        ),
    ];
    for (spoil, kind, what) in cases {
        let sentence = format!("a certificate above that of shop.test, CN=One In Between, {what}");
        assert_refused(&visit_chain(spoil, true), kind, &sentence);
    }
}

#[test]
fn a_signature_that_is_wrong_is_the_fault_of_the_certificate_that_it_is_in() {
    let (ca, other) = (ca(), KeyPair::generate().expect("a key"));
    let key = KeyPair::generate().expect("a key");
    let leaf = good().signed_by(&key, &Issuer::from_params(&ca.params, &other)).expect("signed");
    let roots = || Roots::Pem(ca.certificate.pem().into_bytes());
    let sentence = "the certificate of shop.test has a signature that is wrong";
    assert_refused(&visit_server(&leaf, &key, roots()), TlsErrorKind::CertificateBad, sentence);

    let (mut middle, middle_key) = (CertificateParams::default(), KeyPair::generate().expect("a key"));
    middle.distinguished_name.push(rcgen::DnType::CommonName, "One In Between");
    middle.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let forged = middle.signed_by(&middle_key, &Issuer::from_params(&ca.params, &other)).expect("signed");
    let leaf = good().signed_by(&key, &Issuer::from_params(&middle, &middle_key)).expect("signed");
    let pair = visit_with(&(leaf.pem() + &forged.pem()), &key.serialize_pem(), roots());
    let sentence = "a certificate above that of shop.test, CN=One In Between, has a signature that is wrong";
    assert_refused(&pair, TlsErrorKind::CertificateBad, sentence);
}

/// Made by `openssl`, as its first line says; ours makes no such keys.
const SHORT_KEY_ABOVE: &str = include_str!("pem/short_key_above.pem");

#[test]
fn a_key_that_is_too_short_is_named_wherever_in_the_chain_it_is() {
    let (chain, rest) = SHORT_KEY_ABOVE.split_once("# the root\n").expect("a root");
    let (root, key) = rest.split_once("# the key\n").expect("a key");
    let pair = visit_with(chain, key, Roots::Pem(root.as_bytes().to_vec()));
    let sentence = "a certificate above that of shop.test, CN=One In Between, has a weak key: \
                    RSA of 1024 bits, at least 2048 are wanted";
    assert_refused(&pair, TlsErrorKind::CertificateBad, sentence);

    // The same key where the one in between is the root.
    let (leaf, middle) = chain.split_once("# the one in between\n").expect("one in between");
    let pair = visit_with(leaf, key, Roots::Pem(middle.as_bytes().to_vec()));
    assert_refused(&pair, TlsErrorKind::CertificateBad, sentence);
}

#[test]
fn an_insecure_client_takes_any_and_says_so() {
    let (mut client, server) = (client_config(7), server_config(8));
    client.client.verify = false;
    let mut pair = Pair::new(client, server);
    pair.connect(0, "shop.test", App::sending(*b"question"));
    let app = pair.client_app(0);
    assert_eq!(app.received, b"answer");
    assert_eq!(app.info.as_ref().and_then(|info| Some(info.tls.as_ref()?.verified)), Some(false));
    assert_eq!(pair.client.watcher.notes[0].1, "keys agreed; nobody checked with whom (insecure)");
}

#[test]
fn a_secure_client_does_not_take_another_authority() {
    let mut pair = Pair::new(client_config(7), server_config(8));
    pair.connect(0, "shop.test", App::sending(*b"question"));
    assert_eq!(pair.client_app(0).error_kind(), Some(TlsErrorKind::CertificateUnknownIssuer));
}

#[test]
fn the_server_shows_the_certificate_of_the_name_that_is_asked_for() {
    let ca = ca();
    let issuer = Issuer::from_params(&ca.params, &ca.key);
    let identities = ["first.test", "shop.test", "*.wild.test"].map(|name| {
        let key = KeyPair::generate().expect("a key");
        let params = CertificateParams::new([name.to_owned()]).expect("a name");
        let certificate = params.signed_by(&key, &issuer).expect("signed");
        let identity = Identity {
            chain: CertificateChain::from_pem(certificate.pem().as_bytes()).expect("a chain"),
            key: PrivateKey::from_pem(key.serialize_pem().as_bytes()).expect("a key"),
        };
        assert_eq!(identity.names(), [name]);
        identity
    });
    let (mut client, mut server) = (Config::new(TIME, Crypto::Real), Config::new(TIME, Crypto::Real));
    client.client.roots = vec![Roots::Pem(ca.certificate.pem().into_bytes())];
    server.server = Some(Server::Identities(identities.to_vec()));
    let mut pair = Pair::new(client, server);
    for (index, name) in ["shop.test", "a.wild.test", "first.test", "SHOP.test."].into_iter().enumerate() {
        pair.connect(index, name, App::sending(*b"question"));
        assert_eq!(pair.client_app(index).received, b"answer", "{name}: {}", pair.client_app(index).detail());
    }
    pair.connect(9, "unknown.test", App::sending(*b"question"));
    let sentence = "the certificate is not for unknown.test: it is for first.test";
    assert_eq!(pair.client_app(9).detail(), sentence, "the first is for all others");
}

#[test]
fn a_name_that_is_none_is_refused_before_anything_is_sent() {
    let mut pair = Pair::new(client_config(7), server_config(7));
    pair.connect(0, "no name", App::sending(*b"question"));
    assert_eq!(pair.client_app(0).error_kind(), Some(TlsErrorKind::CertificateWrongName));
    assert_eq!(pair.client_app(0).detail(), "\"no name\" is not a name that a certificate could be for");
}

/// What a layer says that is to serve by the certificate and key of this PEM text.
fn served(pem: &str) -> Result<(), String> {
    let mut server = Config::new(TIME, Crypto::Real);
    server.server = Some(Server::Identities(vec![Identity {
        chain: CertificateChain::from_pem(pem.as_bytes()).expect("a chain"),
        key: PrivateKey::from_pem(pem.as_bytes()).expect("a key"),
    }]));
    framewise_tls::Tls::new(server).map(|_| ()).map_err(|error| error.to_string())
}

#[test]
fn a_key_that_no_server_can_use_is_told_by_its_kind() {
    for (pem, kind) in [
        (include_str!("pem/p521.pem"), "ECDSA on P-521"),
        (include_str!("pem/secp256k1.pem"), "ECDSA on secp256k1"),
        (include_str!("pem/dsa.pem"), "DSA"),
        (include_str!("pem/rsa1024.pem"), "RSA of 1024 bits"),
    ] {
        let sentence = format!(
            "a server can't use this key, {kind}: \
             it must be RSA of 2048 to 4096 bits, ECDSA on P-256 or P-384, or Ed25519"
        );
        assert_eq!(served(pem), Err(sentence));
    }
}

#[test]
fn a_pair_that_is_none_and_a_certificate_that_is_too_large_are_told_apart() {
    let (key, other) = (KeyPair::generate().expect("a key"), KeyPair::generate().expect("a key"));
    let certificate = good().self_signed(&key).expect("signed").pem();
    assert_eq!(served(&(certificate.clone() + &key.serialize_pem())), Ok(()));
    let sentence = "the key is not the one of the server's certificate";
    assert_eq!(served(&(certificate + &other.serialize_pem())), Err(sentence.to_owned()));

    let names = (0..4_000).map(|number| format!("name-{number}.shop.test"));
    let large = CertificateParams::new(names.collect::<Vec<_>>()).expect("names");
    let large = large.self_signed(&key).expect("signed").pem();
    let error = served(&(large + &key.serialize_pem())).expect_err("too large");
    assert!(error.contains("bytes: at most 65535 are taken"), "{error}");
}

#[test]
fn a_key_with_a_passphrase_is_there_and_locked() {
    let (new, old) = include_str!("pem/locked.pem").split_once("# the same").expect("two keys");
    for pem in [new, old] {
        let error = PrivateKey::from_pem(pem.as_bytes()).expect_err("locked");
        assert_eq!(error, framewise_tls::MaterialError::Locked, "{pem}");
    }
}

#[test]
fn the_names_of_a_certificate_are_told_as_they_stand_in_it() {
    use rcgen::SanType;
    let dns = |text: &str| SanType::DnsName(text.try_into().expect("a name"));
    let address = |text: &str| SanType::IpAddress(text.parse().expect("an address"));
    for (names, told) in [
        (vec![address("198.51.100.2"), dns("a.test")], "it is for 198.51.100.2 or a.test"),
        (vec![dns("a\".test")], "it is for a\\\".test"),
        (
            vec![],
            "it has only the common name shop.test, which does not count (RFC 9525), and no subjectAltName",
        ),
    ] {
        let pair = visit(|leaf| {
            leaf.distinguished_name.push(rcgen::DnType::CommonName, "shop.test");
            leaf.subject_alt_names = names;
        });
        let sentence = format!("the certificate is not for shop.test: {told}");
        assert_refused(&pair, TlsErrorKind::CertificateWrongName, &sentence);
    }
}

#[test]
fn an_address_as_a_dns_name_is_no_address() {
    let ca = ca();
    let key = KeyPair::generate().expect("a key");
    let mut params = good();
    params.subject_alt_names = vec![rcgen::SanType::DnsName("203.0.113.80".try_into().expect("a name"))];
    let certificate = params.signed_by(&key, &Issuer::from_params(&ca.params, &ca.key)).expect("signed");
    let roots = Roots::Pem(ca.certificate.pem().into_bytes());
    let pair = visit_as("203.0.113.80", &certificate.pem(), &key.serialize_pem(), roots);
    let sentence = "the certificate is not for 203.0.113.80: it is for 203.0.113.80 as a DNS name, \
                    which an address is not (RFC 5280, section 4.2.1.6)";
    assert_refused(&pair, TlsErrorKind::CertificateWrongName, sentence);
}

#[test]
fn a_salt_of_another_length_is_not_called_out_of_date() {
    let (leaf, rest) = include_str!("pem/long_salt.pem").split_once("# the root\n").expect("a root");
    let (root, key) = rest.split_once("# the key\n").expect("a key");
    let pair = visit_with(leaf, key, Roots::Pem(root.as_bytes().to_vec()));
    let sentence = "the certificate of shop.test is signed by RSA-PSS with a salt of 48 bytes, and that is taken only \
                    with SHA-256, SHA-384 or SHA-512 and a salt as long as the hash (RFC 8446, section 4.2.3)";
    assert_refused(&pair, TlsErrorKind::CertificateBad, sentence);
}

#[test]
fn a_chain_that_is_too_long_is_told_in_words() {
    let ca = ca();
    let mut issuer = (ca.params, ca.key);
    let mut above = String::new();
    for number in 0..8 {
        let (mut params, key) = (CertificateParams::default(), KeyPair::generate().expect("a key"));
        params.distinguished_name.push(rcgen::DnType::CommonName, format!("Number {number}"));
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let certificate = params.signed_by(&key, &Issuer::from_params(&issuer.0, &issuer.1)).expect("signed");
        above.insert_str(0, &certificate.pem());
        issuer = (params, key);
    }
    let key = KeyPair::generate().expect("a key");
    let leaf = good().signed_by(&key, &Issuer::from_params(&issuer.0, &issuer.1)).expect("signed");
    let roots = Roots::Pem(ca.certificate.pem().into_bytes());
    let pair = visit_with(&(leaf.pem() + &above), &key.serialize_pem(), roots);
    let sentence =
        "the certificate of shop.test has a longer chain than the 6 authorities that are gone through";
    assert_refused(&pair, TlsErrorKind::CertificateBad, sentence);
}
