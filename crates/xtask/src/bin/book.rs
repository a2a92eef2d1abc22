//! Builds the book in the folder named by the first argument.
//!
//! A program of its own, behind the feature `book`: mdBook's crates are many, and only this needs them.

use mdbook_driver::MDBook;
use std::process::ExitCode;

fn main() -> ExitCode {
    let Some(folder) = std::env::args_os().nth(1) else {
        eprintln!("usage: book FOLDER");
        return ExitCode::from(2);
    };
    match MDBook::load(&folder).and_then(|book| book.build()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("the book does not build: {error:#}");
            ExitCode::FAILURE
        }
    }
}
