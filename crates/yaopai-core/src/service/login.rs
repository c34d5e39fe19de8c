//! Login: one code, one exchange, one session, however often the same login is sent.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use yaopai_wire::problem::Code;
use yaopai_wire::token::{Secret, Token};
use zeroize::Zeroizing;

use super::flights::{self, Boarding, Spent, code_used, digest};
use super::{Granted, GrantedKey, Service};
use crate::app::{App, BindingWay, Keyed};
use crate::audit::{Event, Kind, carried};
use crate::error::{Error, Result};
use crate::ids::{AppName, IdentityId, SessionId, UserId};
use crate::limit::{self, By, What};
use crate::ports::{LinkBy, LoginRecord, Open, Opened, UserFound, Vouched};
use crate::proof::{KEY_LEN, ProofKey};
use crate::seal::Place;
use crate::session::{Device, EnvVersion, Limits, Secrets, Session, SessionKey};
use crate::time::millis;

/// How long a login's answer may be handed out again, unless it is used before.
const ANSWER_KEPT: Duration = Duration::from_secs(60);

/// A login as a client asks for it.
#[derive(Debug, Clone)]
pub struct LoginRequest {
    /// The app's name.
    pub app: AppName,
    /// The code of `wx.login`.
    pub code: String,
    /// The client's own id of this login: at least 128 random bits.
    pub request_id: String,
    /// The kind of key it asks for.
    pub key: Option<KeyWanted>,
    /// The client's address: logins are counted by it, too.
    pub from: IpAddr,
    /// Its device.
    pub device: Device,
    /// Its release.
    pub env_version: Option<EnvVersion>,
}

/// With what a session's requests are to be signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyWanted {
    /// With a key of the session's own, which the login's answer brings.
    HmacSha256,
    /// With a key derived from this version of WeChat's per-user key.
    WeChat(u32),
}

impl KeyWanted {
    /// What makes a login another one.
    fn digest(this: Option<Self>) -> [u8; 32] {
        match this {
            None => digest(&[b"bearer"]),
            Some(Self::HmacSha256) => digest(&[b"hmac-sha256"]),
            Some(Self::WeChat(version)) => digest(&[b"wechat", &version.to_be_bytes()]),
        }
    }
}

impl Service {
    /// Logs in. The same app, code, request id and key get the same answer for 60 s or until its first use.
    ///
    /// # Errors
    /// The refusal that the client is to be told.
    pub async fn login(&self, request: LoginRequest) -> Result<Granted> {
        let app = self.app(&request.app)?;
        match (app.policy.keyed, request.key) {
            (Keyed::Required, None) => {
                let detail =
                    "This app's sessions are keyed: send `key` as {\"alg\": \"hmac-sha256\"} and sign each request.";
                return Err(Error::field("key", detail));
            }
            // Never answered with a bearer session: a client that asked for a key must not get less without noticing.
            (Keyed::Off, Some(_)) => {
                return Err(Error::field("key", "This app has no keyed sessions; leave `key` out."));
            }
            _ => {}
        }
        let code = flights::code_key(&app.name, &request.code, &request.request_id);
        let login = digest(&[b"login", &code, request.request_id.as_bytes(), &KeyWanted::digest(request.key)]);
        let (now, _) = self.now();
        let answer = match self.inner.flights.board(code, login, now)? {
            Boarding::Wait(answer) => answer,
            Boarding::Again => return self.answer_again(&login, &app).await,
            Boarding::Fly(vouched, sender) => {
                let (service, answer) = (self.clone(), sender.subscribe());
                // On its own task: a client that hangs up must not leave a spent code without its session.
                tokio::spawn(carried(async move {
                    let result = service.fly(&app, request, login, vouched, code).await;
                    sender.send_replace(Some(result));
                }));
                answer
            }
        };
        flights::landed(answer).await
    }

    pub(super) async fn may_log_in(&self, by: &[(By, &[u8])]) -> Result<()> {
        let wants = self.world().limits.wants(What::Login, by);
        let refusal = "There were too many logins; wait, then call wx.login again and log in with the new code.";
        self.count(&wants, refusal).await.map(|_| ())
    }

    /// One login, to its end, and what is remembered of its code.
    async fn fly(
        &self,
        app: &Arc<App>,
        request: LoginRequest,
        login: [u8; 32],
        vouched: Option<Vouched>,
        code: [u8; 32],
    ) -> Result<Granted> {
        // Before the platform is asked. One that goes on from its word has been counted.
        let may = match &vouched {
            Some(_) => Ok(()),
            None => {
                let network = limit::network(request.from);
                self.may_log_in(&[(By::Network, &network), (By::App, app.name.as_str().as_bytes())]).await
            }
        };
        let mut spent = vouched.map_or(Spent::No, Spent::Vouched);
        let result = match may {
            Ok(()) => self.open(app, &request, login, &mut spent).await,
            // Its code was sent to nobody. Those who wait for it are told the same.
            Err(e) => Err(e),
        };
        self.inner.flights.land(code, &result, spent);
        self.tell_refused(Event::refused(Kind::Login, "").of_app(app), result.as_ref().err());
        result
    }

