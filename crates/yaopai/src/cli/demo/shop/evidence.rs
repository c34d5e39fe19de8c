//! What a person brings to be bound, and what the shop makes of it: `bind` of the webhook (docs/api.md).

use serde_json::{Value, json};
use subtle::ConstantTimeEq as _;

use super::{Account, Shop};

/// What the person reads who mistyped.
pub const WRONG: &str = "Wrong account or password. / 账号或密码错误。";
/// What the person reads whose phone number no account has.
const NO_SUCH_NUMBER: &str = "No account of ours has this phone number. / 没有使用此手机号的账号。";
/// What the person reads whose account is gone since the code was made.
const NO_SUCH_USER: &str = "This account is no longer there. / 该账号已不存在。";
/// What the person reads whose account somebody else has.
const TAKEN: &str = "This account belongs to another WeChat user. / 该账号已绑定其他微信。";
/// Country calling code of mainland China (ITU-T E.164).
const CHINA: &str = "86";

impl Shop {
    /// Whose account it is, by the evidence of whichever way. A way that is not known here proves nothing.
    pub(super) fn bind(&self, openid: &str, data: &Value) -> Value {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let no = |message| json!({ "user": null, "message": message });
        let mut state = self.state();
        let mut accounts = state.accounts.iter_mut();
        let (found, otherwise) = match data["way"].as_str() {
            Some("form") => {
                let (account, password) = (text(&data["form"]["account"]), text(&data["form"]["password"]));
                let right =
                    |a: &&mut Account| a.account == account && a.password.as_bytes().ct_eq(password.as_bytes()).into();
                (accounts.find(right), WRONG)
            }
            Some("phone") => {
                let phone = &data["phone"];
                let of =
                    |a: &&mut Account| phone["country"] == CHINA && a.phone.is_some_and(|own| phone["pure"] == own);
                (accounts.find(of), NO_SUCH_NUMBER)
            }
            // The shop's own word, which comes back: it was made for this user, and the person has confirmed.
            Some("bind_code") => {
                let user = text(&data["bind_code"]["user"]);
                (accounts.find(|a| a.id.to_string() == user), NO_SUCH_USER)
            }
            _ => (None, WRONG),
        };
        match found {
            None => no(otherwise),
            Some(a) if a.openid.as_deref().is_some_and(|o| o != openid) => no(TAKEN),
            Some(a) => {
                a.openid = Some(openid.to_owned());
                json!({ "user": a.id, "claims": { "name": a.name } })
            }
        }
    }
}

/// The evidence in a few words, for the terminal. No password, and no whole phone number.
pub(super) fn told(data: &Value) -> String {
    match data["way"].as_str() {
        Some("phone") => {
            let number: Vec<_> = data["phone"]["pure"].as_str().unwrap_or_default().chars().collect();
            let end: String = number[number.len().saturating_sub(4)..].iter().collect();
            format!("whose number ends in {end:?}")
        }
        Some("bind_code") => format!("user {}, by a bind code,", data["bind_code"]["user"]),
        _ => format!("account {:?}", data["form"]["account"].as_str().unwrap_or_default()),
    }
}
