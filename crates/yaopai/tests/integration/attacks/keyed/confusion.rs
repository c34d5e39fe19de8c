//! Another algorithm, another key: what the request says of them decides nothing.

use sha2::{Digest as _, Sha256, Sha512};
use yaopai_wire::token::Token;

use super::hand::Hand;
use super::scene;
use crate::support::{ClientKey, Draft, Phone, TestApp};

/// A request that is signed by hand, as `spoil` says, with this key.
fn made(victim: &Phone, key: &[u8], spoil: impl FnOnce(&mut Hand)) -> Draft {
    let mut draft = Draft::new("GET", "shop.example", "/orders", None).bearing(&victim.token());
    let mut hand = Hand::of(&mut draft, &victim.key().unwrap(), victim.clock());
    spoil(&mut hand);
    hand.put(&draft, key)
}

async fn denied(app: &TestApp, draft: &Draft, what: &str) {
    assert_eq!(draft.check(app, "-").await.denied(), "401 proof_invalid", "{what}");
    assert_eq!(draft.check_through_hyper(app, "require=open").await.denied(), "401 proof_invalid", "{what}");
    assert_eq!(draft.check_forward(app, "").await.denied(), "401 proof_invalid", "{what}");
    let host = app.addresses().public.replace("http://", "");
    // The same at the API: the signature is of another request there, so it is about what is said before that is looked at.
    let mut read = draft.clone();
    (read.host, read.uri) = (host, "/yaopai/v1/session".into());
    assert_eq!(read.send(app).await.refusal(), "401 proof_invalid", "{what}");
}

#[tokio::test]
async fn another_algorithm() {
    let (app, victim) = scene().await;
    let key = victim.key().unwrap();
    for alg in [
        "none",
        "",
        "HMAC-SHA256",
        "hmac-sha512",
        "hs256",
        "HS256",
        "ed25519",
        "rsa-pss-sha512",
        "rsa-v1_5-sha256",
        "ecdsa-p256-sha256",
        "hmac-sha256 ",
        " hmac-sha256",
        "hmac-sha2",
    ] {
        let draft = made(&victim, &key.key, |hand| hand.param("alg", Some(&format!("\"{alg}\""))));
        denied(&app, &draft, alg).await;
    }
    denied(&app, &made(&victim, &key.key, |hand| hand.param("alg", None)), "no algorithm").await;
    denied(&app, &made(&victim, &key.key, |hand| hand.param("alg", Some("hmac-sha256"))), "a token").await;
    // And without a signature at all.
    for alg in ["none", "hmac-sha256"] {
        for bytes in ["", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="] {
            let mut draft = made(&victim, &key.key, |hand| hand.param("alg", Some(&format!("\"{alg}\""))));
            draft.set("signature", &format!("yaopai=:{bytes}:"));
            denied(&app, &draft, alg).await;
        }
    }
    assert_eq!(made(&victim, &key.key, |_| ()).check(&app, "-").await.user(), "42");
}

/// The session's key is named by the session's id and nothing else.
#[tokio::test]
async fn another_name_of_the_key() {
    let (app, victim) = scene().await;
    let key = victim.key().unwrap();
    let id = &key.key_id;
    for name in [
        format!("{id}.1"),
        format!("{id}.0"),
        format!("{id}."),
        format!("{id}.4294967295"),
        id.to_uppercase(),
        id.replace('-', ""),
        format!("{{{id}}}"),
        format!("urn:uuid:{id}"),
        id[..35].to_owned(),
        format!("{id}0"),
        format!("{id} "),
        String::new(),
        "yaopai".into(),
        "42".into(),
        victim.openid(),
        victim.token(),
    ] {
        let draft = made(&victim, &key.key, |hand| hand.param("keyid", Some(&format!("\"{name}\""))));
        denied(&app, &draft, &name).await;
    }
    denied(&app, &made(&victim, &key.key, |hand| hand.param("keyid", Some("1"))), "a number").await;
}

/// What somebody with the token knows or can guess.
#[tokio::test]
async fn another_key() {
    let (app, victim) = scene().await;
    let key = victim.key().unwrap();
    let pad = app.phone("lilei").keyed();
    pad.log_in().await;
    let text = victim.token();
    let token = Token::parse(text.as_bytes()).unwrap();
    let secret = token.secret.expose();
    let sha = |bytes: &[u8]| Sha256::digest(bytes).to_vec();
    let guesses: Vec<(&str, Vec<u8>)> = vec![
        ("nothing", vec![]),
        ("zeros", vec![0; 32]),
        ("ones", vec![0xff; 32]),
        ("the token", text.clone().into_bytes()),
        ("its secret", secret.to_vec()),
        ("its hash", token.secret.hash().0.to_vec()),
        ("the token's hash", sha(text.as_bytes())),
        ("its secret's long hash", Sha512::digest(secret)[..32].to_vec()),
        ("the session's id", key.session.clone().into_bytes()),
        ("its bytes", token.id.to_vec()),
        ("its hash", sha(key.session.as_bytes())),
        ("the openid", victim.openid().into_bytes()),
        ("the other session's", pad.key().unwrap().key.to_vec()),
        ("half of it", key.key[..16].to_vec()),
        ("one bit of it", {
            let mut other = key.key;
            other[31] ^= 1;
            other.to_vec()
        }),
        ("its hash", sha(&key.key)),
    ];
    for (what, guess) in guesses {
        denied(&app, &made(&victim, &guess, |_| ()), what).await;
    }
    assert_eq!(made(&victim, &key.key, |_| ()).check(&app, "-").await.user(), "42");
}

/// The kind is the session's: one with a key of its own has no versions, and a bearer session has no key at all, whatever is signed.
#[tokio::test]
async fn another_kind_of_session() {
    let app = TestApp::start().await;
    let bearer = app.customer("lilei", "42");
    bearer.log_in().await;
    let id = bearer.read().await.field("session_id");
    // A bearer session stays one: what is signed beside its token proves nothing, and claims nothing.
    let key = ClientKey { session: id.clone(), key_id: id, key: [0; 32] };
    let draft =
        Draft::new("POST", "shop.example", "/orders", None).bearing(&bearer.token()).signed(&key, bearer.clock());
    let reply = draft.check(&app, "-").await;
    assert_eq!((reply.user(), reply.header("yaopai-body-signed")), ("42".into(), Some("")));
}
