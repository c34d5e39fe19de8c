//! `yaopai init`: a commented configuration and fresh secrets, never over existing ones.

use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::anyhow;
use yaopai_core::seal::MasterKey;

use crate::admin;
use crate::clock::SystemEntropy;
use crate::config::{TEMPLATE, api_key_hash};
use crate::webhook;

#[derive(clap::Args)]
pub struct Args {
    /// The folder to write into.
    #[arg(default_value = ".")]
    folder: PathBuf,
}

#[allow(clippy::print_stdout, reason = "what the command is for")]
pub fn run(args: &Args) -> anyhow::Result<()> {
    let entropy = SystemEntropy;
    std::fs::create_dir_all(&args.folder).map_err(|e| anyhow!("cannot create {}: {e}", args.folder.display()))?;
    let files = ["yaopai.toml", "master.key", "webhook.secret"].map(|name| args.folder.join(name));
    // All or nothing: a second run must neither lose a key nor leave half a set.
    if let Some(there) = files.iter().find(|f| f.exists()) {
        anyhow::bail!(
            "{} is there already; nothing was written. Move it away, or name another folder",
            there.display()
        );
    }
    let api_key = admin::generate_key(&entropy);
    let [config, master, hook] = &files;
    write(config, &TEMPLATE.replace("{api_key_hash}", &api_key_hash(&api_key)), 0o644)?;
    write(master, &format!("{}\n", *MasterKey::generate(&entropy)), 0o600)?;
    write(hook, &format!("{}\n", *webhook::generate_secret(&entropy)), 0o600)?;
    println!("Wrote {}, {} and {}.", config.display(), master.display(), hook.display());
    println!("Your back end's API key, shown once (the configuration holds only its hash):\n\n  {}\n", *api_key);
    println!("Next: set appid and secret in {}, then: yaopai serve --config {}", config.display(), config.display());
    Ok(())
}

fn write(path: &Path, text: &str, mode: u32) -> anyhow::Result<()> {
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(path)
        .map_err(|e| anyhow!("cannot write {}: {e}", path.display()))?;
    file.write_all(text.as_bytes()).map_err(|e| anyhow!("cannot write {}: {e}", path.display()))
}
