//! Who plays beside the mini program: sometimes a tablet, sometimes a thief, time, and WeChat on a bad day.

use std::sync::Arc;
use std::time::Duration;

use http::Method;
use serde_json::json;
use yaopai_core::Service;
use yaopai_sim::{DEFAULT_APPID, Endpoint, Fault, SimHandle, UserConfig};

use super::wechat::WeChat;
use crate::cli::demo::phone::{Ground, Phone};
use crate::cli::demo::shop::{Shop, Website};
use crate::cli::demo::signing::Sent;
use crate::cli::demo::world::DemoClock;

/// The WeChat users whose phone it may be. The shop has an account for each; only the first one's it has linked already.
pub const PEOPLE: [&str; 3] = ["xiaoming", "hanmeimei", "wangfang"];

/// Everything behind the page.
pub struct Stage {
    pub ground: Ground,
    pub clock: Arc<DemoClock>,
    pub wechat: WeChat,
    pub service: Service,
    pub shop: Shop,
    pub website: Website,
    pub sim: SimHandle,
    pub tablet: Option<Phone>,
    pub thief: Option<Thief>,
    /// The fault that keeps WeChat down.
    pub outage: Option<u64>,
}

/// Another machine, with what it was never given: a token, or a whole signed request.
pub struct Thief {
    phone: Phone,
    /// The request that it has copied, if it is more than a token.
    pub copy: Option<Sent>,
    /// What its last request got: the status, and the refusal's code.
    pub saw: (u16, Option<String>),
}

/// How much later.
#[derive(Clone, Copy, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Later {
    /// Than a signed request passes.
    Window,
    /// Than WeChat must have vouched for whoever pays.
    Vouched,
    /// Than a refresh is due.
    Refresh,
    /// Than a session may be idle.
    Idle,
    /// Than a session may live.
    Absolute,
}

impl Stage {
    /// With nobody on it yet.
    pub fn new(
        ground: Ground,
        clock: Arc<DemoClock>,
        service: Service,
        (shop, website): (Shop, Website),
        (sim, wechat): (SimHandle, WeChat),
    ) -> Self {
        for name in PEOPLE {
            let phone = shop.phone(name).map(str::to_owned);
            // Those whom the simulator knows by itself are there already, which is as well.
            let _ = sim.add_user(UserConfig { name: name.to_owned(), phone, ..UserConfig::default() });
        }
        Self { ground, clock, wechat, service, shop, website, sim, tablet: None, thief: None, outage: None }
    }

    /// Somebody takes their phone and opens the mini program.
    pub fn open(&mut self, person: &str) {
        let Some(person) = PEOPLE.into_iter().find(|p| *p == person) else { return };
        (self.tablet, self.thief) = (None, None);
        self.wechat.open(person);
    }

    /// The phone is put away.
    pub fn leave(&mut self) {
        (self.tablet, self.thief) = (None, None);
        self.wechat.leave();
    }

