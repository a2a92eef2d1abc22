//! Writes the seeds of every target: `seeds CAPTURES FOLDER` makes `FOLDER/TARGET/0000` and so on, and prints the targets'
//! names.

use std::ffi::OsString;
use std::path::PathBuf;
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let mut arguments = env::args_os().skip(1);
    let mut folder = || -> OsString { arguments.next().unwrap_or_else(|| ".".into()) };
    let (captures, out) = (PathBuf::from(folder()), PathBuf::from(folder()));
    let mut contents = Vec::new();
    for entry in fs::read_dir(captures)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "pcapng") {
            contents.push(fs::read(path)?);
        }
    }
    for target in framewise_fuzz::TARGETS {
        let folder = out.join(target.name);
        fs::create_dir_all(&folder)?;
        for (number, seed) in framewise_fuzz::seeds::of(target.name, &contents).iter().enumerate() {
            fs::write(folder.join(format!("{number:04}")), seed)?;
        }
        println!("{}", target.name);
    }
    Ok(())
}
