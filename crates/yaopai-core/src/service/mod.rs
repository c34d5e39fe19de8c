//! What the server does, step by step: log in, refresh, bind, list and kick, and the upkeep between. The rules are in
//! [`crate::session`]; here the world is asked in the right order.

mod admin;
mod audited;
mod binding;
mod credentials;
mod decrypt;
mod flights;
mod import;
mod introspect;
mod jar;
mod login;
mod moving;
mod nodes;
mod once;
mod phone;
mod refresh;
mod revoked;
mod sessions;
mod stepup;
mod ticket;
mod tries;
mod upkeep;
mod user_key;

pub use admin::{Claimed, Kick, Merging, Person};
pub use binding::{MadeCode, Offer, Previewed};
pub use credentials::Credentials;
pub use import::{FileBinding, Importer};
pub use jar::{Alone, Going, JarOf, Went};
pub use login::{KeyWanted, LoginRequest};
pub use moving::{Moved, MovedSoFar};
pub use nodes::{NodeKeys, Nodes};
pub use once::Once;
pub use ticket::{Place, Purpose, Redeemed, TICKET_LIFE, Tickets, VIEW_LIFE};
pub use upkeep::Upkept;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use yaopai_wire::problem::Code;
use yaopai_wire::token::{SecretHash, Token};
use zeroize::Zeroizing;

use crate::app::{App, Apps};
use crate::audit::{By, Notes};
use crate::error::{Error, Result};
use crate::ids::{AppName, SessionId};
use crate::limit::{TryLimits, Windows};
use crate::live::{Presence, ReadTicket};
use crate::ports::{BackEnd, Clock, Entropy, Platform, Store};
use crate::proof::{KEY_LEN, Proofs, Proven};
use crate::seal::Sealer;
use crate::session::{Session, Worth};
use crate::time::{Downtimes, Timestamp, Uptime};

/// How many requests may read the store at a time because the table couldn't decide.
const SLOW_MAX: usize = 512;
/// The same for sessions that one node of many has known, and was told to forget: another one has changed them, or there was no news.
const FORGOTTEN_MAX: usize = 256;
/// The same for sessions that the table doesn't know: apart, so that made-up tokens starve no session that lives.
const STRANGERS_MAX: usize = 64;

/// What the services need of the world.
pub struct World {
    /// The apps of the configuration.
    pub apps: Apps,
    /// The store.
    pub store: Arc<dyn Store>,
    /// The live table.
    pub presence: Arc<dyn Presence>,
    /// The platforms.
    pub platform: Arc<dyn Platform>,
    /// The back ends, through their webhooks.
    pub backend: Arc<dyn BackEnd>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
    /// Seals what is stored.
    pub sealer: Arc<Sealer>,
    /// Judges signed requests.
    pub proofs: Arc<Proofs>,
    /// How many logins, binds, phone numbers and failed proofs there may be.
    pub limits: TryLimits,
    /// How long the server was down so far, from [`Store::resume`].
    pub downtime: Downtimes,
    /// What it is to be one node of many; `None` on a node that is alone.
    pub nodes: Option<Nodes>,
}

/// The services.
#[derive(Clone)]
pub struct Service {
    inner: Arc<Inner>,
}

struct Inner {
    world: World,
    flights: flights::Flights,
    slow: Semaphore,
    forgotten: Semaphore,
    strangers: Semaphore,
    binding: binding::UnderWay,
    verdicts: decrypt::Verdicts,
    phones: phone::Redeemed,
    user_keys: user_key::Fetched,
    tickets: ticket::Issuer,
    jars: jar::Known,
    leasing: tokio::sync::Mutex<()>,
    tries: Windows,
    upkeep: upkeep::State,
    notes: Notes,
    /// Who writes notes.
    noting: tokio::sync::Mutex<()>,
    moved: Moved,
}

/// A request whose token passed.
#[derive(Debug, Clone)]
pub struct Authenticated {
    /// Its session.
    pub session: Session,
    /// May it act as the session's user?
    pub bound: bool,
    /// The shown secret's hash, for what follows.
    pub shown: SecretHash,
    /// Did a signature cover the digest of its body?
    pub body_signed: bool,
    /// Its app.
    pub app: Arc<App>,
}

/// What a login, a refresh or a bind hands out.
#[derive(Debug, Clone)]
pub struct Granted {
    /// The session.
    pub session: Session,
    /// May the token act as the session's user?
    pub bound: bool,
    /// The token; `None` where the client keeps the one it has.
    pub token: Option<Token>,
    /// With what the session's requests are to be signed, where that is news: in a login's answer.
    pub key: Option<GrantedKey>,
    /// The session's app.
    pub app: Arc<App>,
}

/// What a login says of its session's key.
#[derive(Clone)]
pub enum GrantedKey {
    /// Here it is.
    Own(Zeroizing<[u8; KEY_LEN]>),
    /// The client has it from its platform.
    Platforms,
}

