//! Phone numbers that the platform told a moment ago. A code of `getPhoneNumber` is redeemed once; if what comes behind it
//! fails, the same bind goes on from here, and the person need not press the button again.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::OnceCell;
use yaopai_wire::problem::Code;

use crate::app::App;
use crate::error::{Error, Result};
use crate::ports::{Phone, PlatformError};
use crate::service::Service;
use crate::service::login::digest;
use crate::session::Session;
use crate::time::Timestamp;

/// How long a number may be used again by the same identity with the same code.
const NUMBER_KEPT: Duration = Duration::from_secs(60);
/// How long a spent code is remembered: the platform's live five minutes.
const CODE_REMEMBERED: Duration = Duration::from_secs(360);
/// How many codes are remembered at a time. Beyond it none is taken: one that was forgotten could be sent twice.
const CODES_MAX: usize = 50_000;

/// By identity and code.
#[derive(Default)]
pub(in crate::service) struct Numbers(Mutex<HashMap<[u8; 32], Told>>);

struct Told {
    since: Timestamp,
    number: Arc<OnceCell<Result<Phone, PlatformError>>>,
}

impl Numbers {
    /// The code's place: its number, or where the first to ask puts it.
    fn of(&self, key: [u8; 32], now: Timestamp) -> Result<Arc<OnceCell<Result<Phone, PlatformError>>>> {
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !told.contains_key(&key) && told.len() >= CODES_MAX {
            tidy(&mut told, now);
            if told.len() >= CODES_MAX {
                return Err(Error::new(Code::Unavailable, "Too many phone codes at a time; try again.").retry_after(5));
            }
        }
        let place = told.entry(key).or_insert_with(|| Told { since: now, number: Arc::default() });
        place.age(now);
        Ok(place.number.clone())
    }

    /// Forgets numbers, and later their codes.
    pub(in crate::service) fn purge(&self, now: Timestamp) {
        tidy(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner), now);
    }
}

impl Told {
    /// Of a number that was told too long ago only stays that its code is spent.
    fn age(&mut self, now: Timestamp) {
        if self.since + NUMBER_KEPT <= now && self.number.get().is_none_or(Result::is_ok) {
            self.number = Arc::new(OnceCell::new_with(Some(Err(PlatformError::CodeUsed))));
        }
    }
}

fn tidy(told: &mut HashMap<[u8; 32], Told>, now: Timestamp) {
    told.retain(|_, t| t.since + CODE_REMEMBERED > now);
    told.values_mut().for_each(|t| t.age(now));
}

impl Service {
    /// The number behind a code, asked of the platform once however often the same bind is sent.
    pub(super) async fn number(&self, app: &App, session: &Session, code: &str) -> Result<Phone> {
        let (now, _) = self.now();
        let place = self.inner.numbers.of(digest(&[b"phone", &session.identity.0, code.as_bytes()]), now)?;
        let ask = async || match self.world().platform.phone(app, &session.openid, code).await {
            // It never got there: the same code may be tried again.
            Err(e @ PlatformError::NotReached { .. }) => Err(e),
            known => Ok(known),
        };
        let known = place.get_or_try_init(ask).await.map_err(refused)?;
        known.clone().map_err(refused)
    }
}

/// What `wx.login` cures at a login, the person's next tap on the button cures here.
fn refused(e: PlatformError) -> Error {
    let detail = match e {
        PlatformError::CodeInvalid | PlatformError::CodeUsed => {
            "Have the person allow the phone number again (getPhoneNumber), and bind with the new code."
        }
        PlatformError::Busy { .. } | PlatformError::Unavailable { .. } => {
            "Wait, then have the person allow the phone number again (getPhoneNumber), and bind with the new code."
        }
        PlatformError::NotReached { .. } => "The platform was not reached; send the same request again.",
        PlatformError::Unsupported => "This app's platform tells no phone numbers.",
        _ => return e.into(),
    };
    Error { detail: detail.into(), ..e.into() }
}
