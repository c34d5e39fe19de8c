//! Sending, and sending again.

use std::{sync::OnceLock, time::Duration};

use reqwest::{Client, Url, header::CONTENT_TYPE, redirect::Policy};

use super::{Letter, PushTry};
use crate::{PushConfig, SimError, system::Stopwatch};

const MAX_ANSWER: usize = 64 * 1024;

/// The one HTTP client of the simulator; made when it is first needed.
#[derive(Default)]
pub(crate) struct Courier(OnceLock<Client>);

impl Courier {
    // The home of this crate's client. No proxy of the machine's, and no redirect: WeChat follows none (INF).
    #[allow(clippy::disallowed_methods)]
    fn client(&self) -> Result<&Client, SimError> {
        if let Some(client) = self.0.get() {
            return Ok(client);
        }
        let made = Client::builder().no_proxy().redirect(Policy::none()).pool_max_idle_per_host(0).build();
        let made = made.map_err(|error| SimError::Invalid(format!("no HTTP client: {error}")))?;
        Ok(self.0.get_or_init(|| made))
    }

    /// One request. A server that doesn't answer is an answer, too.
    pub(crate) async fn send(&self, config: &PushConfig, letter: &Letter) -> Result<PushTry, SimError> {
        let client = self.client()?;
        let mut url: Url = config.url.parse().map_err(|_| SimError::Invalid("push: url".to_owned()))?;
        url.query_pairs_mut().extend_pairs(&letter.query);
        let request = match &letter.body {
            None => client.get(url),
            Some((content_type, body)) => client.post(url).header(CONTENT_TYPE, *content_type).body(body.clone()),
        };
        let stopwatch = Stopwatch::start();
        let exchange = exchange(request);
        let ended = tokio::time::timeout(Duration::from_millis(config.timeout_ms), exchange).await;
        let ms = stopwatch.elapsed_ms();
        Ok(match ended {
            Ok(Ok(Answer { status, body })) => PushTry { status: Some(status), body, ms, error: None },
            Ok(Err(_)) => PushTry { status: None, body: String::new(), ms, error: Some("connection") },
            Err(_) => PushTry { status: None, body: String::new(), ms, error: Some("timeout") },
        })
    }
}

struct Answer {
    status: u16,
    body: String,
}

async fn exchange(request: reqwest::RequestBuilder) -> reqwest::Result<Answer> {
    let mut response = request.send().await?;
    let status = response.status().as_u16();
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        body.extend_from_slice(&chunk[..chunk.len().min(MAX_ANSWER - body.len())]);
        if body.len() == MAX_ANSWER {
            break;
        }
    }
    Ok(Answer { status, body: String::from_utf8_lossy(&body).into_owned() })
}
