//! `[[upstreams]]` and `[[routes]]`: what the gateway passes on, to whom, and what it asks first.

use std::collections::HashSet;
use std::time::Duration;

use http::Method;
use http::uri::{Authority, Uri};
use yaopai_core::app::Apps;
use yaopai_wire::original::is_unclean;

use super::{Audience, ConfigError, file};
use crate::check::Ask;

/// A back end, at one address or several that are alike.
#[derive(Debug, Clone)]
pub struct Upstream {
    /// Its name in the configuration.
    pub name: String,
    /// `host:port` of each; all speak HTTP/1.1.
    pub addresses: Vec<Authority>,
    /// Which `Host` it is sent.
    pub host: HostSent,
    /// How long opening a connection may take.
    pub connect_timeout: Duration,
    /// How long it may take to begin its answer once the request is sent.
    pub response_timeout: Duration,
    /// How long a body may stand still, in either direction.
    pub idle_timeout: Duration,
    /// How many bytes a second a client must send or take of it, on the whole; 0: any.
    pub min_rate: u64,
    /// How long a socket may be silent in both directions.
    pub socket_idle_timeout: Duration,
    /// How long an unused connection is kept.
    pub keep_alive: Duration,
    /// How many requests and sockets are there at a time.
    pub max_requests: usize,
    /// A path that tells whether an address is well, and how often it is asked.
    pub health: Option<(String, Duration)>,
}

/// Which `Host` an upstream is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HostSent {
    /// The client's.
    Client,
    /// The address that it is reached at.
    Upstream,
}

/// Which requests go where, and what is asked of them.
#[derive(Debug, Clone)]
pub struct Route {
    /// The path that it begins with, percent-decoded; `/` is every path.
    pub prefix: String,
    /// The methods it is for; `None`: those that no other route of the same prefix names.
    pub methods: Option<Vec<Method>>,
    /// The upstream's place among [`Config::upstreams`](super::Config::upstreams).
    pub upstream: usize,
    /// What is asked, in a check's own words. It can be parsed.
    pub check: String,
    /// What becomes of cookies.
    pub cookies: Cookies,
    /// Do requests of the old program's go on unchecked?
    pub legacy: bool,
}

/// What becomes of cookies, but for ours, which never go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cookies {
    /// The back end's are kept here, in the session's jar; the client has none.
    Keep,
    /// They go on, in both directions.
    Pass,
    /// They don't, in neither.
    Drop,
}

pub(super) fn read(
    upstreams: &[file::Upstream],
    routes: &[file::Route],
    known: (&Apps, &[Audience]),
) -> Result<(Vec<Upstream>, Vec<Route>), ConfigError> {
    let upstreams = upstreams.iter().map(upstream).collect::<Result<Vec<_>, _>>()?;
    let mut names = HashSet::new();
    if let Some(twice) = upstreams.iter().find(|u| !names.insert(u.name.as_str())) {
        return Err(ConfigError::value("upstreams.name", format!("two upstreams are called {:?}", twice.name)));
    }
    let routes = routes.iter().map(|entry| route(entry, &upstreams, known)).collect::<Result<Vec<_>, _>>()?;
    let mut taken = HashSet::new();
    for route in &routes {
        let methods = route.methods.as_deref().map(|m| m.iter().map(Some).collect()).unwrap_or_else(|| vec![None]);
        for method in methods {
            if !taken.insert((route.prefix.as_str(), method)) {
                let what = method.map_or("all other methods", Method::as_str);
                let text = format!("two routes of {:?} are for {what}; which one?", route.prefix);
                return Err(ConfigError::value("routes.prefix", text));
            }
        }
    }
    Ok((upstreams, routes))
}

