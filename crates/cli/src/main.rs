//! The `framewise` command: glue between the command line and the library, and its views.

#![forbid(unsafe_code)]

mod args;
mod deadlines;
mod exit;
mod fetch;
mod files;
mod form;
mod json;
mod live;
mod output;
mod page;
mod private;
mod progress;
mod scene;
mod serve;
mod table;
mod tap;
mod url;
mod walk;

use std::process::ExitCode;

use clap::{CommandFactory, Parser};

use crate::args::{Cli, Command};

fn main() -> ExitCode {
    let cli = Cli::parse();
    let result = match cli.command {
        Command::Fetch(args) => fetch::run(*args),
        Command::Serve(args) => serve::run(args),
        Command::Url(args) => url::run(&args),
        Command::Tap { action } => tap::run(&action),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "framewise", &mut script);
            output::print(&String::from_utf8_lossy(&script))
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}
