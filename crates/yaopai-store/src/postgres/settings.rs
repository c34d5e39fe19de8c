//! The connection string, and what we make of it.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio_postgres::Config;
use tokio_postgres::config::TargetSessionAttrs;

use super::error::PostgresError;
use super::hosts;
use super::tls::{self, Connector, Said};

/// The longest name of a server, in bytes.
const NAME_MAX: usize = 64;

/// How each connection is made.
#[derive(Debug)]
pub(super) struct Settings {
    pub config: Config,
    pub tls: Connector,
    pub node: String,
    /// Which host answered last.
    answered: AtomicUsize,
    /// May nodes that a migration leaves behind be cut off?
    pub cut_off: bool,
}

impl Settings {
    pub fn parse(url: &str, node: &str) -> Result<Self, PostgresError> {
        let bad = |what: String| Err(PostgresError::Settings(what));
        if node.is_empty() || node.len() > NAME_MAX || node.chars().any(char::is_control) {
            return bad(format!("a server's name has 1 to {NAME_MAX} bytes and no control characters"));
        }
        let (rest, said) = Said::take_from(url);
        // What the parser says quotes no value: there may be a password among them.
        let mut config: Config = match rest.parse() {
            Ok(config) => config,
            Err(e) => {
                let what = std::error::Error::source(&e).map_or_else(|| e.to_string(), ToString::to_string);
                return bad(format!("{what}. An example: postgres://yaopai@localhost/yaopai?sslmode=disable"));
            }
        };
        if config.get_hosts().is_empty() {
            return bad("it names no host".into());
        }
        hosts::count(&config).map_err(PostgresError::Settings)?;
        let tls = tls::settle(&mut config, &said).map_err(PostgresError::Settings)?;
        config
            .application_name(format!("yaopai {node}"))
            // Of several hosts the one that can write: a standby's rows may be from before a kick.
            .target_session_attrs(TargetSessionAttrs::ReadWrite)
            .keepalives_idle(Duration::from_secs(10))
            .keepalives_interval(Duration::from_secs(3))
            .keepalives_retries(3)
            .tcp_user_timeout(Duration::from_secs(10));
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(Duration::from_secs(5));
        }
        Ok(Self { config, tls, node: node.to_owned(), answered: AtomicUsize::new(0), cut_off: false })
    }

    /// The same for who can't wait: so long for each host.
    pub fn hasty(mut self, connect: Duration) -> Self {
        self.config.connect_timeout(connect);
        self
    }

    /// Each host's number and settings: the one that answered last comes first.
    pub fn hosts(&self) -> impl Iterator<Item = (usize, Config)> {
        let (all, first) = (self.config.get_hosts().len(), self.answered.load(Ordering::Relaxed));
        (0..all).map(move |n| (first + n) % all).map(|n| (n, hosts::alone(&self.config, n)))
    }

    /// This one is the one to use.
    pub fn answered(&self, host: usize) {
        self.answered.store(host, Ordering::Relaxed);
    }

    /// How long a host may take until it has said that it is ready: none, where there is no other that could be. Twice what it has to take
    /// the connection: TLS, the login and the greeting come after that.
    pub fn patience(&self) -> Option<Duration> {
        let several = self.config.get_hosts().len() > 1;
        self.config.get_connect_timeout().filter(|_| several).map(|connect| *connect * 2)
    }

    /// Where it is, for messages.
    pub fn place(&self) -> String {
        hosts::place(&self.config)
    }
}

#[cfg(test)]
mod tests {
    use tokio_postgres::config::{ChannelBinding, SslMode};

    use super::*;

    fn refused(url: &str) -> String {
        match Settings::parse(url, "a") {
            Err(PostgresError::Settings(what)) => what,
            other => panic!("{url}: {other:?}"),
        }
    }

