use super::*;
use proptest::prelude::*;

const KEY: &str = "master_key = \"file:master.key\"\n";

fn folder() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("master.key"), "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=").unwrap();
    std::fs::write(dir.path().join("app.secret"), "s3cret").unwrap();
    std::fs::write(dir.path().join("webhook.secret"), "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
    dir
}

fn error(text: &str) -> String {
    Config::parse(text, folder().path()).unwrap_err().to_string()
}

#[test]
fn the_template_is_a_configuration() {
    let dir = folder();
    let text = TEMPLATE.replace("{api_key_hash}", &api_key_hash("k")).replace("env:SHOP_APP_SECRET", "file:app.secret");
    let config = Config::parse(&text, dir.path()).unwrap();
    assert_eq!(config.apps.get(&"shop".into()).unwrap().policy, Policy::default());
    assert!(!config.development);
}

#[test]
fn the_commented_keys_show_the_defaults() {
    let dir = folder();
    let text = TEMPLATE.replace("{api_key_hash}", &api_key_hash("k")).replace("env:SHOP_APP_SECRET", "file:app.secret");
    let all: String = text
        .lines()
        .map(|l| match l.strip_prefix("# ") {
            Some(key) if key.contains(" = ") && key.starts_with(|c: char| c.is_ascii_lowercase()) => format!("{key}\n"),
            _ => format!("{l}\n"),
        })
        .collect();
    let (full, short) = (Config::parse(&all, dir.path()).unwrap(), Config::parse(&text, dir.path()).unwrap());
    assert_eq!(full.listen.public, short.listen.public);
    assert_eq!(full.trusted_proxies, short.trusted_proxies);
    assert_eq!((full.live_sessions, full.flush_every), (short.live_sessions, short.flush_every));
    assert_eq!(full.apps.get(&"shop".into()).unwrap().policy.idle, Policy::default().idle);
    assert_eq!(full.platforms, short.platforms);
}

#[test]
fn an_unknown_key_is_named_with_the_nearest() {
    let e = error(&format!("{KEY}databse = \"x\""));
    assert!(e.contains("line 2") && e.contains("`databse`") && e.contains("did you mean `database`?"), "{e}");
    let e = error(&format!("{KEY}[listen]\npublik = \"x\""));
    assert!(e.contains("`publik`") && e.contains("did you mean `public`?"), "{e}");
}

#[test]
fn secrets_do_not_stand_in_the_file_and_are_never_echoed() {
    let e = error("master_key = \"hunter2hunter2\"");
    assert!(e.contains("file:PATH or env:NAME") && !e.contains("hunter2"), "{e}");
    let e = error("master_key = \"env:YAOPAI_TEST_NOT_SET\"");
    assert!(e.contains("YAOPAI_TEST_NOT_SET is not set"), "{e}");
    let e = error("master_key = \"file:app.secret\"");
    assert!(e.contains("holds no key") && !e.contains("s3cret"), "{e}");
    let e = error("master_key = \"file:nowhere.key\"");
    assert!(e.contains("cannot read the file") && e.contains("nowhere.key"), "{e}");
    // A secret on a line that doesn't parse is not printed either.
    let e = error("master_key = \"hunter2");
    assert!(!e.contains("hunter2"), "{e}");
}

#[test]
fn values_that_cannot_be_right() {
    let app = format!("{KEY}[[apps]]\nname = \"shop\"\nappid = \"wx1\"\nsecret = \"file:app.secret\"\n");
    for (more, what) in [
        ("", "has no [apps.webhook]"),
        ("binding = \"auto\"\nbase_url = \"http://127.0.0.1:1\"", "not https"),
        ("binding = \"auto\"\nsessions = { idle = 10 }", "60 ≤ idle"),
        ("binding = \"auto\"\nsessions = { refresh_after = 1800 }", "refresh_after < idle"),
        ("binding = \"sometimes\"", "unknown variant `sometimes`"),
        ("keyed = \"always\"", "unknown variant `always`"),
        ("webhook = { url = \"ftp://x\", secret = \"file:webhook.secret\" }", "no http(s) URL"),
        ("webhook = { url = \"http://x\", secret = \"file:app.secret\" }", "whsec_"),
    ] {
        let e = error(&format!("{app}{more}"));
        assert!(e.contains(what), "{more}: {e}");
    }
    assert!(error(&format!("{KEY}[listen]\npublic = \"nowhere\"")).contains("is no address"));
    assert!(error(&format!("{KEY}[listen]\nmax_connections = 0")).contains("between 1 and"));
    assert!(error(&format!("{KEY}[live]\nmax_sessions = 0")).contains("between 1 and"));
    assert!(error(&format!("{KEY}[live]\nflush_interval = 0")).contains("1 to 300"));
    assert!(error(&format!("{KEY}[live]\nmax_nonces = 9")).contains("between 10000 and"));
    assert!(error(&format!("{KEY}[public]\nstripped_prefix = \"auth/\"")).contains("no path like /auth"));
    assert!(error(&format!("{KEY}[carriers]\ncookie = \"a b\"")).contains("can't be a cookie's name"));
    assert!(error(&format!("{KEY}[carriers]\nauthorization = false")).contains("at least one carrier"));
    assert!(error(&format!("{KEY}[carriers]\nheader = \"Cookie\"")).contains("carriers.cookie"));
}

