//! The server's configuration, written as a person would write it.

use std::net::SocketAddr;

use yaopai_sim::{DEFAULT_APPID, DEFAULT_SECRET};

use super::{APP, Plan, Platform, Secret};
use crate::cli::demo::folder::Folder;
use crate::cli::demo::shop::HOOK;
use crate::config::{Config, api_key_hash};

/// What the server's configuration is written from.
pub struct Written<'a> {
    pub plan: &'a Plan,
    /// WeChat's base URL, unless it is the real one.
    pub wechat: Option<&'a str>,
    pub shop_at: SocketAddr,
    pub api_key: &'a str,
}

impl Written<'_> {
    /// The configuration, read as `serve` reads its own.
    pub fn config(&self, folder: &Folder, [public, check, admin]: [u16; 3]) -> anyhow::Result<Config> {
        const SECRET: &str = "app.secret";
        let here = |text: &str| -> anyhow::Result<String> {
            folder.write(SECRET, text)?;
            Ok(format!("file:{SECRET}"))
        };
        let (appid, secret) = match &self.plan.platform {
            Platform::Simulated { .. } => (DEFAULT_APPID, here(DEFAULT_SECRET)?),
            Platform::Real { appid, secret: Secret::Reference(reference) } => (appid.as_str(), reference.clone()),
            Platform::Real { appid, secret: Secret::Text(text) } => (appid.as_str(), here(text)?),
        };
        let base_url = self.wechat.map(|url| format!("base_url = {}\n", quoted(url))).unwrap_or_default();
        let text = format!(
            r#"
development = true
master_key = "file:master.key"
database = "yaopai.db"

[listen]
public = "127.0.0.1:{public}"
check = "127.0.0.1:{check}"
admin = "127.0.0.1:{admin}"

[[apps]]
name = "{APP}"
appid = {appid}
secret = {secret}
{base_url}keyed = "required"
binding = "webhook"
webhook = {{ url = "http://{shop}{HOOK}", secret = "file:webhook.secret" }}

[[api_keys]]
name = "demo"
hash = "{hash}"
"#,
            appid = quoted(appid),
            secret = quoted(&secret),
            shop = self.shop_at,
            hash = api_key_hash(self.api_key),
        );
        let config = Config::parse(&text, folder.path());
        // It has been read; a real AppSecret needn't lie on the disk while the demo runs.
        folder.remove(SECRET);
        let config = config?;
        config.check_loopback(false)?;
        Ok(config)
    }
}

/// A TOML string.
fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}
