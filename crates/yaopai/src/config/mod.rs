//! The configuration: `yaopai.toml`. Unknown keys are refused by name, with the nearest known one; secrets stand in files
//! or in the environment, never in the file itself.

mod access_token;
mod address;
mod api_key;
mod database;
mod file;
mod gateway;
mod jwt;
mod legacy;
mod limits;
mod problem;
mod push;
mod secret;
mod template;

use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

use http::HeaderName;
use ipnet::IpNet;
use yaopai_core::app::{App, AppSecret, Apps, BindingWay, Keyed, Link, Policy, Yields};
use yaopai_core::ids::AppName;
use yaopai_core::limit::TryLimits;
use yaopai_core::seal::MasterKey;
use yaopai_platform::wechat::TokenUrl;
use yaopai_wire::carrier::Carriers;
use yaopai_wire::original::is_prefix;

use address::address;

use crate::audit::Keeper;
use crate::listen::proxies;
use crate::push::Line;
pub use address::Address;

pub use api_key::{ApiKey, Scope};
pub use database::{Cluster, Database, Redis};
pub use gateway::{Cookies, HostSent, Route, Upstream};
pub use jwt::{Audience, Jwt, Typ, is_taken};
pub use legacy::Legacy;
pub use problem::ConfigError;
pub use template::{TEMPLATE, api_key_hash};

/// What the server runs with: checked, with every secret read.
#[derive(Debug)]
pub struct Config {
    /// Plain-HTTP platforms and the simulator are allowed; listeners bind to loopback only.
    pub development: bool,
    /// Where what must last is kept.
    pub database: Database,
    /// Serve from what came in by a rehearsal of a move, too. The command line says so, never the file.
    pub rehearsal: bool,
    /// Opens the sealed columns.
    pub master_key: MasterKey,
    /// The sockets.
    pub listen: Listen,
    /// Where requests show their token.
    pub carriers: Carriers,
    /// Proxies whose `X-Forwarded-*` headers a check believes.
    pub trusted_proxies: Vec<IpNet>,
    /// Proxies in front of the public listener, whose `X-Forwarded-For` is believed.
    pub public_proxies: Vec<IpNet>,
    /// What a proxy in front of the public listener takes off the paths that clients call.
    pub stripped_prefix: String,
    /// How many logins, binds, phone numbers and failed proofs there may be.
    pub try_limits: TryLimits,
    /// How many sessions the live table holds.
    pub live_sessions: usize,
    /// How many nonces of signed requests are remembered at a time.
    pub nonces: usize,
    /// How often last-seen times are flushed.
    pub flush_every: Duration,
    /// How the audit log is kept.
    pub audit: Keeper,
    /// Who gets JWTs, and how they are made.
    pub jwt: Jwt,
    /// The apps.
    pub apps: Apps,
    /// Where each app's platform is.
    pub platforms: HashMap<AppName, String>,
    /// Where an app's access token is fetched, if not from its platform.
    pub token_urls: HashMap<AppName, TokenUrl>,
    /// Each app's webhook, where it has one.
    pub webhooks: HashMap<AppName, Webhook>,
    /// How each app's pushes are read, where it has them.
    pub pushes: HashMap<AppName, Line>,
    /// The keys of the admin API.
    pub api_keys: Vec<ApiKey>,
    /// Where the gateway passes requests on to.
    pub upstreams: Vec<Upstream>,
    /// Which requests it passes on to which.
    pub routes: Vec<Route>,
    /// By what a request of the old program's is known, while an app is being moved.
    pub legacy: Legacy,
}

/// The sockets.
#[derive(Debug, Clone)]
pub struct Listen {
    /// For mini programs.
    pub public: Address,
    /// For proxies.
    pub check: Address,
    /// For back ends and operators.
    pub admin: Address,
    /// How many connections each listener serves at a time.
    pub max_connections: usize,
}

/// A back end's webhook.
#[derive(Debug, Clone)]
pub struct Webhook {
    /// Where.
    pub url: String,
    /// The key of its signatures, decoded.
    pub secret: AppSecret,
    /// How long it may take.
    pub timeout: Duration,
    /// The upstreams that it is a part of: `opened` is shown what they have set.
    pub cookies_of: Vec<String>,
}

