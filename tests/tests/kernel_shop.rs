//! A visitor goes through the shop with Chromium, over https and a TAP: the shop in Rust, and the one by Django.
#![allow(clippy::unwrap_used, reason = "the helpers of tests, too, fail by panicking")]

use framewise_tests::link::{V4, on_tap, tap};
use framewise_tests::peers::{Chromium, Framewise};
use framewise_tests::{Host, in_namespace, skip_because, until};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use tempfile::TempDir;

const SOON: Duration = Duration::from_secs(20);

/// Skips the test where `framewise serve` does not know this option.
fn require_option(option: &str, otherwise: &str) {
    let help = Framewise::new(&Host, &["serve", "--help"]).run().text();
    if !help.contains(option) {
        skip_because(otherwise);
    }
}

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

/// The programs of the Django shop: those that `FRAMEWISE_DJANGO` names, as `cargo xtask test` installs them.
fn django() -> PathBuf {
    let installed = std::env::var_os("FRAMEWISE_DJANGO").map(PathBuf::from);
    installed.unwrap_or_else(|| skip_because("FRAMEWISE_DJANGO does not say where Django is installed"))
}

#[test]
#[ignore = "until `framewise serve` has --wsgi"]
fn a_visitor_goes_through_the_shop_by_django() {
    in_namespace("a_visitor_goes_through_the_shop_by_django", |ns| {
        require_option("--wsgi", "framewise serve does not know --wsgi");
        let python = django().join("python");
        tap(ns);
        let folder = for_everybody();
        let (authority, database) = (folder.path().join("ca"), folder.path().join("shop.db"));
        let shop = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/django_shop");
        let migrated = Command::new(&python)
            .args(["manage.py", "migrate", "--verbosity", "0"])
            .current_dir(&shop)
            .env("SHOP_DATABASE", &database)
            .status();
        assert!(migrated.unwrap().success());
        for file in [database.clone(), folder.path().join("secret.key")] {
            fs::set_permissions(file, fs::Permissions::from_mode(0o666)).unwrap();
        }
        let arguments = ["serve", "--ca-dir", authority.to_str().unwrap(), "--wsgi", "shop.wsgi:application"];
        let _serving = on_tap(ns, &arguments)
            .arguments(&["--python", python.to_str().unwrap()])
            .within(&shop)
            .env("SHOP_DATABASE", database.to_str().unwrap())
            .spawn("Ctrl-C ends it");
        let chromium = Chromium::new(ns).trusting(&authority.join("authority.pem"));
        went_well(&chromium.journey("https://shop.test", V4.ours, None));
    });
}