fn upstream(entry: &file::Upstream) -> Result<Upstream, ConfigError> {
    let name = &entry.name;
    if name.is_empty() || name.len() > 64 || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b)) {
        return Err(ConfigError::value(
            "upstreams.name",
            format!("{name:?}: use 1–64 letters, digits, '-', '_' or '.'"),
        ));
    }
    if entry.urls.is_empty() {
        return Err(ConfigError::value("upstreams.urls", format!("upstream {name:?} has no address")));
    }
    let addresses = entry.urls.iter().map(|url| address(url)).collect::<Result<Vec<_>, _>>()?;
    for (key, value, most) in [
        ("upstreams.connect_timeout", entry.connect_timeout, 60),
        ("upstreams.response_timeout", entry.response_timeout, 3_600),
        ("upstreams.idle_timeout", entry.idle_timeout, 3_600),
        ("upstreams.socket_idle_timeout", entry.socket_idle_timeout, 86_400),
        ("upstreams.keep_alive", entry.keep_alive, 300),
        ("upstreams.health_interval", entry.health_interval, 3_600),
    ] {
        if !(1..=most).contains(&value) {
            return Err(ConfigError::value(key, format!("must be 1 to {most} seconds")));
        }
    }
    if entry.min_rate > 1_000_000 {
        return Err(ConfigError::value("upstreams.min_rate", "must be 0 to 1000000 bytes a second".into()));
    }
    if !(1..=1_000_000).contains(&entry.max_requests) {
        return Err(ConfigError::value("upstreams.max_requests", "must be between 1 and 1000000".into()));
    }
    let is_path = |path: &String| path.starts_with('/') && path.parse::<http::uri::PathAndQuery>().is_ok();
    if let Some(path) = entry.health.as_ref().filter(|path| !is_path(path)) {
        return Err(ConfigError::value("upstreams.health", format!("{path:?} is no path like /healthz")));
    }
    let seconds = Duration::from_secs;
    Ok(Upstream {
        name: name.clone(),
        addresses,
        host: match entry.host {
            file::UpstreamHost::Client => HostSent::Client,
            file::UpstreamHost::Upstream => HostSent::Upstream,
        },
        connect_timeout: seconds(entry.connect_timeout),
        response_timeout: seconds(entry.response_timeout),
        idle_timeout: seconds(entry.idle_timeout),
        min_rate: entry.min_rate,
        socket_idle_timeout: seconds(entry.socket_idle_timeout),
        keep_alive: seconds(entry.keep_alive),
        max_requests: entry.max_requests,
        health: entry.health.clone().map(|path| (path, seconds(entry.health_interval))),
    })
}

fn address(url: &str) -> Result<Authority, ConfigError> {
    const KEY: &str = "upstreams.urls";
    // What stands before an @ may be a password.
    if url.contains('@') {
        return Err(ConfigError::value(KEY, "an address takes no user and password".into()));
    }
    if url.starts_with("https://") {
        let text = format!(
            "{url:?}: the gateway speaks plain HTTP to its upstreams; name one on this machine or your own network"
        );
        return Err(ConfigError::value(KEY, text));
    }
    let uri: Option<Uri> = url.parse().ok().filter(|uri: &Uri| uri.scheme_str() == Some("http"));
    let bare = uri.filter(|uri| matches!(uri.path(), "" | "/") && uri.query().is_none());
    match bare.and_then(|uri| uri.into_parts().authority) {
        Some(authority) if authority.port_u16().is_some() || !authority.as_str().ends_with(':') => Ok(authority),
        _ => Err(ConfigError::value(KEY, format!("{url:?} is no address like http://127.0.0.1:8080, without a path"))),
    }
}

/// The upstreams that a webhook is a part of: those that are named, or else those that have its address.
pub(super) fn cookies_of(
    url: &str,
    named: Option<&[String]>,
    upstreams: &[Upstream],
) -> Result<Vec<String>, ConfigError> {
    let Some(named) = named else {
        let hook = place_of(url);
        let is_there = |at: &Authority| hook.is_some() && place_of(&format!("http://{at}")) == hook;
        let there = upstreams.iter().filter(|upstream| upstream.addresses.iter().any(is_there));
        return Ok(there.map(|upstream| upstream.name.clone()).collect());
    };
    match named.iter().find(|name| !upstreams.iter().any(|upstream| upstream.name == **name)) {
        Some(name) => {
            Err(ConfigError::value("apps.webhook.cookies_of", format!("{name:?} is the name of no upstream")))
        }
        None => Ok(named.to_vec()),
    }
}

