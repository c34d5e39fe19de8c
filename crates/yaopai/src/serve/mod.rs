//! Puts the rooms together and runs them: sockets, store, live table, services, listeners, upkeep, graceful stop.
//!
//! On a node that is alone the table holds every live session before the listeners answer; one of many begins with an empty one, and
//! `follow` tells it what others change.

mod engine;
mod follow;
mod rooms;
mod upkeep;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;
use yaopai_core::Service;
use yaopai_core::audit::Scribe;
use yaopai_core::ids::AppName;
use yaopai_core::live::{Lease, LiveTable, Presence as _};
use yaopai_core::ports::{Change, ChangeSink, Clock, Entropy, StoreError};
use yaopai_core::proof::{Past, Proofs};
use yaopai_core::seal::{SealError, Sealer};
use yaopai_core::service::{NodeKeys, Nodes, World};
use yaopai_core::shared_token::SealedTokens;
use yaopai_core::time::Downtimes;
use yaopai_platform::wechat::{self, WeChat};
use yaopai_store::{OpenError, PostgresError, RedisError};

use crate::admin::{Admin, Health};
use crate::api::Api;
use crate::audit;
use crate::check::{Checks, entry_maker};
use crate::clock::{HeldClock, SystemMoments};
use crate::config::{Address, Config, Cookies, Database};
use crate::gateway::{Around, Cuts, CuttingSink, Gateway};
use crate::listen::{self, Bound, Limits, ListenError};
use crate::oauth::{Issuer, KeysError};
use crate::push::Pushes;
use crate::telemetry::Metrics;
use crate::webhook::Webhooks;
use follow::{Follow, Following};
use rooms::Routed;

pub use engine::Engine;
pub use rooms::{CheckFirst, Public};

/// How long a stop waits for logins and binds whose clients hung up.
const SETTLE: Duration = Duration::from_secs(10);

