//! The `yaopai` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    yaopai::cli::main()
}
