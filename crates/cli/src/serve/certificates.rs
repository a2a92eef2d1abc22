//! Whose certificates are shown.

use std::path::{Path, PathBuf};

use framewise::tls::store::StoreError;
use framewise::tls::{CertificateChain, Identity, MaterialError, PrivateKey, Server, store};

use crate::args;
use crate::exit::{Failure, Kind, with_causes};
use crate::real;

/// The certificate given, or the lab's authority.
pub(super) fn certificates(args: &args::Serve) -> Result<Server, Failure> {
    let (Some(cert), Some(key)) = (&args.cert, &args.key) else {
        return lab_authority(args).map(Server::Authority);
    };
    let read = |path: &Path| {
        std::fs::read(path)
            .map_err(|error| Failure::new(Kind::File, format!("{} can't be read: {error}", path.display())))
    };
    let chain = CertificateChain::from_pem(&read(cert)?).map_err(|error| wrong(cert, &error))?;
    let key_file = key;
    let key = PrivateKey::from_pem(&read(key_file)?).map_err(|error| wrong(key_file, &error))?;
    Ok(Server::Identities(vec![Identity { chain, key }]))
}

fn wrong(path: &Path, error: &MaterialError) -> Failure {
    let path = path.display();
    let failure = Failure::new(Kind::Tls, format!("{path}: {error}"));
    match error {
        MaterialError::Locked => failure.next(format!(
            "openssl pkey -in {path} -out unlocked.pem     (asks for the passphrase, and writes the key without)"
        )),
        _ => failure,
    }
}

fn lab_authority(args: &args::Serve) -> Result<framewise::tls::Authority, Failure> {
    let directory = ca_directory(args.ca_dir.as_deref());
    let authority = store::load_or_create(&directory, real::unix_seconds());
    authority.map_err(|error| {
        let failure =
            Failure::new(Kind::Tls, format!("the lab's authority for https: {}", with_causes(&error)));
        match error {
            StoreError::Io { .. } => {
                failure.next("the same with --https 0, or with --ca-dir and a folder that can be written to")
            }
            _ => failure,
        }
    })
}

/// Where the lab's authority is kept.
pub(crate) fn ca_directory(asked: Option<&Path>) -> PathBuf {
    let home = |name: &str, below: &str| std::env::var_os(name).map(|base| PathBuf::from(base).join(below));
    asked
        .map(Path::to_owned)
        .or_else(|| home("XDG_DATA_HOME", "framewise/ca"))
        .or_else(|| home("HOME", ".local/share/framewise/ca"))
        .unwrap_or_else(|| PathBuf::from("framewise-ca"))
}
