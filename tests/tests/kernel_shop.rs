//! A visitor goes through the shop with Chromium, over https and a TAP: the shop in Rust, and the one by Django.
#![allow(clippy::unwrap_used, reason = "the helpers of tests, too, fail by panicking")]

use framewise_tests::link::{V4, on_tap, tap};
use framewise_tests::peers::{Chromium, Framewise};
use framewise_tests::{Host, finish, in_namespace, skip_because, until};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use tempfile::TempDir;

const SOON: Duration = Duration::from_secs(20);

/// Skips the test where the shop is not built into the command.
fn require_shop() {
    let briefly = ["serve", "--shop", "--forward", "127.0.0.1:0", "--https", "0", "--max-time", "0.1"];
    if Framewise::new(&Host, &briefly).run().stderr.contains("not built into this program") {
        skip_because(
            "the shop is not built in: cargo build -p framewise-cli --features shop, and FRAMEWISE_BIN says where",
        );
    }
}

/// A folder in which everybody may write: once its device is open, the server is nobody in particular.
fn for_everybody() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
    folder
}

fn went_well(journey: &framewise_tests::Finished) {
    assert!(journey.status.success(), "{}\n{}", journey.text(), journey.stderr);
    assert!(journey.text().ends_with("12 steps, all well\n"), "{}", journey.text());
}

#[test]
fn a_visitor_goes_through_the_shop() {
    in_namespace("a_visitor_goes_through_the_shop", |ns| {
        require_shop();
        tap(ns);
        let folder = for_everybody();
        let file = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
        let (authority, database) = (file("ca"), file("shop.db"));
        let server = || {
            on_tap(ns, &["serve", "--ca-dir", &authority, "--shop", "--database", &database])
                .spawn("Ctrl-C ends it")
        };
        let serving = server();
        let chromium = Chromium::new(ns).trusting(&folder.path().join("ca/authority.pem"));
        went_well(&chromium.journey("https://shop.test", V4.ours, None));
        let line = "192.0.2.1 https POST /products/1/review 303";
        until(line, SOON, || serving.said().iter().any(|said| said == line).then_some(()));
        // Killed without a word. What was written is still there for who comes later, and what made the page is told.
        drop(serving);
        let _serving = server();
        let page = chromium.page("https://shop.test/products/1?mvc", V4.ours);
        assert!(page.contains("It travelled well. &lt;b&gt;Twice&lt;/b&gt;"), "{page}");
        assert!(page.contains("products::show_product"), "{page}");
    });
}

/// A Python that everybody may run, for the server is not root.
fn python() -> &'static str {
    if Path::new("/usr/bin/python3").exists() { "/usr/bin/python3" } else { "python3" }
}

/// The Django shop and the packages that `cargo xtask test` installs for it, copied to where everybody may read and write.
fn django_shop(folder: &Path) -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let packages = here.join("../target/tools/python");
    for package in ["django", "gunicorn", "whitenoise"] {
        if !packages.join(package).is_dir() {
            skip_because(format!("{package} is not installed; cargo xtask test installs it"));
        }
    }
    let shop = folder.join("django_shop");
    for (from, to) in [(here.join("../examples/django_shop"), &shop), (packages, &folder.join("packages"))] {
        let mut copy = Command::new("cp");
        finish(copy.arg("-r").arg(from).arg(to), SOON).successful();
    }
    let mut migrate = Command::new(python());
    migrate.args(["manage.py", "migrate", "--verbosity", "0"]).current_dir(&shop);
    finish(migrate.env("PYTHONPATH", folder.join("packages")), SOON).successful();
    finish(Command::new("chmod").args(["-R", "a+rwX"]).arg(folder), SOON).successful();
    shop
}

#[test]
fn a_visitor_goes_through_the_shop_by_django() {
    in_namespace("a_visitor_goes_through_the_shop_by_django", |ns| {
        let folder = for_everybody();
        let shop = django_shop(folder.path());
        tap(ns);
        let authority = folder.path().join("ca");
        let arguments = ["serve", "--ca-dir", authority.to_str().unwrap(), "--wsgi", "shop.wsgi:application"];
        let serving = on_tap(ns, &arguments)
            .arguments(&["--python", python()])
            .within(&shop)
            .with("PYTHONPATH", folder.path().join("packages").to_str().unwrap())
            .with("TMPDIR", folder.path().to_str().unwrap())
            .spawn("Ctrl-C ends it");
        let chromium = Chromium::new(ns).trusting(&authority.join("authority.pem"));
        went_well(&chromium.journey("https://shop.test", V4.ours, None));
        let line = "192.0.2.1 https POST /products/1/review 302";
        until(line, SOON, || serving.said().iter().any(|said| said == line).then_some(()));
    });
}
