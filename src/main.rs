//! dtsctl: parse, call, exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(dtsctl::cli::main())
}
