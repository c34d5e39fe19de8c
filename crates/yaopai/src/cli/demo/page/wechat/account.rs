//! What WeChat knows of the person whose phone it is: codes, keys and encrypted data, from the simulator.

use serde_json::{Map, Value, json};
use yaopai_sim::{DEFAULT_APPID, Encrypt, OpenData, SimError};

use super::WeChat;
use super::protocol::Failure;
use crate::cli::demo::phone::Phone;
use crate::cli::demo::tale::short;

/// How far everybody has walked today, and over how many days WeChat tells of it.
const STEPS: u64 = 8642;
const DAYS: i64 = 31;
const DAY: i64 = 86_400;
/// China's midnight is that much before that of UTC, in seconds.
const CHINA: i64 = 8 * 3600;

impl WeChat {
    /// Answers what the mini program asks of WeChat itself.
    pub(super) fn ask(&self, person: &'static str, what: &str) -> Result<Value, Failure> {
        let failed = |e: SimError| Failure::new(e.to_string());
        let sealed = |data| self.sim.encrypt(DEFAULT_APPID, person, &Encrypt { data, ..Encrypt::default() });
        match what {
            "login" => {
                let phone = Phone::new(self.ground.clone(), "phone", person);
                let code = phone.wx_login().map_err(|e| Failure::new(e.to_string()))?;
                Ok(json!({ "code": code }))
            }
            "checkSession" => match self.sim.session_key(DEFAULT_APPID, person).map_err(failed)? {
                Some(_) => Ok(json!({})),
                None => Err(Failure::new("session time out, need relogin")),
            },
            "userInfo" => {
                let data = sealed(OpenData::UserInfo).map_err(failed)?;
                Ok(json!({
                    "rawData": data.raw_data,
                    "signature": data.signature,
                    "encryptedData": data.encrypted_data,
                    "iv": data.iv,
                }))
            }
            "weRunData" => {
                let fields = Map::from_iter([("stepInfoList".to_owned(), self.steps())]);
                let data = sealed(OpenData::Custom(fields)).map_err(failed)?;
                self.ground.wire.note("phone", "get_steps", json!({}));
                Ok(json!({ "encryptedData": data.encrypted_data, "iv": data.iv }))
            }
            "userKey" => {
                let key = self.sim.user_key(DEFAULT_APPID, person).map_err(failed)?;
                Ok(json!({
                    "encryptKey": key.encrypt_key,
                    "iv": key.iv,
                    "version": key.version,
                    "expireTime": key.expire_time,
                }))
            }
            "phoneNumber.show" => {
                let phone = self.sim.user(person).map_err(failed)?.phone;
                let (start, end) = (phone.get(..3).unwrap_or_default(), phone.get(7..).unwrap_or_default());
                Ok(json!({ "masked": format!("{start}****{end}") }))
            }
            "phoneNumber" => {
                let code = self.sim.issue_phone_code(DEFAULT_APPID, person).map_err(failed)?;
                self.ground.wire.note("phone", "get_phone_number", json!({ "code": short(&code) }));
                let mut answer = json!({ "code": code });
                // The old form comes with it, if there is a session_key to seal it with.
                if let Ok(data) = sealed(OpenData::Phone) {
                    answer["encryptedData"] = json!(data.encrypted_data);
                    answer["iv"] = json!(data.iv);
                }
                Ok(answer)
            }
            "scanCode" => match self.seen(|code| code.code.clone()) {
                Some(code) => {
                    self.ground.wire.note("phone", "scanned", json!({}));
                    Ok(json!({ "result": *code }))
                }
                // Who has nothing to scan goes back.
                None => Err(Failure::new("cancel")),
            },
            "socket" => Err(Failure::new("the demo's shop has no sockets")),
            _ => Err(Failure::new(format!("no such call: {what}"))),
        }
    }

    /// As WeChat counts them: a month, today last, each day by its midnight in China.
    fn steps(&self) -> Value {
        let now = self.ground.clock.now().0 / 1000;
        let today = now - (now + CHINA).rem_euclid(DAY);
        (0..DAYS)
            .rev()
            .map(|ago| json!({ "timestamp": today - ago * DAY, "step": STEPS - ago.unsigned_abs() }))
            .collect()
    }
}
