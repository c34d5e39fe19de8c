//! The session's jar as the gateway and the webhook use it: what goes along with a request to the back end, and what its answer
//! leaves. The rules are in [`crate::jar`].

mod alone;
mod known;

pub use alone::Alone;
pub(super) use known::Known;

use std::sync::Arc;

use yaopai_wire::problem::Code;
use zeroize::Zeroizing;

use self::known::{OpenCookie, OpenJar};
use super::{Service, refused};
use crate::audit::carried;
use crate::error::{Error, Result};
use crate::ids::{SessionId, UserId};
use crate::jar::{self, BOUNDS, Cookie, From, LINES_MAX, Origin, Set};
use crate::ports::{Jar, JarChange, JarCookie, KeptCookie, PutCookie, Slot};
use crate::seal::{Place, Sealer};
use crate::time::Timestamp;

/// Whose jar: a session's, as long as it is this user's.
#[derive(Debug, Clone, Copy)]
pub struct JarOf<'a> {
    /// The session.
    pub session: SessionId,
    /// Who the request acts for; `None`: a guest. It need not be whose the session is: a secret from before a bind acts for nobody.
    pub user: Option<&'a UserId>,
}

/// Where a request went.
#[derive(Debug, Clone, Copy)]
pub struct Went<'a> {
    /// The upstream's name in the configuration.
    pub upstream: &'a str,
    /// The host, as in its `Host`.
    pub host: &'a str,
    /// The path, as in its target.
    pub path: &'a str,
}

/// What goes along with a request, and what it holds meanwhile.
pub struct Going {
    /// The `Cookie` field, if any cookie goes there.
    pub cookie: Option<Zeroizing<String>>,
    /// To be held until the answer is known.
    pub alone: Alone,
}

impl Service {
    /// What goes along with a user's request, or a guest's, to an upstream: with an empty jar this may wait for the one that goes alone
    /// ([`Service::alone`]). `None` if the jar is not that user's. In the usual case one look into memory.
    ///
    /// # Errors
    /// The store's, and a host that is none.
    pub async fn going(&self, of: JarOf<'_>, to: Went<'_>) -> Result<Option<Going>> {
        let origin = origin(to.host, to.path)?;
        let Some(open) = self.open_jar_of(of).await? else { return Ok(None) };
        let now = self.world().clock.now();
        if open.lives(now) {
            return Ok(Some(Going { cookie: open.header(&origin, now), alone: Alone::not() }));
        }
        let alone = self.alone(of.session, to.upstream).await?;
        // Another's answer may have filled it meanwhile.
        let cookie = self.open_jar_of(of).await?.and_then(|open| open.header(&origin, self.world().clock.now()));
        Ok(Some(Going { cookie, alone }))
    }

    /// The `Cookie` field of a user's request, or a guest's, to the session's back end; `None` if no cookie goes there, or if the session
    /// is not that user's. `host` as in the request's `Host`, `path` as in its target. To be asked when the request has been
    /// authenticated, and each time: no store is read as long as the jar doesn't change.
    ///
    /// # Errors
    /// The store's, and a host that is none.
    pub async fn cookies_for(&self, of: JarOf<'_>, host: &str, path: &str) -> Result<Option<Zeroizing<String>>> {
        let to = origin(host, path)?;
        let now = self.world().clock.now();
        Ok(self.open_jar_of(of).await?.and_then(|open| open.header(&to, now)))
    }

    /// The jar's cookies, for the webhook to choose from.
    pub(in crate::service) async fn cookies_for_opened(&self, session: SessionId) -> Result<Vec<Cookie>> {
        let now = self.world().clock.now();
        let open = self.open_jar(session).await?;
        Ok(open.cookies.iter().filter(|cookie| cookie.lives(now)).map(|open| open.cookie.clone()).collect())
    }

    /// Has the session's back end set nothing so far, or nothing that still lives?
    ///
    /// # Errors
    /// The store's.
    pub async fn jar_is_empty(&self, session: SessionId) -> Result<bool> {
        let now = self.world().clock.now();
        Ok(!self.open_jar(session).await?.lives(now))
    }

