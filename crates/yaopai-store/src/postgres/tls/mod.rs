//! TLS to PostgreSQL, by rustls as everywhere here. What `sslmode` means is libpq's, but that nothing goes unverified
//! (docs/decisions/0074).

mod binding;
mod said;
mod stream;
mod verify;

use std::sync::Arc;

use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::{ClientConfig, RootCertStore};
use tokio_postgres::Config;
use tokio_postgres::config::{ChannelBinding, Host, SslMode};

use crate::tls::{self, Words};

pub(super) use said::Said;
pub(super) use stream::Connector;
use verify::Nameless;

/// PostgreSQL 17 asks for it where TLS comes first; older ones don't look at it.
const ALPN: &[u8] = b"postgresql";

const WORDS: Words = Words { root: "sslrootcert", cert: "sslcert", key: "sslkey", name: "name it as there" };

/// What there is to be said about a connection string that doesn't say enough.
const MODES: &str =
    "say sslmode=verify-full with sslrootcert=FILE (or =system), or sslmode=disable over a network that you trust";

/// Makes of what was said how connections are made: sets what `tokio-postgres` has to know, and answers the rest. The error says
/// what to do.
pub(super) fn settle(config: &mut Config, said: &Said) -> Result<Connector, String> {
    let tcp = config.get_hosts().iter().any(|host| matches!(host, Host::Tcp(_))) || !config.get_hostaddrs().is_empty();
    let unix = config.get_hosts().iter().any(|host| !matches!(host, Host::Tcp(_)));
    let system = said.root.as_deref() == Some("system");
    let mode = match said.mode.as_deref() {
        None | Some("") if !tcp => "disable",
        // As libpq has it.
        None | Some("") if system => "verify-full",
        None | Some("") => return Err(format!("it names a host, and not how to reach it: {MODES}")),
        Some(mode) => mode,
    };
    let roots = match (mode, &said.root) {
        ("disable", _) => {
            config.ssl_mode(SslMode::Disable);
            return Ok(Connector::default());
        }
        ("allow" | "prefer", _) => {
            return Err(format!("sslmode={mode} goes in clear where there is no TLS, and says nothing: {MODES}"));
        }
        // So it is in libpq, too: with a root `require` is `verify-ca`.
        ("require" | "verify-ca", Some(_)) if system => {
            return Err(
                "sslrootcert=system needs sslmode=verify-full: anybody can get a certificate for some name".into()
            );
        }
        ("require", None) => None,
        ("require" | "verify-ca" | "verify-full", Some(root)) => Some(Arc::new(tls::roots(root, &WORDS)?)),
        ("verify-ca" | "verify-full", None) => {
            return Err(format!(
                "sslmode={mode} needs sslrootcert=FILE, with the certificate of who signed the server's; or =system"
            ));
        }
        _ => return Err(format!("sslmode is none of disable, require, verify-ca, verify-full: {MODES}")),
    };
    if unix {
        return Err("TLS doesn't go over a Unix socket: name hosts, or leave sslmode out".into());
    }
    if roots.is_none() {
        bind(config)?;
    }
    config.ssl_mode(SslMode::Require);
    let full = mode == "verify-full";
    Ok(Connector::new(client(roots, full, said)?))
}

/// Nobody vouches for the certificate. So the server has to: it proves that it knows the password, by a proof that holds for this
/// certificate alone (SCRAM with channel binding, RFC 5802, section 6).
fn bind(config: &mut Config) -> Result<(), String> {
    if config.get_channel_binding() == ChannelBinding::Disable || config.get_password().is_none() {
        return Err(format!(
            "sslmode=require without sslrootcert verifies no certificate, so the password must vouch for the server: it needs a password \
             and channel_binding. Or {MODES}"
        ));
    }
    config.channel_binding(ChannelBinding::Require);
    Ok(())
}

fn client(roots: Option<Arc<RootCertStore>>, full: bool, said: &Said) -> Result<ClientConfig, String> {
    let algorithms = default_provider().signature_verification_algorithms;
    let verifier: Arc<dyn ServerCertVerifier> = match roots {
        Some(roots) if full => tls::by_name(roots, &WORDS)?,
        roots => Arc::new(Nameless { roots, algorithms }),
    };
    let mut client = tls::client(verifier, (said.cert.as_deref(), said.key.as_deref()), &WORDS)?;
    client.alpn_protocols = vec![ALPN.to_vec()];
    Ok(client)
}