/// Which kind, and nothing else.
impl std::fmt::Debug for GrantedKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if matches!(self, Self::Own(_)) { "Own(…)" } else { "Platforms" })
    }
}

impl Service {
    /// Puts the services together.
    pub fn new(world: World) -> Self {
        let upkeep = upkeep::State::new(world.clock.now(), world.downtime.get());
        let names = world.nodes.as_ref().map_or_else(|| tries::fresh_key(&*world.entropy), |nodes| nodes.keys.names());
        Self {
            inner: Arc::new(Inner {
                tries: Windows::new(world.limits.window, names),
                moved: Moved::new(&world.apps),
                world,
                flights: flights::Flights::default(),
                slow: Semaphore::new(SLOW_MAX),
                forgotten: Semaphore::new(FORGOTTEN_MAX),
                strangers: Semaphore::new(STRANGERS_MAX),
                binding: binding::UnderWay::default(),
                verdicts: decrypt::Verdicts::default(),
                phones: phone::Redeemed::default(),
                user_keys: user_key::Fetched::default(),
                tickets: ticket::Issuer::default(),
                jars: jar::Known::default(),
                leasing: tokio::sync::Mutex::default(),
                upkeep,
                notes: Notes::default(),
                noting: tokio::sync::Mutex::default(),
            }),
        }
    }

    /// What the services were given.
    pub fn world(&self) -> &World {
        &self.inner.world
    }

    /// How many logins and binds are under way, whose clients may have hung up: a stop waits for them.
    pub fn under_way(&self) -> usize {
        self.inner.flights.running() + self.inner.binding.len()
    }

    /// Now, on both time lines.
    pub fn now(&self) -> (Timestamp, Uptime) {
        let world = self.world();
        let now = world.clock.now();
        (now, now.uptime(world.downtime.get()))
    }

    /// Whose request is this? Reads the store; the first use of a new secret is made durable before the answer. `slide` is
    /// false for background calls.
    ///
    /// # Errors
    /// The refusal that the client is to be told.
    pub async fn authenticate(&self, credentials: &Credentials, slide: bool) -> Result<Authenticated> {
        let shown = credentials.token.secret.hash();
        let (session, app, read) = self.load_and_when(SessionId(credentials.token.id)).await?;
        if let Worth::Refused(code) = self.worth(&session, &app, &shown) {
            return Err(refused(code));
        }
        let proven = self.prove(&session, &app, credentials).await?;
        self.let_in((session, app), shown, proven, (read, slide)).await
    }

    /// The same for a request that was proved already, and something was waited for since. `slide` is false for background calls.
    ///
    /// # Errors
    /// The refusal that the client is to be told.
    pub async fn proved_before(&self, token: &Token, proven: Proven, slide: bool) -> Result<Authenticated> {
        let (session, app, read) = self.load_and_when(SessionId(token.id)).await?;
        self.let_in((session, app), token.secret.hash(), proven, (read, slide)).await
    }

    async fn let_in(
        &self,
        (session, app): (Session, Arc<App>),
        shown: SecretHash,
        proven: Proven,
        (read, slide): (Option<ReadTicket>, bool),
    ) -> Result<Authenticated> {
        let (session, bound) = match self.worth(&session, &app, &shown) {
            Worth::Passes { bound } => (session, bound),
            Worth::Refused(code) => return Err(refused(code)),
            Worth::Confirms { .. } => {
                let (now, _) = self.now();
                let session = self.world().store.confirm(session.id, shown, now).await?.ok_or_else(unknown)?;
                // Another request may have confirmed another secret, or the session may have ended, in between.
                match self.worth(&session, &app, &shown) {
                    Worth::Passes { bound } => (session, bound),
                    Worth::Refused(code) => return Err(refused(code)),
                    Worth::Confirms { .. } => {
                        return Err(Error::new(Code::Internal, "Try again.").internal("unconfirmed"));
                    }
                }
            }
        };
        self.still_true(read)?;
        let (_, up) = self.now();
        self.world().presence.touch(session.id, up, slide);
        By::is_session(session.id);
        Ok(Authenticated { session, bound, shown, body_signed: proven.body_signed, app })
    }

    /// Loads the token's session and app; only so many at a time.
    async fn load(&self, token: &Token) -> Result<(Session, Arc<App>)> {
        self.load_by_id(SessionId(token.id)).await
    }

    /// The same by its id, for who may name that.
    async fn load_by_id(&self, id: SessionId) -> Result<(Session, Arc<App>)> {
        self.load_and_when(id).await.map(|(session, app, _)| (session, app))
    }

    /// The same, and when it was read. Of many nodes one waits no longer than it could act on what it reads.
    async fn load_and_when(&self, id: SessionId) -> Result<(Session, Arc<App>, Option<ReadTicket>)> {
        let Some(nodes) = &self.world().nodes else { return self.load_in_turn(id).await };
        tokio::time::timeout(nodes.max_stale, self.load_in_turn(id)).await.unwrap_or_else(|_| Err(too_slow()))
    }

