//! What the runtime in the browser says to the WeChat client, and how a failure is told: e2e/phone/README.md, "The protocol".

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};

/// How much of a button's label is written down, in characters.
const LABEL_MAX: usize = 40;

/// A message of the runtime's.
pub enum Message {
    /// To be kept, or forgotten.
    Store(Item),
    /// All of it is to be forgotten.
    Clear,
    /// `wx.request` and its like.
    Request(u64, Request),
    /// Nobody waits for that call any more.
    Cancel(u64),
    /// The person has tapped something. Not the runtime's: the page around it says so by the runtime's own line, so that it stands before
    /// what the tap sets off.
    Tap(String),
    /// Any other call, by its type.
    Ask(u64, String),
    /// Nothing that anybody waits for.
    Other,
}

/// An item of the storage. `value` is JSON text; without one the item is forgotten.
#[derive(Deserialize)]
pub struct Item {
    pub key: String,
    pub value: Option<String>,
    #[serde(default)]
    pub encrypted: bool,
}

/// A request as the mini program wants it sent.
#[derive(Deserialize)]
pub struct Request {
    pub url: String,
    pub method: String,
    pub headers: Vec<(String, String)>,
    pub body: Option<Body>,
}

/// A body, either way.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Body {
    Text(String),
    Base64(String),
}

impl Body {
    /// Its bytes; `None` if what should be base64 is none.
    pub fn bytes(&self) -> Option<Bytes> {
        match self {
            Self::Text(text) => Some(Bytes::copy_from_slice(text.as_bytes())),
            Self::Base64(text) => STANDARD.decode(text).ok().map(Bytes::from),
        }
    }

    /// How bytes are told.
    pub fn told(bytes: &[u8]) -> Value {
        match std::str::from_utf8(bytes) {
            Ok(text) => json!({ "text": text }),
            Err(_) => json!({ "base64": STANDARD.encode(bytes) }),
        }
    }
}

/// What came to nothing: the app reads `request:fail <reason>`.
#[derive(Debug, PartialEq, Eq)]
pub struct Failure {
    pub reason: String,
    pub errno: Option<u32>,
}

impl Failure {
    /// For this reason.
    pub fn new(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), errno: None }
    }

    /// As WeChat's network stack says it.
    pub fn network(code: i32, name: &str) -> Self {
        let reason = format!("errcode:{code} cronet_error_code:{code} error_msg:net::{name}");
        Self { reason, errno: Some(600_003) }
    }
}

impl Message {
    /// What a message says. One that makes no sense is no reason to leave the others undone.
    pub fn read(message: Value) -> Self {
        let kind = message["type"].as_str().unwrap_or_default().to_owned();
        let id = message["id"].as_u64();
        match (kind.as_str(), id) {
            ("store", _) => serde_json::from_value(message).map_or(Self::Other, Self::Store),
            ("store.clear", _) => Self::Clear,
            ("tap", _) => Self::Tap(message["what"].as_str().unwrap_or_default().chars().take(LABEL_MAX).collect()),
            ("cancel", _) => message["call"].as_u64().map_or(Self::Other, Self::Cancel),
            ("request", Some(id)) => match serde_json::from_value(message) {
                Ok(request) => Self::Request(id, request),
                Err(_) => Self::Ask(id, kind),
            },
            (_, Some(id)) => Self::Ask(id, kind),
            _ => Self::Other,
        }
    }
}
