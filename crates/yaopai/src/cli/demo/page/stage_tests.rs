//! What is pressed beside the phone, against a whole demo; the mini program's requests are made by hand.

use http::Method;
use serde_json::{Value, json};

use super::act::Act;
use super::stage::{Later, Stage};
use super::wechat::tests::{Phone, parsed, sign, signed, world};
use crate::cli::demo::shop::Website;
use crate::cli::demo::world::World;

const BINDING: &str = "/yaopai/v1/binding";

/// A stage with a phone on it, whose mini program has logged in as a guest.
struct Played {
    world: World,
    stage: Stage,
    phone: Phone,
    login: Value,
}

impl Played {
    async fn start() -> Self {
        let world = world().await;
        let mut phone = Phone::start(&world);
        let website = Website {
            client: world.client.clone(),
            admin: world.server.admin.to_string(),
            api_key: world.api_key.clone(),
            entropy: world.entropy.clone(),
            wire: world.wire.clone(),
        };
        let sim = world.sim.as_ref().unwrap().handle().clone();
        let service = world.server.service().clone();
        let (clock, wechat) = (world.clock.clone(), phone.wechat.clone());
        let stage = Stage::new(world.ground(), clock, service, (world.shop.clone(), website), (sim, wechat));
        let login = phone.login().await;
        Self { world, stage, phone, login }
    }

    async fn press(&mut self, act: Act) {
        self.stage.act(act).await.unwrap();
    }

    /// A signed GET of the mini program's; the status.
    async fn get(&mut self, path: &str, nonce: u8) -> Value {
        let headers = signed(&self.world, &self.login, path, nonce);
        self.phone.request("GET", path, &headers, None).await["result"]["status"].clone()
    }

    /// The same with a body.
    async fn post(&mut self, path: &str, body: &Value, nonce: u8) -> Value {
        self.send(path, body, nonce).await["result"]["status"].clone()
    }

    async fn send(&mut self, path: &str, body: &Value, nonce: u8) -> Value {
        let headers = sign(&self.world, &self.login, Method::POST, path, Some(body), nonce);
        self.phone.request("POST", path, &headers, Some(body)).await
    }

    async fn thief(&mut self, act: Act) -> Value {
        self.press(act).await;
        self.stage.view().await["thief"]["code"].clone()
    }
}

#[tokio::test]
async fn a_thief_of_a_token_or_of_a_request_gets_nothing() {
    let mut played = Played::start().await;
    assert_eq!(played.get("/goods", 1).await, 200);
    assert_eq!(played.thief(Act::Steal {}).await, "proof_required");
    assert_eq!(played.thief(Act::ThiefRefreshes {}).await, "proof_required");
    let view = played.stage.view().await;
    assert_eq!(view["session"]["tokens"][0]["holders"], json!(["phone", "thief"]));
    assert_eq!(played.thief(Act::Capture {}).await, "proof_replayed");
    assert_eq!(played.thief(Act::ThiefMoves {}).await, "proof_invalid");
    played.press(Act::Later { how: Later::Window }).await;
    assert_eq!(played.thief(Act::ThiefRepeats {}).await, "proof_stale");
    assert_eq!(played.get("/goods", 2).await, 200, "the person noticed nothing");
    played.press(Act::Forge {}).await;
    let log = serde_json::to_string(&played.world.wire.since(0).2).unwrap();
    assert!(log.contains(r#""from":"client""#) && log.contains("header_forged"), "{log}");
    played.world.stop().await;
}

#[tokio::test]
async fn a_phone_that_is_kicked_learns_of_it_with_its_next_request() {
    let mut played = Played::start().await;
    // Kicking is between the devices of a user.
    let form = json!({ "account": "hanmeimei", "password": "peach-27" });
    let body = json!({ "way": "form", "form": form, "request_id": format!("{:032x}", 9) });
    assert_eq!(played.post(BINDING, &body, 1).await, 200);
    played.press(Act::Kicked {}).await;
    let view = played.stage.view().await;
    assert_eq!((&view["session"]["ended"], &view["phone"]["logged_in"]), (&json!("kicked"), &json!(true)));
    assert_eq!(played.get("/goods", 2).await, 401);
    assert_eq!(played.stage.view().await["phone"]["logged_in"], false);
    played.world.stop().await;
}

#[tokio::test]
async fn the_website_s_code_is_scanned_and_taken_down_once_it_is_used() {
    let mut played = Played::start().await;
    played.press(Act::ShowCode {}).await;
    let code = played.stage.view().await["code"]["text"].clone();
    assert!(code.as_str().is_some_and(|code| code.starts_with("yb_")), "{code}");
    assert_eq!(played.phone.call(json!({ "type": "scanCode" })).await["result"]["result"], code);
    let seen = played.send("/yaopai/v1/binding/preview", &json!({ "bind_code": code }), 1).await;
    assert_eq!(parsed(&seen)["masked"], "ha***ei");
    let body = json!({ "way": "bind_code", "bind_code": code, "request_id": format!("{:032x}", 9) });
    assert_eq!(parsed(&played.send(BINDING, &body, 2).await)["user"], "1004");
    assert_eq!(played.stage.view().await["code"], Value::Null);
    let log = serde_json::to_string(&played.world.wire.since(0).2).unwrap();
    assert!(!log.contains(code.as_str().unwrap()), "the log has it whole");
    played.world.stop().await;
}

/// Paying takes WeChat's fresh word: what is sent then is told as what it is.
#[tokio::test]
async fn a_step_up_is_told_by_what_crosses_the_wire() {
    let mut played = Played::start().await;
    let form = json!({ "account": "hanmeimei", "password": "peach-27" });
    let bind = json!({ "way": "form", "form": form, "request_id": format!("{:032x}", 9) });
    assert_eq!(played.post(BINDING, &bind, 1).await, 200);
    played.press(Act::Later { how: Later::Vouched }).await;
    assert_eq!(played.post("/pay", &json!({}), 2).await, 401);
    let code = played.phone.call(json!({ "type": "login" })).await["result"]["code"].clone();
    let refresh = json!({ "request_id": format!("{:032x}", 10), "code": code });
    assert_eq!(played.post("/yaopai/v1/session/refresh", &refresh, 3).await, 200);
    let log = serde_json::to_value(&played.world.wire.since(0).2).unwrap();
    let told = log.as_array().unwrap().iter().find(|e| e["name"] == "step_up");
    assert_eq!(told.unwrap()["about"], json!({ "code": "login_required" }));
    assert_eq!(played.post("/pay", &json!({}), 4).await, 200);
    played.world.stop().await;
}
