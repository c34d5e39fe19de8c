//! The smallest possible simulator process: `cargo run -p yaopai-sim --example sim -- [CONFIG.toml]`.
//!
//! Prints one line of JSON, `{"base_url": …, "control_token": …}`, when it is ready, and runs until it is stopped.
//! `SIM_LISTEN` (`host:port`, port 0 for a free one) and `SIM_CONTROL_TOKEN` override the configuration.

use std::{env, error::Error};

use yaopai_sim::{Config, Secret, Simulator};

#[tokio::main]
#[allow(clippy::print_stdout)] // a program's output, not a library's
async fn main() -> Result<(), Box<dyn Error>> {
    let mut config = match env::args().nth(1) {
        Some(path) => Config::from_file(path)?,
        None => Config::default(),
    };
    if let Ok(listen) = env::var("SIM_LISTEN") {
        config.listen = listen.parse()?;
    }
    if let Ok(token) = env::var("SIM_CONTROL_TOKEN") {
        config.control_token = Some(Secret::new(token));
    }
    let listen = config.listen;
    let running = Simulator::from_config(config)?.start(listen).await?;
    let ready = serde_json::json!({"base_url": running.base_url(), "control_token": running.control_token()});
    println!("{ready}");
    running.wait().await;
    Ok(())
}