/// The server can't start. Each says what to do.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A socket.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// The database file.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The database that nodes share.
    #[error(transparent)]
    Postgres(#[from] PostgresError),
    /// Where the nodes' nonces are.
    #[error(transparent)]
    Redis(#[from] RedisError),
    /// The machine.
    #[error("a thread could not be started: {0}")]
    Thread(std::io::Error),
    /// The database's content.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The master key.
    #[error("{0}; set master_key to the one this database was made with")]
    Seal(#[from] SealError),
    /// The keys that sign.
    #[error(transparent)]
    Keys(#[from] KeysError),
    /// The platforms' configuration.
    #[error("platforms: {0}")]
    Platform(#[from] wechat::ConfigError),
    /// The webhooks' configuration.
    #[error("{0}")]
    Webhook(#[from] yaopai_core::ports::BackEndError),
}

/// A running server. It stops when told to; dropping it stops nothing in order.
pub struct Server {
    /// Where mini programs reach it.
    pub public: Address,
    /// Where proxies reach it.
    pub check: Address,
    /// Where back ends reach it.
    pub admin: Address,
    service: Service,
    issuer: Arc<Issuer>,
    engine: Engine,
    following: Option<Following>,
    stop: watch::Sender<bool>,
    listeners: Vec<JoinHandle<()>>,
    upkeep: JoinHandle<()>,
    keeper: JoinHandle<()>,
    audit: audit::Keeper,
}

impl Server {
    /// Starts everything. When it returns, the listeners answer.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn start(config: Config, clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>) -> Result<Self, StartError> {
        // Sockets first: a taken port must not leave a migrated database behind.
        let public = Bound::open("listen.public", &config.listen.public).await?;
        let check = Bound::open("listen.check", &config.listen.check).await?;
        let admin = Bound::open("listen.admin", &config.listen.admin).await?;
        let metrics = Metrics::new();
        for (app, hook) in &config.webhooks {
            if hook.url.starts_with("http://") && !hook.is_loopback() {
                tracing::warn!(%app, "the webhook is plain HTTP: what people type into the bind form crosses the network in clear");
            }
        }

        let keeps = config.routes.iter().any(|route| route.cookies == Cookies::Keep);
        for (app, hook) in config.webhooks.iter().filter(|(_, hook)| keeps && hook.cookies_of.is_empty()) {
            tracing::info!(%app, url = hook.url, "the webhook is at no upstream's address: opened is shown no cookies but its own (apps.webhook.cookies_of)");
        }

        let clock = Arc::new(HeldClock::new(clock));
        let sealer = Arc::new(Sealer::new(&config.master_key, entropy.clone())?);
        let make = entry_maker(&config.apps, sealer.clone());
        let table = LiveTable::new(config.live_sessions, clock.clone(), make);
        let table = Arc::new(match &config.database {
            Database::Embedded(_) => table,
            Database::Cluster(cluster) => table.following(Lease::new(cluster.max_stale, Arc::new(SystemMoments))),
        });
        let cuts = Cuts::new();
        let sink: Arc<dyn ChangeSink> =
            Arc::new(CuttingSink::new(table.clone(), cuts.clone(), table.lease().is_some()));
        let engine = Engine::open(&config.database, sink, config.rehearsal)?;
        let store = engine.store();
        sealer.load(&*store).await?;
        let scribe = Arc::new(Scribe::new(&config.master_key, clock.clone(), entropy.clone()));
        store.begin_audit(scribe.clone());
        let downtime = Downtimes::new(store.resume(clock.now()).await?);
        match &config.database {
            Database::Embedded(file) => {
                store.scan_live(&mut |session| table.apply(Change::Put(Box::new(session)))).await?;
                tracing::info!(sessions = table.len(), database = %file.display(), "database open");
            }
            Database::Cluster(cluster) => tracing::info!(node = cluster.node, "database open, as one node of many"),
        }

        let shared = match &config.database {
            Database::Embedded(_) => None,
            Database::Cluster(cluster) => {
                Some(SealedTokens::new(engine::tokens(cluster)?, sealer.clone(), store.clone()))
            }
        };
        let platform = Arc::new(WeChat::sharing(platform_config(&config), clock.clone(), shared)?);
        let backend = Arc::new(Webhooks::new(config.webhooks, clock.clone(), entropy.clone())?);
        // Last: a start that fails must not use up what the last stop kept.
        let (proofs, nodes) = match &config.database {
            Database::Embedded(_) => {
                let past = Past::open(store.take_proofs().await?, &sealer);
                let behind = past.known_time().map_or(0, |known| clock.hold(known));
                if behind > 0 {
                    tracing::warn!(
                        behind_ms = behind,
                        "the machine's clock was set back since the last start: time goes on from there, over restarts too, until it has caught up"
                    );
                }
                (Proofs::resume(config.nonces, &past, clock.now(), &*entropy), None)
            }
            Database::Cluster(cluster) => {
                // Twice: one flush may just have been missed, and the next is on its way.
                let lag = config.flush_every * 2;
                let keys = NodeKeys::of(&config.master_key);
                let shared = engine::shared(cluster).await?;
                let nodes = Nodes { shared, lag, max_stale: cluster.max_stale, keys };
                let moved = store.take_proofs().await?.leased_until;
                (Proofs::shared(config.nonces, moved, &*entropy), Some(nodes))
            }
        };

        let world = World {
            sealer,
            proofs: Arc::new(proofs),
            platform,
            backend,
            apps: config.apps,
            store: store.clone(),
            presence: table.clone(),
            clock: clock.clone(),
            entropy,
            limits: config.try_limits,
            downtime: downtime.clone(),
            nodes,
        };
        let issuer = Arc::new(Issuer::open(config.jwt, &world).await?);
        let service = Service::new(world);

        let (stop, stopping) = watch::channel(false);
        let keeping = stopping.clone();
        let following = match &config.database {
            Database::Embedded(_) => None,
            Database::Cluster(cluster) => {
                let (table, cuts, metrics) = (table.clone(), cuts.clone(), metrics.clone());
                let follow =
                    Follow { log: engine::log(cluster)?, table, cuts, downtime, clock: clock.clone(), metrics };
                let max_stale = cluster.max_stale;
                Some(follow.start(store.clone(), max_stale).map_err(StartError::Thread)?)
            }
        };
        let every = config.flush_every;
        let health = Arc::new(Health {
            development: config.development,
            upkept_at: AtomicI64::new(clock.now().0),
            every_ms: i64::try_from(every.as_millis()).unwrap_or(i64::MAX),
        });
        let checks = Arc::new(Checks::new(
            table.clone(),
            service.clone(),
            config.carriers.clone(),
            config.trusted_proxies,
            metrics.clone(),
            issuer.clone(),
        ));
        let around = Around {
            service: service.clone(),
            carriers: config.carriers.clone(),
            proxies: config.public_proxies.clone(),
            stripped_prefix: config.stripped_prefix.clone(),
            legacy: config.legacy,
        };
        let gateway = Gateway::start(
            (config.upstreams, config.routes),
            around,
            (checks.clone(), cuts),
            clock.clone(),
            metrics.clone(),
            stopping.clone(),
        );
        let proxies = config.public_proxies.clone();
        let pushes = Pushes::new(service.clone(), config.pushes);
        let api = Api::new(
            service.clone(),
            config.carriers,
            (config.public_proxies, config.stripped_prefix),
            metrics.clone(),
            pushes,
        )
        .router();
        let (keys, metered) = (config.api_keys, metrics.clone());
        let admin_api = Admin::new(service.clone(), keys, metered, health.clone(), scribe, issuer.clone()).router();
        let (public_at, check_at, admin_at) = (public.address(), check.address(), admin.address());
        let (strangers, neighbours) =
            (Limits::strangers(config.listen.max_connections), Limits::neighbours(config.listen.max_connections));
        let listeners = vec![
            tokio::spawn(listen::serve(
                public,
                strangers,
                Arc::new(Public::new(api, gateway, proxies)),
                stopping.clone(),
            )),
            tokio::spawn(listen::serve(check, neighbours, Arc::new(CheckFirst(checks)), stopping.clone())),
            tokio::spawn(listen::serve(admin, neighbours, Arc::new(Routed(admin_api)), stopping.clone())),
        ];
        let upkeep = tokio::spawn(upkeep::upkeep((service.clone(), issuer.clone()), every, metrics, health, stopping));
        let keeper = tokio::spawn(audit::keep(service.clone(), config.audit.clone(), keeping));
        let (public, check, admin) = (public_at, check_at, admin_at);
        tracing::info!(%public, %check, %admin, "listening");
        Ok(Self {
            public,
            check,
            admin,
            service,
            issuer,
            engine,
            following,
            stop,
            listeners,
            upkeep,
            keeper,
            audit: config.audit,
        })
    }

    /// The services, for what runs in the same process.
    pub fn service(&self) -> &Service {
        &self.service
    }

    /// What signs for back ends, for what runs in the same process.
    pub fn issuer(&self) -> &Issuer {
        &self.issuer
    }

    /// Stops in order: no new connections, open requests finish, last-seen times are flushed, the database is closed.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        for listener in self.listeners {
            let _ = listener.await;
        }
        let _ = self.upkeep.await;
        // What a platform or a back end was told must not be lost because the client that asked for it hung up.
        let settled = async {
            while self.service.under_way() > 0 {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        if tokio::time::timeout(SETTLE, settled).await.is_err() {
            tracing::warn!("some logins or binds did not finish in time");
        }
        if let Err(e) = self.service.upkeep().await {
            tracing::warn!(error = ?e, "the last flush failed; up to one interval of last-seen times is lost");
        }
        let _ = self.keeper.await;
        audit::finish(&self.service, &self.audit).await;
        // What many nodes have accepted, they all know.
        if self.service.world().nodes.is_none()
            && let Err(e) = self.service.close_proofs().await
        {
            tracing::warn!(error = ?e, "nonces were not kept; the next start refuses signed requests for some seconds");
        }
        if let Some(following) = self.following {
            following.stop().await;
        }
        self.engine.close().await;
        tracing::info!("stopped");
    }
}

fn platform_config(config: &Config) -> wechat::Config {
    let endpoints =
        |base_url: &String| wechat::Endpoints { base_url: base_url.clone(), ..wechat::Endpoints::default() };
    let app_endpoints: HashMap<AppName, _> = config.platforms.iter().map(|(n, u)| (n.clone(), endpoints(u))).collect();
    wechat::Config {
        app_endpoints,
        token_urls: config.token_urls.clone(),
        allow_plain_http: config.development,
        allow_simulator: config.development,
        ..wechat::Config::default()
    }
}
