//! Signing by hand, in the words of RFC 9421 and with nothing of ours: so that what is refused is refused for what it says, and
//! not because it doesn't verify.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};

use crate::support::{ClientKey, Draft, fresh_nonce};

pub const NAMES: [&str; 6] = ["@method", "@authority", "@path", "@query", "authorization", "content-digest"];

/// A signature that is to be made.
pub struct Hand {
    /// What is covered: the component's identifier as it is written (`"@method"`), and its value.
    pub components: Vec<(String, String)>,
    /// The parameters as they are written: `created=1764230400`.
    pub params: Vec<String>,
    pub label: String,
}

/// HMAC-SHA256 (RFC 2104).
pub fn mac(key: &[u8], text: &[u8]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(text);
    mac.finalize().into_bytes().into()
}

/// `Content-Digest` (RFC 9530).
pub fn digest_of(body: &[u8]) -> String {
    format!("sha-256=:{}:", STANDARD.encode(Sha256::digest(body)))
}

impl Hand {
    /// All that a signature of this draft covers and says. Gives the draft a digest of its body if it needs one.
    pub fn of(draft: &mut Draft, key: &ClientKey, created: i64) -> Self {
        if draft.method != "GET" {
            draft.set("content-digest", &digest_of(&draft.body));
        }
        let (path, query) = draft.uri.split_once('?').unwrap_or((&draft.uri, ""));
        let mut components =
            vec![draft.method.clone(), draft.host.clone(), path.to_owned(), format!("?{query}"), String::new()];
        components[4] = draft.get("authorization").unwrap().to_owned();
        components.extend(draft.get("content-digest").map(str::to_owned));
        let components = NAMES.iter().zip(components).map(|(name, value)| (format!("\"{name}\""), value)).collect();
        let params = vec![
            format!("created={created}"),
            format!("nonce=\"{}\"", fresh_nonce()),
            format!("keyid=\"{}\"", key.key_id),
            "alg=\"hmac-sha256\"".to_owned(),
            "tag=\"yaopai\"".to_owned(),
        ];
        Self { components, params, label: "yaopai".to_owned() }
    }

    /// `@signature-params`
    pub fn input(&self) -> String {
        let names: Vec<&str> = self.components.iter().map(|(name, _)| &**name).collect();
        let params: String = self.params.iter().map(|param| format!(";{param}")).collect();
        format!("({}){params}", names.join(" "))
    }

    /// The signature base.
    pub fn base(&self) -> String {
        let lines: String = self.components.iter().map(|(name, value)| format!("{name}: {value}\n")).collect();
        format!("{lines}\"@signature-params\": {}", self.input())
    }

    /// The two fields.
    pub fn fields(&self, key: &[u8]) -> (String, String) {
        let signature = STANDARD.encode(mac(key, self.base().as_bytes()));
        (format!("{}={}", self.label, self.input()), format!("{}=:{signature}:", self.label))
    }

    /// The draft with them.
    pub fn put(&self, draft: &Draft, key: &[u8]) -> Draft {
        let (input, signature) = self.fields(key);
        let mut draft = draft.clone();
        draft.set("signature-input", &input);
        draft.set("signature", &signature);
        draft
    }

    /// The parameter of this name in other words; `None` leaves it out.
    pub fn param(&mut self, name: &str, value: Option<&str>) {
        let at = self.params.iter().position(|param| param.starts_with(&format!("{name}="))).unwrap();
        match value {
            Some(value) => self.params[at] = format!("{name}={value}"),
            None => drop(self.params.remove(at)),
        }
    }
}
