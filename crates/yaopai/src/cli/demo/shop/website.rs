//! The shop's website, on which a user is signed in at a computer. Its back end has Yaopai make bind codes for them.

use std::sync::Arc;

use anyhow::{Context as _, bail};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, header};
use serde_json::{Value, json};
use yaopai_core::ports::Entropy;
use zeroize::Zeroizing;

use crate::cli::demo::client::Client;
use crate::cli::demo::wire::Wire;
use crate::cli::demo::world::APP;

const BIND_CODES: &str = "/admin/v1/bind-codes";

/// What its back end needs.
pub struct Website {
    pub client: Client,
    /// `http://host:port` of the server's admin listener.
    pub admin: String,
    pub api_key: Zeroizing<String>,
    pub entropy: Arc<dyn Entropy>,
    pub wire: Arc<Wire>,
}

/// A bind code that it shows.
pub struct BindCode {
    pub code: Zeroizing<String>,
    /// What the picture of it is drawn from. Not the code: whoever sees one could redeem it.
    pub picture: u32,
}

impl Website {
    /// Has a code made for the user who is signed in.
    ///
    /// # Errors
    /// The server refused, which it never does here.
    pub async fn bind_code(&self, user: u64, account: &str) -> anyhow::Result<BindCode> {
        let mut headers = HeaderMap::new();
        headers.insert(header::AUTHORIZATION, format!("Bearer {}", *self.api_key).parse()?);
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let body = json!({ "user": user, "masked": masked(account), "app": APP }).to_string();
        let n = self.wire.asked("shop", "yaopai", &Method::POST, BIND_CODES, &headers, body.as_bytes());
        let url = format!("{}{BIND_CODES}", self.admin);
        let answer = match self.client.send(Method::POST, &url, headers, Bytes::from(body)).await {
            Ok(answer) => answer,
            Err(e) => {
                self.wire.failed(n);
                return Err(e);
            }
        };
        self.wire.answered(n, answer.status, &answer.headers, &answer.body);
        if !answer.status.is_success() {
            bail!("no bind code, but {}", answer.status);
        }
        let answer: Value = serde_json::from_slice(&answer.body)?;
        let code = answer["bind_code"].as_str().context("the answer has no bind_code")?;
        let mut picture = [0u8; 4];
        self.entropy.fill(&mut picture);
        Ok(BindCode { code: Zeroizing::new(code.to_owned()), picture: u32::from_be_bytes(picture) })
    }
}

/// Enough to know the own account by, not enough to tell a stranger.
fn masked(account: &str) -> String {
    let letters: Vec<_> = account.chars().collect();
    let (start, end) = (letters.iter().take(2), letters.iter().rev().take(2).rev());
    format!("{}***{}", start.collect::<String>(), end.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_masked() {
        assert_eq!(masked("hanmeimei"), "ha***ei");
        assert_eq!(masked("韩梅梅的店"), "韩梅***的店");
    }
}
