//! Gates: where the server waits for the world. A gate lets pass at once, holds a task for a while so that others overtake
//! it, fails, or is where the process dies.

use std::sync::{Mutex, MutexGuard};

use tokio::sync::oneshot;

use super::dice::Dice;

/// How rough the gates are, in tasks of a thousand.
#[derive(Debug, Clone, Copy, Default)]
pub struct Rough {
    pub hold: u64,
    pub crash: u64,
    pub fail: u64,
}

pub struct Gates(Mutex<State>);

struct State {
    dice: Dice,
    rough: Rough,
    held: Vec<(u64, oneshot::Sender<()>)>,
    /// Held since the scheduler last looked.
    new: Vec<(u64, &'static str)>,
    next: u64,
    died_at: Option<&'static str>,
}

impl Gates {
    pub fn new(seed: u64, rough: Rough) -> Self {
        let dice = Dice::new(seed, 2);
        Self(Mutex::new(State { dice, rough, held: Vec::new(), new: Vec::new(), next: 0, died_at: None }))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    pub fn set(&self, rough: Rough) {
        self.lock().rough = rough;
    }

    /// Waits here, or not; never returns if the process dies here.
    pub async fn pass(&self, place: &'static str) {
        let waiting = {
            let mut s = self.lock();
            let rough = s.rough;
            if s.died_at.is_none() && s.dice.chance(rough.crash) {
                s.died_at = Some(place);
            }
            if s.died_at.is_some() {
                None
            } else if s.dice.chance(rough.hold) {
                let (sender, receiver) = oneshot::channel();
                let id = s.next;
                s.next += 1;
                s.held.push((id, sender));
                s.new.push((id, place));
                Some(receiver)
            } else {
                return;
            }
        };
        if let Some(waiting) = waiting
            && waiting.await.is_ok()
        {
            return;
        }
        // The process is dead: whoever waits here is never polled to an end.
        std::future::pending::<()>().await;
    }

    /// Does the call fail here?
    pub fn fails(&self) -> bool {
        let mut s = self.lock();
        let fail = s.rough.fail;
        s.dice.chance(fail)
    }

    pub fn roll(&self, per_mille: u64) -> bool {
        self.lock().dice.chance(per_mille)
    }

    pub fn newly_held(&self) -> Vec<(u64, &'static str)> {
        std::mem::take(&mut self.lock().new)
    }

    pub fn open(&self, id: u64) {
        let mut s = self.lock();
        if let Some(at) = s.held.iter().position(|(held, _)| *held == id) {
            let (_, sender) = s.held.remove(at);
            let _ = sender.send(());
        }
    }

    /// Opens all. True if any was held.
    pub fn open_all(&self) -> bool {
        let held = std::mem::take(&mut self.lock().held);
        let any = !held.is_empty();
        held.into_iter().for_each(|(_, sender)| {
            let _ = sender.send(());
        });
        any
    }

    /// Where the process died, if it did.
    pub fn died_at(&self) -> Option<&'static str> {
        self.lock().died_at
    }

    /// A new process.
    pub fn reborn(&self) {
        let mut s = self.lock();
        s.held.clear();
        s.new.clear();
        s.died_at = None;
    }
}
