//! Every operation of the OpenAPI document, each with a request that a real server answers: what holds of all is tried on all.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support::schema::faults;
use crate::support::{OTHER_APPID, Phone, Reply, Setup, TestApp};

pub fn document() -> Value {
    serde_json::to_value(yaopai::admin::document()).unwrap()
}

/// An operation, as the document has it.
#[derive(Clone)]
pub struct Operation {
    pub id: String,
    pub method: String,
    pub path: String,
    pub scopes: Vec<String>,
    /// Does the scope `admin` include it?
    pub of_admin: bool,
    pub said: Value,
}

impl Operation {
    /// A key that may do it, if the other one has the scopes that `admin` does not include.
    pub fn key(&self) -> &'static str {
        if self.of_admin { "key-of-default" } else { "key-of-other" }
    }
}

pub fn operations() -> Vec<Operation> {
    let document = document();
    let paths = document["paths"].as_object().unwrap();
    let all = paths.iter().flat_map(|(path, item)| {
        item.as_object().unwrap().iter().map(|(method, said)| {
            let security = said["security"].as_array().unwrap();
            let scopes = security.iter().map(|one| one["api_key"][0].as_str().unwrap());
            Operation {
                id: said["operationId"].as_str().unwrap().to_owned(),
                method: method.to_uppercase(),
                path: path.clone(),
                of_admin: scopes.clone().any(|scope| scope == "admin"),
                scopes: scopes.filter(|scope| *scope != "admin").map(str::to_owned).collect(),
                said: said.clone(),
            }
        })
    });
    all.collect()
}

/// The scopes that `admin` does not include.
pub const APART: &str = r#"scopes = ["access_token", "signing_keys"]"#;

/// A realm with something in it, and keys: `key-of-default` has all scopes but those [`APART`], `key-of-other` what the test says.
pub struct Place {
    pub app: TestApp,
    pub phone: Phone,
    pub session: String,
    pub identity: String,
    pub unionid: String,
}

impl Place {
    pub async fn with(other_key: &str) -> Self {
        let tables = format!(
            r#"
            [[apps]]
            keyed = "offered"
            name = "mall"
            appid = "{{other_appid}}"
            secret = "file:app.secret"
            base_url = "{{sim}}"
            binding = "api"
            open_platform = "acme"

            [jwt]
            issuer = "http://yaopai.test:9702"

            [[audiences]]
            name = "orders"

            [[api_keys]]
            name = "another"
            hash = "{{other_key}}"
            {other_key}"#
        );
        let shop = "open_platform = \"acme\"";
        let app = TestApp::with(Setup { shop, tables: Box::leak(tables.into_boxed_str()), ..Setup::default() }).await;
        let phone = app.customer("lilei", "42");
        phone.log_in().await;
        app.phone_in("mall", OTHER_APPID, "lilei").log_in().await;
        app.admin("PUT", "/admin/v1/users/42/claims", Some(json!({ "vip": true }))).await.ok();
        // Everybody has moved: it is what there is to be read and ended, and no more.
        app.admin("PUT", "/admin/v1/apps/shop/move", Some(json!({ "share": 100, "openids": ["o1"] }))).await.ok();
        let session = phone.read().await.field("session_id");
        let identity = phone.check("-").await.header("yaopai-identity-id").unwrap().to_owned();
        let unionid = phone.check("-").await.header("yaopai-unionid").unwrap().to_owned();
        Self { app, phone, session, identity, unionid }
    }

    /// A request that does what the operation is for.
    pub fn request(&self, operation: &Operation) -> (String, Option<Value>) {
        let path = operation
            .path
            .replace("{user}", "42")
            .replace("{session_id}", &self.session)
            .replace("{identity_id}", &self.identity)
            .replace("{app}", "shop");
        let body = match operation.id.as_str() {
            "set_claims" => Some(json!({ "roles": ["boss"] })),
            "bind" => Some(json!({ "app": "shop", "openid": self.phone.openid(), "user": "42" })),
            "move_binding" => Some(json!({ "from": "42", "user": 43 })),
            "merge_bindings" => Some(json!({ "unionid": self.unionid, "open_platform": "acme" })),
            "make_bind_code" => Some(json!({ "user": "42", "masked": "4*" })),
            "set_move" => Some(json!({ "share": 2.5, "users": ["42"], "back": true })),
            "rotate_signing_keys" => Some(json!({ "at_once": true })),
            _ => None,
        };
        (
            if ["kick_sessions", "read_side"].contains(&operation.id.as_str()) {
                format!("{path}?user=42")
            } else {
                path
            },
            body,
        )
    }

