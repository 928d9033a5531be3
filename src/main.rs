//! The command line; see [`debrief::cli`].

use std::process::ExitCode;

fn main() -> ExitCode {
    debrief::cli::run()
}
