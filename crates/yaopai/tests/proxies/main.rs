//! Real proxies with the files of `examples/`, word for word but for the ports, between a phone and a shop: each is asked the same
//! ([`cases`]), and what was observed is the table in docs/proxies.md.
//!
//! ```text
//! phone ──► proxy ──► shop                 says what arrived
//!             └─► wire ──► yaopai's check  counts what is asked; can be cut
//! ```

#![allow(clippy::unwrap_used, reason = "tests; clippy's own exception doesn't reach helpers outside #[test]")]

mod cases;
mod edited;
mod front;
mod kinds;
mod paths;
mod running;
#[path = "../integration/support/mod.rs"]
#[allow(dead_code, unused_imports, reason = "shared with the tests in ../integration, which use the rest")]
mod support;
mod table;
mod wire;

use kinds::{CADDY, ENVOY, HAPROXY, KINDS, NGINX, TRAEFIK};

/// All of it for all of them, each with a server of its own; at the same time, because some of it is waiting for time-outs.
#[tokio::test(flavor = "multi_thread")]
async fn the_table_in_the_documentation_is_what_happens() {
    let columns = futures_util::future::join_all(KINDS.map(|kind| tokio::spawn(cases::observe(kind)))).await;
    table::compare(&table::of(columns.into_iter().map(|column| column.unwrap()).collect()));
}

#[tokio::test]
async fn nginx_sends_on_the_path_it_has_matched() {
    paths::none_leads_around_a_check(&NGINX).await;
}

#[tokio::test]
async fn caddy_sends_on_the_path_it_has_matched() {
    paths::none_leads_around_a_check(&CADDY).await;
}

#[tokio::test]
async fn haproxy_sends_on_the_path_it_has_matched() {
    paths::none_leads_around_a_check(&HAPROXY).await;
}

#[tokio::test]
async fn traefik_sends_on_the_path_it_has_matched() {
    paths::none_leads_around_a_check(&TRAEFIK).await;
}

#[tokio::test]
async fn envoy_sends_on_the_path_it_has_matched() {
    paths::none_leads_around_a_check(&ENVOY).await;
}
