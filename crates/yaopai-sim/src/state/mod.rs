//! Everything the simulator remembers, in memory, bounded, behind one lock. No time and no randomness of its own.

mod codes;
mod counters;
mod handed_out;
mod people;
mod quota;
mod session_keys;
mod tokens;
mod user_keys;

use std::collections::BTreeMap;

pub use codes::CodeInfo;
pub(crate) use codes::{Codes, Standing};
pub use counters::Counters;
pub(crate) use handed_out::HandedOut;
pub use people::UserInfo;
pub(crate) use people::{People, Subject, phone};
pub(crate) use quota::Quota;
pub(crate) use session_keys::SessionKeys;
pub(crate) use tokens::{Issued, TokenStanding, Tokens};
pub use user_keys::UserKey;
pub(crate) use user_keys::UserKeys;

use crate::{AppConfig, Config, Secret, SimError, dice::Dice, fault::Faults, push::Letter, wechat::MOCK_CODE};

/// Openids derive from this seed when none was configured, so that bindings made in development survive a restart.
const FIXED_ID_SEED: u64 = 0;

pub(crate) struct State {
    config: Config,
    pub(crate) dice: Dice,
    pub(crate) apps: BTreeMap<String, AppConfig>,
    pub(crate) people: People,
    pub(crate) mock_user: Option<String>,
    pub(crate) codes: Codes,
    pub(crate) phone_codes: Codes,
    pub(crate) session_keys: SessionKeys,
    pub(crate) tokens: Tokens,
    pub(crate) user_keys: UserKeys,
    pub(crate) handed_out: HandedOut,
    /// The last push of each app, to be replayed.
    pub(crate) last_letters: BTreeMap<String, Letter>,
    pub(crate) logins: Quota,
    pub(crate) faults: Faults,
    pub(crate) counters: Counters,
}

impl State {
    /// `stream_seed` feeds codes, keys and tokens. The configuration has been validated.
    pub(crate) fn new(config: Config, stream_seed: u64) -> Self {
        let id_seed = config.seed.unwrap_or(FIXED_ID_SEED);
        let apps: BTreeMap<_, _> = config.apps.iter().map(|app| (app.appid.clone(), app.clone())).collect();
        let people = People::new(id_seed, &apps, &config.users);
        Self {
            dice: Dice::new(stream_seed),
            mock_user: config.mock_user().map(str::to_owned),
            apps,
            people,
            config,
            codes: Codes::default(),
            phone_codes: Codes::default(),
            session_keys: SessionKeys::default(),
            tokens: Tokens::default(),
            user_keys: UserKeys::default(),
            handed_out: HandedOut::default(),
            last_letters: BTreeMap::new(),
            logins: Quota::default(),
            faults: Faults::default(),
            counters: Counters::default(),
        }
    }

    /// Back to the configuration. The dice go on, so that no code or key comes up a second time.
    pub(crate) fn reset(&mut self) {
        let next_seed = u64::from(self.dice.number());
        let dice = std::mem::replace(&mut self.dice, Dice::new(next_seed));
        *self = Self { dice, ..Self::new(self.config.clone(), next_seed) };
    }

    pub(crate) fn app(&self, appid: &str) -> Result<&AppConfig, SimError> {
        self.apps.get(appid).ok_or_else(|| SimError::UnknownApp(appid.to_owned()))
    }

    /// The named app, or the only one.
    pub(crate) fn app_or_only(&self, appid: Option<&str>) -> Result<String, SimError> {
        match appid {
            Some(appid) => Ok(self.app(appid)?.appid.clone()),
            None if self.apps.len() == 1 => Ok(self.apps.keys().next().cloned().unwrap_or_default()),
            None => Err(SimError::AppMissing),
        }
    }

    pub(crate) fn subject(&self, appid: &str, user: &str) -> Result<Subject, SimError> {
        self.app(appid)?;
        self.people.get(user)?;
        Ok(Subject { app: appid.to_owned(), user: user.to_owned() })
    }

    /// What `wx.login` does on WeChat's side: a fresh code, and a new session_key if the old one may be replaced.
    pub(crate) fn issue_code(&mut self, appid: &str, user: &str, now: u64) -> Result<String, SimError> {
        let subject = self.subject(appid, user)?;
        let policy = self.app(appid)?.session_key.clone();
        if policy.rotate_at.issue() {
            self.session_keys.refresh(&subject, &policy, now, &mut self.dice);
        }
        let code = self.dice.alphanumeric(32);
        self.codes.insert(code.clone(), subject, now);
        Ok(code)
    }

    /// What `<button open-type="getPhoneNumber">` hands to the page: a code of its own pool.
    pub(crate) fn issue_phone_code(&mut self, appid: &str, user: &str, now: u64) -> Result<String, SimError> {
        let subject = self.subject(appid, user)?;
        let code = self.dice.hex(64);
        self.phone_codes.insert(code.clone(), subject, now);
        Ok(code)
    }

    /// The administrator resets the AppSecret: the old one and every access token die (that the tokens do is INF). A fresh
    /// secret is made unless one is given.
    pub(crate) fn rotate_secret(&mut self, appid: &str, secret: Option<Secret>, now: u64) -> Option<Secret> {
        let app = self.apps.get_mut(appid)?;
        app.secret = secret.unwrap_or_else(|| Secret::new(self.dice.hex(32)));
        self.tokens.revoke(appid, now);
        Some(app.secret.clone())
    }

    /// Whose login this code is, DevTools' literal included.
    pub(crate) fn code_subject(&self, appid: &str, code: &str) -> Option<Subject> {
        if code == MOCK_CODE {
            let user = self.mock_user.clone()?;
            return Some(Subject { app: appid.to_owned(), user });
        }
        self.codes.get(code).map(|code| Subject { app: code.app.clone(), user: code.user.clone() })
    }

    /// `, rid: …`'s value: three groups of eight hex digits, the first of which is the Unix time.
    pub(crate) fn rid(&mut self, now: u64) -> String {
        format!("{:08x}-{:08x}-{:08x}", now / 1000, self.dice.number(), self.dice.number())
    }
}
