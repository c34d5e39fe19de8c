//! The gateway against nginx: `proxy_pass` to the same upstream, and `auth_request` to us before it. What is counted is the CPU of
//! everything between the client and the upstream: the gateway's process, nginx's, or nginx's and the check's.

use std::path::Path;

use yaopai::clock::SystemClock;
use yaopai_core::ports::Clock as _;

use crate::cpu::{Pace, Ratio, Side, several};
use crate::load::{CORE, Load};
use crate::memory;
use crate::nginx::Nginx;
use crate::people::People;
use crate::request::{Asked, CALL};
use crate::server::{self, Process};
use crate::upstream::{BASKET, CATALOGUE, COOKIE, DEFAULT};

/// Live sessions, all of them in turn: what finding one among a million costs is measured apart.
const PEOPLE: u64 = 1024;
/// Signed requests for each second of a round: more than one core passes on.
const SIGNED_RATE: u64 = 80_000;
/// At most so many times `proxy_pass` alone.
const RATIOS: [Ratio<'static>; 3] = [
    Ratio { name: "gateway ÷ proxy_pass (at most 1.25)", of: 2, to: 0 },
    Ratio { name: "gateway ÷ auth_request and the check (below 1)", of: 2, to: 1 },
    Ratio { name: "bare hyper as a proxy ÷ proxy_pass", of: 3, to: 0 },
];

/// Three ways to the same upstream.
pub struct Ways {
    people: People,
    proxy_pass: Nginx,
    auth_request: Nginx,
    check: Yaopai,
    gateway: Yaopai,
    hyper: Process,
    _upstream: Process,
}

/// A server on a database of its own.
struct Yaopai {
    process: Process,
    _folder: tempfile::TempDir,
}

impl Ways {
    /// Starts them; databases are made in this folder, with keyed sessions, if that is wanted.
    ///
    /// # Errors
    /// nginx or a server doesn't start.
    pub async fn start(folder: &Path, keyed: bool) -> anyhow::Result<Self> {
        let people = People::new(PEOPLE, SystemClock::default().now());
        let upstream = Process::start_on(CORE, &["serve", "upstream"])?;
        // Each its own: a signed request that both are sent counts once at either.
        let mut servers = Vec::new();
        for _ in 0..2 {
            let folder = tempfile::tempdir_in(folder)?;
            let config = server::config(folder.path(), Some(upstream.address))?;
            memory::fill(&config, people, PEOPLE, keyed).await?;
            let (process, _) = memory::restart(&config)?;
            servers.push(Yaopai { process, _folder: folder });
        }
        let [check, gateway] = <[Yaopai; 2]>::try_from(servers).map_err(|_| anyhow::anyhow!("two servers"))?;
        Ok(Self {
            people,
            proxy_pass: Nginx::proxy_pass(upstream.address)?,
            auth_request: Nginx::auth_request(upstream.address, check.process.address)?,
            check,
            gateway,
            hyper: Process::start(&["serve", "proxy", &upstream.address.to_string()])?,
            _upstream: upstream,
        })
    }

    /// Requests with tokens, guests', and such to a back end with cookies of its own.
    ///
    /// # Errors
    /// A request isn't answered with 200.
    pub fn bearer(&self, pace: Pace) -> anyhow::Result<()> {
        let calls = |target| Load::of((0..PEOPLE).map(move |n| self.people.asked(n).to(target)));
        self.print(&calls(CALL)?, None, "bearer sessions", pace)?;
        self.print(&Load::of(std::iter::once(Asked::guest().to(CATALOGUE)))?, None, "guests of an open route", pace)?;
        let title = "bearer sessions, `cookies = \"keep\"`, nothing in their jars";
        self.print(&calls(DEFAULT)?, None, title, pace)?;
        // With nginx in front the phone keeps the cookie by itself.
        let shown = (0..PEOPLE).map(|n| self.people.asked(n).to(BASKET).with("Cookie", COOKIE.to_owned()));
        let title = "bearer sessions, `cookies = \"keep\"`, a cookie in each jar; nginx is sent it by the client";
        self.print(&Load::of(shown)?, Some(&calls(BASKET)?), title, pace)
    }

    /// Signed requests.
    ///
    /// # Errors
    /// A request isn't answered with 200.
    pub fn signed(&self, pace: Pace) -> anyhow::Result<()> {
        let load = Load::signed_to(self.people, PEOPLE, PEOPLE, (CALL, SIGNED_RATE))?;
        self.print(&load, None, "keyed sessions, signed requests", pace)
    }

    #[allow(clippy::print_stdout, reason = "the tables are for people")]
    fn print(&self, load: &Load, to_gateway: Option<&Load>, title: &str, pace: Pace) -> anyhow::Result<()> {
        let nginx = &self.auth_request.process;
        let gateway = &self.gateway.process;
        let sides = [
            Side::alone("nginx, `proxy_pass` alone", &self.proxy_pass.process, load),
            Side {
                name: "nginx with `auth_request`, and the check",
                at: nginx.address,
                processes: vec![nginx, &self.check.process],
                load,
            },
            Side { at: gateway.public, ..Side::alone("gateway", gateway, to_gateway.unwrap_or(load)) },
            Side::alone("bare hyper as a proxy that does nothing else", &self.hyper, load),
        ];
        println!("{}", several(&sides, &format!("To the same upstream: {title}"), &RATIOS, pace)?);
        Ok(())
    }
}

/// All tables of the gateway.
///
/// # Errors
/// A part is missing, or a request isn't answered with 200.
pub async fn tables(folder: &Path, pace: Pace) -> anyhow::Result<()> {
    Ways::start(folder, false).await?.bearer(pace)?;
    Ways::start(folder, true).await?.signed(pace)
}