    /// Keeps what the answer to a user's request sets, or a guest's: the values of its `Set-Cookie` fields, in their order. Durable before
    /// this answers, so to be awaited before the answer is passed on; who drops the future has it kept all the same. If the session
    /// is another's by now, nothing is kept.
    ///
    /// # Errors
    /// [`Code::SessionEnded`] if the session has ended meanwhile; the store's.
    pub async fn learn<L: AsRef<[u8]>>(&self, of: JarOf<'_>, from: Went<'_>, lines: &[L]) -> Result<()> {
        self.learn_from(of, From::Answer(&origin(from.host, from.path)?, from.upstream), lines).await
    }

    /// The same for what the webhook's answer sets.
    pub(in crate::service) async fn learn_opened(&self, of: JarOf<'_>, lines: &[String]) -> Result<()> {
        self.learn_from(of, From::Webhook, lines).await
    }

    async fn learn_from<L: AsRef<[u8]>>(&self, of: JarOf<'_>, from: From<'_>, lines: &[L]) -> Result<()> {
        let (session, now) = (of.session, self.world().clock.now());
        let read = |line: &L| jar::read(line.as_ref(), from, now);
        let set: Vec<Set> = lines.iter().take(LINES_MAX).filter_map(read).collect();
        if set.len() < lines.len() {
            // Nothing of it: a line is a secret as a whole.
            tracing::debug!(session = %session, lines = lines.len(), kept = set.len(), "not every Set-Cookie is kept");
        }
        if set.is_empty() {
            return Ok(());
        }
        if let Some(version) = self.inner.jars.says_so_already((session, of.user), &set, now) {
            match self.world().store.jar_version(session).await? {
                Some(is) if is == version => return Ok(()),
                Some(_) => {}
                None => return Err(refused(Code::SessionEnded)),
            }
        }
        let (service, user) = (self.clone(), of.user.cloned());
        // On its own task: what is known of the jar is given up until the store has answered, also if nobody waits for that.
        let put = tokio::spawn(carried(async move { service.put(session, user, &set, now).await }));
        put.await.unwrap_or_else(|e| Err(Error::new(Code::Internal, "Try again.").internal(e)))
    }

    async fn put(&self, session: SessionId, user: Option<UserId>, set: &[Set], now: Timestamp) -> Result<()> {
        let world = self.world();
        let sealed = set.iter().map(|set| seal(&world.sealer, session, set));
        let cookies = sealed.collect::<Result<Vec<_>>>()?;
        let changing = self.inner.jars.changing(session);
        let used = changing.used();
        let change = JarChange { session, user, cookies, used, bounds: BOUNDS, now };
        if world.store.put_cookies(change).await?.is_some() {
            // It sets cookies after all: should the jar be empty once more, the first goes alone again.
            self.not_quiet(session);
            return Ok(());
        }
        if world.store.jar_version(session).await?.is_none() {
            return Err(refused(Code::SessionEnded));
        }
        tracing::debug!(session = %session, "cookies for who had the session before are not kept");
        Ok(())
    }

    /// The jar, if it is this user's.
    async fn open_jar_of(&self, of: JarOf<'_>) -> Result<Option<Arc<OpenJar>>> {
        let mut open = self.open_jar(of.session).await?;
        if open.user.as_ref() != of.user {
            // The session may have risen since it was read.
            self.inner.jars.doubt(of.session);
            open = self.open_jar(of.session).await?;
        }
        Ok((open.user.as_ref() == of.user).then_some(open))
    }

    /// The jar, from memory if it is known there.
    async fn open_jar(&self, session: SessionId) -> Result<Arc<OpenJar>> {
        let jars = &self.inner.jars;
        let filling = match jars.get(session, self.world().clock.now()) {
            // Another node may have changed it since, and says so by its version alone.
            Ok((open, version)) if self.is_jars_version(session, version).await? => return Ok(open),
            Ok(_) => {
                jars.doubt(session);
                jars.filling(session, self.world().clock.now())
            }
            Err(filling) => filling,
        };
        let Jar { version, user, cookies } = self.world().store.jar(session).await?;
        let sealer = &self.world().sealer;
        let cookies = cookies.iter().filter_map(|kept| unseal(sealer, session, kept)).collect();
        let open = Arc::new(OpenJar { user, cookies });
        jars.fill(session, filling, version, &open);
        Ok(open)
    }
}

impl Service {
    /// Is what is known of a jar of this version all there is? A node that is alone knows it without asking.
    async fn is_jars_version(&self, session: SessionId, version: u64) -> Result<bool> {
        Ok(self.world().nodes.is_none() || self.world().store.jar_version(session).await? == Some(version))
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
