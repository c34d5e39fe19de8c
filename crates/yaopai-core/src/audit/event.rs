//! What can be told.

use std::borrow::Cow;

use crate::app::App;
use crate::ids::{AppName, IdentityId, Realm, SessionId, UserId};
use crate::ports::Identity;
use crate::session::Session;

macro_rules! numbered {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $number:literal $text:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum $name { $($(#[$variant_doc])* $variant = $number),+ }

        impl $name {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// As exported.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }

            pub(super) fn of(number: u8) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| *one as u8 == number)
            }
        }
    };
}

numbered! {
    /// What happened. The numbers are in rows that are kept: they are never used for something else.
    Kind {
        /// A session was opened. The code says how it got its user: `unbound`, `known`, `bound`, `linked`, `not_linked`.
        Login = 1 "login",
        /// An identity got its user. The code says by what: `form`, `phone`, `bind_code`, `api`, `move`, `merge`.
        Bind = 2 "bind",
        /// An identity lost its user. The code says by what: `client`, `api`, `rebind`, `move`, `merge`.
        Unbind = 3 "unbind",
        /// A session was refreshed with a code of the platform's.
        StepUp = 4 "step_up",
        /// A session ended, other than by age. The code is the reason: `reused` is theft.
        Ended = 5 "session_ended",
        /// A user was disabled.
        Disabled = 6 "user_disabled",
        /// A user was enabled again.
        Enabled = 7 "user_enabled",
        /// What is said about a user has changed.
        Claims = 8 "claims",
        /// A bind code was made.
        BindCode = 9 "bind_code",
        /// A request's proof of its session's key was refused.
        Proof = 10 "proof",
        /// An admin call's API key was refused. The code is the refusal's.
        Key = 11 "api_key",
        /// A back end read something. The code is what.
        Read = 12 "admin_read",
        /// A platform's access token was handed out.
        AccessToken = 13 "access_token",
        /// A file of bindings came in; `count` is how many it bound.
        Import = 14 "import",
        /// The platform said that a person has withdrawn; `count` is how many sessions that ended.
        Withdrawn = 15 "withdrawn",
        /// Personal fields were erased; `count` is how many keys.
        Erased = 16 "erased",
        /// So many events of this log were lost, because they came faster than they could be written.
        Dropped = 17 "dropped",
        /// A key that signs for back ends was made on request. The code says how: `next` or `at_once`.
        SigningKey = 24 "signing_key",
        /// An app's move has a new state. The code says which: `set`, `back` (everybody is on the legacy side) or `ended`; `count` is
        /// the share in hundredths of a percent.
        AppMove = 25 "app_move",
        /// A session ended because its person is on the legacy side of its app's move. The code says by what: `share` or `back`.
        WentBack = 26 "went_back",
    }
}

numbered! {
    /// How it came out.
    Outcome {
        /// It was done.
        Done = 1 "done",
        /// It was refused; the code says why.
        Refused = 2 "refused",
        /// So many more of this kind came within a second, and are told by this row alone.
        Suppressed = 3 "suppressed",
    }
}

/// Something to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// What.
    pub kind: Kind,
    /// How it came out.
    pub outcome: Outcome,
    /// Reason or code, from a fixed set: nothing that a client wrote.
    pub code: Cow<'static, str>,
    /// How many, where it tells of more than one.
    pub count: u64,
    /// In which realm.
    pub realm: Option<Realm>,
    /// In which app.
    pub app: Option<AppName>,
    /// Which session: our own id.
    pub session: Option<SessionId>,
    /// Which identity: our own id.
    pub identity: Option<IdentityId>,
    /// Whom it is about. Personal.
    pub user: Option<UserId>,
    /// The device's name, as its person knows it. Personal.
    pub device: Option<String>,
}

/// Events that a command tells of, most often one.
pub type Said = Vec<Event>;

impl Event {
    /// Something that was done.
    pub fn new(kind: Kind, code: impl Into<Cow<'static, str>>) -> Self {
        Self {
            kind,
            outcome: Outcome::Done,
            code: code.into(),
            count: 1,
            realm: None,
            app: None,
            session: None,
            identity: None,
            user: None,
            device: None,
        }
    }

    /// Something that was refused.
    pub fn refused(kind: Kind, code: impl Into<Cow<'static, str>>) -> Self {
        Self { outcome: Outcome::Refused, ..Self::new(kind, code) }
    }

    /// About a session.
    #[must_use]
    pub fn of_session(self, s: &Session) -> Self {
        Self {
            realm: Some(s.realm.clone()),
            app: Some(s.app.clone()),
            session: Some(s.id),
            identity: Some(s.identity),
            user: s.user.clone(),
            ..self
        }
    }

    /// About an identity.
    #[must_use]
    pub fn of_identity(self, i: &Identity) -> Self {
        Self {
            realm: Some(i.realm.clone()),
            app: Some(i.app.clone()),
            identity: Some(i.id),
            user: i.user.clone(),
            ..self
        }
    }

    /// About a user of a realm.
    #[must_use]
    pub fn of_user(self, realm: &Realm, user: &UserId) -> Self {
        Self { realm: Some(realm.clone()), user: Some(user.clone()), ..self }
    }

    /// In an app.
    #[must_use]
    pub fn of_app(self, app: &App) -> Self {
        Self { realm: Some(app.realm.clone()), app: Some(app.name.clone()), ..self }
    }

    /// So many.
    #[must_use]
    pub fn times(self, count: u64) -> Self {
        Self { count, ..self }
    }
}
