//! Apache, serving given bodies over http and https.

use crate::certificates::Identity;
use crate::peers::Tls;
use crate::place::Place;
use crate::process::Running;
use crate::skip::skip_because;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;
use tempfile::TempDir;

const READY: Duration = Duration::from_secs(20);

/// The modules of Debian's package that are needed here.
const MODULES: [&str; 6] = ["mpm_event", "authz_core", "alias", "filter", "deflate", "ssl"];

/// What an Apache is to do, before it is started.
pub struct Apache {
    listens: Vec<(String, Option<Tls>)>,
    pages: Vec<(String, Vec<u8>)>,
    identity: Identity,
}

impl Apache {
    /// An Apache that listens nowhere and has no pages, with its certificate for https.
    pub fn new(identity: Identity) -> Self {
        Apache { listens: Vec::new(), pages: Vec::new(), identity }
    }

    /// Listens at an address such as `192.0.2.1:80` or `[2001:db8::1]:80`: in TLS where a version is given.
    pub fn listen(mut self, address: &str, tls: Option<Tls>) -> Self {
        self.listens.push((address.to_owned(), tls));
        self
    }

    /// Serves `body` at `/length/name`, and compressed at `/gzip/name`.
    pub fn page(mut self, name: &str, body: &[u8]) -> Self {
        self.pages.push((name.to_owned(), body.to_vec()));
        self
    }

    /// Starts it and waits until it listens. Skips the test where Apache may not serve as a user of its own, as it wants.
    ///
    /// # Panics
    ///
    /// Where Apache refuses its configuration or an address; with its own words.
    #[track_caller]
    pub fn start(self, place: &impl Place) -> ApacheRunning {
        let users = fs::read_to_string("/proc/self/uid_map").unwrap_or_default();
        if users.split_whitespace().last() == Some("1") {
            skip_because(
                "Apache serves as another user than root, and in a user's own namespace there is none",
            );
        }
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        self.write_into(folder.path()).expect("the temporary folder can be written to");
        let mut command = place.command("apache2");
        // One process that stays ours: what is killed is all there is.
        command.arg("-X").arg("-d").arg(folder.path()).arg("-f").arg(folder.path().join("apache.conf"));
        let mut running = Running::start(&mut command);
        // It writes its process id once all its addresses listen.
        let pid = folder.path().join("apache.pid");
        let written = |_: &Running| fs::read_to_string(&pid).ok().filter(|id| id.ends_with('\n'));
        running.wait_until("listens", READY, written);
        ApacheRunning { running, _folder: folder }
    }

    fn write_into(&self, folder: &Path) -> std::io::Result<()> {
        // Its user reads what root has written.
        fs::set_permissions(folder, fs::Permissions::from_mode(0o755))?;
        fs::create_dir(folder.join("pages"))?;
        for (name, body) in &self.pages {
            fs::write(folder.join("pages").join(name), body)?;
        }
        fs::write(folder.join("certificate.pem"), &self.identity.certificate)?;
        fs::write(folder.join("key.pem"), &self.identity.key)?;
        fs::write(folder.join("apache.conf"), self.configuration(&folder.display().to_string()))
    }

    fn configuration(&self, folder: &str) -> String {
        let module =
            |name: &str| format!("LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so\n");
        let modules: String = MODULES.iter().map(|name| module(name)).collect();
        let listens: String = self.listens.iter().map(|(address, tls)| host(address, *tls)).collect();
        format!(
            "{modules}\
             ServerName apache.test\nPidFile apache.pid\nErrorLog /dev/stderr\nLogLevel error\nMutex pthread\n\
             User www-data\nGroup www-data\nDocumentRoot {folder}/pages\n\
             Alias /length/ {folder}/pages/\nAlias /gzip/ {folder}/pages/\n\
             <Directory {folder}/pages>\nRequire all granted\n</Directory>\n\
             <Location /gzip/>\nSetOutputFilter DEFLATE\n</Location>\n\
             {listens}"
        )
    }
}

fn host(address: &str, tls: Option<Tls>) -> String {
    let Some(tls) = tls else { return format!("Listen {address}\n") };
    let versions = match tls {
        Tls::V12 => "-all +TLSv1.2",
        Tls::V13 => "-all +TLSv1.3",
        Tls::Any => "-all +TLSv1.2 +TLSv1.3",
    };
    format!(
        "Listen {address}\n<VirtualHost {address}>\nSSLEngine on\nSSLProtocol {versions}\n\
         SSLCertificateFile certificate.pem\nSSLCertificateKeyFile key.pem\n</VirtualHost>\n"
    )
}

/// A listening Apache, which ends when this is dropped.
pub struct ApacheRunning {
    running: Running,
    _folder: TempDir,
}

impl ApacheRunning {
    /// What it complained of.
    pub fn complaints(&self) -> Vec<String> {
        self.running.said()
    }
}
