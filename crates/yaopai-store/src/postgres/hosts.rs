//! Several hosts in a connection string. `tokio-postgres` tries all of them in one go, and bounds for each only how long it takes to take the
//! connection: one that is frozen does take it, says nothing, and then all the time there was is gone. So they are tried one by one.

use tokio_postgres::Config;
use tokio_postgres::config::Host;

/// There are as many of each as there are hosts, or none, or one port for all.
pub(super) fn count(config: &Config) -> Result<(), String> {
    let (hosts, addrs, ports) = (config.get_hosts().len(), config.get_hostaddrs().len(), config.get_ports().len());
    if addrs > 0 && addrs != hosts || ports > 1 && ports != hosts {
        return Err(format!("{hosts} hosts, {addrs} hostaddrs, {ports} ports: name as many of each, or none"));
    }
    Ok(())
}

/// All of it, for one of its hosts.
pub(super) fn alone(config: &Config, host: usize) -> Config {
    let mut alone = Config::new();
    match config.get_hosts().get(host) {
        Some(Host::Tcp(name)) => drop(alone.host(name)),
        #[cfg(unix)]
        Some(Host::Unix(path)) => drop(alone.host_path(path)),
        None => {}
    }
    config.get_hostaddrs().get(host).map(|addr| alone.hostaddr(*addr));
    let ports = config.get_ports();
    ports.get(host).or(ports.first()).map(|port| alone.port(*port));
    config.get_user().map(|user| alone.user(user));
    config.get_password().map(|password| alone.password(password));
    config.get_dbname().map(|dbname| alone.dbname(dbname));
    config.get_options().map(|options| alone.options(options));
    config.get_application_name().map(|name| alone.application_name(name));
    config.get_connect_timeout().map(|time| alone.connect_timeout(*time));
    config.get_tcp_user_timeout().map(|time| alone.tcp_user_timeout(*time));
    config.get_keepalives_interval().map(|time| alone.keepalives_interval(time));
    config.get_keepalives_retries().map(|times| alone.keepalives_retries(times));
    alone
        .ssl_mode(config.get_ssl_mode())
        .ssl_negotiation(config.get_ssl_negotiation())
        .keepalives(config.get_keepalives())
        .keepalives_idle(config.get_keepalives_idle())
        .target_session_attrs(config.get_target_session_attrs())
        .channel_binding(config.get_channel_binding())
        .load_balance_hosts(config.get_load_balance_hosts());
    alone
}

/// Which ones, for messages.
pub(super) fn place(config: &Config) -> String {
    let hosts = config.get_hosts().iter().map(|host| match host {
        Host::Tcp(name) => name.clone(),
        #[cfg(unix)]
        Host::Unix(path) => path.display().to_string(),
    });
    hosts.collect::<Vec<_>>().join(", ")
}
