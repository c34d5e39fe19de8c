//! `yaopai audit verify`, `export`, `erase`

mod erase;
mod export;
mod verify;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use yaopai_core::audit::Scribe;

use crate::clock::{SystemClock, SystemEntropy};
use crate::config::Config;

#[derive(clap::Subcommand)]
pub enum Command {
    /// Is the audit log whole? The server may run meanwhile.
    ///
    /// Ends with status 0 if it is, 1 if not (the first wrong row is named), 2 if it could not be read.
    Verify(verify::Args),
    /// Write the audit log to standard output, a JSON object a line. The server may run meanwhile.
    Export(export::Args),
    /// Delete the keys of a person's fields in the audit log: rows stay and verify, and nobody can read those fields any more.
    /// The server must be stopped.
    Erase(erase::Args),
}

#[derive(clap::Args)]
struct Configured {
    /// The configuration.
    #[arg(long, short, default_value = "yaopai.toml", env = "YAOPAI_CONFIG")]
    config: PathBuf,
}

impl Configured {
    /// The configuration, and the scribe of its master key.
    fn read(&self) -> anyhow::Result<(Config, Arc<Scribe>)> {
        let config = Config::read(&self.config)?;
        let scribe = Scribe::new(&config.master_key, Arc::new(SystemClock::default()), Arc::new(SystemEntropy));
        Ok((config, Arc::new(scribe)))
    }
}

/// Runs it. Not being able to is status 2, because 1 says that the log is not whole.
pub fn main(command: Command) -> ExitCode {
    let done = match command {
        Command::Verify(args) => verify::run(&args),
        Command::Export(args) => export::run(&args).map(|()| true),
        Command::Erase(args) => super::run(erase::run(args)).map(|()| true),
    };
    match done {
        Ok(whole) => ExitCode::from(u8::from(!whole)),
        Err(e) => {
            eprintln!("yaopai: {e}");
            ExitCode::from(2)
        }
    }
}

/// With the file's name in front, where the error has not got it.
fn of_file(path: &Path, e: impl std::fmt::Display) -> anyhow::Error {
    anyhow::anyhow!("{}: {e}", path.display())
}
