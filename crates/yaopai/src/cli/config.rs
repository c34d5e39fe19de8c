//! `yaopai config check`

use std::path::PathBuf;

use crate::config::Config;

#[derive(clap::Subcommand)]
pub enum Command {
    /// Read the configuration as `serve` does, secrets included, and say what is wrong with it.
    Check {
        /// The configuration.
        #[arg(long, short, default_value = "yaopai.toml", env = "YAOPAI_CONFIG")]
        config: PathBuf,
    },
}

#[allow(clippy::print_stdout, reason = "what the command is for")]
pub fn run(command: &Command) -> anyhow::Result<()> {
    let Command::Check { config: path } = command;
    let config = Config::read(path)?;
    config.check_loopback(false)?;
    println!("{} is fine: {} app(s), database {}", path.display(), config.apps.iter().count(), config.database);
    Ok(())
}
