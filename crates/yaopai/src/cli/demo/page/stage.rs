//! Who plays in front of the page: a phone, sometimes a tablet, sometimes a thief.

use std::sync::Arc;
use std::time::Duration;

use http::Method;
use serde_json::json;
use yaopai_core::Service;
use yaopai_sim::{DEFAULT_APPID, Endpoint, Fault, SimHandle, UserConfig};

use super::handset::Handset;
use super::wechat::WeChat;
use crate::cli::demo::phone::{Ground, Phone};
use crate::cli::demo::shop::{BindCode, Shop, Website};
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
    pub phone: Option<Handset>,
    pub tablet: Option<Phone>,
    pub thief: Option<Thief>,
    /// The bind code that the shop's website shows.
    pub code: Option<BindCode>,
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
        let (phone, tablet, thief) = (None, None, None);
        Self { ground, clock, wechat, service, shop, website, sim, phone, tablet, thief, code: None, outage: None }
    }

    /// Somebody takes the phone and opens the mini program.
    pub async fn open(&mut self, wechat: &str) -> anyhow::Result<()> {
        let Some(wechat) = PEOPLE.into_iter().find(|p| *p == wechat) else { return Ok(()) };
        (self.tablet, self.thief, self.code) = (None, None, None);
        self.wechat.open(wechat);
        let phone = self.phone.insert(Handset::new(self.ground.clone(), wechat, self.clock.clone()));
        phone.go(super::handset::Screen::Shop).await
    }

    /// The phone is put away.
    pub fn leave(&mut self) {
        (self.phone, self.tablet, self.thief, self.code) = (None, None, None, None);
    }

    /// The person, signed in on the shop's website at a computer, has it show a bind code.
    pub async fn show_code(&mut self) -> anyhow::Result<()> {
        let Some(phone) = &mut self.phone else { return Ok(()) };
        phone.turn_down();
        phone.seen.notice = None;
        let user = self.shop.user_of(phone.wechat());
        if let Some(user) = user {
            self.code = Some(self.website.bind_code(user, phone.wechat()).await?);
        }
        Ok(())
    }

    /// The person points the phone at it.
    pub async fn scan(&mut self) -> anyhow::Result<()> {
        let (Some(phone), Some(code)) = (&mut self.phone, &self.code) else { return Ok(()) };
        phone.scan(code.code.clone()).await?;
        self.take_code_down();
        Ok(())
    }

    /// Takes the code off the website once it is worth nothing any more: used, refused, or nobody asks for it.
    pub fn take_code_down(&mut self) {
        if self.phone.as_ref().is_none_or(|phone| phone.scanned.is_none()) {
            self.code = None;
        }
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
    pub async fn session_key(&mut self) -> anyhow::Result<()> {
        let Some(phone) = &mut self.phone else { return Ok(()) };
        self.sim.rotate_session_key(DEFAULT_APPID, phone.wechat())?;
        self.ground.wire.note("wechat", "session_key", json!({}));
        phone.go(phone.seen.wanted).await
    }

    /// The same person logs in on a tablet.
    pub async fn tablet(&mut self) -> anyhow::Result<()> {
        let Some(phone) = &mut self.phone else { return Ok(()) };
        let mut tablet = Phone::new(self.ground.clone(), "tablet", phone.wechat());
        if tablet.login().await?.code.is_none() {
            self.tablet = Some(tablet);
        }
        Ok(())
    }

    /// The tablet ends the phone's session, which learns of it at its next request.
    pub async fn kicked(&mut self) -> anyhow::Result<()> {
        let Some(id) = self.phone.as_ref().and_then(|p| p.sessions.last()).copied() else { return Ok(()) };
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

    /// The phone's clock is ten minutes slow from now on: nobody has set it.
    pub fn skew(&mut self) {
        if let Some(phone) = &mut self.phone {
            phone.phone.ahead -= 10 * 60 * 1000;
            self.ground.wire.note("phone", "slow_clock", json!({}));
        }
    }

    /// Somebody copies the phone's token, and tries it.
    pub async fn steal(&mut self) -> anyhow::Result<()> {
        let Some(phone) = self.phone.as_mut().filter(|p| !p.phone.token.is_empty()) else { return Ok(()) };
        let mut thief = Phone::new(self.ground.clone(), "thief", phone.wechat());
        thief.token = phone.phone.token.clone();
        phone.tokens.hold("thief", &thief.token);
        self.ground.wire.note("thief", "stole", json!({}));
        self.thief = Some(Thief { phone: thief, copy: None, saw: (0, None) });
        self.thief_reads().await
    }

    /// Somebody has the phone's last request as a whole, as a log or a trace on the way may hold it, and sends it again.
    pub async fn capture(&mut self) -> anyhow::Result<()> {
        let Some(phone) = &self.phone else { return Ok(()) };
        let Some(copy) = phone.phone.sent() else { return Ok(()) };
        let thief = Phone::new(self.ground.clone(), "thief", phone.wechat());
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

    /// A changed mini program says by a header to be somebody else.
    pub async fn forge(&mut self) -> anyhow::Result<()> {
        let Some(phone) = &mut self.phone else { return Ok(()) };
        let token = phone.phone.token.clone();
        let forged = [("yaopai-user", "1001")];
        let reply = phone.phone.send(Method::GET, "/orders", Some(&token), None, &forged).await?;
        if reply.code.is_some() {
            phone.tell(&reply);
        }
        Ok(())
    }
}
