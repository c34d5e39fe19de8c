//! The walk: a customer's life with a mini program, step by step. Each step says what it expects, and fails if that isn't so.

use anyhow::{Context as _, ensure};
use http::Method;
use serde_json::json;

use super::phone::Phone;
use super::shop::WRONG;
use super::signing::Sent;
use super::world::World;

/// The WeChat user whom the shop's table knows from before.
pub const KNOWN: &str = "xiaoming";
/// The one who is new.
const NEW: &str = "lilei";

/// Plays it. Prints each step as it happens.
///
/// # Errors
/// Which step failed, and why.
pub async fn play(world: &World) -> anyhow::Result<()> {
    let mut walk = Walk { world, phone: Phone::new(world.ground(), "phone", NEW), number: 0 };
    let w = &mut walk;
    w.known().await.context(Failed(1))?;
    w.new_one().await.context(Failed(2))?;
    w.guest().await.context(Failed(3))?;
    w.bind().await.context(Failed(4))?;
    w.shop().await.context(Failed(5))?;
    w.lost_answer().await.context(Failed(6))?;
    w.theft().await.context(Failed(7))?;
    w.kicked().await.context(Failed(8))
}

/// Which step failed.
#[derive(Debug)]
pub struct Failed(pub usize);

impl std::fmt::Display for Failed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the walk failed at step {}", self.0)
    }
}

struct Walk<'a> {
    world: &'a World,
    phone: Phone,
    number: usize,
}

