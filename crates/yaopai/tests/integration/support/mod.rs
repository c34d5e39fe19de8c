//! What the tests share.

mod app;
mod back_end;
mod clock;
mod draft;
pub mod nginx;
mod phone;
pub mod raw;
mod reply;
pub mod scan;
pub mod schema;
pub mod server_process;
pub mod shop;
pub mod tokens;

pub use app::{Addresses, OTHER_APPID, PUSH_KEY, PUSH_TOKEN, Setup, TestApp, WEBHOOK_SECRET, World, write_secrets};
pub use back_end::{Act, BackEnd};
pub use clock::TestClock;
pub use draft::{ClientKey, Draft, fresh_nonce};
pub use phone::{Phone, form, request_id};
pub use reply::Reply;

use std::time::Duration;

/// The tests' one HTTP client. Connections are kept, as clients do.
#[allow(clippy::disallowed_methods, reason = "the tests' one client; the rule is about the server's own calls")]
pub fn http_client() -> reqwest::Client {
    let builder = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none());
    // A connection is not kept until the server closes it, which it does after 20 s: a request may be on its way then.
    builder.pool_idle_timeout(Duration::from_secs(10)).timeout(Duration::from_secs(30)).build().unwrap()
}

/// Every principal header, in the order of their names: spelled out here, so that the server's own list is tested too.
pub const PRINCIPAL: [&str; 10] = [
    "yaopai-app",
    "yaopai-body-signed",
    "yaopai-claims",
    "yaopai-env-version",
    "yaopai-identity-id",
    "yaopai-openid",
    "yaopai-session-id",
    "yaopai-unionid",
    "yaopai-user",
    "yaopai-vouched-at",
];

pub fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

pub fn minutes(n: u64) -> Duration {
    Duration::from_secs(n * 60)
}

pub fn hours(n: u64) -> Duration {
    Duration::from_secs(n * 3600)
}
