//! TLS to PostgreSQL (docs/decisions/0074): what is accepted, what is refused and in which words, and that every connection goes by it.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

mod conformance;
mod database;
#[path = "database/eavesdropper.rs"]
mod eavesdropper;

use std::sync::Arc;

use yaopai_core::ports::{Change, ChangeLog as _, ChangeSink, Shared as _, SharedTokens as _, Store as _};
use yaopai_store::{Postgres, PostgresError, PostgresLog, PostgresNonces, PostgresOptions, PostgresTokens};

use conformance::shared::used;
use conformance::tokens::{KEY, LEASE};
use database::tls::{Authority, Listening};
use eavesdropper::Eavesdropper;

const SCRAM: &str = "hostssl all all 127.0.0.0/8 scram-sha-256";
const TRUST: &str = "host all all 127.0.0.0/8 trust";

struct Nobody;

impl ChangeSink for Nobody {
    fn apply(&self, _: Change) {}
}

fn open(url: &str) -> Result<Postgres, PostgresError> {
    let options = PostgresOptions { readers: 2, ..PostgresOptions::new("a") };
    Postgres::open(url, Arc::new(Nobody), options)
}

#[track_caller]
fn refused(url: &str, expected: &str) {
    let error = open(url).err().unwrap_or_else(|| panic!("{url} is accepted")).to_string();
    assert!(error.contains(expected), "{error}");
    assert!(!error.contains(database::tls::PASSWORD), "{error}");
    // Each of them has a way of its own in.
    for error in
        [PostgresLog::open(url, "a").err(), PostgresNonces::open(url, "a").err(), PostgresTokens::open(url, "a").err()]
    {
        assert!(error.unwrap().to_string().contains(expected));
    }
}

#[test]
fn every_connection_goes_by_it() {
    let authority = Authority::new();
    let db = Listening::start(Some(&authority.server("DNS:db.example", 2)), None, SCRAM);
    let root = authority.root();
    let url = db.url("db.example", &format!("sslmode=verify-full sslrootcert={}", root.display()));
    let engine = open(&url).unwrap();
    let mut log = PostgresLog::open(&url, "a").unwrap();
    let nonces = PostgresNonces::open(&url, "a").unwrap();
    let tokens = PostgresTokens::open(&url, "a").unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let ask = async {
        engine.data_keys().await.unwrap();
        nonces.first_use(used(1, 0)).await.unwrap();
        tokens.ask(KEY, LEASE, None).await.unwrap();
    };
    runtime.block_on(ask);
    log.poll().unwrap();
    let count = |condition: &str| {
        let sql =
            "SELECT count(*) FROM pg_stat_activity JOIN pg_stat_ssl USING (pid) WHERE application_name LIKE 'yaopai%'";
        db.server.sql(&format!("{sql} AND {condition}")).parse::<u32>().unwrap()
    };
    // The writer, two readers, the lister, the log, nonces, tries, what deletes both, tokens.
    assert_eq!((count("ssl AND version = 'TLSv1.3'"), count("NOT ssl")), (9, 0));
    // And those that are made anew.
    db.server.kill();
    db.server.run();
    // The first one finds out that its connection is gone.
    let _ = log.poll();
    log.poll().unwrap();
    assert!(count("ssl") > 0);
    assert_eq!(count("NOT ssl"), 0);
}

