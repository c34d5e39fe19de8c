//! The session's jar as the gateway and the webhook use it: what goes along with a request to the back end, and what its answer
//! leaves. The rules are in [`crate::jar`].

mod alone;
mod known;

pub use alone::Alone;
pub(super) use known::Known;

use std::sync::Arc;

use yaopai_wire::problem::Code;
use zeroize::Zeroizing;

use self::known::OpenCookie;
use super::{Service, refused};
use crate::audit::carried;
use crate::error::{Error, Result};
use crate::ids::SessionId;
use crate::jar::{self, BOUNDS, Cookie, From, LINES_MAX, Origin, Set, To};
use crate::ports::{Jar, JarChange, JarCookie, KeptCookie, PutCookie, Slot};
use crate::seal::{Place, Sealer};
use crate::time::Timestamp;

impl Service {
    /// The `Cookie` field of a session's request to its back end; `None` if no cookie goes there. `host` as in the request's `Host`,
    /// `path` as in its target. To be asked when the request has been authenticated, and each time: no store is read as long
    /// as the jar doesn't change.
    ///
    /// # Errors
    /// The store's, and a host that is none.
    pub async fn cookies_for(&self, session: SessionId, host: &str, path: &str) -> Result<Option<Zeroizing<String>>> {
        let to = origin(host, path)?;
        let now = self.world().clock.now();
        let open = self.open_jar(session).await?;
        let live: Vec<&OpenCookie> = open.iter().filter(|cookie| cookie.lives(now)).collect();
        Ok(jar::header(live.iter().map(|open| &open.cookie), To::BackEnd(&to), |place| live[place].sent(now)))
    }

    /// The jar's cookies, for the webhook to choose from.
    pub(in crate::service) async fn cookies_for_opened(&self, session: SessionId) -> Result<Vec<Cookie>> {
        let now = self.world().clock.now();
        let open = self.open_jar(session).await?;
        Ok(open.iter().filter(|cookie| cookie.lives(now)).map(|open| open.cookie.clone()).collect())
    }

    /// Has the session's back end set nothing so far, or nothing that still lives?
    ///
    /// # Errors
    /// The store's.
    pub async fn jar_is_empty(&self, session: SessionId) -> Result<bool> {
        let now = self.world().clock.now();
        Ok(!self.open_jar(session).await?.iter().any(|cookie| cookie.lives(now)))
    }

    /// Keeps what an answer sets: the values of its `Set-Cookie` fields, in their order. Durable before this answers, so to be
    /// awaited before the answer is passed on; who drops the future has it kept all the same.
    ///
    /// # Errors
    /// [`Code::SessionEnded`] if the session has ended meanwhile; the store's.
    pub async fn learn<L: AsRef<[u8]>>(&self, session: SessionId, host: &str, path: &str, lines: &[L]) -> Result<()> {
        self.learn_from(session, From::Answer(&origin(host, path)?), lines).await
    }

    /// The same for what the webhook's answer sets.
    pub(in crate::service) async fn learn_opened(&self, session: SessionId, lines: &[String]) -> Result<()> {
        self.learn_from(session, From::Webhook, lines).await
    }

    async fn learn_from<L: AsRef<[u8]>>(&self, session: SessionId, from: From<'_>, lines: &[L]) -> Result<()> {
        let now = self.world().clock.now();
        let read = |line: &L| jar::read(line.as_ref(), from, now);
        let set: Vec<Set> = lines.iter().take(LINES_MAX).filter_map(read).collect();
        if set.len() < lines.len() {
            // Nothing of it: a line is a secret as a whole.
            tracing::debug!(session = %session, lines = lines.len(), kept = set.len(), "not every Set-Cookie is kept");
        }
        if set.is_empty() {
            return Ok(());
        }
        if let Some(version) = self.inner.jars.says_so_already(session, &set, now) {
            match self.world().store.jar_version(session).await? {
                Some(is) if is == version => return Ok(()),
                Some(_) => {}
                None => return Err(refused(Code::SessionEnded)),
            }
        }
        let service = self.clone();
        // On its own task: what is known of the jar is given up until the store has answered, also if nobody waits for that.
        let put = tokio::spawn(carried(async move { service.put(session, &set, now).await }));
        put.await.unwrap_or_else(|e| Err(Error::new(Code::Internal, "Try again.").internal(e)))
    }

    async fn put(&self, session: SessionId, set: &[Set], now: Timestamp) -> Result<()> {
        let world = self.world();
        let sealed = set.iter().map(|set| seal(&world.sealer, session, set));
        let cookies = sealed.collect::<Result<Vec<_>>>()?;
        let changing = self.inner.jars.changing(session);
        let used = changing.used();
        let change = JarChange { session, cookies, used, bounds: BOUNDS, now };
        let version = world.store.put_cookies(change).await?;
        version.map(|_| ()).ok_or_else(|| refused(Code::SessionEnded))
    }

    /// The jar, from memory if it is known there.
    async fn open_jar(&self, session: SessionId) -> Result<Arc<[OpenCookie]>> {
        let jars = &self.inner.jars;
        let filling = match jars.get(session, self.world().clock.now()) {
            Ok(open) => return Ok(open),
            Err(filling) => filling,
        };
        let Jar { version, cookies } = self.world().store.jar(session).await?;
        let sealer = &self.world().sealer;
        let open: Arc<[OpenCookie]> = cookies.iter().filter_map(|kept| unseal(sealer, session, kept)).collect();
        jars.fill(session, filling, version, &open);
        Ok(open)
    }
}

fn origin(host: &str, path: &str) -> Result<Origin> {
    Origin::new(host, path).ok_or_else(|| Error::new(Code::Malformed, "The request's Host is no host."))
}

fn seal(sealer: &Sealer, session: SessionId, Set { cookie, expires_at }: &Set) -> Result<PutCookie> {
    let slots = cookie.slots(sealer);
    let row = row(session, &slots.slot);
    let sealed = sealer.seal(place(&row), &cookie.to_plain())?;
    let kept = Some(KeptCookie { expires_at: *expires_at, sealed });
    Ok(PutCookie { slot: slots.slot, twin: slots.twin, site: slots.site, everywhere: slots.everywhere, kept })
}

/// One that doesn't open is logged and left out: the back end sets it again, or asks the person to log in there.
fn unseal(sealer: &Sealer, session: SessionId, kept: &JarCookie) -> Option<OpenCookie> {
    let row = row(session, &kept.slot);
    let opened = sealer.unseal(place(&row), &kept.sealed);
    let plain =
        opened.inspect_err(|e| tracing::error!(session = %session, error = %e, "a cookie does not open")).ok()?;
    Some(OpenCookie::new(kept, Cookie::from_plain(&plain)?))
}

fn row(session: SessionId, slot: &Slot) -> String {
    format!("{session}/{}", hex::encode(slot))
}

fn place(row: &str) -> Place<'_> {
    Place { table: "jar", row, column: "sealed" }
}
