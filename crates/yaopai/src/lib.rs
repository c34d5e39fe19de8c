//! The server and its command line: the only crate that wires the rooms together.
//!
//! | module | what it does |
//! |---|---|
//! | [`config`] | reads `yaopai.toml`; says what is wrong and what to do |
//! | [`listen`] | sockets, connections, limits, graceful stop |
//! | [`check`] | "who is this request?", in front of any router |
//! | [`api`] | what the mini program calls: `/yaopai/v1` |
//! | [`admin`] | what back ends and operators call |
//! | [`audit`] | the audit log as it leaves the server |
//! | [`oauth`] | JWTs, their keys, introspection: what back ends verify by themselves |
//! | [`gateway`] | passes requests on to the back end |
//! | [`push`] | what WeChat says by itself |
//! | [`rfc3339`] | instants as text |
//! | [`webhook`] | what we ask the back end |
//! | [`serve`] | puts it together |
//! | [`cli`] | the commands |

pub mod admin;
pub mod api;
pub mod audit;
pub mod check;
pub mod cli;
pub mod clock;
pub mod config;
pub mod gateway;
pub mod listen;
pub mod oauth;
pub mod push;
pub mod rfc3339;
pub mod serve;
pub mod telemetry;
pub mod webhook;

/// For every binary that has this server in it. A session's strings are allocated by one thread and freed by another, at every
/// change; docs/performance.md has the figures.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