    /// Nobody who says nothing about TLS, or only half, gets a connection in clear over a network.
    #[test]
    fn what_is_said_of_tls_is_not_passed_over() {
        for mode in [
            "",
            "?sslmode=",
            "?sslmode=prefer",
            "?sslmode=allow",
            "?sslmode=on",
            "?sslmode=verify-full",
            "?sslmode=verify-ca",
        ] {
            let what = refused(&format!("postgres://yaopai:secret@db.example/yaopai{mode}"));
            assert!(what.contains("sslrootcert") && !what.contains("secret"), "{what}");
        }
        // No certificate to verify, and nothing else that could vouch for the server.
        for url in ["host=a user=b sslmode=require", "host=a password=secret sslmode=require channel_binding=disable"] {
            assert!(refused(url).contains("password must vouch"), "{url}");
        }
        assert!(refused("host=/run/postgresql sslmode=require password=a").contains("Unix socket"));
        assert!(refused("host=a sslmode=verify-full sslrootcert=/nowhere.pem").contains("/nowhere.pem"));
        assert!(refused("host=a sslmode=verify-ca sslrootcert=system").contains("verify-full"));
        let mode = |url: &str| Settings::parse(url, "a").unwrap().config.get_ssl_mode();
        for url in ["postgres://db.example/yaopai?sslmode=disable", "host=/run/postgresql", "host=/run/postgresql,/tmp"]
        {
            assert_eq!(mode(url), SslMode::Disable, "{url}");
        }
        let by_password = Settings::parse("host=a password=b sslmode=require", "a").unwrap();
        assert_eq!(by_password.config.get_ssl_mode(), SslMode::Require);
        assert_eq!(by_password.config.get_channel_binding(), ChannelBinding::Require);
    }

    #[test]
    fn a_writer_is_looked_for_and_a_silent_server_noticed() {
        let settings = Settings::parse("host=a,b sslmode=disable", "n").unwrap();
        let config = &settings.config;
        assert_eq!(config.get_target_session_attrs(), TargetSessionAttrs::ReadWrite);
        assert_eq!(config.get_connect_timeout(), Some(&Duration::from_secs(5)));
        assert_eq!(config.get_tcp_user_timeout(), Some(&Duration::from_secs(10)));
        assert_eq!(settings.place(), "a, b");
    }

    #[test]
    fn each_host_is_tried_alone_and_the_last_that_answered_first() {
        let url = "host=a,/b,c hostaddr=10.0.0.1,10.0.0.2,10.0.0.3 port=1,2,3 user=u password=p dbname=d options=o sslmode=disable \
                   sslnegotiation=postgres keepalives=0 channel_binding=disable load_balance_hosts=random";
        let settings = Settings::parse(url, "n").unwrap().hasty(Duration::from_secs(1));
        // All that is said of one host, in the words of the crate: what it learns to take is missing here else.
        let whole = |host: &str, addr: u8, port: u16| {
            let rest = url.split_once(" user=").unwrap().1;
            let url = format!("host={host} hostaddr=10.0.0.{addr} port={port} user={rest}");
            format!("{:?}", Settings::parse(&url, "n").unwrap().hasty(Duration::from_secs(1)).config)
        };
        let tried = || settings.hosts().map(|(n, config)| (n, format!("{config:?}"))).collect::<Vec<_>>();
        let [a, b, c] = [(0, whole("a", 1, 1)), (1, whole("/b", 2, 2)), (2, whole("c", 3, 3))];
        assert_eq!(tried(), [a.clone(), b.clone(), c.clone()]);
        settings.answered(2);
        assert_eq!(tried(), [c, a, b]);
        let alone = Settings::parse("host=a port=7 sslmode=disable", "n").unwrap();
        assert_eq!(alone.hosts().next().unwrap().1, alone.config);
        for url in ["host=a,b,c port=1,2", "host=a,b hostaddr=10.0.0.1"] {
            refused(&format!("{url} sslmode=disable"));
        }
    }

    #[test]
    fn a_server_s_name_is_short_and_one_line() {
        for name in ["", "a\nb", &"x".repeat(65)] {
            assert!(Settings::parse("host=/run/postgresql", name).is_err());
        }
        refused("dbname=yaopai");
    }
}
