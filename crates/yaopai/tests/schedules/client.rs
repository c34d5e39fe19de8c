//! The client protocol: what an honest client does with its token, as a state machine without I/O.
//!
//! 1. **Store before use.** A new token is stored before the first request that shows it.
//! 2. **One `request_id` to a token.** It is minted when the token is stored, in the same write, and every refresh of that
//!    token carries it: each try, each page or worker of the app, before and after a restart. So however late a copy of such
//!    a request arrives, the server knows it again.
//! 3. **One change at a time.** A refresh and a bind of one token exclude each other: until the one that was sent is answered,
//!    it alone is sent again. (Each retires the token. A refresh that arrives late, for the first time, with a token that a
//!    bind has retired would look like a thief's.) A bind that is refused is answered.
//!    A step-up is a third such change. Its answer is kept for a minute only, so it is sent again soon; it is answered by a
//!    token, or by a refusal that is final ([`settles`]).
//! 4. **First answer wins.** The answer to a refresh or a bind replaces the stored token only if that is still the token the
//!    request was sent with. Otherwise the answer is dropped. So is any but its own while a step-up is not answered: a copy of a
//!    bind that was refused may have been done after all, and the step-up retires what that gave.
//! 5. **A refusal counts only for the stored token.** If another one is stored by now, the call is sent again with that.
//! 6. **`session_superseded` for the stored token**: if a step-up of it is not answered, that is sent again, because it may be
//!    what superseded the token. If this is the answer to that very step-up, or there is none: refresh it once under a new `request_id`. Somebody else has used a newer
//!    one, so the token was copied; this tells the server.
//! 7. **Any other 401 of a session for the stored token**: forget it, then log in.
//! 8. **A login is repeated** with its code and `request_id` until it is answered; `code_used`, `code_invalid` and
//!    `platform_*` want a new code.
//!
//! Rules 2 and 3 are what makes a client safe from requests of any lateness. A client that mints an id per try and forgets it with
//! the page ([`Ids::PerPage`]) is safe as long as no refresh reaches the server later than 30 s after it was sent.

use yaopai_wire::problem::Code;

/// How the client keeps the ids of its refreshes and binds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ids {
    /// With the token, as rule 2 says.
    WithToken,
    /// Each page has its own, until it is answered; forgotten when the app restarts.
    PerPage,
}

/// What the app keeps in its storage: one value, written whole.
#[derive(Debug, Clone)]
pub struct Stored {
    pub token: String,
    pub refresh_id: String,
    pub bind_id: String,
    /// What was sent to change this token, and is not answered. Noted before it is sent.
    pub changing: Option<Change>,
    /// The step-up that is not answered: its code and request id.
    pub step_up: Option<Login>,
}

/// What replaces a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    Refresh,
    Bind,
    StepUp,
}

/// A login or a step-up under way.
#[derive(Debug, Clone)]
pub struct Login {
    pub code: String,
    pub request_id: String,
}

/// What a refusal asks of the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// The same call again, with the token that is stored now.
    Again,
    /// Refresh.
    Refresh,
    /// The step-up that is not answered.
    StepUp,
    /// Log in.
    LogIn,
    /// Nothing; later calls may succeed.
    Later,
}

/// One app on one phone. Its pages share it.
pub struct Client {
    pub ids: Ids,
    pub stored: Option<Stored>,
    pub login: Option<Login>,
    /// Per page: the token and its ids, as long as no answer came. Unused with [`Ids::WithToken`].
    pages: Vec<Option<Stored>>,
}

impl Client {
    pub fn new(ids: Ids, pages: usize) -> Self {
        Self { ids, stored: None, login: None, pages: vec![None; pages] }
    }

    /// What a request is to show, and the ids under which this page refreshes and binds it.
    pub fn show(&mut self, page: usize, mint: &mut dyn FnMut() -> String) -> Option<Stored> {
        let stored = self.stored.as_ref()?;
        if self.ids == Ids::WithToken {
            return Some(stored.clone());
        }
        let own = &mut self.pages[page];
        if own.as_ref().is_none_or(|own| own.token != stored.token) {
            *own = Some(Stored::new(&stored.token, mint));
        }
        own.clone()
    }

    /// The stored token is about to be changed in this way. Answers in which way it must be.
    pub fn change(&mut self, wanted: Change) -> Change {
        self.stored.as_mut().map_or(wanted, |s| *s.changing.get_or_insert(wanted))
    }

    /// The step-up to send: the one that is not answered, or a new one with a new code.
    pub fn step_up(&mut self, code: impl FnOnce() -> String, mint: &mut dyn FnMut() -> String) -> Option<Login> {
        let stored = self.stored.as_mut()?;
        Some(stored.step_up.get_or_insert_with(|| Login { code: code(), request_id: mint() }).clone())
    }

