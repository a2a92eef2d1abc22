//! Whether the workspace compiles for Windows and macOS, tried from Linux.
//!
//! Checking needs the target's standard library. Where `rustup target add` has brought it, cargo alone
//! does. Else Debian's packaged compiler can build it from source (it brings the source, and `-Zbuild-std`
//! is allowed to it by `RUSTC_BOOTSTRAP`). ring's C parts want a compiler that knows the target: mingw's
//! for Windows, clang for macOS.

use crate::{packages, tool};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

const WINDOWS: &str = "x86_64-pc-windows-gnu";
const MACOS: &str = "x86_64-apple-darwin";

/// Debian's compiler with the standard library's source, and C compilers for both targets.
const PACKAGES: [&str; 7] = [
    "rustc-web",
    "cargo-web",
    "rust-web-src",
    "gcc-mingw-w64-x86-64-posix",
    "binutils-mingw-w64-x86-64",
    "clang-16",
    "llvm-16",
];

/// The packages that are left out: the peers of the tests and of the benchmarks only run on a Linux host, and the shop's database
/// is in C that wants all of a target's C library.
const LEFT_OUT: [&str; 3] = ["framewise-tests", "framewise-bench", "framewise-shop"];

/// Checks the workspace for each target, or says why this machine cannot.
pub(crate) fn run() -> io::Result<bool> {
    let mut all = true;
    for target in [WINDOWS, MACOS] {
        println!("\n== {target}");
        match compiler_for(target)? {
            Some(compiler) => all &= tool::stream(&mut check(target, compiler)?, |_| ())?.success(),
            None => {
                println!("SKIPPED {target}: neither rustup's standard library for it nor Debian's rustc-web")
            }
        }
    }
    Ok(all)
}

/// Whose compiler knows a target.
enum Compiler {
    /// The one that runs us: the target's standard library is installed.
    Ours,
    /// Debian's, which builds the standard library itself.
    Debians,
}

fn compiler_for(target: &str) -> io::Result<Option<Compiler>> {
    let output = Command::new("rustc").args(["--print", "target-libdir", "--target", target]).output()?;
    let library = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim());
    if output.status.success() && library.is_dir() {
        return Ok(Some(Compiler::Ours));
    }
    Ok(provide_debians()?.then_some(Compiler::Debians))
}

fn provide_debians() -> io::Result<bool> {
    let source = Path::new("/usr/lib/rustlib/src/rust/library/std");
    let programs = ["x86_64-w64-mingw32-gcc", "x86_64-w64-mingw32-dlltool", "clang-16", "llvm-ar-16"];
    if source.is_dir() && programs.iter().all(|program| tool::is_installed(program)) {
        return Ok(true);
    }
    Ok(tool::is_root() && tool::is_installed("apt-get") && packages::install(&PACKAGES)?)
}

fn check(target: &str, compiler: Compiler) -> io::Result<Command> {
    let mut command = match compiler {
        Compiler::Ours => tool::cargo(["check"]),
        Compiler::Debians => with_own_standard_library(),
    };
    let folder = tool::target_folder().join("check-targets");
    command.args(["--workspace", "--target", target]).arg("--target-dir").arg(&folder);
    for package in LEFT_OUT {
        command.args(["--exclude", package]);
    }
    if target == MACOS {
        pretend_an_sdk(&mut command, &folder)?;
    }
    Ok(command)
}

fn with_own_standard_library() -> Command {
    let mut command = Command::new("/usr/bin/cargo");
    command.args(["check", "-Zbuild-std"]).current_dir(tool::root());
    command.env("RUSTC", "/usr/bin/rustc").env("RUSTC_BOOTSTRAP", "1");
    command.env_remove("RUSTUP_TOOLCHAIN");
    command
}

/// Lets ring's C parts be compiled without Apple's SDK, which may not be copied to other systems: by
/// clang as a freestanding compiler, with these few lines in the place of the headers that they include.
fn pretend_an_sdk(command: &mut Command, folder: &Path) -> io::Result<()> {
    let headers = folder.join("include");
    fs::create_dir_all(&headers)?;
    for (name, content) in HEADERS {
        fs::write(headers.join(name), content)?;
    }
    command.env("SDKROOT", folder).env("CC_x86_64_apple_darwin", "clang-16");
    command.env("AR_x86_64_apple_darwin", "llvm-ar-16");
    command.env("CFLAGS_x86_64_apple_darwin", format!("-ffreestanding -I{}", headers.display()));
    Ok(())
}

/// What ring asks of a C library, declared; nothing is linked.
const HEADERS: [(&str, &str); 3] = [
    (
        "TargetConditionals.h",
        "#define TARGET_OS_MAC 1\n#define TARGET_OS_OSX 1\n#define TARGET_OS_IPHONE 0\n",
    ),
    (
        "string.h",
        "#include <stddef.h>\n\
         void *memcpy(void *, const void *, size_t);\n\
         void *memmove(void *, const void *, size_t);\n\
         void *memset(void *, int, size_t);\n\
         int memcmp(const void *, const void *, size_t);\n",
    ),
    ("assert.h", "#define assert(x) ((void)0)\n#define static_assert _Static_assert\n"),
];
