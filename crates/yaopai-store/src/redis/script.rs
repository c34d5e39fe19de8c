//! The two scripts, and what they answer.

use ::redis::{Cmd, FromRedisValue as _, Value};
use yaopai_core::ports::{SLOTS, Took, Tries, Use, Used};

use super::error::{Cure, Failed};
use crate::nonces::{AHEAD, PAST, STEP, opens};
use crate::tries::{NAMES_MAX, WAIT_FULL};

/// One round trip: everything is decided where the nonces are, in one atomic step.
pub(super) const FIRST_USE: &str = include_str!("first_use.lua");
/// The same for tries.
pub(super) const TRIES: &str = include_str!("tries.lua");

/// What the scripts are called where they were handed over.
#[derive(Debug, Clone, Default)]
pub(super) struct Hashes {
    pub first_use: String,
    pub tries: String,
}

/// All tries are in one slot of a cluster: those that count together must be.
pub(super) const TRIES_TAG: &str = "yaopai:tries";

/// What the script says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Answer {
    pub used: Used,
    /// Redis' clock as it was counted with.
    pub now: i64,
}

/// The keys of a bucket, all in one slot of a cluster.
#[derive(Debug)]
pub(super) struct Keys(pub [String; 3]);

impl Keys {
    /// What the slot is made of.
    pub fn tag(bucket: usize) -> String {
        format!("yaopai:{bucket}")
    }

    pub fn of(bucket: usize) -> Self {
        let tag = Self::tag(bucket);
        Self(["past", "0", "1"].map(|name| format!("{{{tag}}}:nonces:{name}")))
    }
}

/// `used`: nothing if the past is only to begin.
pub(super) fn call(hash: &str, keys: &Keys, used: Option<Use>, seen: i64) -> Cmd {
    let mut cmd = ::redis::cmd("EVALSHA");
    cmd.arg(hash).arg(keys.0.len()).arg(&keys.0[..]);
    match used {
        Some(used) => cmd.arg(&used.fingerprint[..]).arg(used.created),
        None => cmd.arg("").arg(0),
    };
    cmd.arg(seen).arg(PAST).arg(AHEAD).arg(STEP);
    cmd
}

pub(super) fn read(value: Value) -> Result<Answer, Failed> {
    let unreadable = || Failed::new("Redis answers something else than its script says", Cure::Nothing);
    let (what, now, shut) = <(u8, i64, i64)>::from_redis_value(value).map_err(|_| unreadable())?;
    let used = match what {
        0 => Used::First,
        1 => Used::Before,
        2 => Used::Unknown(Some(opens(shut))),
        3 => Used::Unknown(None),
        _ => return Err(unreadable()),
    };
    Ok(Answer { used, now })
}

/// `back`: the slot in which what was counted came to nothing; else they are to be counted.
pub(super) fn tries(hash: &str, tries: &Tries, back: Option<i64>) -> Cmd {
    let mut cmd = ::redis::cmd("EVALSHA");
    cmd.arg(hash).arg(2 * tries.counts.len());
    for count in &tries.counts {
        for turn in 0..2 {
            cmd.arg(format!("{{{TRIES_TAG}}}:{}:{}:{turn}", tries.slot_ms, count.kind));
        }
    }
    cmd.arg(tries.slot_ms).arg(SLOTS).arg(NAMES_MAX).arg(WAIT_FULL);
    match back {
        Some(slot) => cmd.arg(slot),
        None => cmd.arg(""),
    };
    for count in &tries.counts {
        cmd.arg(&count.name[..]).arg(count.max).arg(u8::from(count.spills));
    }
    cmd
}

pub(super) fn read_tries(value: Value) -> Result<Took, Failed> {
    let unreadable = || Failed::new("Redis answers something else than its script says", Cure::Nothing);
    match <(u8, i64)>::from_redis_value(value).map_err(|_| unreadable())? {
        (1, slot) => Ok(Took::Counted(slot)),
        (0, wait) => Ok(Took::Refused(u32::try_from(wait).unwrap_or(u32::MAX).max(1))),
        _ => Err(unreadable()),
    }
}
