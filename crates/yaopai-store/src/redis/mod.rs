//! Nonces and tries in Redis or Valkey: one server with its replicas, or a cluster. Everything is decided by a script where they are
//! (docs/decisions/0067, 0072); here is the way to it.

mod cluster;
mod error;
mod lane;
mod link;
mod place;
mod script;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use yaopai_core::ports::{Shared, StoreResult, Took, Tries, Use, Used};

use cluster::Cluster;
use error::{Cure, Failed};
use lane::{Ask, Bucket, Lane, Said, Terms};
use link::Link;
use place::Place;

pub use error::RedisError;

/// Into how many parts the nonces of a cluster go. Each has its own slot and its own memory of the past.
const BUCKETS: usize = 256;

/// Where Redis is, and when a use counts.
#[derive(Debug, Clone)]
pub struct RedisOptions {
    /// `redis://[[user]:password@]host[:port][/db]`, `rediss://…` for TLS, or `redis+unix:///path`. Several: all that may be or become
    /// the master, or any nodes of the cluster.
    pub urls: Vec<String>,
    /// Of `rediss://`.
    pub tls: RedisTls,
    /// They are nodes of a cluster.
    pub cluster: bool,
    /// How many replicas must have a use before it counts: all that may be promoted, of each master. None: a failover refuses for
    /// five seconds what it can't know, and two masters at a time may both accept.
    pub replicas: u32,
    /// How long they are waited for. Too few by then: the use is refused.
    pub wait: Duration,
    /// How long a use may take in all. It must be longer than `wait`.
    pub timeout: Duration,
    /// Uses that may wait, for each server. Beyond it they are refused, and can be tried again.
    pub queue: usize,
}

/// Whom TLS believes, and what it shows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RedisTls {
    /// Who may have signed the servers' certificates: a PEM file. `None` or `system`: whom the system trusts.
    pub ca: Option<String>,
    /// This node's own certificate with its chain, a PEM file, for servers that want one.
    pub cert: Option<String>,
    /// Its key, a PEM file.
    pub key: Option<String>,
}

impl RedisOptions {
    /// The defaults for these addresses.
    pub fn new(urls: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self {
            urls: urls.into_iter().map(Into::into).collect(),
            tls: RedisTls::default(),
            cluster: false,
            replicas: 0,
            wait: Duration::from_millis(100),
            timeout: Duration::from_millis(500),
            queue: 1024,
        }
    }
}

/// Nonces and tries in Redis. Clone it for another use of the same connections.
#[derive(Clone)]
pub struct RedisShared {
    buckets: Arc<[Arc<Bucket>]>,
    way: Way,
    timeout: Duration,
    /// Somebody is beginning the past of all buckets.
    beginning: Arc<AtomicBool>,
}

#[derive(Clone)]
enum Way {
    One(Lane),
    Cluster(Arc<Cluster>),
}

impl RedisShared {
    /// Connects, and begins to remember where nothing is remembered. If there is nobody it says so in the log, and each call tries again.
    /// Its tasks run on the runtime that it is called on.
    ///
    /// # Errors
    /// [`RedisError`], whose text says what to do.
    pub async fn open(options: RedisOptions) -> Result<Self, RedisError> {
        let places = places(&options)?;
        let RedisOptions { cluster, replicas, wait, timeout, queue, .. } = options;
        let terms = Terms { replicas, wait, timeout, queue: queue.max(BUCKETS) };
        let count = if cluster { BUCKETS } else { 1 };
        let way = if cluster {
            Way::Cluster(Arc::new(Cluster::open(places, terms, count).await?))
        } else {
            let link = match Link::open(&places, timeout).await {
                Ok(link) => Some(link),
                Err(e) if e.is_away() => {
                    away(&e);
                    None
                }
                Err(e) => return Err(e),
            };
            Way::One(Lane::start(places, terms, link))
        };
        let buckets = (0..count).map(|number| Arc::new(Bucket::new(number))).collect();
        let this = Self { buckets, way, timeout, beginning: Arc::default() };
        // A replica may be away: each use says so then, and the rest of the server can work.
        this.begin_or_warn().await;
        Ok(this)
    }

    /// Has the past of every bucket begin that has none. Otherwise each would begin with its own first use, and refuse its own.
    async fn begin(&self) -> Result<(), Failed> {
        let tasks: Vec<_> = (0..self.buckets.len())
            .map(|bucket| {
                let this = self.clone();
                tokio::spawn(async move { this.ask(bucket, None).await })
            })
            .collect();
        let mut done = Ok(());
        for task in tasks {
            let begun = task.await.unwrap_or_else(|_| Err(Failed::new("a task failed", Cure::Nothing)));
            done = done.and(begun.map(drop));
        }
        done
    }

