//! Somebody has a copy of the database, a backup say, and neither the master key nor a phone.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use rusqlite::types::ValueRef;
use yaopai_wire::token::{Secret, Token};

use super::hand::{Hand, mac};
use super::{scene, thief};
use crate::support::{ClientKey, Draft, TestApp};

/// Every value of every table.
fn dump(app: &TestApp) -> BTreeSet<Vec<u8>> {
    let db = app.database();
    let mut tables = db.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").unwrap();
    let tables: Vec<String> = tables.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    let mut values = BTreeSet::new();
    for table in tables {
        let mut rows = db.prepare(&format!("SELECT * FROM {table}")).unwrap();
        let columns = rows.column_count();
        let mut rows = rows.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            for column in 0..columns {
                values.insert(match row.get_ref(column).unwrap() {
                    ValueRef::Text(bytes) | ValueRef::Blob(bytes) => bytes.to_vec(),
                    ValueRef::Integer(number) => number.to_string().into_bytes(),
                    _ => continue,
                });
            }
        }
    }
    values
}

/// What may be meant by a value: itself, each text between quotes in it, and what those are the hex or base64 of.
fn readings(value: &[u8]) -> BTreeSet<Vec<u8>> {
    let mut texts: BTreeSet<Vec<u8>> = value.split(|b| *b == b'"').map(<[u8]>::to_vec).collect();
    texts.insert(value.to_vec());
    let mut all = texts.clone();
    for text in texts {
        all.extend(hex::decode(&text));
        for alphabet in [&STANDARD, &STANDARD_NO_PAD, &URL_SAFE, &URL_SAFE_NO_PAD] {
            all.extend(alphabet.decode(&text));
        }
    }
    // And in writing again: a key may be used as its text.
    let written: Vec<_> =
        all.iter().flat_map(|v| [hex::encode(v).into_bytes(), STANDARD.encode(v).into_bytes()]).collect();
    all.extend(written);
    all
}

#[tokio::test]
async fn nothing_in_it_is_a_key_or_a_token() {
    let (app, victim) = scene().await;
    victim.check("-").await.user();
    victim.steps_up().await;
    app.upkeep().await;
    let key = victim.key().unwrap();
    let token = Token::parse(victim.token().as_bytes()).unwrap();
    let values = dump(&app);
    assert!(values.len() > 40 && values.contains(token.id.as_slice()), "a dump of {} values", values.len());
    let whole: BTreeSet<Vec<u8>> = values.iter().flat_map(|value| readings(value)).collect();

    let mut draft = Draft::new("GET", "shop.example", "/orders", None).bearing(&victim.token());
    let base = Hand::of(&mut draft, &key, victim.clock()).base();
    let honest = mac(&key.key, base.as_bytes());
    // Every piece of 32 bytes, by what the server would compare.
    let mut pieces = 0;
    for value in &whole {
        for piece in value.windows(32) {
            pieces += 1;
            assert_ne!(mac(piece, base.as_bytes()), honest, "a key lies in clear");
            let secret = Secret::new(piece.try_into().unwrap());
            assert!(!secret.hash().matches(&token.secret.hash()), "a token lies in clear");
        }
    }
    assert!(pieces > 1_000, "{pieces}");
    // Every whole value, by the server's own word.
    for value in &whole {
        let hand = Hand::of(&mut draft, &key, victim.clock());
        assert_eq!(hand.put(&draft, value).check(&app, "-").await.denied(), "401 proof_invalid");
        if let Ok(secret) = <[u8; 32]>::try_from(&value[..]) {
            let made = Token { id: token.id, secret: Secret::new(secret) }.reveal();
            let denied =
                Draft::new("GET", "shop.example", "/orders", None).bearing(&made).check(&app, "-").await.denied();
            assert_eq!(denied, "401 session_unknown");
        }
    }
    assert_eq!(victim.check("-").await.user(), "42");
}

/// With write access he moves what is sealed: his own session's key into the victim's row. It is sealed for the row that it lies in.
#[tokio::test]
async fn a_sealed_key_in_another_row() {
    let (mut app, victim) = scene().await;
    let thief = thief(&app).await;
    let ids = [&victim, &thief].map(|phone| Token::parse(phone.token().as_bytes()).unwrap().id.to_vec());
    app.stop().await;
    let sql = "UPDATE sessions SET key = (SELECT key FROM sessions WHERE id = ?2) WHERE id = ?1";
    assert_eq!(app.database_to_change().execute(sql, rusqlite::params![ids[0], ids[1]]).unwrap(), 1);
    app.try_start().await.unwrap();
    let moved = ClientKey { key: thief.key().unwrap().key, ..victim.key().unwrap() };
    for key in [Some(moved), thief.key(), victim.key(), None] {
        victim.hold_key(key);
        assert!(!victim.check("require=session").await.status.is_success());
        assert!(!victim.check_forwarded("require=open").await.status.is_success());
        assert!(!victim.read().await.status.is_success());
    }
    assert_eq!(thief.check("-").await.user(), "666");
}

/// The same with a login's kept answer, which holds a key.
#[tokio::test]
async fn a_sealed_answer_of_another_login() {
    let (mut app, victim) = scene().await;
    let thief = app.customer("xiaoming", "666").keyed();
    let (code, id) = (thief.code(), crate::support::request_id("thief"));
    thief.send_login(&code, &id).await.ok();
    let ids = [&victim, &thief].map(|phone| Token::parse(phone.token().as_bytes()).unwrap().id.to_vec());
    app.stop().await;
    let db = app.database_to_change();
    let sql =
        "UPDATE logins SET session = ?1, sealed = (SELECT sealed FROM logins WHERE session = ?1) WHERE session = ?2";
    assert_eq!(db.execute(sql, rusqlite::params![ids[0], ids[1]]).unwrap(), 1);
    drop(db);
    app.try_start().await.unwrap();
    let reply = thief.send_login(&code, &id).await;
    assert!(!reply.status.is_success() && !reply.text.contains("secret"), "{}", reply.text);
}