    pub async fn send(&self, key: &str, operation: &Operation) -> Reply {
        let (path, body) = self.request(operation);
        self.app.admin_as(key, &operation.method, &path, body).await
    }
}

/// Each is answered as the document says: status, media type, body.
#[tokio::test]
async fn each_answers_as_the_document_says() {
    let document = document();
    for operation in operations() {
        let place = Place::with(APART).await;
        let reply = place.send(operation.key(), &operation).await;
        let (id, status) = (&operation.id, reply.status.as_u16());
        assert!(reply.status.is_success(), "{id}: {status} {}", reply.text);
        let answer = &operation.said["responses"][status.to_string()];
        assert!(answer.is_object(), "{id}: the document says nothing of {status}");
        match answer["content"].as_object() {
            None => assert_eq!(reply.text, "", "{id}"),
            Some(content) => {
                assert_eq!(reply.header("content-type"), Some("application/json"), "{id}");
                let schema = &content["application/json"]["schema"];
                assert_eq!(faults(&document, schema, &reply.json()), [""; 0], "{id}");
            }
        }
        // A body with a field that is not there, and a refusal's body.
        if let (path, Some(mut body)) = place.request(&operation) {
            let schema = &operation.said["requestBody"]["content"]["application/json"]["schema"];
            assert_eq!(
                faults(&document, schema, &body).is_empty(),
                body["user"] != 43,
                "{id}: a user is a string there"
            );
            if id != "set_claims" {
                body["misspelt"] = json!(1);
                let refused = place.app.admin_as(operation.key(), &operation.method, &path, Some(body)).await;
                assert_eq!(refused.refusal(), "400 field_invalid", "{id}");
                let schema = &operation.said["responses"]["400"]["content"]["application/problem+json"]["schema"];
                assert_eq!(faults(&document, schema, &refused.json()), [""; 0], "{id}");
            }
        }
    }
}

/// Fields of a body that the document has and the call doesn't know, or the other way round, would show here.
#[tokio::test]
async fn each_takes_the_fields_that_the_document_names() {
    let place = Place::with(APART).await;
    let document = document();
    for operation in operations() {
        let Some(schema) = operation.said.pointer("/requestBody/content/application~1json/schema") else { continue };
        let named = document.pointer(schema["$ref"].as_str().unwrap().strip_prefix('#').unwrap()).unwrap();
        let Some(properties) = named["properties"].as_object() else { continue };
        let (path, _) = place.request(&operation);
        let misspelt = Some(json!({ "misspelt": 1 }));
        let refused = place.app.admin_as(operation.key(), &operation.method, &path, misspelt).await.json();
        let says = refused["detail"].as_str().unwrap().to_owned();
        let taken: BTreeSet<&str> = says.split_once("takes ").unwrap().1.trim_end_matches('.').split(", ").collect();
        assert_eq!(taken, properties.keys().map(String::as_str).collect(), "{}", operation.id);
    }
}

#[tokio::test]
async fn each_needs_one_of_its_scopes() {
    let operations = operations();
    let all: BTreeSet<String> = operations.iter().flat_map(|o| o.scopes.clone()).collect();
    assert_eq!(all.iter().map(String::as_str).collect::<Vec<_>>(), SCOPES, "one that none needs, or is not tried here");
    for scope in SCOPES {
        let place = Place::with(&format!("scopes = [\"{scope}\"]")).await;
        for operation in &operations {
            let before = place.app.state();
            let reply = place.send("key-of-other", operation).await;
            if operation.scopes.iter().any(|has| has == scope) {
                assert_ne!(reply.header("yaopai-code"), Some("scope_missing"), "{scope}: {}", operation.id);
            } else {
                assert_eq!(reply.refusal(), "403 scope_missing", "{scope}: {}", operation.id);
                assert_eq!(place.app.state(), before, "{scope}: {}", operation.id);
            }
        }
    }
    let place = Place::with(APART).await;
    let apart: Vec<&Operation> = operations.iter().filter(|operation| !operation.of_admin).collect();
    let ids: BTreeSet<&str> = apart.iter().map(|operation| operation.id.as_str()).collect();
    assert_eq!(ids, BTreeSet::from(["access_token", "list_signing_keys", "rotate_signing_keys"]));
    for operation in apart {
        assert_eq!(place.send("key-of-default", operation).await.refusal(), "403 scope_missing", "admin is not for it");
    }
}

const SCOPES: [&str; 8] = ["access_token", "audit", "bindings", "move", "read", "sessions", "signing_keys", "users"];