impl Webhook {
    /// Does it stay on this machine?
    pub fn is_loopback(&self) -> bool {
        let host =
            reqwest::Url::parse(&self.url).ok().and_then(|u| u.host_str().map(str::to_owned)).unwrap_or_default();
        let ip = host.trim_matches(['[', ']']).parse::<std::net::IpAddr>();
        host == "localhost" || ip.is_ok_and(|ip| ip.is_loopback())
    }
}

impl Config {
    /// Reads a file. Relative paths in it are relative to it.
    ///
    /// # Errors
    /// What is wrong, where, and what to do.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path).map_err(|e| ConfigError::unreadable(path, &e))?;
        let folder = path.parent().unwrap_or(Path::new("."));
        Self::parse(&text, folder)
    }

    /// Reads a text; relative paths in it are relative to `folder`.
    ///
    /// # Errors
    /// What is wrong, where, and what to do.
    pub fn parse(text: &str, folder: &Path) -> Result<Self, ConfigError> {
        let file: file::File = toml::from_str(text).map_err(|e| ConfigError::syntax(text, &e))?;
        let secrets = secret::Secrets { folder };
        let (mut apps, mut platforms, mut webhooks) = (Vec::new(), HashMap::new(), HashMap::new());
        let mut token_urls = HashMap::new();
        let mut pushes = HashMap::new();
        for entry in &file.apps {
            let app = app(entry, &secrets)?;
            if platforms.insert(app.name.clone(), entry.base_url.clone()).is_some() {
                return Err(ConfigError::value("apps.name", format!("two apps are called {:?}", entry.name)));
            }
            if !file.development && !entry.base_url.starts_with("https://") {
                return Err(ConfigError::value(
                    "apps.base_url",
                    format!("{:?} is not https; that is for development = true only", entry.base_url),
                ));
            }
            if let Some(url) = access_token::token_url(entry, &secrets, file.development)? {
                token_urls.insert(app.name.clone(), url);
            }
            if let Some(hook) = &entry.webhook {
                webhooks.insert(app.name.clone(), webhook(hook, &secrets)?);
            } else if app.policy.binding == BindingWay::Webhook {
                return Err(ConfigError::value(
                    "apps.binding",
                    format!(
                        "app {:?} binds by webhook but has no [apps.webhook]; add it, or set binding = \"auto\" or \"api\"",
                        entry.name
                    ),
                ));
            }
            if let Some(entry) = &entry.push {
                pushes.insert(app.name.clone(), push::read(entry, &app.appid, file.development, &secrets)?);
            }
            apps.push(app);
        }
        if !(1..=1_000_000).contains(&file.listen.max_connections) {
            return Err(ConfigError::value("listen.max_connections", "must be between 1 and 1000000".into()));
        }
        if !(1..=100_000_000).contains(&file.live.max_sessions) {
            return Err(ConfigError::value("live.max_sessions", "must be between 1 and 100000000".into()));
        }
        if !(10_000..=1_000_000_000).contains(&file.live.max_nonces) {
            return Err(ConfigError::value("live.max_nonces", "must be between 10000 and 1000000000".into()));
        }
        if !(1..=300).contains(&file.live.flush_interval) {
            return Err(ConfigError::value(
                "live.flush_interval",
                "must be 1 to 300 seconds: a crash forgets so much".into(),
            ));
        }
        if !(1..=36_500).contains(&file.audit.retention_days) {
            return Err(ConfigError::value("audit.retention_days", "must be between 1 and 36500".into()));
        }
        let listen = Listen {
            public: address("listen.public", &file.listen.public)?,
            check: address("listen.check", &file.listen.check)?,
            admin: address("listen.admin", &file.listen.admin)?,
            max_connections: file.listen.max_connections,
        };
        let apps = Apps::new(apps);
        let jwt = jwt::read(&file.jwt, &file.audiences)?;
        let (upstreams, routes) = gateway::read(&file.upstreams, &file.routes, (&apps, &jwt.audiences))?;
        let carriers = carriers(&file.carriers)?;
        let legacy = legacy::read(file.legacy.as_ref(), &routes, &carriers)?;
        for entry in &file.apps {
            let found = entry.webhook.as_ref().zip(webhooks.get_mut(&AppName::from(entry.name.as_str())));
            if let Some((entry, hook)) = found {
                hook.cookies_of = gateway::cookies_of(&entry.url, entry.cookies_of.as_deref(), &upstreams)?;
            }
        }
        let config = Self {
            development: file.development,
            database: database::read(&file, &secrets)?,
            rehearsal: false,
            master_key: secrets.master_key(&file.master_key)?,
            listen,
            carriers,
            trusted_proxies: networks("check.trusted_proxies", &file.check.trusted_proxies)?,
            public_proxies: networks("public.trusted_proxies", &file.public.trusted_proxies)?,
            stripped_prefix: stripped_prefix(file.public.stripped_prefix)?,
            try_limits: limits::read(&file.limits)?,
            live_sessions: file.live.max_sessions,
            nonces: file.live.max_nonces,
            flush_every: Duration::from_secs(file.live.flush_interval),
            audit: Keeper {
                retention: Duration::from_secs(u64::from(file.audit.retention_days) * 24 * 3600),
                heads_file: file.audit.heads_file.map(|path| folder.join(path)),
            },
            jwt,
            apps,
            platforms,
            token_urls,
            webhooks,
            pushes,
            api_keys: api_key::read_all(&file.api_keys)?,
            upstreams,
            routes,
            legacy,
        };
        Ok(config)
    }

    /// In development nothing is open to the network, unless the operator asks for it.
    ///
    /// # Errors
    /// The listener that isn't on loopback.
    pub fn check_loopback(&self, lan: bool) -> Result<(), ConfigError> {
        if !self.development || lan {
            return Ok(());
        }
        for (name, address) in [
            ("listen.public", &self.listen.public),
            ("listen.check", &self.listen.check),
            ("listen.admin", &self.listen.admin),
        ] {
            if let Address::Tcp(a) = address
                && !a.ip().is_loopback()
            {
                return Err(ConfigError::value(
                    name,
                    format!("{a} is not loopback, and development = true; start with --lan to open it all the same"),
                ));
            }
        }
        Ok(())
    }
}

