//! The replay room alone: three minutes of its own time, in which nonces come evenly.

use std::time::Duration;

use anyhow::ensure;
use yaopai::clock::SystemEntropy;
use yaopai_core::ids::SessionId;
use yaopai_core::replay::Replays;
use yaopai_core::time::Timestamp;

use crate::stopwatch::cpu_of_thread;

/// Sessions that send them.
const SESSIONS: u64 = 65_536;
/// Of the room's time.
const LASTING: Duration = Duration::from_secs(180);

/// Has the room accept `many` nonces; it may remember as many.
pub fn table(many: u64) -> anyhow::Result<String> {
    let bound = usize::try_from(many)?;
    let room = Replays::new(bound, &SystemEntropy);
    let (before, mut most) = (cpu_of_thread(None)?, 0);
    for n in 0..many {
        let now = Timestamp(1_764_230_400_000) + LASTING.mul_f64(n as f64 / many as f64);
        let mut id = [0; 16];
        id[8..].copy_from_slice(&(n % SESSIONS).to_be_bytes());
        // 22 characters, as a phone's.
        let nonce: [u8; 22] = std::array::from_fn(|at| b'a' + ((n >> (at % 16 * 4)) & 15) as u8);
        let text = std::str::from_utf8(&nonce)?;
        ensure!(room.accept(SessionId(id), text, now.0.div_euclid(1000), now).is_ok(), "nonce {n} was refused");
        if n % 4096 == 0 {
            most = most.max(room.bytes());
        }
    }
    let each = (cpu_of_thread(None)? - before).as_nanos() as f64 / many as f64;
    let mb = |bytes: usize| bytes as f64 / 1e6;
    Ok(format!(
        "| the replay room alone: {many} nonces in {} s of its time | |\n|---|---|\n\
         | most memory at a time (bound {:.1} MB) | {:.1} MB |\n| ns of CPU a nonce | {each:.0} |\n",
        LASTING.as_secs(),
        mb(Replays::bytes_max(bound)),
        mb(most.max(room.bytes())),
    ))
}
