//! The `gatehouse` binary.

use std::process::ExitCode;

use clap::Parser;
use gatehouse::cli::{self, Arguments};

#[tokio::main]
#[expect(clippy::print_stderr, reason = "the one sentence that says why it does not start")]
async fn main() -> ExitCode {
    match cli::run(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("gatehouse: {failure}");
            ExitCode::FAILURE
        }
    }
}