/// Host and port of plain HTTP. This machine is one host, whatever it is called.
fn place_of(url: &str) -> Option<(String, u16)> {
    let url = reqwest::Url::parse(url).ok().filter(|url| url.scheme() == "http")?;
    let host = url.host_str()?;
    let ip = host.trim_matches(['[', ']']).parse::<std::net::IpAddr>();
    let here = host == "localhost" || ip.is_ok_and(|ip| ip.is_loopback());
    Some((if here { "localhost" } else { host }.to_owned(), url.port_or_known_default()?))
}

fn route(entry: &file::Route, upstreams: &[Upstream], known: (&Apps, &[Audience])) -> Result<Route, ConfigError> {
    let prefix = &entry.prefix;
    let is_clean = prefix.starts_with('/') && !prefix.contains(['?', '#', '%', '*']) && !is_unclean(prefix);
    if !is_clean || (prefix.len() > 1 && prefix.ends_with('/')) {
        return Err(ConfigError::value(
            "routes.prefix",
            format!("{prefix:?} is no path like /api: without a slash at its end, not percent-encoded, no pattern"),
        ));
    }
    if prefix == "/yaopai" || prefix.starts_with("/yaopai/") {
        return Err(ConfigError::value("routes.prefix", format!("{prefix:?}: what is below /yaopai/ is our own")));
    }
    let upstream = upstreams.iter().position(|u| u.name == entry.upstream).ok_or_else(|| {
        ConfigError::value("routes.upstream", format!("{:?} is the name of no upstream", entry.upstream))
    })?;
    let cookies = match entry.cookies {
        file::Cookies::Pass => Cookies::Pass,
        file::Cookies::Drop => Cookies::Drop,
        file::Cookies::Keep => Cookies::Keep,
    };
    check(&entry.check, prefix, known)?;
    let methods = entry.methods.as_ref().map(|names| methods(names)).transpose()?;
    Ok(Route { prefix: prefix.clone(), methods, upstream, check: entry.check.clone(), cookies, legacy: entry.legacy })
}

/// A demand that nothing can meet is a mistake, too.
fn check(text: &str, prefix: &str, (apps, audiences): (&Apps, &[Audience])) -> Result<(), ConfigError> {
    let wrong = |what: String| Err(ConfigError::value("routes.check", format!("{text:?} of {prefix:?}: {what}")));
    let Ok(ask) = Ask::parse(text) else {
        return wrong("an unknown word, or one twice; docs/api.md lists what may be asked".into());
    };
    if !ask.prefix.is_empty() {
        return wrong("prefix= is for proxies; the gateway takes nothing off a path".into());
    }
    if !apps.iter().any(|app| app.realm.as_str() == ask.realm) {
        return wrong(format!("no app is in the realm {:?}", ask.realm));
    }
    if let Some(name) = ask.jwt
        && !audiences.iter().any(|a| a.name == name && a.realm.as_str() == ask.realm)
    {
        return wrong(format!("[[audiences]] has no {name:?} in the realm {:?}", ask.realm));
    }
    let known = |name: &str| apps.iter().any(|app| app.name.as_str() == name && app.realm.as_str() == ask.realm);
    match ask.apps.and_then(|names| names.split(',').find(|name| !known(name))) {
        Some(name) => wrong(format!("no app {name:?} is in the realm {:?}", ask.realm)),
        None => Ok(()),
    }
}

fn methods(names: &[String]) -> Result<Vec<Method>, ConfigError> {
    const KEY: &str = "routes.methods";
    let method = |name: &String| {
        let is_upper = name.bytes().all(|b| b.is_ascii_uppercase() || b == b'-');
        let passed_on = !matches!(name.as_str(), "CONNECT" | "TRACE");
        let method = Method::from_bytes(name.as_bytes()).ok().filter(|_| is_upper && passed_on);
        method.ok_or_else(|| ConfigError::value(KEY, format!("{name:?} is no method like \"POST\"")))
    };
    let mut all = names.iter().map(method).collect::<Result<Vec<_>, _>>()?;
    if all.is_empty() {
        return Err(ConfigError::value(KEY, "is empty; leave it out for all methods".into()));
    }
    // Who may read may ask whether there is something to read.
    if all.contains(&Method::GET) && !all.contains(&Method::HEAD) {
        all.push(Method::HEAD);
    }
    Ok(all)
}

#[cfg(test)]
#[path = "gateway_tests.rs"]
pub(super) mod tests;
