//! The command line; see [`debrief::cli`].

use std::process::ExitCode;

use mimalloc::MiMalloc;

/// The system's allocator keeps what each of the many threads once used, and an idle server grows
/// to twice its size; this one gives it back.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    debrief::cli::run()
}
