//! `yaopai sim`: WeChat on this machine.

use std::path::PathBuf;

use anyhow::Context as _;
use yaopai_sim::{Config, Simulator};

#[derive(clap::Args)]
pub struct Args {
    /// The simulator's own configuration; without one there is one app and three users.
    #[arg(long, short)]
    config: Option<PathBuf>,
    /// Where it listens; over the configuration's.
    #[arg(long)]
    listen: Option<String>,
    /// Same codes, keys and tokens each run; over the configuration's.
    #[arg(long)]
    seed: Option<u64>,
    /// Listen on an address that isn't loopback.
    #[arg(long)]
    lan: bool,
}

#[allow(clippy::print_stdout, reason = "what a caller needs to know, for people and for scripts")]
pub async fn run(args: Args) -> anyhow::Result<()> {
    let mut config = match &args.config {
        Some(path) => Config::from_file(path)?,
        None => Config::default(),
    };
    config.seed = args.seed.or(config.seed);
    if let Some(listen) = args.listen {
        config.listen = listen.parse().context("--listen takes an address like 127.0.0.1:9380")?;
    }
    if !config.listen.ip().is_loopback() && !args.lan {
        anyhow::bail!(
            "{} is not loopback: a simulator vouches for anybody; add --lan to open it all the same",
            config.listen
        );
    }
    let listen = config.listen;
    let stopped = super::stopped()?;
    let sim = Simulator::from_config(config)?;
    let running = sim.start(listen).await.map_err(|e| anyhow::anyhow!("cannot listen on {listen}: {e}"))?;
    println!("WeChat's simulator / 微信模拟器: {}", running.base_url());
    println!("control token: {}", running.control_token());
    for app in running.apps() {
        println!("app: {} (secret: see its configuration)", app.appid);
    }
    let users: Vec<String> = running.users().into_iter().map(|u| u.name).collect();
    println!("users: {}", users.join(", "));
    stopped.await;
    running.shutdown().await;
    Ok(())
}