    /// A session as it is now, for who holds it already. Of many nodes one waits no longer than it could act on what it reads.
    ///
    /// # Errors
    /// The store's, or it was too slow.
    pub async fn look(&self, id: SessionId) -> Result<Option<Session>> {
        let read = self.world().store.load(id);
        let Some(nodes) = &self.world().nodes else { return Ok(read.await?) };
        tokio::time::timeout(nodes.max_stale, read).await.map_or_else(|_| Err(too_slow()), |found| Ok(found?))
    }

    async fn load_in_turn(&self, id: SessionId) -> Result<(Session, Arc<App>, Option<ReadTicket>)> {
        // Asked before the store: what leaves the table in between leaves it with a later use than the store may have shown.
        let seen = self.world().presence.last_seen(id);
        let lane = match seen {
            Some(_) => &self.inner.slow,
            None if self.world().presence.knew(id) => &self.inner.forgotten,
            None => &self.inner.strangers,
        };
        // Waiting is fair and bounded by the listeners' connections.
        let _permit = lane.acquire().await.map_err(|e| Error::new(Code::Internal, "Try again.").internal(e))?;
        let read = self.world().presence.begin_read();
        let mut session = self.world().store.load(id).await?.ok_or_else(unknown)?;
        session.last_seen = session.last_seen.max(seen.unwrap_or_default());
        let app = self.world().apps.get(&session.app).cloned();
        let app = app.ok_or_else(|| unknown().internal(format!("app {} is not configured any more", session.app)))?;
        // An app that was moved to another realm takes no sessions along: its users there are other people.
        if session.realm != app.realm {
            return Err(unknown().internal(format!("app {} has left realm {}", session.app, session.realm)));
        }
        Ok((session, app, read))
    }

    /// Of many nodes another one may have ended a session while it was read here: what took too long isn't acted on.
    fn still_true(&self, read: Option<ReadTicket>) -> Result<()> {
        if self.world().presence.still_true(read) {
            return Ok(());
        }
        Err(too_slow())
    }

    /// After how long without use a session is over. Other nodes' latest uses aren't in the store yet.
    fn idle(&self, app: &App) -> Duration {
        app.policy.idle + self.world().nodes.as_ref().map_or(Duration::ZERO, |nodes| nodes.lag)
    }

    fn worth(&self, session: &Session, app: &App, shown: &SecretHash) -> Worth {
        let (now, up) = self.now();
        let seen = self.world().presence.last_seen(session.id).unwrap_or(session.last_seen);
        session.worth(shown, now, up, seen, self.idle(app))
    }

    /// Seconds until a session expires of idleness or age, whichever is first, if it isn't used any more.
    pub fn expires_in(&self, session: &Session, app: &App) -> u64 {
        let (now, up) = self.now();
        let seen = self.world().presence.last_seen(session.id).unwrap_or_default().max(session.last_seen);
        let idle = u64::try_from((seen + app.policy.idle).0 - up.0).unwrap_or(0).div_ceil(1000);
        idle.min(now.seconds_until(session.absolute_at))
    }

    /// Finds an app by its name.
    fn app(&self, name: &AppName) -> Result<Arc<App>> {
        self.world().apps.get(name).cloned().ok_or_else(|| {
            let mut e = Error::new(
                Code::AppUnknown,
                "No app of this name is configured; `app` is the name in the server's configuration, not the appid.",
            );
            e.field = Some("app");
            e
        })
    }
}

/// The sentence for each refusal of a session.
pub fn refused(code: Code) -> Error {
    Error::new(
        code,
        match code {
            Code::SessionMissing => "Log in first, then send the token as `Authorization: Bearer …`.",
            Code::SessionExpired => "The session was unused for too long or is too old; log in again.",
            Code::SessionSuperseded => {
                "Use the newer token that the last refresh handed out; without one, refresh this one, which tells whether it was copied."
            }
            Code::SessionKicked => "Another device of the user, or the business system, ended this session.",
            Code::SessionReplaced => "The user logged in on another device and this session made room.",
            Code::SessionRevoked => "The user's binding or authorization was withdrawn; log in again.",
            Code::SessionReused => {
                "An old token of this session was used again, so it may have been copied; log in again."
            }
            Code::SessionEnded => "The session was logged out; log in again.",
            Code::UserDisabled => "The business system disabled this user.",
            Code::NotBound => "Bind the session to a user first (POST /yaopai/v1/binding).",
            Code::LoginRequired => {
                "Refresh with a fresh code of wx.login and repeat the request: the platform's word is older than this request allows, or the login's own."
            }
            _ => "Log in again.",
        },
    )
}

fn too_slow() -> Error {
    Error::new(Code::Unavailable, "The database was too slow to be believed; try again.").retry_after(1)
}

fn unknown() -> Error {
    refused(Code::SessionUnknown)
}
