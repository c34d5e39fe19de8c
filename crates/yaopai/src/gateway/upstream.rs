//! A back end at several addresses: which of them is asked next, and how long it may take.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};
use std::task::Poll;
use std::time::Duration;

use http::uri::Authority;
use http::{HeaderValue, Response, header};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use yaopai_core::Error;
use yaopai_core::ports::Clock;
use yaopai_core::time::Timestamp;

use super::body::Course;
use super::cut::{Hold, ended};
use super::forward::{Answer, Connections, Failure, Going};
use super::pace::Pace;
use super::refuse;
use super::timers::Timers;
use crate::config::{self, HostSent};
use crate::listen;

/// How long an address that took no connection is asked last.
const MARKED: Duration = Duration::from_secs(10);
/// How many addresses one request tries.
const TRIES_MAX: usize = 3;

/// A request's place at an upstream: its upload and its answer have it together, and the last of them gives it back.
pub type Place = Arc<OwnedSemaphorePermit>;

/// A back end.
pub struct Upstream {
    config: config::Upstream,
    addresses: Vec<Address>,
    next: AtomicUsize,
    places: Arc<Semaphore>,
    timers: Timers,
}

struct Address {
    authority: Authority,
    connections: Arc<Connections>,
    /// It took no connection; until then it is asked last. [`Timestamp`]
    marked_until: AtomicI64,
    /// Its health path failed.
    unwell: AtomicBool,
}

impl Address {
    fn is_well(&self, now: Timestamp) -> bool {
        !self.unwell.load(Ordering::Relaxed) && self.marked_until.load(Ordering::Relaxed) <= now.0
    }
}

impl Upstream {
    /// Puts it together; nothing is asked yet.
    pub fn new(config: config::Upstream) -> Arc<Self> {
        let address = |authority: &Authority| Address {
            authority: authority.clone(),
            connections: Connections::new(authority.clone(), config.connect_timeout, config.keep_alive),
            marked_until: AtomicI64::new(0),
            unwell: AtomicBool::new(false),
        };
        Arc::new(Self {
            addresses: config.addresses.iter().map(address).collect(),
            next: AtomicUsize::new(0),
            timers: Timers::default(),
            places: Arc::new(Semaphore::new(config.max_requests)),
            config,
        })
    }

    /// The same, with its health watched until `stop` turns true.
    pub fn start(config: config::Upstream, stop: &watch::Receiver<bool>) -> Arc<Self> {
        let upstream = Self::new(config);
        if upstream.config.health.is_some() {
            tokio::spawn(upstream.clone().watch_health(stop.clone()));
        }
        upstream
    }

    /// A place for one more request.
    ///
    /// # Errors
    /// All are taken.
    pub fn place(&self) -> Result<Place, Error> {
        self.places.clone().try_acquire_owned().map(Arc::new).map_err(|_| refuse::full())
    }

    /// Its name in the configuration.
    pub fn name(&self) -> &str {
        &self.config.name
    }

    /// The host that it takes itself for: what its cookies are for.
    pub fn host_sent<'a>(&'a self, client: &'a str) -> &'a str {
        match (self.config.host, self.addresses.first()) {
            (HostSent::Upstream, Some(first)) => first.authority.as_str(),
            _ => client,
        }
    }

    /// How slow a body may be.
    pub fn pace(&self) -> Pace {
        Pace { idle: self.config.idle_timeout, min_rate: self.config.min_rate }
    }

    /// How long a socket may be silent.
    pub fn socket_idle(&self) -> Duration {
        self.config.socket_idle_timeout
    }

    /// Sends a request to the first address that takes a connection. After that it is never sent again.
    ///
    /// # Errors
    /// None does; or the one that does breaks off or is too slow, or the request's body or session does not last.
    pub async fn send(
        &self,
        mut request: Going,
        hold: Option<&Arc<Hold>>,
        clock: &dyn Clock,
    ) -> Result<Response<Answer>, Error> {
        let course = request.body().course();
        let mut why = String::new();
        for address in self.in_order(clock) {
            if self.config.host == HostSent::Upstream
                && let Ok(host) = HeaderValue::from_str(address.authority.as_str())
            {
                request.headers_mut().insert(header::HOST, host);
            }
            let sending = address.connections.send(request);
            let sent = tokio::select! {
                biased;
                () = ended(hold) => return Err(refuse::ended()),
                sent = in_time(sending, (&self.timers, self.config.response_timeout), &course) => sent.ok_or_else(refuse::too_slow)?,
            };
            match sent {
                Ok(response) => return Ok(response),
                Err(Failure::NotConnected(unsent, e)) => {
                    tracing::debug!(upstream = %self.config.name, address = %address.authority, error = %e, "no connection");
                    address.marked_until.store((clock.now() + MARKED).0, Ordering::Relaxed);
                    (request, why) = (unsent, e);
                }
                Err(Failure::Broken(e)) => {
                    let because = course.broken().map_or_else(refuse::failed, refuse::broken);
                    return Err(because.internal(format!("{} at {}: {e}", self.config.name, address.authority)));
                }
            }
        }
        Err(refuse::unreachable().internal(format!("{}: {why}", self.config.name)))
    }

    /// In turn, those that seem well first. The others are better than nothing.
    fn in_order(&self, clock: &dyn Clock) -> Vec<&Address> {
        if let [only] = &self.addresses[..] {
            return vec![only];
        }
        let now = clock.now();
        let from = self.next.fetch_add(1, Ordering::Relaxed) % self.addresses.len().max(1);
        let (before, after) = self.addresses.split_at(from.min(self.addresses.len()));
        let mut all: Vec<&Address> = after.iter().chain(before).collect();
        all.sort_by_key(|address| !address.is_well(now));
        all.truncate(TRIES_MAX);
        all
    }

    async fn watch_health(self: Arc<Self>, mut stop: watch::Receiver<bool>) {
        let Some((path, every)) = &self.config.health else { return };
        loop {
            for address in &self.addresses {
                let asking = address.connections.is_well(path);
                let well = tokio::time::timeout(*every, asking).await.unwrap_or(false);
                if address.unwell.swap(!well, Ordering::Relaxed) == well {
                    tracing::warn!(upstream = %self.config.name, address = %address.authority, well, "an upstream's health changed");
                }
            }
            tokio::select! {
                () = listen::stopping(&mut stop) => return,
                () = tokio::time::sleep(*every) => {}
            }
        }
    }
}

/// `None` if it took longer than this since the upload last moved: a large body on a slow network takes its time.
async fn in_time<F: Future>(sending: F, (timers, limit): (&Timers, Duration), course: &Course) -> Option<F::Output> {
    let (mut sending, mut timer, mut before) = (std::pin::pin!(sending), timers.lend(limit), course.moved());
    std::future::poll_fn(|cx| {
        if let Poll::Ready(done) = sending.as_mut().poll(cx) {
            return Poll::Ready(Some(done));
        }
        while timer.poll(cx).is_ready() {
            if course.moved() == before {
                return Poll::Ready(None);
            }
            before = course.moved();
            timer.again(limit);
        }
        Poll::Pending
    })
    .await
}
