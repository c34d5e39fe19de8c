//! Encrypted data, as a phone hands it to the page.

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::SimHandle;
use crate::{
    DataKey, Encrypt, EncryptedData, OpenData, SimError,
    state::{State, Subject, phone},
    wechat::{encrypt, sign_raw},
};

impl SimHandle {
    /// `wx.getUserInfo` and its like: the user's data, encrypted with their session_key.
    ///
    /// # Errors
    /// Unknown app or user; [`SimError::NoSessionKey`] if the user has none of the wanted kind (the phone must call `wx.login`
    /// first); a given key that is not the base64 of 16 bytes.
    pub fn encrypt(&self, appid: &str, user: &str, how: &Encrypt) -> Result<EncryptedData, SimError> {
        let now = self.now_ms();
        let mut state = self.0.state();
        let subject = state.subject(appid, user)?;
        let session_key = session_key(&mut state, &subject, &how.key, now)?;
        let profile = profile(user);
        let fields = match &how.data {
            OpenData::UserInfo => with_ids(&state, &subject, profile.clone())?,
            OpenData::Phone => phone_number(&state, user)?,
            OpenData::Custom(fields) => fields.clone(),
        };
        let watermark = json!({
            "timestamp": how.watermark_timestamp.unwrap_or(now / 1000),
            "appid": how.watermark_appid.as_deref().unwrap_or(appid),
        });
        let (encrypted_data, iv) = encrypt(fields, watermark, &session_key, how.spoil, &mut state.dice)?;
        if how.data == OpenData::Phone && how.spoil.is_none() {
            // That the hash is SHA-256 in hex over the base64 text is INF.
            state.handed_out.note(hex::encode(Sha256::digest(&encrypted_data)), appid, now);
        }
        let raw_data = (how.data == OpenData::UserInfo).then(|| Value::Object(profile).to_string());
        let signature = raw_data.as_deref().map(|raw| sign_raw(raw, &session_key));
        Ok(EncryptedData { encrypted_data, iv, raw_data, signature })
    }
}

fn session_key(state: &mut State, subject: &Subject, which: &DataKey, now: u64) -> Result<String, SimError> {
    match which {
        DataKey::Live => state.session_keys.live(subject, now).map(str::to_owned).ok_or(SimError::NoSessionKey),
        DataKey::Old => state.session_keys.old(subject, now).map(str::to_owned).ok_or(SimError::NoSessionKey),
        DataKey::Random => Ok(state.dice.key()),
        DataKey::Given(key) => Ok(key.clone()),
    }
}

/// What everybody may see of a user.
fn profile(user: &str) -> Map<String, Value> {
    let profile = json!({
        "nickName": user,
        "gender": 0,
        "language": "zh_CN",
        "city": "Guangzhou",
        "province": "Guangdong",
        "country": "CN",
        "avatarUrl": "https://thirdwx.qlogo.cn/mmopen/vi_32/simulated/132",
    });
    profile.as_object().cloned().unwrap_or_default()
}

fn with_ids(state: &State, subject: &Subject, profile: Map<String, Value>) -> Result<Map<String, Value>, SimError> {
    let app = state.app(&subject.app)?;
    let mut fields = Map::from_iter([("openId".to_owned(), json!(state.people.openid(subject)?))]);
    fields.extend(profile);
    if app.answer.unionid {
        fields.insert("unionId".to_owned(), json!(state.people.unionid(app, &subject.user)?));
    }
    Ok(fields)
}

fn phone_number(state: &State, user: &str) -> Result<Map<String, Value>, SimError> {
    let number = phone(state.people.get(user)?);
    Ok(Map::from_iter([
        ("phoneNumber".to_owned(), json!(number)),
        ("purePhoneNumber".to_owned(), json!(number)),
        ("countryCode".to_owned(), json!("86")),
    ]))
}
