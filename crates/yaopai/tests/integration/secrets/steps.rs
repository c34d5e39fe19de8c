//! Everything that has to do with a secret, failures included.

use std::time::Duration;

use serde_json::json;
use yaopai_sim::{
    DEFAULT_APPID, Encrypt, Endpoint, Fault, Push, PushConfig, PushFormat, PushMode, Secret, Simulator, Tamper,
    UserConfig,
};

use super::walk::{API_KEY, PASSWORD, PHONE_NUMBER, Walk};
use crate::support::{Act, PUSH_KEY, PUSH_TOKEN, Reply, raw, request_id};

impl Walk {
    pub async fn everything(&mut self) {
        // A customer, with cookies of the back end's own session.
        self.back_end.knows(&self.sim.openid(DEFAULT_APPID, "lilei").unwrap(), "42");
        self.secrets.text("back end's session id", "node0-7c1f2a9be3d8-back-end");
        self.back_end.sets_cookies(&["JSESSIONID=node0-7c1f2a9be3d8-back-end; Path=/; HttpOnly"]);
        let (reply, body) = self.login("lilei").await;
        let token = self.took("a login", &reply);
        let again = self.send("POST", &format!("{}/yaopai/v1/session", self.server.public), None, Some(body)).await;
        assert_eq!(again.field("token"), token);
        assert_eq!(self.check(&token).await.user(), "42");

        // Refreshes: two lost answers, then one that is used.
        for word in ["a", "a", "b"] {
            let body = json!({ "request_id": request_id(word) });
            let reply = self.api("POST", "/session/refresh", &token, Some(body)).await;
            self.took("a refresh", &reply);
            if word == "b" {
                assert_eq!(self.check(&reply.field("token")).await.user(), "42");
            }
        }

        // A stranger binds: wrong password, right one, conflict.
        let (reply, _) = self.login("xiaohong").await;
        let stranger = self.took("a stranger", &reply);
        self.back_end.has_account(PHONE_NUMBER, PASSWORD, "43");
        let form = |password: &str| json!({ "account": PHONE_NUMBER, "password": password, "phone": PHONE_NUMBER });
        let bind = |word: &str, password: &str| json!({ "way": "form", "request_id": request_id(word), "form": form(password) });
        let wrong = format!("{PASSWORD} but wrong");
        assert_eq!(
            self.api("POST", "/binding", &stranger, Some(bind("1", &wrong))).await.refusal(),
            "422 binding_rejected"
        );
        for act in [Act::Status(500), Act::Say(format!("no JSON: {PHONE_NUMBER} {PASSWORD}")), Act::Hang] {
            self.back_end.acts("bind", act);
            let reply = self.api("POST", "/binding", &stranger, Some(bind("2", PASSWORD))).await;
            assert_eq!(reply.refusal(), "503 backend_unavailable");
        }
        self.back_end.recovers();
        let reply = self.api("POST", "/binding", &stranger, Some(bind("3", PASSWORD))).await;
        let bound = self.took("a bind", &reply);
        assert_eq!(self.check(&bound).await.user(), "43");

        // What clients and proxies do wrong.
        for query in [format!("?token={bound}"), format!("?a={bound}&b=1")] {
            let url = format!("{}/yaopai/v1/session{query}", self.server.public);
            self.send("GET", &url, None, None).await.refusal();
            let url = format!("{}/check/nginx/require=open/GET/https/h/orders{query}", self.server.check);
            self.send("GET", &url, None, None).await.denied();
            let url = format!("{}/check/nginx/token={bound}/GET/https/h/orders", self.server.check);
            self.send("GET", &url, Some(&bound), None).await.denied();
        }
        self.check(&format!("{bound}x")).await.denied();
        self.check(&raw::forged_token(&bound)).await.denied();
        self.api("DELETE", &format!("/sessions/{bound}"), &bound, None).await.refusal();
        self.api("POST", "/binding", &bound, Some(json!({ "password": PASSWORD, "form": PHONE_NUMBER })))
            .await
            .refusal();
        let half = format!(r#"{{"way": "form", "form": {{"password": "{PASSWORD}", "phone": "{PHONE_NUMBER}"#);
        let url = format!("{}/yaopai/v1/binding", self.server.public);
        let request = self.http.post(url).bearer_auth(&bound).header("content-type", "application/json");
        Reply::of(request.body(half).send().await.unwrap()).await.refusal();

        // The admin API: the right key, a wrong one that is nearly right.
        let claims = format!("{}/admin/v1/users/43/claims", self.server.admin);
        self.send("PUT", &claims, Some(API_KEY), Some(json!({ "roles": ["clerk"] }))).await.ok();
        self.send("GET", &claims, Some(&format!("{API_KEY}x")), None).await.refusal();
        self.send("GET", &format!("{claims}?key={API_KEY}"), None, None).await.refusal();
        self.send("GET", &format!("{}/admin/v1/sessions", self.server.admin), Some(API_KEY), None).await.ok();

        // WeChat on a bad day. Each of these requests has the AppSecret and a code in its URL.
        for fault in [
            Fault::reset_before(),
            Fault::reset_after(),
            Fault::bad_gateway(),
            Fault::truncated_body(),
            Fault::errcode(40125),
            Fault::errcode(40029),
            Fault::string_errcode(),
        ] {
            self.sim.set_fault(fault.on(Endpoint::Jscode2session).once()).unwrap();
            let (reply, _) = self.login("xiaoming").await;
            if reply.status.is_success() {
                self.took("a login after a fault", &reply);
            }
        }
        // The back end on one of its own.
        for act in [Act::Status(500), Act::Say(format!("<p>{PHONE_NUMBER}</p>")), Act::Hang] {
            self.back_end.acts("resolve", act);
            self.back_end.acts("opened", Act::Status(500));
            self.login("xiaoming").await.0.refusal();
            let (reply, _) = self.login("lilei").await;
            self.took("a login without the back end", &reply);
        }
        self.back_end.recovers();
        self.api("DELETE", "/session", &bound, None).await.ok();
        assert_eq!(self.check(&bound).await.denied(), "401 session_ended");
        assert_eq!(self.back_end.forgeries(), [""; 0]);
        // A round of upkeep or two.
        tokio::time::sleep(Duration::from_millis(1500)).await;
    }

    /// The other ways to bind, a refresh with a code, what WeChat hands over sealed, and what it says by itself.
    pub async fn every_way(&mut self) {
        self.sim.add_user(UserConfig::named("hanmeimei")).unwrap();
        self.back_end.has_account(PHONE_NUMBER, "", "44");
        // By phone number: the back end fails, then it works. Another's code.
        let (reply, _) = self.login("hanmeimei").await;
        let token = self.took("a login", &reply);
        self.sim.set_phone("hanmeimei", PHONE_NUMBER).unwrap();
        let phone_code = |walk: &mut Self| {
            let code = walk.sim.issue_phone_code(DEFAULT_APPID, "hanmeimei").unwrap();
            walk.secrets.text("phone code", &code);
            code
        };
        let by_phone = |word: &str, code: &str| json!({ "way": "phone", "request_id": request_id(word), "code": code });
        let used = phone_code(self);
        for act in [Act::Status(500), Act::Say(format!("<p>{PHONE_NUMBER}</p>")), Act::Hang] {
            self.back_end.acts("bind", act);
            self.api("POST", "/binding", &token, Some(by_phone("p", &used))).await.refusal();
        }
        self.back_end.recovers();
        let reply = self.api("POST", "/binding", &token, Some(by_phone("p", &used))).await;
        let token = self.took("a bind by phone", &reply);
        let code = phone_code(self);
        let reply = self.api("POST", "/phone", &token, Some(json!({ "code": code }))).await;
        assert!(reply.ok().text.contains(PHONE_NUMBER));
        let (reply, _) = self.login("xiaohong").await;
        let other = self.took("another's login", &reply);
        self.api("POST", "/phone", &other, Some(json!({ "code": code }))).await.refusal();

        // By a bind code: unknown, shown, redeemed, redeemed again.
        let (reply, _) = self.login("lilei").await;
        let guest = self.took("a login", &reply);
        assert_eq!(self.api("DELETE", "/binding", &guest, None).await.refusal(), "401 login_required");
        let (reply, _) = self.login("xiaohong").await;
        let guest = self.took("a login", &reply);
        let codes = format!("{}/admin/v1/bind-codes", self.server.admin);
        let body = json!({ "user": "45", "masked": "4*" });
        let code = self.send("POST", &codes, Some(API_KEY), Some(body)).await.field("bind_code");
        self.secrets.text("bind code", &code);
        self.secrets.text("bind code without its ends", &code[3..code.len() - 2]);
        let redeem =
            |word: &str, code: &str| json!({ "way": "bind_code", "request_id": request_id(word), "bind_code": code });
        self.api("POST", "/binding/preview", &guest, Some(json!({ "bind_code": format!("{code}x") }))).await.refusal();
        self.api("POST", "/binding", &guest, Some(redeem("early", &code))).await.refusal();
        self.api("POST", "/binding/preview", &guest, Some(json!({ "bind_code": code }))).await.ok();
        let reply = self.api("POST", "/binding", &guest, Some(redeem("c", &code))).await;
        let bound = if reply.status.is_success() { self.took("a bind by code", &reply) } else { guest };
        self.api("POST", "/binding", &bound, Some(redeem("again", &code))).await.refusal();

        // A refresh with a code; another account's.
        for person in ["xiaohong", "hanmeimei"] {
            let code = self.sim.issue_code(DEFAULT_APPID, person).unwrap();
            self.secrets.text("code of a step-up", &code);
            let body = json!({ "request_id": request_id(person), "code": code });
            let reply = self.api("POST", "/session/refresh", &token, Some(body)).await;
            if let Some(key) = self.sim.session_key(DEFAULT_APPID, person).unwrap() {
                self.secrets.text(&format!("session_key of {person}"), &key);
            }
            if person == "hanmeimei" {
                let token = self.took("a step-up", &reply);
                let sealed = self.sim.encrypt(DEFAULT_APPID, person, &Encrypt::phone()).unwrap();
                let body = |iv: &str| json!({ "encrypted_data": sealed.encrypted_data, "iv": iv });
                let reply = self.api("POST", "/decrypt", &token, Some(body(&sealed.iv))).await;
                assert!(reply.ok().text.contains(PHONE_NUMBER));
                self.api("POST", "/decrypt", &token, Some(body("AAAAAAAAAAAAAAAAAAAAAA=="))).await.refusal();
            } else {
                assert_eq!(reply.refusal(), "409 identity_mismatch");
            }
        }

        // WeChat's access token, and its pushes.
        let url = format!("{}/admin/v1/apps/shop/access-token", self.server.admin);
        let token = self.send("GET", &url, Some(API_KEY), None).await.field("access_token");
        self.secrets.text("access token", &token);
        let url = format!("{}/yaopai/v1/push/shop", self.server.public);
        let push = PushConfig {
            encoding_aes_key: Some(Secret::new(PUSH_KEY)),
            mode: PushMode::Safe,
            format: PushFormat::Json,
            ..PushConfig::new(url, PUSH_TOKEN)
        };
        self.sim.update_app(DEFAULT_APPID, |app| app.push = Some(push)).unwrap();
        for event in [Push::account_cancelled("xiaoming"), Push::new("lilei", "other")] {
            self.sim.push(DEFAULT_APPID, &event).await.unwrap();
            for tamper in Tamper::ALL {
                self.sim.push(DEFAULT_APPID, &event.clone().tamper(tamper)).await.unwrap();
            }
        }
        tokio::time::sleep(Duration::from_millis(1500)).await;
    }

    /// WeChat is gone: nobody answers at its address.
    pub async fn platform_gone(&mut self) {
        let code = self.sim.issue_code(DEFAULT_APPID, "lilei").unwrap();
        self.secrets.text("code that went nowhere", &code);
        let url = format!("{}/yaopai/v1/session", self.server.public);
        let sim = std::mem::replace(&mut self.sim, Simulator::builder().build().unwrap().start_local().await.unwrap());
        sim.shutdown().await;
        for _ in 0..2 {
            let body = json!({ "app": "shop", "code": code, "request_id": request_id("gone") });
            let reply = self.send("POST", &url, None, Some(body)).await;
            assert_eq!(reply.refusal(), "503 platform_unavailable");
        }
    }
}
