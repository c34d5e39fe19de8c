//! The life of the server's process in a schedule: it works, is killed, stops in order, comes back.

use super::gates::Rough;
use super::schedule::{Event, HOUR, MINUTE, SECOND, Schedule, short};
use super::server::{Life, Reply};

impl Schedule {
    /// Lets the server work until every task waits or is done.
    pub fn settle(&mut self) {
        self.settled = true;
        while let Some(life) = &self.life {
            let answered = life.run();
            let (held, died) = (self.ground.gates.newly_held(), self.ground.gates.died_at());
            for (id, place) in held {
                let most = if self.dice.chance(800) { 300 } else { 3 * SECOND };
                let after = self.dice.between(1, most);
                self.note(|_| format!("  held for {after} ms: {place}"));
                self.at(after, Event::Gate { life: self.lives, id });
            }
            let more = !answered.is_empty();
            for (run, reply) in answered {
                self.note(|_| format!("  run {run} answers {}", short(&reply)));
                self.observe(run, &reply);
                self.runs[run].answered = true;
                let message = self.runs[run].message;
                match &mut self.calm {
                    Some(calm) => calm.push((run, reply)),
                    None => self.send_answer(message, reply),
                }
            }
            if let Some(place) = died {
                self.figures.crashes_in_a_call += 1;
                self.crash(place);
                return;
            }
            if !more {
                return;
            }
        }
    }

    pub fn upkeep(&mut self) {
        if let Some(life) = &self.life {
            let service = life.service.clone();
            life.spawn(async move {
                let _ = service.upkeep().await;
            });
            self.settle();
        }
    }

    /// The process is killed.
    pub fn crash(&mut self, place: &str) {
        self.note(|_| format!("  CRASH: {place}"));
        self.figures.crashes += 1;
        self.gone(true);
        self.ghost.crashed();
        self.back_later();
    }

    /// The process stops as it is told to: what is under way is answered, last-seen times are flushed.
    pub fn stop(&mut self) {
        if self.life.is_none() {
            return;
        }
        self.figures.stops += 1;
        self.ground.gates.set(Rough::default());
        while self.life.is_some() && self.ground.gates.open_all() {
            self.settle();
        }
        self.upkeep();
        self.ground.gates.set(self.rough);
        if self.life.is_some() {
            self.gone(false);
            self.back_later();
        }
    }

    fn gone(&mut self, killed: bool) {
        self.ran_before = self.ran();
        if let Some(life) = self.life.take() {
            life.die();
        }
        for run in 0..self.runs.len() {
            if !self.runs[run].answered && self.runs[run].life == self.lives {
                self.runs[run].answered = true;
                let message = self.runs[run].message;
                if killed && self.dice.chance(500) {
                    self.at(50, Event::Answer { message, reply: Reply::Down });
                }
            }
        }
    }

    fn back_later(&mut self) {
        let down = match self.dice.below(10) {
            0..7 => self.dice.between(SECOND / 2, 5 * SECOND),
            7..9 => self.dice.between(5 * SECOND, 2 * MINUTE),
            _ => self.dice.between(2 * MINUTE, 2 * HOUR),
        };
        self.at(down, Event::Boot);
        if self.dice.chance(200) {
            let after = down + self.dice.between(1, 20 * MINUTE);
            self.at(after, Event::Crash);
        }
    }

    pub fn boot(&mut self) {
        if self.life.is_none() {
            self.lives += 1;
            self.booted_at = self.now;
            self.life = Some(Life::boot(&self.ground));
            self.look(true);
        }
    }
}
