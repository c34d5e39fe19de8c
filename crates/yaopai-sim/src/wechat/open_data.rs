//! What the phone hands to the page beside a user's data: `encryptedData`, `iv`, `rawData`, `signature`.

use aes::{
    Aes128,
    cipher::{BlockModeEncrypt, KeyIvInit, block_padding::Pkcs7},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use sha1::{Digest, Sha1};

use crate::{SimError, dice::Dice};

/// Which data.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum OpenData {
    /// `wx.getUserInfo`: names and ids.
    #[default]
    UserInfo,
    /// `<button open-type="getPhoneNumber">`, in the form that it had before it handed out codes.
    Phone,
    /// Any other: the fields beside the watermark.
    Custom(Map<String, Value>),
}

/// Which session_key encrypts.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DataKey {
    /// The live one.
    #[default]
    Live,
    /// The one before, as when the phone logged in between data and server; an expired one, if none is live.
    Old,
    /// One that nobody has.
    Random,
    /// The base64 of 16 bytes.
    Given(String),
}

impl std::fmt::Debug for DataKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Live => "Live",
            Self::Old => "Old",
            Self::Random => "Random",
            Self::Given(_) => "Given(***)",
        })
    }
}

/// What is wrong with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DataSpoil {
    /// Random bytes of the right length.
    Garbage,
    /// The last block is not whole.
    Truncated,
    /// The last block is missing.
    MissingBlock,
    /// No base64.
    NotBase64,
    /// Well encrypted, and no JSON.
    NotJson,
    /// Well encrypted, without a watermark.
    NoWatermark,
    /// An iv of 8 bytes.
    ShortIv,
    /// Nothing at all.
    Empty,
}

impl DataSpoil {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Garbage,
        Self::Truncated,
        Self::MissingBlock,
        Self::NotBase64,
        Self::NotJson,
        Self::NoWatermark,
        Self::ShortIv,
        Self::Empty,
    ];
}

/// How to encrypt; the default is what a phone does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Encrypt {
    /// Which data.
    pub data: OpenData,
    /// With which key.
    pub key: DataKey,
    /// The watermark's appid, in place of the app's own.
    pub watermark_appid: Option<String>,
    /// The watermark's time in seconds since the Unix epoch, in place of now.
    pub watermark_timestamp: Option<u64>,
    /// What is wrong with it.
    pub spoil: Option<DataSpoil>,
}

impl Encrypt {
    /// `wx.getUserInfo`.
    pub fn user_info() -> Self {
        Self::default()
    }

    /// getPhoneNumber's old form.
    pub fn phone() -> Self {
        Self { data: OpenData::Phone, ..Self::default() }
    }

    /// Any other data: the fields beside the watermark.
    pub fn custom(fields: Map<String, Value>) -> Self {
        Self { data: OpenData::Custom(fields), ..Self::default() }
    }

    /// With this key.
    #[must_use]
    pub fn key(self, key: DataKey) -> Self {
        Self { key, ..self }
    }

    /// As if another app had asked for it.
    #[must_use]
    pub fn watermark_appid(self, appid: impl Into<String>) -> Self {
        Self { watermark_appid: Some(appid.into()), ..self }
    }

    /// As if it were of this second since the Unix epoch.
    #[must_use]
    pub fn watermark_timestamp(self, seconds: u64) -> Self {
        Self { watermark_timestamp: Some(seconds), ..self }
    }

    /// Spoilt.
    #[must_use]
    pub fn spoil(self, spoil: DataSpoil) -> Self {
        Self { spoil: Some(spoil), ..self }
    }
}

/// What the page gets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EncryptedData {
    /// Base64 of AES-128-CBC with PKCS#7 padding; the key is the session_key's 16 bytes.
    pub encrypted_data: String,
    /// Base64 of 16 bytes.
    pub iv: String,
    /// Of [`OpenData::UserInfo`]: the same without ids, as text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub raw_data: Option<String>,
    /// Of [`OpenData::UserInfo`]: lower-case hex of SHA-1 over rawData and the *text* of the session_key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signature: Option<String>,
}

/// The 16 bytes of a session_key.
pub(crate) fn key_bytes(session_key: &str) -> Result<[u8; 16], SimError> {
    let bytes = STANDARD.decode(session_key).ok().and_then(|bytes| bytes.try_into().ok());
    bytes.ok_or_else(|| SimError::Invalid("session_key: the base64 of 16 bytes".to_owned()))
}