    /// Whose phone it is.
    fn person(&self) -> Option<&'static str> {
        self.wechat.look().map(|look| look.person)
    }

    /// The token that the mini program shows, if it has one.
    fn token(&self) -> Option<String> {
        self.wechat.follow(|phone| phone.token.to_string()).filter(|token| !token.is_empty())
    }

    /// The person, signed in on the shop's website at a computer, has it show a bind code.
    pub async fn show_code(&mut self) -> anyhow::Result<()> {
        let Some(person) = self.person() else { return Ok(()) };
        if let Some(user) = self.shop.user_of(person) {
            self.wechat.see(self.website.bind_code(user, person).await?);
        }
        Ok(())
    }

    /// Time passes at once. The server looks for what has expired every 15 s; here it does so now.
    pub async fn later(&mut self, how: Later) -> anyhow::Result<()> {
        let by = match how {
            Later::Window => 66,
            Later::Vouched => 6 * 60,
            Later::Refresh => 21 * 60,
            Later::Idle => 31 * 60,
            Later::Absolute => 7 * 24 * 3600 + 60,
        };
        self.clock.advance(Duration::from_secs(by));
        self.ground.wire.note("clock", "later", json!({ "seconds": by }));
        self.service.upkeep().await.map_err(|e| anyhow::anyhow!("upkeep: {}", e.detail))?;
        self.wechat.advance(Duration::from_secs(by));
        Ok(())
    }

    /// WeChat's servers stop answering as they should, or start again.
    pub fn outage(&mut self) -> anyhow::Result<()> {
        match self.outage.take() {
            Some(fault) => drop(self.sim.clear_fault(fault)),
            None => self.outage = Some(self.sim.set_fault(Fault::bad_gateway().on(Endpoint::Jscode2session))?),
        }
        self.ground.wire.note("wechat", if self.outage.is_some() { "down" } else { "up" }, json!({}));
        Ok(())
    }

    /// WeChat replaces the user's session_key, as when the same account logs in on another device.
    pub fn session_key(&self) -> anyhow::Result<()> {
        if let Some(person) = self.person() {
            self.sim.rotate_session_key(DEFAULT_APPID, person)?;
            self.ground.wire.note("wechat", "session_key", json!({}));
        }
        Ok(())
    }

    /// The same person logs in on a tablet.
    pub async fn tablet(&mut self) -> anyhow::Result<()> {
        let Some(person) = self.person() else { return Ok(()) };
        let mut tablet = Phone::new(self.ground.clone(), "tablet", person);
        if tablet.login().await?.code.is_none() {
            self.tablet = Some(tablet);
        }
        Ok(())
    }

    /// The tablet ends the phone's session, which learns of it at its next request.
    pub async fn kicked(&mut self) -> anyhow::Result<()> {
        let Some(id) = self.wechat.follow(|phone| phone.sessions.last().copied()).flatten() else { return Ok(()) };
        const LIST: &str = "/yaopai/v1/sessions";
        let lives = match &self.tablet {
            Some(tablet) => tablet.get(LIST).await?.code.is_none(),
            None => false,
        };
        if !lives {
            self.tablet().await?;
            if let Some(tablet) = &self.tablet {
                tablet.get(LIST).await?;
            }
        }
        if let Some(tablet) = &self.tablet {
            tablet.send(Method::DELETE, &format!("{LIST}/{id}"), Some(&tablet.token), None, &[]).await?;
        }
        Ok(())
    }

    /// The phone's clock is ten minutes slow from now on, as nobody has set it; or it is right again.
    pub fn skew(&self) {
        let name = if self.wechat.skew() { "slow_clock" } else { "right_clock" };
        self.ground.wire.note("phone", name, json!({}));
    }

    /// Somebody copies the phone's token, and tries it.
    pub async fn steal(&mut self) -> anyhow::Result<()> {
        let (Some(person), Some(token)) = (self.person(), self.token()) else { return Ok(()) };
        let mut thief = Phone::new(self.ground.clone(), "thief", person);
        self.wechat.follow(|phone| phone.tokens.hold("thief", &token));
        thief.token = token;
        self.ground.wire.note("thief", "stole", json!({}));
        self.thief = Some(Thief { phone: thief, copy: None, saw: (0, None) });
        self.thief_reads().await
    }

    /// Somebody has the phone's last request as a whole, as a log or a trace on the way may hold it, and sends it again.
    pub async fn capture(&mut self) -> anyhow::Result<()> {
        let Some(person) = self.person() else { return Ok(()) };
        let Some(copy) = self.wechat.follow(|phone| phone.sent.clone()).flatten() else { return Ok(()) };
        let thief = Phone::new(self.ground.clone(), "thief", person);
        self.ground.wire.note("thief", "captured", json!({ "method": copy.method.as_str(), "path": copy.path }));
        self.thief = Some(Thief { phone: thief, copy: Some(copy), saw: (0, None) });
        self.thief_repeats().await
    }

    /// The other machine sends the request that it has, byte for byte.
    pub async fn thief_repeats(&mut self) -> anyhow::Result<()> {
        let Some(copy) = self.thief.as_ref().and_then(|thief| thief.copy.clone()) else { return Ok(()) };
        self.thief_sends(copy).await
    }

    /// The same to another path.
    pub async fn thief_moves(&mut self) -> anyhow::Result<()> {
        let Some(copy) = self.thief.as_ref().and_then(|thief| thief.copy.clone()) else { return Ok(()) };
        let path = if copy.path == "/orders" { "/goods" } else { "/orders" }.to_owned();
        self.thief_sends(Sent { path, ..copy }).await
    }

    async fn thief_sends(&mut self, copy: Sent) -> anyhow::Result<()> {
        let Some(thief) = &mut self.thief else { return Ok(()) };
        let reply = thief.phone.repeat(copy).await?;
        thief.saw = (reply.status.as_u16(), reply.code);
        Ok(())
    }

    /// The other machine asks for the person's orders.
    pub async fn thief_reads(&mut self) -> anyhow::Result<()> {
        let Some(thief) = &mut self.thief else { return Ok(()) };
        let reply = thief.phone.get("/orders").await?;
        thief.saw = (reply.status.as_u16(), reply.code);
        Ok(())
    }

    /// The other machine tries to extend the session.
    pub async fn thief_refreshes(&mut self) -> anyhow::Result<()> {
        let Some(thief) = &mut self.thief else { return Ok(()) };
        let reply = thief.phone.refresh(&thief.phone.token, &thief.phone.request_id()).await?;
        thief.saw = (reply.status.as_u16(), reply.code);
        Ok(())
    }

    /// A changed client says by a header to be somebody else.
    pub async fn forge(&mut self) -> anyhow::Result<()> {
        let (Some(person), Some(token)) = (self.person(), self.token()) else { return Ok(()) };
        let client = Phone::new(self.ground.clone(), "client", person);
        client.send(Method::GET, "/orders", Some(&token), None, &[("yaopai-user", "1001")]).await?;
        Ok(())
    }
}
