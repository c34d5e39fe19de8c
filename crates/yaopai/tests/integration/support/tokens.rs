//! JWTs as a back end sees them: verified with nothing but what the server publishes.

use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{DecodingKey, Header, Validation};
use serde_json::Value;

use super::{Reply, Setup, TestApp, World};

pub const ISSUER: &str = "http://yaopai.test:9702";

/// Three back ends: two of the default realm, one of the realm `other`, which has the app `club`.
pub const AUDIENCES: &str = r#"
    [jwt]
    issuer = "http://yaopai.test:9702"

    [[audiences]]
    name = "orders"
    scope_from = "roles"
    top_level = ["tenant"]

    [[audiences]]
    name = "stock"
    alg = "EdDSA"
    typ = "at+jwt"
    lifetime = 120

    [[audiences]]
    name = "members"
    realm = "other"

    [[apps]]
    keyed = "offered"
    name = "club"
    realm = "other"
    appid = "{other_appid}"
    secret = "file:app.secret"
    base_url = "{sim}"
    webhook = { url = "{hook}", secret = "file:webhook.secret", timeout = 1 }

    [[api_keys]]
    name = "the club's back end"
    realm = "other"
    hash = "{other_key}"

    [[api_keys]]
    name = "who looks after the keys"
    scopes = ["signing_keys"]
    hash = "sha256:c662113407f500f9b91e83fe6bcd1b5c6d6792626f642e1763dcaa30eea7e51c"

    [[api_keys]]
    name = "who only asks"
    scopes = ["introspect"]
    hash = "sha256:079d734e2b3db933477b8f758fe296269ab524f09ef1adb839e38c42b2606acb""#;

pub async fn with_audiences() -> TestApp {
    TestApp::with(Setup { tables: AUDIENCES, ..Setup::default() }).await
}

/// The JWT of a check's answer; `None`: it was asked for and there is none.
#[track_caller]
pub fn jwt_of(reply: &Reply) -> Option<String> {
    assert_eq!(reply.status, 200, "{}", reply.text);
    reply.principal();
    let value = reply.header("authorization").expect("no Authorization: the client's own would go on");
    let jwt = value.strip_prefix("Bearer ").map(str::to_owned);
    assert!(jwt.is_some() || value.is_empty(), "{value}");
    jwt
}

/// What is published now.
pub async fn published(world: &World) -> JwkSet {
    let url = format!("{}/.well-known/jwks.json", world.addresses().admin);
    let reply = Reply::of(world.http.get(url).send().await.unwrap()).await;
    serde_json::from_str(&reply.ok().text).unwrap()
}

/// The header and the payload, if the signature is by a published key. Times and audience are the caller's to look at.
pub fn verified(jwt: &str, keys: &JwkSet) -> Option<(Header, Value)> {
    let header = jsonwebtoken::decode_header(jwt).unwrap();
    let key = DecodingKey::from_jwk(keys.find(header.kid.as_ref().unwrap())?).unwrap();
    let mut validation = Validation::new(header.alg);
    validation.validate_exp = false;
    validation.validate_aud = false;
    validation.required_spec_claims.clear();
    let read = jsonwebtoken::decode::<Value>(jwt, &key, &validation).ok()?;
    Some((read.header, read.claims))
}

impl TestApp {
    /// `POST /oauth2/introspect` by a back end with this key.
    pub async fn introspect_as(&self, key: &str, audience: Option<&str>, token: &str) -> Reply {
        let url = format!("{}/oauth2/introspect", self.addresses().admin);
        let request = self.http.post(url).header("content-type", "application/x-www-form-urlencoded");
        let request = match audience {
            None => request.bearer_auth(key),
            Some(audience) => request.basic_auth(audience, Some(key)),
        };
        Reply::of(request.body(format!("token={token}&token_type_hint=access_token")).send().await.unwrap()).await
    }

    /// The same by the back end `orders`.
    pub async fn introspect(&self, token: &str) -> Value {
        let reply = self.introspect_as("key-of-default", Some("orders"), token).await;
        assert_eq!(reply.ok().header("cache-control"), Some("no-store"));
        reply.json()
    }
}