#[test]
fn an_access_token_url() {
    let dir = folder();
    let app =
        format!("{KEY}[[apps]]\nname = \"shop\"\nappid = \"wx1\"\nsecret = \"file:app.secret\"\nbinding = \"auto\"\n");
    let parse = |more: &str| Config::parse(&format!("{app}{more}"), dir.path());
    assert!(parse("").unwrap().token_urls.is_empty());
    for url in ["https://token.example.com/shop", "http://127.0.0.1:8080/token"] {
        let more = format!("access_token_url = \"{url}\"\naccess_token_url_secret = \"file:app.secret\"");
        let config = parse(&more).unwrap();
        assert!(config.token_urls.contains_key(&"shop".into()));
        assert!(!format!("{config:?}").contains("s3cret"));
    }
    std::fs::write(dir.path().join("spaced.secret"), "hunter2 hunter2").unwrap();
    for (more, what) in [
        ("access_token_url = \"http://token.example.com/?k=hunter2\"", "plain HTTP"),
        ("access_token_url = \"hunter2\"", "no http(s) URL"),
        ("access_token_url = \"https://me:hunter2@token.example.com\"", "user name or password"),
        ("access_token_url_secret = \"file:app.secret\"", "has no access_token_url"),
        ("access_token_url = \"https://a\"\naccess_token_url_secret = \"hunter2\"", "file:PATH or env:NAME"),
        ("access_token_url = \"https://a\"\naccess_token_url_secret = \"file:spaced.secret\"", "_secret: app \"shop\""),
        ("access_token_uri = \"https://a\"", "did you mean `access_token_url`?"),
    ] {
        let e = parse(more).unwrap_err().to_string();
        assert!(e.contains(what) && !e.contains("hunter2"), "{more}: {e}");
    }
    let text = format!("development = true\n{app}access_token_url = \"http://token.example.com/\"");
    Config::parse(&text, dir.path()).unwrap();
}

/// A key in a query, a password in front of the host: neither is shown by what is wrong with the URL.
#[test]
fn urls_are_not_shown() {
    let dir = folder();
    std::fs::write(dir.path().join("push.token"), "pushToken").unwrap();
    let app =
        format!("{KEY}[[apps]]\nname = \"shop\"\nappid = \"wx1\"\nsecret = \"file:app.secret\"\nbinding = \"auto\"\n");
    for url in ["https://h/?key=hunter2", "http://me:hunter2@h.example/", "ftp://me:hunter2@h/"] {
        let push = format!("{app}push = {{ token = \"file:push.token\", mode = \"plain\", forward_url = \"{url}\" }}");
        let e = Config::parse(&push, dir.path()).unwrap_err().to_string();
        assert!(e.contains("apps.push.forward_url") && !e.contains("hunter2"), "{e}");
    }
    let hook = format!("{app}webhook = {{ url = \"ftp://me:hunter2@h/\", secret = \"file:webhook.secret\" }}");
    let e = Config::parse(&hook, dir.path()).unwrap_err().to_string();
    assert!(e.contains("apps.webhook.url") && !e.contains("hunter2"), "{e}");
}

#[test]
fn development_stays_on_loopback() {
    let dir = folder();
    let text = format!("{KEY}development = true\n[listen]\npublic = \"0.0.0.0:9700\"");
    let config = Config::parse(&text, dir.path()).unwrap();
    assert!(config.check_loopback(false).unwrap_err().to_string().contains("--lan"));
    config.check_loopback(true).unwrap();
}

