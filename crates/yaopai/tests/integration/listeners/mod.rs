//! Sockets and connections, whatever is asked through them: places that are taken, peers that don't read, Unix sockets.

mod brief;
mod places;
mod unix_socket;

use std::sync::Arc;

use tempfile::TempDir;
use yaopai::clock::SystemEntropy;
use yaopai::config::Config;
use yaopai::serve::{Server, StartError};

use crate::support::{TestClock, write_secrets};

/// A server with these keys in `listen`, beside which a port of 0 is what is not named. Nobody logs in here: its one app
/// needs no platform.
async fn start(folder: &TempDir, listen: &str) -> Result<Server, StartError> {
    write_secrets(folder.path());
    let named = |key: &str| listen.contains(&format!("{key} ="));
    let rest: String = ["public", "check", "admin"]
        .into_iter()
        .filter(|key| !named(key))
        .map(|key| format!(", {key} = \"127.0.0.1:0\""))
        .collect();
    let config = format!(
        r#"
        master_key = "file:master.key"
        listen = {{ {listen}{rest} }}

        [[apps]]
        keyed = "offered"
        name = "shop"
        appid = "wx1"
        secret = "file:app.secret"
        binding = "auto""#
    );
    let config = Config::parse(&config, folder.path()).unwrap();
    Server::start(config, Arc::new(TestClock::new()), Arc::new(SystemEntropy)).await
}
