//! `yaopai serve`

use std::path::PathBuf;
use std::sync::Arc;

use crate::clock::{SystemClock, SystemEntropy};
use crate::config::{Config, Database};
use crate::serve::Server;

#[derive(clap::Args)]
pub struct Args {
    /// The configuration.
    #[arg(long, short, default_value = "yaopai.toml", env = "YAOPAI_CONFIG")]
    config: PathBuf,
    /// Open listeners to the network although development = true.
    #[arg(long)]
    lan: bool,
    /// Serve from what came in by `yaopai import all --rehearsal`, to try it out with no client near.
    #[arg(long)]
    rehearsal: bool,
    /// Upgrade the database although nodes of older versions run that don't work on it then: they are cut off, and answer 503 until they
    /// are replaced. For a node that can't be stopped, a frozen machine's.
    #[arg(long)]
    cut_off_old_nodes: bool,
}

pub async fn run(args: Args) -> anyhow::Result<()> {
    let mut config = Config::read(&args.config)?;
    config.rehearsal = args.rehearsal;
    config.check_loopback(args.lan)?;
    if let Database::Cluster(cluster) = &mut config.database {
        cluster.cut_off = args.cut_off_old_nodes;
    }
    if config.development {
        tracing::warn!("development = true: the simulator and plain-HTTP platforms are believed; never in production");
        if args.lan {
            tracing::warn!("--lan: a development server is open to the network");
        }
    }
    if config.rehearsal {
        tracing::warn!(
            "--rehearsal: the database may have come in by a rehearsal of a move; let no client reach this server"
        );
    }
    let stopped = super::stopped()?;
    let server = Server::start(config, Arc::new(SystemClock::default()), Arc::new(SystemEntropy)).await?;
    stopped.await;
    server.stop().await;
    Ok(())
}
