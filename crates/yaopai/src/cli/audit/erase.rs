//! `yaopai audit erase`

use std::net::IpAddr;
use std::sync::Arc;

use anyhow::anyhow;
use yaopai_core::audit::{Actor, By, Owner};
use yaopai_core::ports::{Change, ChangeSink, Erase};

use super::Configured;
use crate::config::Database;
use crate::serve::Engine;

#[derive(clap::Args)]
#[group(id = "whose", required = true, multiple = false, args = ["user", "openid", "address"])]
pub struct Args {
    #[command(flatten)]
    of: Configured,
    /// A user's fields, and those of the identities that are bound to it.
    #[arg(long)]
    user: Option<String>,
    /// The user's realm.
    #[arg(long, default_value = "default", requires = "user")]
    realm: String,
    /// An identity's fields, and its user's if it has one.
    #[arg(long, requires = "app")]
    openid: Option<String>,
    /// The openid's app.
    #[arg(long)]
    app: Option<String>,
    /// The fields of rows in which this network address is all that is known.
    #[arg(long)]
    address: Option<IpAddr>,
}

/// Nobody is served meanwhile.
struct Nobody;

impl ChangeSink for Nobody {
    fn apply(&self, _: Change) {}
}

#[allow(clippy::print_stdout, reason = "what the command is for")]
pub async fn run(args: Args) -> anyhow::Result<()> {
    let (config, scribe) = args.of.read()?;
    let whose = match (args.user, args.openid, args.app, args.address) {
        (Some(user), ..) => Erase::User(args.realm.as_str().into(), user.as_str().into()),
        (None, Some(openid), Some(app), _) => Erase::Openid(app.as_str().into(), openid),
        (.., Some(address)) => Erase::Owner(Owner::Network(address.to_canonical())),
        _ => return Err(anyhow!("name a --user, an --openid with its --app, or an --address")),
    };
    // Beside nodes that run: they keep no key in memory.
    let engine = Engine::open(&config.database.of_a_guest("erase"), Arc::new(Nobody), false);
    let engine = engine.map_err(crate::cli::import::stopped_first)?;
    let store = engine.store();
    store.begin_audit(scribe);
    let gone = By::actor(Actor::Operator, None).scope(store.erase(whose)).await;
    // Overwrites the log's copy of what was deleted, too.
    engine.close().await;
    match gone? {
        0 => println!("There was no key: nothing personal of this one is in the audit log, or it was erased before."),
        gone => {
            println!("{gone} key(s) erased. Backups made before today still hold them.");
            if matches!(config.database, Database::Cluster(_)) {
                println!(
                    "PostgreSQL overwrites them when it vacuums: VACUUM audit_keys. Archives of its log hold them as long as they are kept."
                );
            }
        }
    }
    Ok(())
}