/// What another realm's key is told of what is there is what it is told where nothing is.
#[tokio::test]
async fn another_realms_key_sees_and_changes_nothing() {
    let place = Place::with("realm = \"other\"\nscopes = [\"admin\", \"access_token\", \"signing_keys\"]").await;
    for operation in operations() {
        let before = place.app.state();
        let reply = place.send("key-of-other", &operation).await;
        let mut after = place.app.state();
        let id = operation.id.as_str();
        // The keys that sign are no realm's.
        if id == "rotate_signing_keys" {
            assert_ne!(after["signing_keys"], before["signing_keys"]);
            after.insert("signing_keys".to_owned(), before["signing_keys"].clone());
        }
        // What is said about the other realm's own user 42 stays there.
        let own = matches!(id, "set_claims" | "disable_user" | "enable_user" | "clear_claims" | "make_bind_code");
        if own {
            for table in ["identities", "sessions"] {
                assert_eq!(after[table], before[table], "{id}");
            }
            assert!(place.app.admin_get("/admin/v1/users/42/claims").await["claims"]["vip"] == true, "{id}");
            assert_eq!(place.app.admin_get("/admin/v1/users/42/disabled").await["disabled_at"], Value::Null, "{id}");
        } else {
            assert_eq!(after, before, "{id}");
        }
        for secret in [place.session.as_str(), &place.identity, &place.phone.openid(), &place.unionid, "\"vip\""] {
            assert!(!reply.text.contains(secret), "{id}: {}", reply.text);
        }
        if reply.status.is_client_error() {
            let refusal = reply.refusal();
            assert!(["404 not_found", "400 field_invalid"].contains(&refusal.as_str()), "{id}: {refusal}");
        }
    }
    assert_eq!(place.phone.check("-").await.user(), "42");
}

#[tokio::test]
async fn without_a_key_there_is_only_the_document() {
    let place = Place::with("scopes = [\"read\"]").await;
    let before = place.app.state();
    for operation in operations() {
        for key in ["", "key-of-defaul", "key-of-defaultx"] {
            assert_eq!(place.send(key, &operation).await.refusal(), "401 api_key_invalid", "{}", operation.id);
        }
    }
    assert_eq!(place.app.state(), before);
    let url = format!("{}/admin/v1/openapi.json", place.app.addresses().admin);
    let served = Reply::of(place.app.http.get(url).send().await.unwrap()).await;
    assert_eq!(served.header("content-type"), Some("application/json"));
    assert_eq!(served.json(), document());
}

/// The document as it was last looked at. `YAOPAI_WRITE_OPENAPI=1` writes it anew; the difference is then in the commit.
#[test]
fn the_document_is_the_one_in_docs() {
    let golden = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/openapi/admin.json");
    let text = yaopai::admin::document().to_pretty_json().unwrap() + "\n";
    if std::env::var_os("YAOPAI_WRITE_OPENAPI").is_some() {
        std::fs::create_dir_all(golden.parent().unwrap()).unwrap();
        std::fs::write(&golden, &text).unwrap();
    }
    let kept = std::fs::read_to_string(&golden).unwrap_or_default();
    assert!(kept == text, "docs/openapi/admin.json is not what is served: run this test with YAOPAI_WRITE_OPENAPI=1");
    assert_eq!(document()["openapi"], "3.1.0");
    let ids: BTreeSet<String> = operations().into_iter().map(|operation| operation.id).collect();
    assert_eq!(ids.len(), operations().len(), "a name twice");
}

/// A call is added by `Calls::on`, which puts it into the document; a route that is added otherwise would not be there.
#[test]
fn no_route_leads_past_the_document() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/admin");
    let mut routes = Vec::new();
    for entry in std::fs::read_dir(&folder).unwrap().chain(std::fs::read_dir(folder.join("op")).unwrap()) {
        let path = entry.unwrap().path();
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        routes.extend(text.lines().filter(|line| line.contains(".route(")).map(|line| line.trim().to_owned()));
    }
    routes.sort();
    let known = [
        // Standards' own paths, which say themselves what they are.
        ".route(\"/.well-known/jwks.json\", get(jwks::jwks))",
        ".route(\"/.well-known/oauth-authorization-server\", get(discovery::document))",
        ".route(\"/.well-known/openid-configuration\", get(discovery::document))",
        ".route(\"/admin/v1/openapi.json\", get(op::openapi))",
        ".route(\"/livez\", get(state::livez))",
        ".route(\"/metrics\", get(state::metrics))",
        ".route(\"/oauth2/introspect\", post(introspect::introspect).layer(DefaultBodyLimit::max(ASKED_MAX)))",
        ".route(\"/readyz\", get(state::readyz))",
        "router: self.router.route(op.path, on(op.verb.of_axum(), serve)),",
    ];
    assert_eq!(routes, known);
}