    async fn open(
        &self,
        app: &Arc<App>,
        request: &LoginRequest,
        login: [u8; 32],
        spent: &mut Spent,
    ) -> Result<Granted> {
        let world = self.world();
        // After a restart the store is all that remembers this login.
        if matches!(spent, Spent::No) && world.store.login(&login).await?.is_some() {
            return self.answer_again(&login, app).await;
        }
        let counted = matches!(spent, Spent::Vouched(_));
        if !counted && let Some(why) = self.all_stay(app).await? {
            return Err(self.stayed(app, why));
        }
        let vouched = self.vouch(app, &request.code, spent).await?;
        if !counted && let Err(e) = self.may_log_in(&[(By::Identity, login_identity(app, &vouched).as_slice())]).await {
            // The same login again is refused again, and counts no more.
            *spent = Spent::Maybe;
            return Err(e);
        }
        if let Some(why) = self.stays_anyway(app, &vouched).await? {
            // The same login again is refused again.
            *spent = Spent::Maybe;
            return Err(self.stayed(app, why));
        }
        let found = self.find_user(app, &vouched).await?;
        let id = SessionId::new(self.now().0, &*world.entropy);
        let key = self.first_key(app, request, &vouched, id).await?;
        let (open, token) = self.prepare(app, request, (login, id), &vouched, found, key.as_ref())?;
        let session = match world.store.open(open).await? {
            Opened::Opened(session) => *session,
            Opened::NotLinked(session) => {
                // With ids only: a unionid is the person's.
                tracing::warn!(app = %app.name, session = %session.id, identity = %session.identity, "unionid not linked: it has several users, or a user with another identity of the app");
                *session
            }
            Opened::Repeated(_) => return self.answer_again(&login, app).await,
            Opened::Stays(why) => {
                *spent = Spent::Maybe;
                return Err(self.stayed(app, why));
            }
            Opened::Disabled => return Err(super::refused(Code::UserDisabled)),
            Opened::Conflict => {
                return Err(Error::new(
                    Code::BindingConflict,
                    "The back end names a user who is bound to another account of this app; unbind that one first.",
                ));
            }
            Opened::Full => {
                return Err(Error::new(
                    Code::SessionLimit,
                    "The user has as many sessions as this app allows; end one on another device first.",
                ));
            }
        };
        let session = self.bound_meanwhile(app, &vouched, session).await?;
        self.tell_opened(app, &session).await;
        let bound = session.user.is_some();
        tracing::info!(app = %app.name, session = %session.id, bound, "login");
        Ok(Granted { session, bound, token: Some(token), key: key.map(handed_out), app: app.clone() })
    }

    /// The key of the session that is to be opened.
    async fn first_key(
        &self,
        app: &App,
        request: &LoginRequest,
        vouched: &Vouched,
        id: SessionId,
    ) -> Result<Option<ProofKey>> {
        Ok(match request.key {
            None => None,
            Some(KeyWanted::HmacSha256) => {
                let mut key = Zeroizing::new([0; KEY_LEN]);
                self.world().entropy.fill(&mut key[..]);
                Some(ProofKey::HmacSha256(key))
            }
            Some(KeyWanted::WeChat(version)) => {
                let of = (vouched.openid.as_str(), vouched.session_key.as_ref());
                Some(self.first_user_key(app, of, version, id).await?)
            }
        })
    }

    /// The user for an identity that has none yet: created, or asked for. A failure is never read as "unbound".
    async fn find_user(&self, app: &App, vouched: &Vouched) -> Result<Option<UserFound>> {
        let world = self.world();
        let known = world.store.identity(&app.name, &vouched.openid).await?;
        if known.is_some_and(|i| i.user.is_some()) {
            return Ok(None);
        }
        match app.policy.binding {
            BindingWay::Auto => {
                let (now, _) = self.now();
                let user = format!("u_{}", hex::encode(IdentityId::new(now, &*world.entropy).0));
                Ok(Some(UserFound { user: UserId(user.into()), claims: None }))
            }
            BindingWay::Webhook => {
                world.backend.resolve(app, &vouched.openid, vouched.unionid.as_deref()).await.map_err(|e| {
                    Error::new(Code::BackendUnavailable, "The back end did not answer; send the same login again.")
                        .retry_after(2)
                        .internal(e)
                })
            }
            BindingWay::Api => Ok(None),
        }
    }

