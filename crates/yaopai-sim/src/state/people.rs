//! Users and their ids: one openid per app, one unionid per Open Platform account.

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;

use crate::{AppConfig, SimError, UserConfig, dice};

/// Most users kept.
const MAX_USERS: usize = 100_000;

/// A user in an app.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Subject {
    pub(crate) app: String,
    pub(crate) user: String,
}

/// A user as the control API shows them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct UserInfo {
    /// The name.
    pub name: String,
    /// The phone number, without country code.
    pub phone: String,
    /// Whether logins answer 40226.
    pub blocked: bool,
    /// The openid in each app.
    pub openids: BTreeMap<String, String>,
    /// The unionid in each app that answers with one.
    pub unionids: BTreeMap<String, String>,
}

pub(crate) struct People {
    seed: u64,
    by_name: BTreeMap<String, UserConfig>,
    /// (appid, openid) → name.
    by_openid: HashMap<(String, String), String>,
}

impl People {
    pub(crate) fn new(seed: u64, apps: &BTreeMap<String, AppConfig>, users: &[UserConfig]) -> Self {
        let mut people = Self { seed, by_name: BTreeMap::new(), by_openid: HashMap::new() };
        for user in users {
            people.index(apps, user);
        }
        people
    }

    fn index(&mut self, apps: &BTreeMap<String, AppConfig>, user: &UserConfig) {
        for appid in apps.keys() {
            self.by_openid.insert((appid.clone(), openid(self.seed, user, appid)), user.name.clone());
        }
        self.by_name.insert(user.name.clone(), user.clone());
    }

    pub(crate) fn add(&mut self, apps: &BTreeMap<String, AppConfig>, user: &UserConfig) -> Result<(), SimError> {
        if self.by_name.contains_key(&user.name) {
            return Err(SimError::Exists(format!("a user of the name {:?}", user.name)));
        }
        if self.by_name.len() >= MAX_USERS {
            return Err(SimError::TooMany("users"));
        }
        for (appid, openid) in &user.openids {
            if !apps.contains_key(appid) {
                return Err(SimError::UnknownApp(appid.clone()));
            }
            if self.by_openid.contains_key(&(appid.clone(), openid.clone())) {
                return Err(SimError::Exists(format!("the openid {openid:?}")));
            }
        }
        self.index(apps, user);
        Ok(())
    }

    pub(crate) fn get(&self, name: &str) -> Result<&UserConfig, SimError> {
        self.by_name.get(name).ok_or_else(|| SimError::UnknownUser(name.to_owned()))
    }

    pub(crate) fn get_mut(&mut self, name: &str) -> Result<&mut UserConfig, SimError> {
        self.by_name.get_mut(name).ok_or_else(|| SimError::UnknownUser(name.to_owned()))
    }

    pub(crate) fn names(&self) -> Vec<String> {
        self.by_name.keys().cloned().collect()
    }

    pub(crate) fn openid(&self, subject: &Subject) -> Result<String, SimError> {
        Ok(openid(self.seed, self.get(&subject.user)?, &subject.app))
    }

    pub(crate) fn unionid(&self, app: &AppConfig, user: &str) -> Result<String, SimError> {
        let user = self.get(user)?;
        let derived = || dice::unionid(self.seed, &app.open_platform, &user.name);
        Ok(user.unionid.clone().unwrap_or_else(derived))
    }

    pub(crate) fn by_openid(&self, appid: &str, openid: &str) -> Option<Subject> {
        let user = self.by_openid.get(&(appid.to_owned(), openid.to_owned()))?;
        Some(Subject { app: appid.to_owned(), user: user.clone() })
    }

    pub(crate) fn info(&self, apps: &BTreeMap<String, AppConfig>, name: &str) -> Result<UserInfo, SimError> {
        let user = self.get(name)?;
        let unionids = apps.values().filter(|app| app.answer.unionid);
        Ok(UserInfo {
            name: user.name.clone(),
            phone: phone(user),
            blocked: user.blocked,
            openids: apps.keys().map(|appid| (appid.clone(), openid(self.seed, user, appid))).collect(),
            unionids: unionids
                .map(|app| Ok((app.appid.clone(), self.unionid(app, name)?)))
                .collect::<Result<_, SimError>>()?,
        })
    }
}

fn openid(seed: u64, user: &UserConfig, appid: &str) -> String {
    user.openids.get(appid).cloned().unwrap_or_else(|| dice::openid(seed, appid, &user.name))
}

/// The configured number, or one that is stable for the name, in the 1380013xxxx block of made-up numbers.
pub(crate) fn phone(user: &UserConfig) -> String {
    let sum = user.name.bytes().fold(7u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(u32::from(byte)));
    user.phone.clone().unwrap_or_else(|| format!("1380013{:04}", sum % 10_000))
}
