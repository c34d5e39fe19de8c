//! What WeChat's errcodes mean for us. Only the code counts: errmsg changes from year to year.

use yaopai_core::ports::PlatformError;
use yaopai_core::time::Timestamp;

use super::answer::Refusal;
use crate::http::Fault;

/// "system error": the only errcode that speaks of WeChat's health.
pub(super) const SYSTEM_ERROR: i64 = -1;

/// Seconds after which a transport fault may be over.
pub(super) const SOON: u32 = 2;

/// Seconds after which to look whether the daily quota is filled again.
const QUOTA_PAUSE: u32 = 3600;

/// The access token is dead: 40001 invalid or not the latest, 40014 no token at all, 42001 expired.
pub(super) fn is_dead_token(errcode: i64) -> bool {
    matches!(errcode, 40001 | 40014 | 42001)
}

/// A refusal of code2Session.
pub(super) fn of_exchange(refusal: &Refusal, now: Timestamp) -> PlatformError {
    match refusal.errcode {
        // 42003 is not confirmed for this API, but can only mean the one thing.
        40029 | 42003 => PlatformError::CodeInvalid,
        40163 => PlatformError::CodeUsed,
        40226 => PlatformError::Blocked,
        _ => common(refusal, now),
    }
}

/// A refusal of getPhoneNumber. The page lists 40029 only: for a code that is unknown, too old, or used before.
pub(super) fn of_phone(refusal: &Refusal, now: Timestamp) -> PlatformError {
    match refusal.errcode {
        // "invalid openid": the code is another person's, or we name a person of another app.
        40029 | 40003 => PlatformError::CodeInvalid,
        // Not listed for this API, but it can only mean the one thing.
        40163 => PlatformError::CodeUsed,
        _ => common(refusal, now),
    }
}

/// A refusal of a call that is signed with the user's session_key. 87009, "invalid signature": the key is not, or no longer,
/// the user's.
pub(super) fn is_stale_key(errcode: i64) -> bool {
    errcode == 87009
}

/// A refusal of a token endpoint: there 40001 speaks of the AppSecret.
pub(super) fn of_token(refusal: &Refusal, now: Timestamp) -> PlatformError {
    match refusal.errcode {
        40001 | 40002 => misconfigured(refusal, "appid or AppSecret is wrong"),
        _ => common(refusal, now),
    }
}

/// A refusal of any API.
pub(super) fn common(refusal: &Refusal, now: Timestamp) -> PlatformError {
    let what = refusal.to_string();
    match refusal.errcode {
        SYSTEM_ERROR => PlatformError::Busy { retry_after: SOON, what },
        45009 => PlatformError::Busy { retry_after: QUOTA_PAUSE, what },
        45011 => PlatformError::Busy { retry_after: to_next_minute(now), what },
        40013 => misconfigured(refusal, "the appid is wrong"),
        40125 => misconfigured(refusal, "the AppSecret is wrong or belongs to another appid"),
        40164 => misconfigured(refusal, "this server's address is not in the app's IP whitelist"),
        40243 => misconfigured(refusal, "the AppSecret is frozen"),
        41002 | 41004 | 41008 => misconfigured(refusal, "a parameter is empty"),
        48001 => misconfigured(refusal, "the app has no right to this API"),
        _ => PlatformError::Unavailable { retry_after: SOON, what },
    }
}

/// No answer, or none that makes sense.
pub(super) fn of_fault(fault: Fault) -> PlatformError {
    match fault {
        Fault::NotReached(what) => PlatformError::NotReached { retry_after: SOON, what },
        Fault::Failed(what) => PlatformError::Unavailable { retry_after: SOON, what },
        Fault::Status(status) => {
            PlatformError::Unavailable { retry_after: SOON, what: format!("HTTP status {status}") }
        }
        Fault::Simulator => PlatformError::Misconfigured {
            what: "a simulator answered; set development = true if that is meant, else correct base_url".into(),
        },
    }
}

fn misconfigured(refusal: &Refusal, why: &str) -> PlatformError {
    PlatformError::Misconfigured { what: format!("{why} ({refusal})") }
}

/// Minute quotas are filled at the full minute: seconds until then, 1–60.
fn to_next_minute(now: Timestamp) -> u32 {
    let next = Timestamp(now.0 - now.0.rem_euclid(60_000) + 60_000);
    u32::try_from(now.seconds_until(next)).unwrap_or(60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn next_minute() {
        for (now, expected) in [(0, 60), (1, 60), (1000, 59), (59_000, 1), (59_999, 1), (60_000, 60), (-1, 1)] {
            assert_eq!(to_next_minute(Timestamp(now)), expected, "{now}");
        }
    }
}