    fn prepare(
        &self,
        app: &App,
        request: &LoginRequest,
        (login, id): ([u8; 32], SessionId),
        vouched: &Vouched,
        user: Option<UserFound>,
        key: Option<&ProofKey>,
    ) -> Result<(Open, Token)> {
        let world = self.world();
        let (now, up) = self.now();
        let token = self.mint(id);
        let session_key = self.seal_session_key(app, vouched)?;
        let mut answer = Zeroizing::new(Vec::with_capacity(2 * KEY_LEN));
        answer.extend_from_slice(token.secret.expose());
        if let Some(ProofKey::HmacSha256(key)) = key {
            answer.extend_from_slice(&key[..]);
        }
        let sealed = world.sealer.seal(login_place(&hex::encode(login)), &answer)?;
        let new_identity = IdentityId::new(now, &*world.entropy);
        let session = Session {
            id,
            realm: app.realm.clone(),
            app: app.name.clone(),
            identity: new_identity,
            openid: vouched.openid.clone(),
            unionid: vouched.unionid.clone(),
            user: None,
            claims: None,
            device: request.device.clone(),
            env_version: request.env_version,
            created_at: now,
            vouched_at: now,
            absolute_at: now + app.policy.absolute,
            last_seen: up,
            key: key.map_or(Ok(SessionKey::Bearer), |key| key.seal(id, &world.sealer))?,
            secrets: Secrets::new(token.secret.hash(), false),
            ended: None,
        };
        let open = Open {
            new_identity,
            session_key,
            user,
            link: world.apps.linked_to(app).map(|apps| LinkBy { apps, first: app.policy.binding == BindingWay::Auto }),
            second_identity: app.policy.second_identity,
            limits: Limits::of(&app.policy, request.device.kind.as_deref()),
            idle_ms: millis(app.policy.idle),
            up,
            login: LoginRecord { key: login, session: id, sealed, expires_at: now + ANSWER_KEPT },
            session,
        };
        Ok((open, token))
    }

    /// The kept answer of the same login.
    async fn answer_again(&self, login: &[u8; 32], app: &Arc<App>) -> Result<Granted> {
        let world = self.world();
        let (now, _) = self.now();
        let record = world.store.login(login).await?.filter(|r| r.expires_at > now).ok_or_else(code_used)?;
        // Used, changed or ended: whoever sends the old login now is late, or is somebody else. The table is asked before the
        // store: it forgets that a session was used when the session ends, and what has ended by then the store knows.
        if world.presence.used(record.session) {
            return Err(code_used());
        }
        let session = world.store.load(record.session).await?.ok_or_else(code_used)?;
        let first = session.secrets.current();
        if session.ended.is_some() {
            return Err(code_used());
        }
        let answer = world.sealer.unseal(login_place(&hex::encode(login)), &record.sealed)?;
        let (secret, key) = answer.split_at_checked(32).unwrap_or((&answer, &[]));
        let token = self.token(session.id, secret)?;
        let own = <[u8; KEY_LEN]>::try_from(key).ok().map(|key| GrantedKey::Own(Zeroizing::new(key)));
        let key = own.or(session.key.is_keyed().then_some(GrantedKey::Platforms));
        if !token.secret.hash().matches(&first) {
            return Err(code_used());
        }
        let bound = session.user.is_some() && session.secrets.current_bound();
        Ok(Granted { session, bound, token: Some(token), key, app: app.clone() })
    }

    /// A token with a fresh secret.
    pub(super) fn mint(&self, id: SessionId) -> Token {
        let mut secret = [0u8; 32];
        self.world().entropy.fill(&mut secret);
        Token { id: id.0, secret: Secret::new(secret) }
    }

    /// A token with a secret that was kept.
    pub(super) fn token(&self, id: SessionId, secret: &[u8]) -> Result<Token> {
        let secret: [u8; 32] = secret
            .try_into()
            .map_err(|_| Error::new(Code::Internal, "Log in again.").internal("a kept secret of the wrong length"))?;
        Ok(Token { id: id.0, secret: Secret::new(secret) })
    }
}

fn login_identity(app: &App, vouched: &Vouched) -> [u8; 32] {
    digest(&[app.name.as_str().as_bytes(), vouched.openid.as_bytes()])
}

fn handed_out(key: ProofKey) -> GrantedKey {
    match key {
        ProofKey::HmacSha256(key) => GrantedKey::Own(key),
        ProofKey::WeChat(_) => GrantedKey::Platforms,
    }
}

fn login_place(row: &str) -> Place<'_> {
    Place { table: "logins", row, column: "sealed" }
}
