use yaopai_core::ids::{Realm, SessionId};
use yaopai_core::ports::{
    BindCode, BindCodeHash, DataKey, FileHash, ImportMark, Keep, KeptAnswer, LoginRecord, PastProofs, SigningAlg,
    SigningKey,
};
use yaopai_core::time::{Downtime, Timestamp};

use super::Base;

/// Answers of logins.
pub trait LoginRows: Base {
    /// One.
    fn login_record(&self, key: &[u8; 32]) -> Result<Option<LoginRecord>, Self::Error>;

    /// Keeps one. False if there is one that is still good: then nothing is written.
    fn keep_login(&self, login: &LoginRecord, now: Timestamp) -> Result<bool, Self::Error>;

    /// Keeps one where there is none that is still good.
    fn put_login(&self, login: &LoginRecord) -> Result<(), Self::Error> {
        self.keep_login(login, login.expires_at).map(drop)
    }

    /// Deletes expired ones, the longest expired first. Answers how many.
    fn purge_logins(&self, now: Timestamp, limit: u32) -> Result<u32, Self::Error>;
}

/// Bind codes.
pub trait CodeRows: Base {
    /// One.
    fn code(&self, hash: &BindCodeHash) -> Result<Option<BindCode>, Self::Error>;

    /// Keeps one; of the user's others only this many, those that expire last.
    fn keep_code(&self, code: &BindCode, others: i64) -> Result<(), Self::Error>;

    /// A session has shown it.
    fn see_code(&self, hash: &BindCodeHash, by: SessionId) -> Result<(), Self::Error>;

    /// It was redeemed.
    fn drop_code(&self, hash: &BindCodeHash) -> Result<(), Self::Error>;

    /// Deletes expired ones, the longest expired first. Answers how many.
    fn purge_codes(&self, now: Timestamp, limit: u32) -> Result<u32, Self::Error>;
}

/// Answers of admin calls.
pub trait KeptRows: Base {
    /// One that is still good.
    fn kept(&self, key: &[u8; 32], now: Timestamp) -> Result<Option<KeptAnswer>, Self::Error>;

    /// How many the realm has.
    fn count_kept(&self, realm: &Realm) -> Result<u64, Self::Error>;

    /// Keeps one, also in the place of one that has expired and waits for the sweep.
    fn keep_answer(&self, realm: &Realm, keep: &Keep, sealed: &[u8]) -> Result<(), Self::Error>;

    /// Deletes expired ones, the longest expired first. Answers how many.
    fn purge_answers(&self, now: Timestamp, limit: u32) -> Result<u32, Self::Error>;
}

/// Files of bindings on their way in.
pub trait ImportRows: Base {
    /// How far one has come.
    fn import_mark(&self, file: &FileHash) -> Result<Option<ImportMark>, Self::Error>;

    /// It has come so far.
    fn set_import_mark(&self, file: &FileHash, position: u64, note: &str) -> Result<(), Self::Error>;

    /// Forgets one.
    fn end_import(&self, file: &FileHash) -> Result<(), Self::Error>;
}

/// What the server itself keeps.
pub trait ServerRows: Base {
    /// Counts the time since it was alive as downtime, and says how much that is in all.
    fn resume(&self, now: Timestamp) -> Result<Downtime, Self::Error>;

    /// It is alive. Never goes back.
    fn alive(&self, at: Timestamp) -> Result<(), Self::Error>;

    /// The data keys, in order.
    fn data_keys(&self) -> Result<Vec<DataKey>, Self::Error>;

    /// Adds one; false if there is one with its id.
    fn add_data_key(&self, key: &DataKey) -> Result<bool, Self::Error>;

    /// Reserves so many more seals; answers how many in all. `None` if there is no such key.
    fn reserve_seals(&self, key: u32, count: u64) -> Result<Option<u64>, Self::Error>;

    /// Up to when signed requests may be accepted. Never goes back. False if there is nowhere to write it.
    fn lease_proofs(&self, until: Timestamp) -> Result<bool, Self::Error>;

    /// What is known of those that were accepted; the nonces are gone by this.
    fn take_proofs(&self) -> Result<PastProofs, Self::Error>;

    /// Keeps nonces.
    fn keep_proofs(&self, sealed: &[u8]) -> Result<(), Self::Error>;

    /// The engine's own upkeep, in steps of at most `limit` rows. What it deletes is nobody's but the engine's.
    fn tidy(&self, limit: u32) -> Result<u32, Self::Error>;
}

/// Keys that sign for back ends.
pub trait SigningRows: Base {
    /// Every one, by the time from which it signs, then by `kid`.
    fn signing_keys(&self) -> Result<Vec<SigningKey>, Self::Error>;

    /// The last of them that signs so.
    fn newest_signing_key(&self, alg: SigningAlg) -> Result<Option<String>, Self::Error>;

    /// A new one.
    fn insert_signing_key(&self, key: &SigningKey) -> Result<(), Self::Error>;

    /// Forgets all that sign so.
    fn drop_signing_alg(&self, alg: SigningAlg) -> Result<(), Self::Error>;

    /// Forgets these.
    fn drop_signing_keys(&self, kids: &[String]) -> Result<(), Self::Error>;
}
