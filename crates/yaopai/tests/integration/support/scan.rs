//! Looks for secrets in bytes, in every form in which one could leak.

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};

/// How much of a needle finds it; the rest is compared then.
const HEAD: usize = 8;

/// Secrets to look for.
#[derive(Default)]
pub struct Scanner {
    needles: HashMap<[u8; HEAD], Vec<(String, Vec<u8>)>>,
    names: Vec<String>,
}

impl Scanner {
    /// Adds a secret's text: as it is, and what it is in hex and base64.
    pub fn text(&mut self, name: &str, secret: &str) {
        self.bytes(name, secret.as_bytes());
    }

    /// Adds a secret's bytes.
    pub fn bytes(&mut self, name: &str, secret: &[u8]) {
        assert!(secret.len() >= HEAD, "{name} is too short to tell from noise");
        self.names.push(name.to_owned());
        for (form, needle) in forms(secret) {
            let head = needle[..HEAD].try_into().unwrap();
            self.needles.entry(head).or_default().push((format!("{name} ({form})"), needle));
        }
    }

    /// A token: its text, and its 32 secret bytes.
    pub fn token(&mut self, name: &str, token: &str) {
        self.text(name, token);
        let parsed = yaopai_wire::token::Token::parse(token.as_bytes()).unwrap();
        self.bytes(&format!("{name}'s secret"), parsed.secret.expose());
    }

    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// What is found, and where it stands.
    pub fn find(&self, haystack: &[u8]) -> Vec<String> {
        let mut found = Vec::new();
        for (at, head) in haystack.windows(HEAD).enumerate() {
            let Some(needles) = self.needles.get(head) else { continue };
            for (name, needle) in needles {
                if haystack[at..].starts_with(needle) {
                    found.push(format!("{name} at byte {at}"));
                }
            }
        }
        found
    }
}

/// The forms of a secret: raw, hex, and base64 at each of its three positions within something longer.
pub fn forms(secret: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let mut forms = vec![
        ("raw", secret.to_vec()),
        ("hex", hex::encode(secret).into_bytes()),
        ("HEX", hex::encode_upper(secret).into_bytes()),
        ("percent-encoded", secret.iter().flat_map(|b| format!("%{b:02X}").into_bytes()).collect()),
        ("a list of numbers", format!("{secret:?}").trim_matches(['[', ']']).as_bytes().to_vec()),
    ];
    for shift in 0..3 {
        // The first and last characters depend on the neighbours: only those in between are the secret's.
        let padded = [&[0u8; 2][..shift], secret].concat();
        let inner = |text: String| {
            let from = if shift == 0 { 0 } else { shift + 1 };
            let to = if padded.len() % 3 == 0 { text.len() } else { text.len() - 1 };
            text.as_bytes()[from..to].to_vec()
        };
        forms.push(("base64", inner(STANDARD_NO_PAD.encode(&padded))));
        forms.push(("base64url", inner(URL_SAFE_NO_PAD.encode(&padded))));
    }
    forms.retain(|(_, needle)| needle.len() >= HEAD);
    forms
}

/// Decodes a secret's base64 text.
pub fn decode(text: &str) -> Vec<u8> {
    STANDARD.decode(text).unwrap()
}
