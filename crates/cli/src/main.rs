//! The `framewise` command: glue between the command line and the library, and its views.

#![forbid(unsafe_code)]

mod advice;
mod args;
mod both;
mod cookies;
mod cost;
mod data;
mod deadlines;
#[cfg(target_os = "linux")]
mod doctor;
mod drawing;
mod exit;
mod explain;
mod fetch;
mod figure;
mod files;
mod form;
mod json;
mod lab;
mod live;
mod output;
mod outside;
mod own_host;
mod page;
mod private;
mod progress;
mod real;
mod replay;
mod request;
mod scene;
mod serve;
mod signals;
mod stats;
mod step;
mod subject;
mod table;
#[cfg(target_os = "linux")]
mod tap;
mod top;
mod upload;
mod url;
mod walk;

use std::process::ExitCode;

use clap::{CommandFactory, Parser};

use crate::args::{Cli, Command};

fn main() -> ExitCode {
    let cli = Cli::parse();
    let result = match cli.command {
        Command::Fetch(args) => fetch::run(*args),
        Command::Serve(args) => serve::run(*args),
        Command::Explain(args) => explain::run(&args),
        Command::Figure(args) => figure::run(&args),
        Command::Step(args) => step::run(&args),
        Command::Lab { lab } => lab::run(&lab),
        Command::Replay(args) => replay::run(&args),
        Command::Url(args) => url::run(&args),
        Command::Stats(args) => stats::run(&args),
        Command::Top(args) => top::run(&args),
        Command::ServeChild(args) => serve::pool::work(&args),
        #[cfg(target_os = "linux")]
        Command::Tap { action } => tap::run(action),
        #[cfg(target_os = "linux")]
        Command::Doctor(args) => doctor::run(&args),
        #[cfg(not(target_os = "linux"))]
        Command::Tap { .. } | Command::Doctor(_) => Err(live::elsewhere()),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut for_people(), "framewise", &mut script);
            output::print(&String::from_utf8_lossy(&script))
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

/// The command without what only this program itself calls.
fn for_people() -> clap::Command {
    let all = Cli::command();
    let shown: Vec<clap::Command> = all.get_subcommands().filter(|one| !one.is_hide_set()).cloned().collect();
    clap::Command::new("framewise").version(env!("CARGO_PKG_VERSION")).subcommands(shown)
}