/// The template with a piece of it replaced by one that may not fit.
fn near_template() -> impl Strategy<Value = String> {
    let pieces =
        ["é", "\n店 = 1\n", "\"", "[[apps]]", "= 99999999999999999999\n", "\"\"\"", "file:webhook.secret", "-1"];
    let piece = prop_oneof![any::<String>(), prop::sample::select(pieces.to_vec()).prop_map(str::to_owned)];
    (0usize..4000, 0usize..40, piece).prop_map(|(at, length, piece)| {
        let mut text =
            TEMPLATE.replace("{api_key_hash}", &api_key_hash("k")).replace("env:SHOP_APP_SECRET", "file:app.secret");
        let [from, to] = [at, at + length].map(|at| text.floor_char_boundary(at.min(text.len())));
        text.replace_range(from..to, &piece);
        text
    })
}

proptest! {
    /// Nothing panics, and whatever is wrong, no secret is told.
    #[test]
    fn any_text_is_a_configuration_or_an_error(text in near_template()) {
        static FOLDER: std::sync::LazyLock<tempfile::TempDir> = std::sync::LazyLock::new(folder);
        let said = match Config::parse(&text, FOLDER.path()) {
            Ok(config) => format!("{config:?}"),
            Err(e) => e.to_string(),
        };
        prop_assert!(!said.contains("s3cret") && !said.contains("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"), "{}", said);
    }
}

#[test]
fn many_nodes_share_postgres_and_each_has_its_name() {
    let dir = folder();
    std::fs::write(dir.path().join("postgres"), "host=/run/postgresql password=hunter2").unwrap();
    std::fs::write(dir.path().join("redis"), "redis://:hunter2@cache").unwrap();
    let read =
        |cluster: &str| Config::parse(&format!("{KEY}[cluster]\npostgres = \"file:postgres\"\n{cluster}"), dir.path());
    let config = read("node = \"a\"\nredis = { urls = [\"file:redis\"], replicas = 1 }").unwrap();
    let Database::Cluster(cluster) = &config.database else { panic!("{:?}", config.database) };
    assert_eq!((&*cluster.node, cluster.max_stale), ("a", Duration::from_secs(2)));
    assert_eq!(
        cluster.redis.as_ref().map(|redis| (redis.urls.len(), redis.cluster, redis.replicas)),
        Some((1, false, 1))
    );
    assert!(!format!("{:?} {}", config.database, config.database).contains("hunter2"));
    // Files stand beside the configuration, unless they say where.
    let files = |said: &str| {
        let config = read(&format!("node = \"a\"\nredis = {{ urls = [\"file:redis\"], {said} }}")).unwrap();
        let Database::Cluster(cluster) = config.database else { panic!() };
        let redis = cluster.redis.unwrap();
        [redis.ca, redis.cert, redis.key]
    };
    let here = |name: &str| Some(dir.path().join(name).display().to_string());
    assert_eq!(
        files("ca = \"ca.crt\", cert = \"/a.crt\", key = \"a.key\""),
        [here("ca.crt"), here("/a.crt"), here("a.key")]
    );
    assert_eq!(files("ca = \"system\""), [Some("system".into()), None, None]);
    std::fs::write(dir.path().join("name"), "b\n").unwrap();
    assert_eq!(read("node = \"file:name\"").unwrap().database.to_string(), "PostgreSQL, as node b");
    for (cluster, said) in [
        ("", "`node`"),
        ("node = \"\"", "cluster.node"),
        ("node = \"a b\"", "cluster.node"),
        ("node = \"env:YAOPAI_TEST_NOT_SET\"", "YAOPAI_TEST_NOT_SET is not set"),
        ("node = \"a\"\nmax_stale = 0", "1 to 60 seconds"),
        ("node = \"a\"\nredis = { urls = [] }", "name the server"),
        ("node = \"a\"\nredis = { urls = [\"redis://hunter3@cache\"] }", "file:PATH or env:NAME"),
    ] {
        let e = read(cluster).unwrap_err().to_string();
        assert!(e.contains(said) && !e.contains("hunter"), "{cluster}: {e}");
    }
    let e = error(&format!("{KEY}database = \"x\"\n[cluster]\npostgres = \"file:app.secret\"\nnode = \"a\""));
    assert!(e.contains("beside [cluster]"), "{e}");
}