/// Encrypts `fields` and their watermark.
pub(crate) fn encrypt(
    mut fields: Map<String, Value>,
    watermark: Value,
    session_key: &str,
    spoil: Option<DataSpoil>,
    dice: &mut Dice,
) -> Result<(String, String), SimError> {
    let key = key_bytes(session_key)?;
    if spoil != Some(DataSpoil::NoWatermark) {
        fields.insert("watermark".to_owned(), watermark);
    }
    let plain = match spoil {
        Some(DataSpoil::NotJson) => "<xml>no JSON</xml>".to_owned(),
        _ => json!(fields).to_string(),
    };
    let iv = dice.bytes::<16>();
    let mut bytes = cbc(&key, &iv, plain.as_bytes());
    match spoil {
        Some(DataSpoil::Garbage) => bytes.chunks_mut(16).for_each(|block| block.copy_from_slice(&dice.bytes::<16>())),
        Some(DataSpoil::Truncated) => bytes.truncate(bytes.len() - 1),
        Some(DataSpoil::MissingBlock) => bytes.truncate(bytes.len() - 16),
        Some(DataSpoil::Empty) => bytes.clear(),
        _ => {}
    }
    let data = if spoil == Some(DataSpoil::NotBase64) { "no base64!".to_owned() } else { STANDARD.encode(bytes) };
    let iv = if spoil == Some(DataSpoil::ShortIv) { &iv[..8] } else { &iv };
    Ok((data, STANDARD.encode(iv)))
}

fn cbc(key: &[u8; 16], iv: &[u8; 16], plain: &[u8]) -> Vec<u8> {
    cbc::Encryptor::<Aes128>::new(key.into(), iv.into()).encrypt_padded_vec::<Pkcs7>(plain)
}

/// rawData's signature.
pub(crate) fn sign_raw(raw_data: &str, session_key: &str) -> String {
    hex::encode(Sha1::new().chain_update(raw_data).chain_update(session_key).finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "tiihtNczf5v6AKRyjwEUhQ==";
    const IV: &str = "r7BXXKkLb8qrSNn05n0qiA==";

    fn encrypted(plain: &str) -> String {
        let iv = STANDARD.decode(IV).unwrap().try_into().unwrap();
        STANDARD.encode(cbc(&key_bytes(KEY).unwrap(), &iv, plain.as_bytes()))
    }

    /// The vendor's own example.
    #[test]
    fn the_vendors_vector_holds() {
        let plain = concat!(
            r#"{"openId":"oGZUI0egBJY1zhBYw2KhdUfwVJJE","nickName":"Band","gender":1,"language":"zh_CN","#,
            r#""city":"Guangzhou","province":"Guangdong","country":"CN","avatarUrl":"http://wx.qlogo.cn/mmopen/vi_32/"#,
            r#"aSKcBBPpibyKNicHNTMM0qJVh8Kjgiak2AHWr8MHM4WgMEm7GFhsf8OYrySdbvAMvTsw3mo8ibKicsnfN5pRjl1p8HQ/0","#,
            r#""unionId":"ocMvos6NjeKLIBqg5Mr9QjxrP1FA","watermark":{"timestamp":1477314187,"#,
            r#""appid":"wx4f4bc4dec97d474b"}}"#,
        );
        let vector = concat!(
            "CiyLU1Aw2KjvrjMdj8YKliAjtP4gsMZMQmRzooG2xrDcvSnxIMXFufNstNGTyaGS9uT5geRa0W4oTOb1WT7fJlAC+oNPdbB+3hVbJSRgv+4l",
            "GOETKUQz6OYStslQ142dNCuabNPGBzlooOmB231qMM85d2/fV6ChevvXvQP8Hkue1poOFtnEtpyxVLW1zAo6/1Xx1COxFvrc2d7UL/lmHInN",
            "lxuacJXwu0fjpXfz/YqYzBIBzD6WUfTIF9GRHpOn/Hz7saL8xz+W//FRAUid1OksQaQx4CMs8LOddcQhULW4ucetDf96JcR3g0gfRK4PC7E/",
            "r7Z6xNrXd2UIeorGj5Ef7b1pJAYB6Y5anaHqZ9J6nKEBvB4DnNLIVWSgARns/8wR2SiRS7MNACwTyrGvt9ts8p12PKFdlqYTopNHR1Vf7Xjf",
            "hQlVsAJdNiKdYmYVoKlaRv85IfVunYzO0IKXsyl7JCUjCpoG20f0a04COwfneQAGGwd5oa+T8yO5hzuyDb/XcxxmK01EpqOyuxINew==",
        );
        assert_eq!(encrypted(plain), vector);
    }

    #[test]
    fn rawdatas_signature_holds() {
        let raw = concat!(
            r#"{"nickName":"Band","gender":1,"language":"zh_CN","city":"Guangzhou","province":"Guangdong","#,
            r#""country":"CN","avatarUrl":"http://wx.qlogo.cn/mmopen/vi_32/1vZvI39NWFQ9XM4LtQpFrQJ1xlgZxx3w7bQxKARol6503"#,
            r#"Iuswjjn6nIGBiaycAjAtpujxyzYsrztuuICqIM5ibXQ/0"}"#,
        );
        assert_eq!(sign_raw(raw, "HyVFkGl5F5OQWJZZaNzBBg=="), "75e81ceda165f4ffa64f4068af58c64b8f54b88c");
    }
}
