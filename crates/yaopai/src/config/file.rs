//! The file's shape, as serde reads it. Every field that has a default shows it in `template.toml`.

mod jwt;

use std::collections::HashMap;

use serde::Deserialize;

pub use jwt::{Alg, Audience, Jwt, Typ};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    #[serde(default)]
    pub development: bool,
    pub database: Option<String>,
    pub cluster: Option<Cluster>,
    pub master_key: String,
    #[serde(default)]
    pub listen: Listen,
    #[serde(default)]
    pub carriers: Carriers,
    #[serde(default)]
    pub public: Public,
    #[serde(default)]
    pub limits: Limits,
    #[serde(default)]
    pub check: Check,
    #[serde(default)]
    pub live: Live,
    #[serde(default)]
    pub audit: Audit,
    #[serde(default)]
    pub jwt: Jwt,
    #[serde(default)]
    pub audiences: Vec<Audience>,
    #[serde(default)]
    pub apps: Vec<App>,
    #[serde(default)]
    pub api_keys: Vec<ApiKey>,
    #[serde(default)]
    pub upstreams: Vec<Upstream>,
    #[serde(default)]
    pub routes: Vec<Route>,
    pub legacy: Option<Legacy>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cluster {
    pub postgres: String,
    pub node: String,
    #[serde(default = "two")]
    pub max_stale: u64,
    pub redis: Option<Redis>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Redis {
    pub urls: Vec<String>,
    pub ca: Option<String>,
    pub cert: Option<String>,
    pub key: Option<String>,
    #[serde(default)]
    pub cluster: bool,
    #[serde(default)]
    pub replicas: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Listen {
    pub public: String,
    pub check: String,
    pub admin: String,
    pub max_connections: usize,
}

impl Default for Listen {
    fn default() -> Self {
        Self {
            public: "127.0.0.1:9700".into(),
            check: "127.0.0.1:9701".into(),
            admin: "127.0.0.1:9702".into(),
            max_connections: 10_000,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Carriers {
    pub authorization: bool,
    pub cookie: Option<String>,
    pub header: Option<String>,
}

impl Default for Carriers {
    fn default() -> Self {
        Self { authorization: true, cookie: None, header: None }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Check {
    pub trusted_proxies: Vec<String>,
}

impl Default for Check {
    fn default() -> Self {
        Self { trusted_proxies: vec!["127.0.0.1".into(), "::1".into()] }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Public {
    pub trusted_proxies: Vec<String>,
    pub stripped_prefix: String,
}

impl Default for Public {
    fn default() -> Self {
        Self { trusted_proxies: vec!["127.0.0.1".into(), "::1".into()], stripped_prefix: String::new() }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    pub logins_per_identity: u32,
    pub logins_per_network: u32,
    pub logins_per_app: u32,
    pub binds_per_identity: u32,
    pub binds_per_network: u32,
    pub binds_per_app: u32,
    pub binds_per_account: u32,
    pub phone_numbers_per_identity: u32,
    pub phone_numbers_per_network: u32,
    pub phone_numbers_per_app: u32,
    pub failed_proofs_per_identity: u32,
    pub failed_proofs_per_network: u32,
    pub failed_proofs_per_app: u32,
    pub window: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            logins_per_identity: 60,
            logins_per_network: 6_000,
            logins_per_app: 0,
            binds_per_identity: 10,
            binds_per_network: 300,
            binds_per_app: 0,
            binds_per_account: 10,
            phone_numbers_per_identity: 30,
            phone_numbers_per_network: 3_000,
            phone_numbers_per_app: 0,
            failed_proofs_per_identity: 100,
            failed_proofs_per_network: 3_000,
            failed_proofs_per_app: 0,
            window: 600,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Live {
    pub max_sessions: usize,
    pub max_nonces: usize,
    pub flush_interval: u64,
}

impl Default for Live {
    fn default() -> Self {
        Self { max_sessions: 1_000_000, max_nonces: 9_000_000, flush_interval: 15 }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Audit {
    pub retention_days: u32,
    pub heads_file: Option<String>,
}

impl Default for Audit {
    fn default() -> Self {
        Self { retention_days: 180, heads_file: None }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct App {
    pub name: String,
    #[serde(default = "realm")]
    pub realm: String,
    #[serde(default)]
    #[allow(dead_code, reason = "one platform so far; the key is read so that a wrong one is refused")]
    pub platform: Platform,
    pub appid: String,
    pub secret: String,
    #[serde(default = "wechat")]
    pub base_url: String,
    pub access_token_url: Option<String>,
    pub access_token_url_secret: Option<String>,
    #[serde(default)]
    pub binding: Binding,
    #[serde(default)]
    pub second_identity: SecondIdentity,
    pub account_field: Option<String>,
    #[serde(default)]
    pub keyed: Keyed,
    pub open_platform: Option<String>,
    #[serde(default)]
    pub link: Link,
    #[serde(default)]
    pub sessions: Sessions,
    #[serde(default = "an_hour")]
    pub move_ask_again: u64,
    pub webhook: Option<Webhook>,
    pub push: Option<Push>,
}

fn an_hour() -> u64 {
    3_600
}

fn realm() -> String {
    "default".into()
}

fn wechat() -> String {
    "https://api.weixin.qq.com".into()
}

#[derive(Deserialize, Default, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Platform {
    #[default]
    Wechat,
}

#[derive(Deserialize, Default, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Binding {
    #[default]
    Webhook,
    Auto,
    Api,
}

#[derive(Deserialize, Default, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum SecondIdentity {
    #[default]
    Refuse,
    Allow,
}

#[derive(Deserialize, Default, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Link {
    #[default]
    Never,
    Unionid,
}

#[derive(Deserialize, Default, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Keyed {
    #[default]
    Required,
    Offered,
    Off,
}

#[derive(Deserialize, Default, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Yields {
    #[default]
    Oldest,
    Newest,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Sessions {
    pub idle: u64,
    pub refresh_after: u64,
    pub absolute: u64,
    pub max: u32,
    pub max_per_device_type: HashMap<String, u32>,
    pub yields: Yields,
}

impl Default for Sessions {
    fn default() -> Self {
        Self {
            idle: 1_800,
            refresh_after: 1_200,
            absolute: 604_800,
            max: 12,
            max_per_device_type: HashMap::new(),
            yields: Yields::Oldest,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Push {
    pub token: String,
    pub encoding_aes_key: Option<String>,
    #[serde(default)]
    pub mode: PushMode,
    pub forward_url: Option<String>,
    #[serde(default)]
    pub revoke_ends_sessions: bool,
}

#[derive(Deserialize, Default, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum PushMode {
    #[default]
    Safe,
    Compatible,
    Plain,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Webhook {
    pub url: String,
    pub secret: String,
    #[serde(default = "three")]
    pub timeout: u64,
    pub cookies_of: Option<Vec<String>>,
}

fn three() -> u64 {
    3
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApiKey {
    pub name: String,
    #[serde(default = "realm")]
    pub realm: String,
    pub hash: String,
    #[serde(default = "admin")]
    pub scopes: Vec<Scope>,
}

fn admin() -> Vec<Scope> {
    vec![Scope::Admin]
}

#[derive(Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    Admin,
    Read,
    Users,
    Bindings,
    Sessions,
    Audit,
    AccessToken,
    Introspect,
    SigningKeys,
    Move,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Upstream {
    pub name: String,
    pub urls: Vec<String>,
    #[serde(default)]
    pub host: UpstreamHost,
    #[serde(default = "two")]
    pub connect_timeout: u64,
    #[serde(default = "sixty")]
    pub response_timeout: u64,
    #[serde(default = "sixty")]
    pub idle_timeout: u64,
    #[serde(default = "five_hundred")]
    pub min_rate: u64,
    #[serde(default = "five_minutes")]
    pub socket_idle_timeout: u64,
    #[serde(default = "four")]
    pub keep_alive: u64,
    #[serde(default = "ten_thousand")]
    pub max_requests: usize,
    pub health: Option<String>,
    #[serde(default = "five")]
    pub health_interval: u64,
}

fn two() -> u64 {
    2
}

fn four() -> u64 {
    4
}

fn five() -> u64 {
    5
}

fn sixty() -> u64 {
    60
}

fn five_hundred() -> u64 {
    500
}

fn five_minutes() -> u64 {
    300
}

fn ten_thousand() -> usize {
    10_000
}

#[derive(Deserialize, Default, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum UpstreamHost {
    #[default]
    Client,
    Upstream,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Route {
    pub prefix: String,
    pub methods: Option<Vec<String>>,
    pub upstream: String,
    #[serde(default)]
    pub check: String,
    #[serde(default)]
    pub cookies: Cookies,
    #[serde(default)]
    pub legacy: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Legacy {
    #[serde(default)]
    pub cookies: Vec<String>,
    #[serde(default)]
    pub headers: Vec<String>,
}

#[derive(Deserialize, Default, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Cookies {
    #[default]
    Keep,
    Pass,
    Drop,
}
