//! On whose behalf a task works. It travels with the task, as a span of the log does: a store's call notes it where it is
//! made, so that no rule on the way has to hand it on. Whoever spawns a task wraps it in [`carried`].

use std::cell::RefCell;
use std::net::IpAddr;
use std::sync::Arc;

use crate::ids::SessionId;

/// Who acts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Actor {
    /// The server by itself.
    #[default]
    Server,
    /// A mini program, or whoever speaks as one.
    Client,
    /// A back end, by the name of its API key.
    Key(Arc<str>),
    /// The platform, by a push.
    Platform,
    /// Somebody on the server's own machine.
    Operator,
}

/// Who acts, and from where.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct By {
    /// Who.
    pub actor: Actor,
    /// The session whose token was shown, once it has passed.
    pub session: Option<SessionId>,
    /// The network address. Personal.
    pub from: Option<IpAddr>,
}

tokio::task_local! {
    static BY: RefCell<By>;
}

impl By {
    /// Somebody who isn't known by a session.
    pub fn actor(actor: Actor, from: Option<IpAddr>) -> Self {
        Self { actor, session: None, from }
    }

    /// On whose behalf the running task works; the server's own where nobody said so.
    pub fn current() -> Self {
        BY.try_with(|by| by.borrow().clone()).unwrap_or_default()
    }

    /// Works on this one's behalf.
    pub async fn scope<F: Future>(self, work: F) -> F::Output {
        BY.scope(RefCell::new(self), work).await
    }

    /// The task's token has passed: it is this session's.
    pub fn is_session(id: SessionId) {
        Self::learn(|by| by.session = Some(id));
    }

    /// The task's API key is known by now: its name.
    pub fn is_key(name: &str) {
        Self::learn(|by| by.actor = Actor::Key(name.into()));
    }

    fn learn(what: impl FnOnce(&mut Self)) {
        // Outside of any scope there is nobody to learn about.
        let _ = BY.try_with(|by| what(&mut by.borrow_mut()));
    }
}

/// Takes along on whose behalf the running task works. For what is spawned.
pub fn carried<F: Future>(work: F) -> impl Future<Output = F::Output> {
    By::current().scope(work)
}
