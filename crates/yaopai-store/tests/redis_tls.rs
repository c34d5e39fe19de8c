//! TLS to Redis (docs/decisions/0079): what is accepted, what is refused and in which words, and that nobody else hears anything.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

mod conformance;
mod database;
#[path = "database/listener.rs"]
mod listener;

use std::sync::Arc;

use yaopai_core::ports::{Shared as _, Use, Used};
use yaopai_store::{RedisError, RedisOptions, RedisShared, RedisTls};

use database::redis::{Redis, answer, fails, fresh, patient};
use database::redis_cluster::{Cluster, within};
use database::tls::{Authority, Certificate, PASSWORD};
use listener::Listener;

/// A server with a user, and its address by a name.
fn with_user(redis: &Redis, name: &str) -> String {
    let _: () = redis.ask(&["ACL", "SETUSER", "node", "on", &format!(">{PASSWORD}"), "~*", "+@all"]);
    redis.url().replace("127.0.0.1", &format!("node:{PASSWORD}@{name}"))
}

fn believing(url: &str, authority: &Authority) -> RedisOptions {
    RedisOptions { tls: file(authority), ..patient(&[url.to_owned()]) }
}

fn file(authority: &Authority) -> RedisTls {
    RedisTls { ca: Some(authority.root().display().to_string()), ..RedisTls::default() }
}

async fn refused(options: RedisOptions, expected: &str) {
    let error = RedisShared::open(options).await.err().expect("it is accepted");
    assert!(error.to_string().contains(expected), "{error}");
    assert!(!format!("{error} {error:?}").contains(PASSWORD), "{error:?}");
}

#[tokio::test]
async fn it_is_believed_by_its_certificate() {
    let authority = Authority::new();
    let redis = Redis::start_secured(&authority.server("DNS:localhost,IP:127.0.0.1", 2), &authority.root(), &[]);
    for name in ["localhost", "127.0.0.1"] {
        let url = with_user(&redis, name);
        let store = RedisShared::open(believing(&url, &authority)).await.unwrap();
        redis.age(40_000);
        let f = fresh(&redis, u16::from(name == "localhost"));
        assert_eq!(store.first_use(f).await.unwrap(), Used::First);
        assert_eq!(store.first_use(f).await.unwrap(), Used::Before);
        redis.kill();
        fails(store.first_use(f).await);
        redis.run();
        with_user(&redis, name);
        assert!(matches!(answer(&store, f).await, Used::Unknown(Some(_))), "connections that are made anew, too");
    }
    let valkeys = with_user(&redis, "localhost").replace("rediss", "VALKEYS");
    RedisShared::open(believing(&valkeys, &authority)).await.unwrap();
}

#[tokio::test]
async fn a_certificate_must_be_the_right_one() {
    let (authority, stranger) = (Authority::new(), Authority::new());
    let start = |certificate: &Certificate| Redis::start_secured(certificate, &authority.root(), &[]);
    let redis = start(&authority.server("DNS:localhost", 2));
    let url = with_user(&redis, "localhost");
    refused(believing(&url, &stranger), "signed by nobody whom cluster.redis.ca names").await;
    for ca in [None, Some("system".to_owned())] {
        let options =
            RedisOptions { tls: RedisTls { ca, ..RedisTls::default() }, ..patient(std::slice::from_ref(&url)) };
        refused(options, "signed by nobody").await;
    }
    refused(believing(&with_user(&redis, "127.0.0.1"), &authority), "is not for 127.0.0.1").await;
    refused(believing(&format!("{url}#insecure"), &authority), "leave it out, and name in cluster.redis.ca").await;
    refused(believing(&format!("{url}#{PASSWORD}"), &authority), "A # in a password is %23").await;
    // What other clients take for a wish not to verify is none.
    let wish = format!("{url}?insecure=true&ssl_cert_reqs=none");
    refused(believing(&wish, &stranger), "signed by nobody").await;

    let old = start(&authority.server("DNS:localhost", -1));
    refused(believing(&with_user(&old, "localhost"), &authority), "expired").await;
}

#[tokio::test]
async fn what_is_said_of_tls_must_go_together() {
    let authority = Authority::new();
    let both = RedisOptions {
        urls: ["rediss", "redis"].map(|scheme| format!("{scheme}://:{PASSWORD}@localhost")).into(),
        ..RedisOptions::new([""; 0])
    };
    refused(both, "rediss:// in all of them, or in none").await;
    refused(believing(&format!("redis://:{PASSWORD}@localhost"), &authority), "say rediss://").await;
    let tls = |ca: &str, cert: Option<&str>| RedisOptions {
        tls: RedisTls { ca: Some(ca.into()), cert: cert.map(Into::into), key: None },
        ..RedisOptions::new(["rediss://localhost"])
    };
    refused(tls("/nowhere.pem", None), "cluster.redis.ca: /nowhere.pem").await;
    let root = authority.root().display().to_string();
    refused(tls(&root, Some(&root)), "go together").await;
}