#[test]
fn a_certificate_must_be_the_right_one() {
    let (authority, stranger) = (Authority::new(), Authority::new());
    let db = Listening::start(Some(&authority.server("DNS:db.example", 2)), None, SCRAM);
    let by = |mode: &str, authority: &Authority| format!("sslmode={mode} sslrootcert={}", authority.root().display());
    for mode in ["verify-full", "verify-ca", "require"] {
        open(&db.url("db.example", &by(mode, &authority))).unwrap();
        refused(&db.url("db.example", &by(mode, &stranger)), "signed by nobody whom sslrootcert names");
    }
    refused(&db.url("other.example", &by("verify-full", &authority)), "is not for other.example");
    for mode in ["verify-ca", "require"] {
        open(&db.url("other.example", &by(mode, &authority))).unwrap();
    }
    refused(&db.url("db.example", "sslmode=verify-full sslrootcert=system"), "signed by nobody whom sslrootcert names");
    // A URL says the same.
    let url =
        format!("postgres://yaopai@db.example/postgres?hostaddr={}&password={}&", db.address, database::tls::PASSWORD);
    open(&format!("{url}sslmode=verify-full&sslrootcert={}", authority.root().display())).unwrap();

    let old = Listening::start(Some(&authority.server("DNS:db.example", -1)), None, SCRAM);
    refused(&old.url("db.example", &by("verify-full", &authority)), "expired");
}

#[test]
fn a_server_in_clear_is_refused() {
    let authority = Authority::new();
    let db = Listening::start(None, None, TRUST);
    for mode in ["verify-full", "verify-ca", "require"] {
        let url = db.url("db.example", &format!("sslmode={mode} sslrootcert={}", authority.root().display()));
        refused(&url, "does not support TLS): set ssl = on");
    }
    refused(&db.url("db.example", "sslmode=require"), "does not support TLS");
    open(&db.url("db.example", "sslmode=disable")).unwrap();
}

/// Without a root nobody vouches for the certificate; the server does, by the password and for this certificate alone.
#[test]
fn require_alone_goes_by_the_password() {
    let authority = Authority::new();
    let certificate = authority.server("DNS:whatever", 2);
    let db = Listening::start(Some(&certificate), None, SCRAM);
    open(&db.url("db.example", "sslmode=require")).unwrap();
    // One who believes everybody proves nothing.
    let trusting = Listening::start(Some(&certificate), None, TRUST);
    refused(&trusting.url("db.example", "sslmode=require"), "scram-sha-256");
    let clear = Listening::start(Some(&certificate), None, "hostssl all all 127.0.0.0/8 password");
    refused(&clear.url("db.example", "sslmode=require"), "scram-sha-256");
}

/// Somebody stands between, ends the TLS of either side, and passes on what is said.
#[test]
fn who_stands_between_is_found() {
    let authority = Authority::new();
    let db = Listening::start(Some(&authority.server("DNS:db.example", 2)), None, SCRAM);
    // His certificate is a good one, of a host of his own.
    let between = Eavesdropper::before(&db.address, &authority.server("DNS:evil.example", 2));
    let url = |more: &str| db.url("db.example", more).replace(&db.address, &between.address);
    let root = authority.root();
    refused(&url("sslmode=require"), "SCRAM channel binding check failed");
    refused(&url(&format!("sslmode=verify-full sslrootcert={}", root.display())), "is not for db.example");
    // What `verify-ca` and a binding that was forbidden let pass; it shows that he does his work.
    open(&url(&format!("sslmode=verify-ca channel_binding=disable sslrootcert={}", root.display()))).unwrap();
    refused(&url(&format!("sslmode=verify-ca sslrootcert={}", root.display())), "SCRAM channel binding check failed");
}

#[test]
fn a_client_shows_a_certificate() {
    let authority = Authority::new();
    let root = authority.root();
    let rule = "hostssl all all 127.0.0.0/8 cert";
    let db = Listening::start(Some(&authority.server("DNS:db.example", 2)), Some(&root), rule);
    let own = |name: &str, authority: &Authority| {
        let client = authority.client(name);
        let full = format!("sslmode=verify-full sslrootcert={}", root.display());
        db.url("db.example", &format!("{full} sslcert={} sslkey={}", client.cert.display(), client.key.display()))
    };
    open(&own("yaopai", &authority)).unwrap();
    refused(&own("somebody", &authority), "certificate authentication failed");
    refused(&own("yaopai", &Authority::new()), "");
    refused(&db.url("db.example", &format!("sslmode=verify-full sslrootcert={}", root.display())), "certificate");
}
