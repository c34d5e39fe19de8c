//! People who are logged in. All about number `n` follows from `n`, so that two processes and two rounds work on the same.

use sha2::{Digest as _, Sha256};
use yaopai_core::app::{App, AppSecret, Apps, Keyed, Policy};
use yaopai_core::ids::{AppName, IdentityId, Realm, SessionId, UserId};
use yaopai_core::ports::{Entropy, LoginRecord, Open, UserFound};
use yaopai_core::proof::ProofKey;
use yaopai_core::seal::Sealer;
use yaopai_core::session::{Claims, Device, EnvVersion, Limits, Secrets, Session, SessionKey};
use yaopai_core::time::{Downtime, Timestamp, millis};
use yaopai_wire::signature::Params;
use yaopai_wire::token::{Secret, Token};
use zeroize::Zeroizing;

use crate::request::Asked;

/// Everybody's app.
pub const APP: &str = "shop";
/// Logins per millisecond when ids are made: what a busy server sees.
const PER_MILLI: u64 = 30;

/// Bytes that follow from a number and a word.
struct Numbered<'a>(u64, &'a str);

impl Numbered<'_> {
    fn bytes(&self) -> [u8; 32] {
        Sha256::new().chain_update(self.1).chain_update(self.0.to_be_bytes()).finalize().into()
    }
}

impl Entropy for Numbered<'_> {
    fn fill(&self, buffer: &mut [u8]) {
        buffer.copy_from_slice(&self.bytes()[..buffer.len()]);
    }
}

/// How people's requests are proved.
#[derive(Clone, Copy)]
pub enum Kind<'a> {
    /// By the token alone.
    Bearer,
    /// By signatures, with keys that are sealed by this.
    Keyed(&'a Sealer),
}

/// `many` people who have just logged in, the last of them at `now`.
#[derive(Clone, Copy)]
pub struct People {
    now: Timestamp,
    many: u64,
}

impl People {
    /// Ids hold the time, so both processes of a measurement must name the same `now`.
    pub fn new(many: u64, now: Timestamp) -> Self {
        Self { now, many }
    }

    fn born(&self, n: u64) -> Timestamp {
        Timestamp(self.now.0 - i64::try_from((self.many - n) / PER_MILLI).unwrap_or(0))
    }

    /// Number `n`'s token.
    pub fn token(&self, n: u64) -> Token {
        let id = SessionId::new(self.born(n), &Numbered(n, "session"));
        Token { id: id.0, secret: Secret::new(Numbered(n, "secret").bytes()) }
    }

    /// The key that number `n` signs with.
    fn key(n: u64) -> [u8; 32] {
        Numbered(n, "proof key").bytes()
    }

    fn session_key(&self, n: u64, kind: Kind<'_>) -> anyhow::Result<SessionKey> {
        Ok(match kind {
            Kind::Bearer => SessionKey::Bearer,
            Kind::Keyed(sealer) => {
                ProofKey::HmacSha256(Zeroizing::new(Self::key(n))).seal(SessionId(self.token(n).id), sealer)?
            }
        })
    }

    /// Number `n`'s request with its token.
    pub fn asked(&self, n: u64) -> Asked {
        Asked::new(&self.token(n))
    }

    /// The same signed at `now`, with a nonce of its own.
    ///
    /// # Errors
    /// None that is to be expected.
    pub fn signed(&self, n: u64, now: Timestamp, entropy: &dyn Entropy) -> anyhow::Result<Asked> {
        let (token, mut nonce) = (self.token(n), [0; 16]);
        entropy.fill(&mut nonce);
        let (nonce, key_id) = (hex(&nonce), SessionId(token.id).to_string());
        let params = Params { created: now.0.div_euclid(1000), nonce: &nonce, key_id: &key_id };
        Asked::signed(&token, &Self::key(n), params)
    }

    /// Number `n`'s session: bound, with a unionid, claims and a device.
    ///
    /// # Errors
    /// The sealer's.
    pub fn session(&self, n: u64, kind: Kind<'_>) -> anyhow::Result<Session> {
        let (now, token) = (self.born(n), self.token(n));
        let user = Some(UserFound { user: user(n), claims: claims() });
        let (key, session) = (self.session_key(n, kind)?, session(n, now, &token, true));
        Ok(Session { user: user.as_ref().map(|u| u.user.clone()), claims: claims(), key, ..session })
    }

    /// Number `n`'s login, the first of its identity.
    ///
    /// # Errors
    /// The sealer's.
    pub fn login(&self, n: u64, kind: Kind<'_>) -> anyhow::Result<Open> {
        let (now, token) = (self.born(n), self.token(n));
        let policy = policy();
        Ok(Open {
            new_identity: IdentityId::new(now, &Numbered(n, "identity")),
            session_key: Some([Numbered(n, "key").bytes(), [1; 32]].concat()[..60].to_vec()),
            user: Some(UserFound { user: user(n), claims: claims() }),
            link: None,
            second_identity: false,
            limits: Limits::of(&policy, Some("phone")),
            idle_ms: millis(policy.idle),
            up: now.uptime(Downtime(0)),
            login: LoginRecord {
                key: Numbered(n, "login").bytes(),
                session: SessionId(token.id),
                sealed: [Numbered(n, "sealed").bytes(), [2; 32]].concat(),
                expires_at: Timestamp(now.0 + 60_000),
            },
            session: Session { key: self.session_key(n, kind)?, ..session(n, now, &token, false) },
        })
    }
}

fn session(n: u64, now: Timestamp, token: &Token, bound: bool) -> Session {
    Session {
        id: SessionId(token.id),
        realm: Realm::from("default"),
        app: AppName::from(APP),
        identity: IdentityId::new(now, &Numbered(n, "identity")),
        openid: platform_id(n, "openid"),
        unionid: Some(platform_id(n, "unionid")),
        user: None,
        claims: None,
        device: Device {
            id: Some(hex(&Numbered(n, "device").bytes()[..8])),
            kind: Some("phone".into()),
            name: Some("HUAWEI Mate 60".into()),
        },
        env_version: Some(EnvVersion::Release),
        created_at: now,
        vouched_at: now,
        absolute_at: now + policy().absolute,
        last_seen: now.uptime(Downtime(0)),
        key: SessionKey::Bearer,
        secrets: Secrets::new(token.secret.hash(), bound),
        ended: None,
    }
}

/// As WeChat's: 28 characters, the first of them an `o`.
fn platform_id(n: u64, word: &str) -> String {
    format!("o{}", &hex(&Numbered(n, word).bytes())[..27])
}

fn user(n: u64) -> UserId {
    UserId(format!("{}", 10_000_000 + n).into())
}

fn claims() -> Option<Claims> {
    Claims::from_json(&serde_json::json!({ "role": "member", "level": 3 }))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// The app's rules: the defaults.
pub fn policy() -> Policy {
    Policy { keyed: Keyed::Offered, ..Policy::default() }
}

/// The one app.
pub fn apps() -> Apps {
    Apps::new([App {
        name: AppName::from(APP),
        realm: Realm::from("default"),
        appid: "wx0000000000000000".into(),
        secret: AppSecret::new("0".repeat(32)),
        policy: policy(),
    }])
}