#[tokio::test]
async fn a_server_in_clear_is_refused() {
    let (authority, redis) = (Authority::new(), Redis::start());
    let url = with_user(&redis, "localhost");
    refused(believing(&url.replace("redis:", "rediss:"), &authority), "name its tls-port").await;
    RedisShared::open(patient(&[url])).await.unwrap();
}

#[tokio::test]
async fn this_node_shows_a_certificate() {
    let authority = Authority::new();
    let certificate = authority.server("DNS:localhost", 2);
    let redis = Redis::start_secured(&certificate, &authority.root(), &["tls-auth-clients yes"]);
    let url = with_user(&redis, "localhost");
    refused(believing(&url, &authority), "cluster.redis.cert").await;
    let by = |signer: &Authority| {
        let Certificate { cert, key } = signer.client("node");
        let [cert, key] = [cert, key].map(|path| Some(path.display().to_string()));
        RedisOptions { tls: RedisTls { cert, key, ..file(&authority) }, ..patient(std::slice::from_ref(&url)) }
    };
    refused(by(&Authority::new()), "cluster.redis.cert").await;
    RedisShared::open(by(&authority)).await.unwrap();
}

/// The same is said in clear and by TLS, and somebody listens.
#[tokio::test]
async fn who_listens_hears_nothing() {
    let authority = Authority::new();
    let secured = Redis::start_secured(&authority.server("DNS:localhost", 2), &authority.root(), &[]);
    let nonce = *b"a nonce of ours!";
    for redis in [Redis::start(), secured] {
        let listener = Listener::before(redis.port);
        let url = with_user(&redis, "localhost").replace(&redis.port.to_string(), &listener.port.to_string());
        let in_clear = url.starts_with("redis:");
        let options = if in_clear { patient(&[url]) } else { believing(&url, &authority) };
        let store = RedisShared::open(options).await.unwrap();
        redis.age(40_000);
        let f = Use { fingerprint: nonce, created: redis.now() / 1000 };
        assert_eq!(store.first_use(f).await.unwrap(), Used::First);
        assert!(listener.heard() > 1000, "it goes by him");
        for secret in [PASSWORD.as_bytes(), &nonce, b"EVALSHA", b"master"] {
            assert_eq!(listener.has_heard(secret), in_clear, "{}", String::from_utf8_lossy(secret));
        }
    }
}

/// Whoever is named by a node of a cluster is reached by TLS, too, and must be it.
#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_goes_by_it() {
    let authority = Authority::new();
    let certificate = authority.server("DNS:localhost", 2);
    let start = |settings: &[&str]| -> Arc<Redis> {
        let settings = [settings, &["tls-cluster yes", "tls-replication yes"]].concat();
        Redis::start_secured(&certificate, &authority.root(), &settings)
    };
    let cluster = Cluster::of(start);
    let urls = vec![with_user(&cluster.0[1], "localhost")];
    cluster.0.iter().for_each(|node| drop(with_user(node, "localhost")));
    let options = RedisOptions { urls, tls: file(&authority), ..cluster.options() };
    let error = RedisShared::open(options.clone()).await.err().expect("their certificates have no such name");
    assert!(matches!(error, RedisError::Untrusted { .. }), "{error}");
    assert!(error.to_string().contains("not for 127.0.0.1") && error.to_string().contains("cluster-announce-hostname"));
    for node in &cluster.0 {
        for (name, value) in [("announce-hostname", "localhost"), ("preferred-endpoint-type", "hostname")] {
            let _: () = node.ask(&["CONFIG", "SET", &format!("cluster-{name}"), value]);
        }
    }
    // They tell each other.
    for node in &cluster.0 {
        for port in cluster.0.iter().map(|node| node.port) {
            node.becomes(&["CLUSTER", "NODES"], &format!("127.0.0.1:{port}@"));
        }
        for _ in 0..2_000 {
            if node.ask::<String>(&["CLUSTER", "NODES"]).matches(",localhost").count() == 3 {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    }
    let (a, b) = (RedisShared::open(options.clone()).await.unwrap(), RedisShared::open(options).await.unwrap());
    cluster.age(40_000);
    let now = cluster.now();
    for bucket in 0..=255 {
        assert_eq!(a.first_use(within(bucket, 1, now)).await.unwrap(), Used::First, "{bucket}");
        assert_eq!(b.first_use(within(bucket, 1, now)).await.unwrap(), Used::Before, "{bucket}");
    }
    cluster.moves(&a, &b, now).await;
}
