//! A push as it goes over the wire: query, type and body, signed, encrypted, forged if a test wants it so.

use serde_json::{Map, Value, json};

use super::{
    Tamper,
    message::write as written,
    seal::{encrypt, signature},
};
use crate::{PushConfig, PushFormat, PushMode, SimError, config::aes_key, dice::Dice};

const HOUR_S: u64 = 3600;
/// The appid of nobody.
const OTHER_APPID: &str = "wx00000000000000ff";

/// What is sent: a GET without a body, or a POST.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Letter {
    pub(crate) query: Vec<(&'static str, String)>,
    pub(crate) body: Option<(&'static str, String)>,
}

/// The GET by which WeChat verifies an address, and the echostr that must come back.
pub(crate) fn verification(
    config: &PushConfig,
    tamper: Option<Tamper>,
    now: u64,
    dice: &mut Dice,
) -> Result<(Letter, String), SimError> {
    match tamper {
        None | Some(Tamper::WrongSignature | Tamper::Unsigned | Tamper::OldTimestamp) => {}
        Some(_) => return Err(SimError::Invalid("tamper: an address is verified without a message".to_owned())),
    }
    let echostr = format!("{}{:09}", 1_000_000_000 + u64::from(dice.number()), dice.below(1_000_000_000));
    let (_, mut query) = stamp(config, tamper, now, dice);
    query.push(("echostr", echostr.clone()));
    Ok((Letter { query, body: None }, echostr))
}

/// The POST of a message.
pub(crate) fn write(
    config: &PushConfig,
    appid: &str,
    openid: &str,
    mut fields: Map<String, Value>,
    tamper: Option<Tamper>,
    now: u64,
    dice: &mut Dice,
) -> Result<Letter, SimError> {
    let key = config.encoding_aes_key.as_ref().and_then(aes_key).filter(|_| config.mode != PushMode::Plain);
    if key.is_none() && tamper.is_some_and(Tamper::needs_encryption) {
        return Err(SimError::Invalid("tamper: this one needs a mode that encrypts".to_owned()));
    }
    let inner = if tamper == Some(Tamper::OtherApp) { OTHER_APPID } else { appid };
    let plain = |fields: &Map<String, Value>| written(fields, config.format, config.leading_spaces);
    let (stamp, mut query) = stamp(config, tamper, now, dice);
    query.push(("openid", openid.to_owned()));
    let body = match key.filter(|_| tamper != Some(Tamper::PlainBody)) {
        None => {
            if tamper == Some(Tamper::OtherApp) {
                fields.insert("AppID".to_owned(), json!(OTHER_APPID));
            }
            plain(&fields)
        }
        Some(key) => {
            let key = if tamper == Some(Tamper::OtherKey) { dice.bytes() } else { key };
            let encrypted = match tamper {
                Some(Tamper::Garbage) => dice.key(),
                _ => encrypt(&key, dice.bytes(), &plain(&fields), inner),
            };
            query.push(("encrypt_type", "aes".to_owned()));
            if tamper != Some(Tamper::Unsigned) {
                let right = signature(&[config.token.expose(), &stamp.timestamp, &stamp.nonce, &encrypted]);
                let wrong = matches!(tamper, Some(Tamper::WrongSignature | Tamper::WrongMsgSignature));
                query.push(("msg_signature", if wrong { forged(&right) } else { right }));
            }
            if config.mode == PushMode::Safe {
                fields.retain(|name, _| name == "ToUserName");
            }
            fields.insert("Encrypt".to_owned(), json!(encrypted));
            plain(&fields)
        }
    };
    let content_type = match config.format {
        PushFormat::Xml => "text/xml",
        PushFormat::Json => "application/json",
    };
    Ok(Letter { query, body: Some((content_type, body)) })
}

struct Stamp {
    timestamp: String,
    nonce: String,
}

/// What is in every query.
fn stamp(
    config: &PushConfig,
    tamper: Option<Tamper>,
    now: u64,
    dice: &mut Dice,
) -> (Stamp, Vec<(&'static str, String)>) {
    let ago = if tamper == Some(Tamper::OldTimestamp) { HOUR_S } else { 0 };
    let stamp = Stamp { timestamp: (now / 1000).saturating_sub(ago).to_string(), nonce: dice.number().to_string() };
    let right = signature(&[config.token.expose(), &stamp.timestamp, &stamp.nonce]);
    let shown = match tamper {
        Some(Tamper::Unsigned) => None,
        Some(Tamper::WrongSignature) => Some(forged(&right)),
        _ => Some(right),
    };
    let mut query: Vec<_> = shown.into_iter().map(|signature| ("signature", signature)).collect();
    query.push(("timestamp", stamp.timestamp.clone()));
    query.push(("nonce", stamp.nonce.clone()));
    (stamp, query)
}

/// Another signature of the same length: what differs is only its last digit.
fn forged(signature: &str) -> String {
    let (start, last) = signature.split_at(signature.len().saturating_sub(1));
    format!("{start}{}", if last == "0" { "1" } else { "0" })
}
