//! The same seed gives the same bytes on the wire; another seed gives others.

use framewise_core::seams::stream::TlsInfo;
use framewise_tls::{Authority, Config, ConfigError, Crypto, Roots, Server, Tls, Versions};

use crate::common::{App, NOW, Pair, TIME, Way, authority, client_config, server_config, simulated};

/// All bytes of three visits: the first with a certificate, the others resumed.
fn visits(seed: u64, versions: Versions) -> (Vec<Vec<u8>>, Vec<TlsInfo>) {
    let (mut client, mut server) = (client_config(seed), server_config(seed));
    (client.versions, server.versions) = (versions, versions);
    let mut pair = Pair::new(client, server);
    let (mut bytes, mut infos) = (Vec::new(), Vec::new());
    for index in 0..3 {
        pair.connect(index, "shop.test", App::sending(*b"question"));
        let info = pair.client_app(index).info.as_ref().and_then(|info| info.tls.clone());
        infos.push(info.expect("agreed on"));
        bytes.push(pair.log(index, Way::ToServer).0.to_vec());
        bytes.push(pair.log(index, Way::ToClient).0.to_vec());
    }
    (bytes, infos)
}

#[test]
fn the_same_seed_is_the_same_run_in_both_versions() {
    for versions in [Versions::Only12, Versions::Only13] {
        let (one, infos) = visits(7, versions);
        let (same, _) = visits(7, versions);
        assert!(one == same, "{versions:?}: byte for byte");
        assert_eq!(
            infos.iter().map(|info| info.resumed).collect::<Vec<_>>(),
            [false, true, true],
            "{versions:?}: resumption included"
        );
    }
}

#[test]
fn another_seed_is_another_run() {
    for versions in [Versions::Only12, Versions::Only13] {
        let ((one, _), (other, _)) = (visits(7, versions), visits(8, versions));
        assert!(one.iter().zip(&other).all(|(one, other)| one != other), "{versions:?}");
    }
}

#[test]
fn certificates_follow_from_seed_and_name_whatever_was_asked_before() {
    let (one, same) = (authority(7), authority(7));
    assert_eq!(one.certificate(), same.certificate());
    let shop = one.issue("shop.test", NOW).expect("a leaf");
    let other = same.issue("www.shop.test", NOW).expect("a leaf");
    assert_eq!(shop.chain, same.issue("shop.test", NOW).expect("a leaf").chain);
    assert_ne!(shop.chain, other.chain);
    assert_ne!(one.certificate(), authority(8).certificate());
}

#[test]
fn real_cryptography_is_never_the_same_twice() {
    let run = || {
        let (mut client, mut server) = (client_config(7), server_config(7));
        (client.crypto, server.crypto) = (Crypto::Real, Crypto::Real);
        let mut pair = Pair::new(client, server);
        pair.connect(0, "shop.test", App::sending(*b"question"));
        assert_eq!(pair.client_app(0).received, b"answer");
        pair.log(0, Way::ToServer).0.to_vec()
    };
    assert_ne!(run(), run());
}

#[test]
fn simulated_cryptography_is_refused_with_anything_of_the_real_world() {
    let refused = |config: Config| matches!(Tls::new(config), Err(ConfigError::SimulatedWithReal(_)));
    for roots in [Roots::System, Roots::WebPki] {
        let mut config = Config::new(TIME, simulated(7, "me"));
        config.client.roots = vec![roots];
        assert!(refused(config));
    }
    let mut config = Config::new(TIME, simulated(7, "me"));
    config.server = Some(Server::Authority(Authority::create(NOW).expect("an authority")));
    assert!(refused(config));
}
