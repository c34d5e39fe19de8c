//! `encryptedData`: what WeChat encrypted for the app under a user's session_key, and the phone carried here.
//!
//! AES-128-CBC, PKCS#7; key, IV and data in base64; JSON with a watermark inside. There is no MAC: whoever may send data and
//! can tell a padding error from another one can have everything decrypted. So all that is wrong is one error, and the text is
//! parsed even if its padding was bad.
//! <https://developers.weixin.qq.com/miniprogram/dev/framework/open-ability/signature.html>

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use yaopai_core::ports::{CannotOpen, Encrypted};
use yaopai_core::time::Timestamp;
use zeroize::Zeroizing;

use super::aes_cbc;

/// Longer texts are not opened: real ones have some hundred bytes, a month of step counts 2 KB.
const DATA_MAX: usize = 64 * 1024;

/// Data is taken so long after WeChat made it. A person answers a dialogue, the app is put away and brought back, the network
/// comes again: minutes. A day's old data is a replay.
const AGE_MAX: Duration = Duration::from_secs(10 * 60);

/// WeChat's clock may be so far ahead of ours. The phone's clock plays no part: the watermark is WeChat's.
const AHEAD_MAX: Duration = Duration::from_secs(60);

/// Opens data for this appid.
pub(super) fn open(appid: &str, session_key: &str, sealed: &Encrypted, now: Timestamp) -> Result<Value, CannotOpen> {
    if sealed.data.len() > DATA_MAX {
        return Err(CannotOpen);
    }
    let decode = |text: &str| STANDARD.decode(text).map(Zeroizing::new).map_err(|_| CannotOpen);
    let (key, iv, mut data) = (decode(session_key)?, decode(&sealed.iv)?, decode(&sealed.data)?);
    aes_cbc::decrypt::<aes::Aes128>(&key, &iv, &mut data).map_err(|()| CannotOpen)?;
    let (len, padded) = aes_cbc::unpadded(&data, 16);
    let value = serde_json::from_slice(&data[..len]).ok().filter(|v| is_watermarked(v, appid, now));
    match value {
        Some(value) if padded.into() => Ok(value),
        _ => Err(CannotOpen),
    }
}

/// Is it ours, and of late?
fn is_watermarked(value: &Value, appid: &str, now: Timestamp) -> bool {
    let mark = &value["watermark"];
    let Some(made) = mark["timestamp"].as_i64().map(|s| Timestamp(s.saturating_mul(1000))) else { return false };
    mark["appid"].as_str() == Some(appid) && made <= now + AHEAD_MAX && made >= now - AGE_MAX
}