    /// A change that was sent with `sent` is answered by a token; `step_up` is the request id, if it was one. True if the new
    /// token was stored.
    pub fn granted(
        &mut self,
        sent: &str,
        token: &str,
        step_up: Option<&str>,
        mint: &mut dyn FnMut() -> String,
    ) -> bool {
        let Some(stored) = self.stored.as_ref().filter(|s| s.token == sent) else { return false };
        if stored.step_up.as_ref().is_some_and(|noted| step_up != Some(&noted.request_id)) {
            return false;
        }
        self.store(token, mint);
        true
    }

    /// A call that was sent with `sent` is refused; `step_up` is the request id, if it was one.
    pub fn refused(&mut self, sent: &str, code: Code, step_up: Option<&str>, mint: &mut dyn FnMut() -> String) -> Next {
        let noted = self.stored.as_ref().and_then(|s| s.step_up.as_ref()).map(|s| s.request_id.as_str());
        let is_noted = step_up.is_some() && step_up == noted;
        let is_waiting = noted.is_some();
        if !ends_or_supersedes(code) {
            if let Some(stored) = self.stored.as_mut().filter(|s| s.token == sent)
                && stored.changing == Some(Change::Bind)
                && matches!(code, Code::BindingRejected | Code::BindingConflict)
            {
                stored.changing = None;
            }
            if let Some(stored) = self.stored.as_mut().filter(|s| s.token == sent)
                && is_noted
                && settles(code)
            {
                stored.changing = None;
                stored.step_up = None;
            }
            return Next::Later;
        }
        match &mut self.stored {
            None => Next::LogIn,
            Some(stored) if stored.token != sent => Next::Again,
            Some(_) if code == Code::SessionSuperseded && is_waiting && !is_noted => Next::StepUp,
            Some(stored) if code == Code::SessionSuperseded => {
                stored.refresh_id = mint();
                stored.changing = None;
                stored.step_up = None;
                self.pages.fill(None);
                Next::Refresh
            }
            Some(_) => {
                self.stored = None;
                Next::LogIn
            }
        }
    }

    /// The login to send: the one under way, or a new one with a new code.
    pub fn log_in(&mut self, code: impl FnOnce() -> String, mint: &mut dyn FnMut() -> String) -> Login {
        self.login.get_or_insert_with(|| Login { code: code(), request_id: mint() }).clone()
    }

    /// A login is answered. True if its token was stored: only the login under way counts.
    pub fn logged_in(&mut self, request_id: &str, token: &str, mint: &mut dyn FnMut() -> String) -> bool {
        if self.login.as_ref().is_none_or(|l| l.request_id != request_id) {
            return false;
        }
        self.login = None;
        self.store(token, mint);
        true
    }

    /// A login is refused.
    pub fn login_refused(&mut self, request_id: &str, code: Code) {
        let spent = matches!(
            code,
            Code::CodeUsed
                | Code::CodeInvalid
                | Code::PlatformBusy
                | Code::PlatformUnavailable
                | Code::PlatformBlocked
                | Code::BindingConflict
                | Code::SessionLimit
                | Code::Internal
        );
        if spent && self.login.as_ref().is_some_and(|l| l.request_id == request_id) {
            self.login = None;
        }
    }

    /// The person logs out: the token to end. It is forgotten whatever is answered.
    pub fn log_out(&mut self) -> Option<Stored> {
        self.stored.take()
    }

    /// The app is killed and started again: only its storage is left.
    pub fn restart(&mut self) {
        self.pages.fill(None);
        if self.ids == Ids::PerPage {
            self.login = None;
        }
    }

    fn store(&mut self, token: &str, mint: &mut dyn FnMut() -> String) {
        self.stored = Some(Stored::new(token, mint));
    }
}

impl Stored {
    fn new(token: &str, mint: &mut dyn FnMut() -> String) -> Self {
        Self { token: token.to_owned(), refresh_id: mint(), bind_id: mint(), changing: None, step_up: None }
    }
}

/// Does a refusal say that this step-up will never be done, and the token is as it was?
fn settles(code: Code) -> bool {
    matches!(code, Code::CodeUsed | Code::CodeInvalid | Code::IdentityMismatch | Code::PlatformBlocked)
}

/// Does the code say something about the shown token?
fn ends_or_supersedes(code: Code) -> bool {
    matches!(
        code,
        Code::SessionMissing
            | Code::SessionUnknown
            | Code::SessionExpired
            | Code::SessionSuperseded
            | Code::SessionKicked
            | Code::SessionReplaced
            | Code::SessionRevoked
            | Code::SessionReused
            | Code::SessionEnded
            | Code::UserDisabled
    )
}