impl Walk<'_> {
    fn step(&mut self, english: &str, chinese: &str) {
        self.number += 1;
        self.world.tale.step(self.number, english, chinese);
    }

    fn right(&self, what: &str) {
        self.world.tale.right(what);
    }

    async fn known(&mut self) -> anyhow::Result<()> {
        self.step(
            "A customer logs in whom the shop knows from before",
            "老顾客登录：商城自己的账号表早已记着他的 openid，问一次即可，无需重新绑定",
        );
        let mut phone = Phone::new(self.world.ground(), "phone", KNOWN);
        let login = phone.login().await?.passed(201)?;
        ensure!(login.body["bound"] == true, "the shop knows this openid, but the session is not bound");
        ensure!(login.text("user") == "1001", "the shop said user 1001, the server {}", login.body["user"]);
        ensure!(self.world.shop.hooks("resolve") == 1, "the shop should have been asked exactly once");
        ensure!(self.world.shop.hooks("opened") == 1, "the shop should have been told of the session");
        self.right("bound at the first login: the shop's own table was asked, nobody binds twice");
        ensure!(phone.key.is_some(), "the login brought no key");
        self.right("and a key, which this answer alone brings: each request from here on is signed with it");
        let orders = phone.get("/orders").await?.passed(200)?;
        ensure!(orders.body["user"] == 1001, "the shop saw user {}", orders.body["user"]);
        self.right("the shop knows who calls, without a session of its own");
        Ok(())
    }

    async fn new_one(&mut self) -> anyhow::Result<()> {
        self.step("A new customer logs in", "新顾客登录：已有会话，但还没有绑定账号");
        let login = self.phone.login().await?.passed(201)?;
        ensure!(login.body["bound"] == false, "nobody knows this openid, but the session is bound");
        ensure!(login.body.get("user").is_none(), "an unbound session has a user: {}", login.body["user"]);
        self.right("a session, and not bound: it may do everything that needs no user");
        Ok(())
    }

    async fn guest(&mut self) -> anyhow::Result<()> {
        self.step("Shops as a guest", "以游客身份逛商城：商品可看，订单要先绑定；伪造的身份头会被拒绝");
        let goods = self.phone.get("/goods").await?.passed(200)?;
        ensure!(goods.body["user"].is_null(), "a guest is user {}", goods.body["user"]);
        self.right("the goods are for everybody");
        self.phone.get("/orders").await?.refused(403, "not_bound")?;
        self.right("orders need a user: the front door never asked the shop");
        let token = Some(self.phone.token.as_str());
        let forged = self.phone.send(Method::GET, "/orders", token, None, &[("yaopai-user", "1001")]).await?;
        forged.refused(400, "header_forged")?;
        self.right("who says to be user 1001 is refused");
        Ok(())
    }

    async fn bind(&mut self) -> anyhow::Result<()> {
        self.step("Binds by the shop's form", "填表绑定账号：先输错密码，看到商城自己的提示；再输对");
        let before = self.phone.token.clone();
        let wrong = self.phone.bind("lilei", "dumpling-24").await?.refused(422, "binding_rejected")?;
        ensure!(wrong.text("message") == WRONG, "the shop's message did not arrive: {}", wrong.body["message"]);
        self.right("a wrong password: refused in the shop's own words");
        let bound = self.phone.bind("lilei", "dumpling-42").await?.passed(200)?;
        ensure!(bound.body["bound"] == true && bound.text("user") == "1002", "not bound to user 1002: {}", bound.body);
        ensure!(self.phone.token == before, "binding must leave the token of a keyed session as it is");
        self.right("bound to user 1002; token and key are the ones from the login");
        Ok(())
    }

    async fn shop(&mut self) -> anyhow::Result<()> {
        self.step("Shops as the user", "以用户身份下单：商城只看 Yaopai-* 头");
        let item = Some(json!({ "item": "a pound of tea" }));
        let token = Some(self.phone.token.as_str());
        let ordered = self.phone.send(Method::POST, "/orders", token, item, &[]).await?.passed(201)?;
        ensure!(ordered.body["user"] == 1002, "the shop took the order of user {}", ordered.body["user"]);
        let orders = self.phone.get("/orders").await?.passed(200)?;
        ensure!(orders.body["user"] == 1002 && orders.text("name") == "李雷", "the shop saw {}", orders.body);
        ensure!(orders.body["orders"] == json!(["a pound of tea"]), "the orders are {}", orders.body["orders"]);
        self.right("the shop saw user 1002 with the claims it gave at the bind, and keeps no session");
        Ok(())
    }

    async fn lost_answer(&mut self) -> anyhow::Result<()> {
        self.step(
            "Refreshes, and the answer gets lost",
            "刷新时应答丢失：重新签名再发一次即可；会话延长，令牌和密钥不变",
        );
        let (token, request_id) = (self.phone.token.clone(), self.phone.request_id());
        self.phone.refresh(&token, &request_id).await?.passed(200)?;
        self.world.tale.act("phone", "✂ the answer is lost on its way; the phone signs anew and sends it again");
        let again = self.phone.refresh(&token, &request_id).await?.passed(200)?;
        ensure!(again.text("token") == token, "a refresh must leave the token of a keyed session as it is");
        ensure!(again.body.get("key").is_none(), "a key is handed out at the login only");
        ensure!(
            again.body["expires_in"] == 1800,
            "the refresh did not extend the session: {}",
            again.body["expires_in"]
        );
        self.right("30 minutes more, and nothing else has changed: a lost answer loses nothing");
        Ok(())
    }

    async fn theft(&mut self) -> anyhow::Result<()> {
        self.step(
            "Somebody has copied the token, then a whole request",
            "令牌和整个请求被人复制：没有密钥，令牌无用；同一请求只通过一次；改了路径，签名就不符",
        );
        let mut thief = Phone::new(self.world.ground(), "thief", NEW);
        thief.token = self.phone.token.clone();
        thief.get("/orders").await?.refused(401, "proof_required")?;
        thief.refresh(&thief.token, &thief.request_id()).await?.refused(401, "proof_required")?;
        self.right("the token alone is worth nothing: the key never travels again after the login");
        self.phone.get("/orders").await?.passed(200)?;
        let copy = self.phone.sent().context("the phone has signed nothing")?;
        thief.repeat(copy.clone()).await?.refused(401, "proof_replayed")?;
        self.right("a signed request passes once");
        let moved = Sent { path: "/goods".to_owned(), ..copy };
        thief.repeat(moved).await?.refused(401, "proof_invalid")?;
        self.right("its signature is good for no other path");
        self.phone.get("/orders").await?.passed(200)?;
        self.right("the person goes on, and noticed nothing");
        Ok(())
    }

    async fn kicked(&mut self) -> anyhow::Result<()> {
        self.step("Is kicked from a second device", "在平板上登录同一账号，查看设备列表，把手机踢下线；手机得知原因");
        let mut tablet = Phone::new(self.world.ground(), "tablet", NEW);
        let login = tablet.login().await?.passed(201)?;
        ensure!(login.body["bound"] == true, "the same WeChat user on a tablet is not bound");
        let list = tablet.get("/yaopai/v1/sessions").await?.passed(200)?;
        let sessions = list.body["sessions"].as_array().cloned().unwrap_or_default();
        ensure!(sessions.len() == 2, "the user has 2 devices, the list {}", sessions.len());
        let phone = sessions.iter().find(|s| s["device"]["type"] == "phone" && s["current"] == false);
        let id = phone.and_then(|s| s["session_id"].as_str()).context("the phone is not in the list")?;
        let kinds: Vec<_> = sessions.iter().filter_map(|s| s["device"]["type"].as_str()).collect();
        self.right(&format!("the tablet sees both devices: {}", kinds.join(", ")));
        let path = format!("/yaopai/v1/sessions/{id}");
        tablet.send(Method::DELETE, &path, Some(&tablet.token), None, &[]).await?.passed(204)?;
        let kicked = self.phone.get("/orders").await?.refused(401, "session_kicked")?;
        self.right("the phone is out at once, and told why:");
        self.right(kicked.text("detail"));
        tablet.get("/orders").await?.passed(200)?;
        self.right("the tablet goes on");
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::tale::Tale;
    use super::super::world::{Plan, Platform};
    use super::*;
    use std::sync::Arc;

    /// Plays the walk in a world whose shop knows this WeChat user.
    async fn walked(known: &'static str) -> (anyhow::Result<()>, String) {
        let tale = Arc::new(Tale::kept());
        let plan = Plan { platform: Platform::Simulated { known }, free_ports: true, lan: false };
        let world = World::start(plan, tale.clone()).await.unwrap();
        let played = play(&world).await;
        world.stop().await;
        (played, tale.text())
    }

    #[tokio::test]
    async fn it_can_be_walked() {
        let (played, told) = walked(KNOWN).await;
        played.unwrap();
        assert!((1..=8).all(|n| told.contains(&format!("\n{n}. "))), "{told}");
    }

    #[tokio::test]
    async fn a_step_that_goes_wrong_fails() {
        // The shop has forgotten its old customer: the first step must say so.
        let (played, told) = walked("xiaohong").await;
        let error = format!("{:#}", played.unwrap_err());
        assert_eq!(error, "the walk failed at step 1: the shop knows this openid, but the session is not bound");
        assert!(!told.contains("✓") && !told.contains("\n2. "), "{told}");
    }
}