    async fn begin_or_warn(&self) {
        if let Err(e) = self.begin().await {
            tracing::warn!(error = %e.error, "Redis does not count signed requests yet");
        }
    }

    /// The same without being waited for, when one of them has just begun.
    fn begin_soon(&self) {
        if self.buckets.len() > 1 && !self.beginning.swap(true, Ordering::Relaxed) {
            let this = self.clone();
            tokio::spawn(async move {
                this.begin_or_warn().await;
                this.beginning.store(false, Ordering::Relaxed);
            });
        }
    }

    async fn ask(&self, bucket: usize, used: Option<Use>) -> Result<Used, Failed> {
        let answer = self.send(bucket, Ask::Use(Arc::clone(&self.buckets[bucket]), used)).await?;
        match answer {
            Said::Used(used) => Ok(used),
            Said::Took(_) => Err(Failed::new("Redis answers what it was not asked", Cure::Nothing)),
        }
    }

    /// To whoever has the bucket; tries are behind all of them.
    async fn send(&self, bucket: usize, ask: Ask) -> Result<Said, Failed> {
        let cluster = match &self.way {
            Way::One(lane) => {
                let asked = lane.ask(ask.clone()).await;
                // Nothing was done: it isn't the master any more.
                let elsewhere = asked.as_ref().is_err_and(|e| e.cure == Cure::Elsewhere);
                return if elsewhere { lane.ask(ask).await } else { asked };
            }
            Way::Cluster(cluster) => cluster,
        };
        let (lane, version) = cluster.lane(bucket);
        let asked = match lane {
            Some(lane) => lane.ask(ask.clone()).await,
            // Nobody has told yet who has it.
            None => Err(Failed::new("no node of Redis has it", Cure::Elsewhere)),
        };
        let Err(Failed { cure: cure @ (Cure::Elsewhere | Cure::LookAgain), .. }) = &asked else { return asked };
        let looking = Arc::clone(cluster);
        // A task of its own: who asked may not have the time.
        let looked = tokio::spawn(async move { looking.look(version).await });
        if *cure == Cure::LookAgain {
            return asked;
        }
        if let Ok(Err(e)) = looked.await {
            return Err(Failed { error: e.store_error(), cure: Cure::Nothing });
        }
        // Nothing was done at the other place.
        match cluster.lane(bucket).0 {
            Some(lane) => lane.ask(ask).await,
            None => asked,
        }
    }

    async fn in_time<T>(&self, asked: impl Future<Output = Result<T, Failed>>) -> StoreResult<T> {
        let asked = tokio::time::timeout(self.timeout, asked).await;
        let silence = || Failed::new("Redis has not answered in time", Cure::Nothing);
        asked.unwrap_or_else(|_| Err(silence())).map_err(|e| e.error)
    }

    async fn count(&self, tries: &Tries, back: Option<i64>) -> StoreResult<Took> {
        let ask = Ask::Tries(Arc::new(tries.clone()), back);
        match self.in_time(self.send(self.buckets.len(), ask)).await? {
            Said::Took(took) => Ok(took),
            Said::Used(_) => Err(Failed::new("Redis answers what it was not asked", Cure::Nothing).error),
        }
    }
}

#[async_trait]
impl Shared for RedisShared {
    async fn first_use(&self, used: Use) -> StoreResult<Used> {
        let bucket = usize::from(used.fingerprint[0]) % self.buckets.len();
        let answer = self.in_time(self.ask(bucket, Some(used))).await?;
        if matches!(answer, Used::Unknown(Some(_))) {
            self.begin_soon();
        }
        Ok(answer)
    }

    async fn take(&self, tries: &Tries) -> StoreResult<Took> {
        self.count(tries, None).await
    }

    async fn give_back(&self, tries: &Tries, slot: i64) -> StoreResult<()> {
        self.count(tries, Some(slot)).await.map(drop)
    }

    /// Each bucket is looked at: that begins its next turn, when it is time. Tries go by themselves.
    async fn tidy(&self) -> StoreResult<()> {
        self.in_time(self.begin()).await
    }
}

/// A start that goes on without Redis says so.
fn away(e: &RedisError) {
    tracing::warn!(error = %e, "Redis is away: signed requests, tickets and binds are refused until it is there");
}

fn places(options: &RedisOptions) -> Result<Vec<Place>, RedisError> {
    let bad = |what: &str| Err(RedisError::Settings(what.into()));
    if options.urls.is_empty() {
        return bad("none is named. An example: redis://localhost:6379");
    }
    if options.replicas > 0 && options.wait.as_millis() == 0 {
        return bad("replicas are to be waited for, and no time is given for it");
    }
    if options.wait >= options.timeout {
        return bad("the time for replicas must be shorter than the time for all");
    }
    place::read(&options.urls, &options.tls)
}