fn networks(key: &'static str, texts: &[String]) -> Result<Vec<IpNet>, ConfigError> {
    let one = |text: &String| {
        proxies::network(text)
            .ok_or_else(|| ConfigError::value(key, format!("{text:?} is no address or network like 10.0.0.0/8")))
    };
    texts.iter().map(one).collect()
}

fn stripped_prefix(text: String) -> Result<String, ConfigError> {
    if text.is_empty() || is_prefix(&text) {
        return Ok(text);
    }
    Err(ConfigError::value(
        "public.stripped_prefix",
        format!("{text:?} is no path like /auth, without a slash at its end"),
    ))
}

fn carriers(file: &file::Carriers) -> Result<Carriers, ConfigError> {
    let header = match &file.header {
        None => None,
        Some(name) => Some(
            HeaderName::from_bytes(name.as_bytes())
                .map_err(|_| ConfigError::value("carriers.header", format!("{name:?} can't be a header's name")))?,
        ),
    };
    if header.as_ref().is_some_and(|h| *h == http::header::AUTHORIZATION || *h == http::header::COOKIE) {
        return Err(ConfigError::value(
            "carriers.header",
            "use carriers.authorization or carriers.cookie for that one".into(),
        ));
    }
    if let Some(name) = file.cookie.as_ref().filter(|name| !is_cookie_name(name)) {
        return Err(ConfigError::value("carriers.cookie", format!("{name:?} can't be a cookie's name")));
    }
    if !file.authorization && file.cookie.is_none() && header.is_none() {
        return Err(ConfigError::value("carriers", "at least one carrier must be on".into()));
    }
    Ok(Carriers { authorization: file.authorization, cookie: file.cookie.clone(), header })
}

/// RFC 6265, section 4.1.1: a token.
fn is_cookie_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b))
}

