//! Apps and their policy, as the configuration gives them.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use zeroize::Zeroizing;

use crate::ids::{AppName, Realm};

/// One mini program: a platform, an appid, its secret, its policy.
#[derive(Debug, Clone)]
pub struct App {
    /// Its name here.
    pub name: AppName,
    /// The set of users it belongs to.
    pub realm: Realm,
    /// The platform's id of it (`wx` + 16 hex digits at WeChat).
    pub appid: String,
    /// The platform's secret of it.
    pub secret: AppSecret,
    /// Who may stay logged in, and how a session finds its user.
    pub policy: Policy,
}

/// A secret that never prints.
#[derive(Clone)]
pub struct AppSecret(Zeroizing<String>);

impl AppSecret {
    /// Takes the secret's text.
    pub fn new(secret: String) -> Self {
        Self(Zeroizing::new(secret))
    }

    /// The text, for the one request that needs it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for AppSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AppSecret(…)")
    }
}

/// An app's rules. Defaults are the design's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// A session unused for so long expires.
    pub idle: Duration,
    /// The client is asked to refresh after so long.
    pub refresh_after: Duration,
    /// A session older than this expires, used or not.
    pub absolute: Duration,
    /// How many sessions a user may have at a time, and in one kind of device.
    pub max_sessions: u32,
    /// The same by `device.type`; a type that isn't named has no limit of its own.
    pub max_sessions_per_device_type: HashMap<String, u32>,
    /// Who makes room.
    pub yields: Yields,
    /// How a session finds its user.
    pub binding: BindingWay,
    /// May a second identity of this app be bound to a user that has one?
    pub second_identity: bool,
    /// The field of the bind form that names the account, where guesses at one account are to be counted.
    pub account_field: Option<String>,
    /// May or must a session be keyed?
    pub keyed: Keyed,
    /// The platform's account that the app belongs to, as the operator names it: apps of one see the same unionids.
    pub open_platform: Option<String>,
    /// Is a new identity bound to the user whom its unionid names?
    pub link: Link,
    /// While the app is being moved: after so long a client whose person has not moved asks again.
    pub move_ask_again: Duration,
}

/// Is a new identity bound to the user of the same person's identity in another app?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Link {
    /// No: each app binds for itself.
    Never,
    /// If its unionid has exactly one user in the realm, over the apps of the same open platform.
    Unionid,
}

/// Who makes room when a user has too many sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Yields {
    /// The oldest session ends as `replaced`.
    Oldest,
    /// The new login is refused.
    Newest,
}

/// Who knows which user an identity is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BindingWay {
    /// The first login creates a user id.
    Auto,
    /// The back end is asked.
    Webhook,
    /// The back end binds by itself, through the admin API.
    Api,
}

/// May or must a session be keyed?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keyed {
    /// Every session has a key. One that was opened without, before the app demanded it, passes no more.
    Required,
    /// A client may ask for a key.
    Offered,
    /// Bearer sessions only.
    Off,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            idle: Duration::from_secs(30 * 60),
            refresh_after: Duration::from_secs(20 * 60),
            absolute: Duration::from_secs(7 * 24 * 3600),
            max_sessions: 12,
            max_sessions_per_device_type: HashMap::new(),
            yields: Yields::Oldest,
            binding: BindingWay::Webhook,
            second_identity: false,
            account_field: None,
            keyed: Keyed::Required,
            open_platform: None,
            link: Link::Never,
            move_ask_again: Duration::from_secs(3600),
        }
    }
}

/// All apps, by name.
#[derive(Debug, Clone, Default)]
pub struct Apps(HashMap<AppName, Arc<App>>);

impl Apps {
    /// Collects them; a later one of the same name replaces an earlier (the configuration refuses that before).
    pub fn new(apps: impl IntoIterator<Item = App>) -> Self {
        Self(apps.into_iter().map(|a| (a.name.clone(), Arc::new(a))).collect())
    }

    /// Finds one.
    pub fn get(&self, name: &AppName) -> Option<&Arc<App>> {
        self.0.get(name)
    }

    /// The apps whose users a new identity of this app may be linked to; `None` if it isn't. A unionid of another open platform
    /// is another person's, and another realm's users are other people.
    pub fn linked_to(&self, app: &App) -> Option<Vec<AppName>> {
        let platform = app.policy.open_platform.as_ref().filter(|_| app.policy.link == Link::Unionid)?;
        let kin = |other: &&Arc<App>| other.realm == app.realm && other.policy.open_platform.as_ref() == Some(platform);
        Some(self.iter().filter(kin).map(|app| app.name.clone()).collect())
    }

    /// All of them, in no order.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<App>> {
        self.0.values()
    }
}