fn app(entry: &file::App, secrets: &secret::Secrets<'_>) -> Result<App, ConfigError> {
    let name_ok = |s: &str| {
        (1..=64).contains(&s.len()) && s.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
    };
    if !name_ok(&entry.name) || !name_ok(&entry.realm) {
        return Err(ConfigError::value(
            "apps.name",
            format!("{:?} in realm {:?}: use 1–64 letters, digits, '-', '_' or '.'", entry.name, entry.realm),
        ));
    }
    let seconds = Duration::from_secs;
    let s = &entry.sessions;
    let policy = Policy {
        idle: seconds(s.idle),
        refresh_after: seconds(s.refresh_after),
        absolute: seconds(s.absolute),
        max_sessions: s.max,
        max_sessions_per_device_type: s.max_per_device_type.clone(),
        yields: match s.yields {
            file::Yields::Oldest => Yields::Oldest,
            file::Yields::Newest => Yields::Newest,
        },
        binding: match entry.binding {
            file::Binding::Auto => BindingWay::Auto,
            file::Binding::Webhook => BindingWay::Webhook,
            file::Binding::Api => BindingWay::Api,
        },
        second_identity: entry.second_identity == file::SecondIdentity::Allow,
        account_field: entry.account_field.clone(),
        keyed: match entry.keyed {
            file::Keyed::Required => Keyed::Required,
            file::Keyed::Offered => Keyed::Offered,
            file::Keyed::Off => Keyed::Off,
        },
        open_platform: entry.open_platform.clone(),
        link: match entry.link {
            file::Link::Never => Link::Never,
            file::Link::Unionid => Link::Unionid,
        },
        move_ask_again: seconds(entry.move_ask_again),
    };
    if policy.link == Link::Unionid && policy.open_platform.is_none() {
        return Err(ConfigError::value(
            "apps.link",
            format!(
                "app {:?} links by unionid but names no open_platform: which apps see the same unionids?",
                entry.name
            ),
        ));
    }
    let day = 24 * 3600;
    if s.idle < 60 || s.idle > 30 * day || s.refresh_after >= s.idle || s.absolute < s.idle || s.absolute > 365 * day {
        return Err(ConfigError::value(
            "apps.sessions",
            format!(
                "app {:?}: needs 60 ≤ idle ≤ 30 days, refresh_after < idle ≤ absolute ≤ 365 days (seconds)",
                entry.name
            ),
        ));
    }
    if !(1..=30 * day).contains(&entry.move_ask_again) {
        return Err(ConfigError::value(
            "apps.move_ask_again",
            format!("app {:?}: must be 1 second to 30 days (in seconds)", entry.name),
        ));
    }
    if s.max == 0 || s.max_per_device_type.values().any(|n| *n == 0) {
        return Err(ConfigError::value("apps.sessions.max", format!("app {:?}: must be at least 1", entry.name)));
    }
    Ok(App {
        name: entry.name.as_str().into(),
        realm: entry.realm.as_str().into(),
        appid: entry.appid.clone(),
        secret: AppSecret::new(secrets.read("apps.secret", &entry.secret)?),
        policy,
    })
}

fn webhook(entry: &file::Webhook, secrets: &secret::Secrets<'_>) -> Result<Webhook, ConfigError> {
    if !entry.url.starts_with("https://") && !entry.url.starts_with("http://") {
        return Err(ConfigError::value("apps.webhook.url", "is no http(s) URL".into()));
    }
    if !(1..=10).contains(&entry.timeout) {
        return Err(ConfigError::value(
            "apps.webhook.timeout",
            "must be 1 to 10 seconds: a person waits for it".into(),
        ));
    }
    let secret = secrets.read("apps.webhook.secret", &entry.secret)?;
    if crate::webhook::decode_secret(&secret).is_none() {
        return Err(ConfigError::value(
            "apps.webhook.secret",
            "must be `whsec_` and base64 of 24 to 64 bytes (Standard Webhooks); `yaopai init` makes one".into(),
        ));
    }
    Ok(Webhook {
        url: entry.url.clone(),
        secret: AppSecret::new(secret),
        timeout: Duration::from_secs(entry.timeout),
        cookies_of: Vec::new(),
    })
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
