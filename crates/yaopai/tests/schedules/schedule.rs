//! One schedule: events in virtual time, chosen by the seed alone.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use yaopai_core::app::{BindingWay, Keyed, Policy};
use yaopai_core::ids::SessionId;

use super::dice::{Dice, SeededEntropy};
use super::fakes::{FakeBackEnd, FakePlatform, Home, ManualClock};
use super::figures::Figures;
use super::gates::{Gates, Rough};
use super::ghost::Ghost;
use super::ledger::Ledger;
use super::network::{From, Message, Weather};
use super::people::Phone;
use super::server::{Call, Ground, Life, Reply};
use super::thief::Thief;

pub const T0: i64 = 1_800_000_000_000;
pub const SECOND: i64 = 1_000;
pub const MINUTE: i64 = 60_000;
pub const HOUR: i64 = 60 * MINUTE;

/// What happens.
#[derive(Debug, Clone)]
pub enum Event {
    Wake { phone: usize, page: usize },
    Restart { phone: usize },
    TimeOut { phone: usize, page: usize, call: u64 },
    Deliver { message: usize, copy: usize },
    Answer { message: usize, reply: Reply },
    Gate { life: u64, id: u64 },
    Upkeep,
    Crash,
    Stop,
    Boot,
    BackEnd,
    Steal,
    ThiefWakes { thief: usize },
}

/// A request on its way through the server.
pub struct Run {
    pub message: usize,
    /// When it arrived, in milliseconds the server has been running.
    pub ran: i64,
    pub life: u64,
    pub answered: bool,
    /// Had its session ended when it arrived?
    pub ended: bool,
    /// Could its token act as a user when it arrived?
    pub acted_as_user: bool,
    /// Was the session that its login opened used before it arrived?
    pub used: bool,
}

pub struct Schedule {
    pub dice: Dice,
    pub ground: Ground,
    pub life: Option<Life>,
    /// Counts processes.
    pub lives: u64,
    pub now: i64,
    pub ran_before: i64,
    pub booted_at: i64,
    queue: BTreeMap<(i64, u64), Event>,
    sequence: u64,
    pub messages: Vec<Message>,
    pub runs: Vec<Run>,
    pub phones: Vec<Phone>,
    pub thieves: Vec<Thief>,
    pub ghost: Ghost,
    pub weather: Weather,
    /// Many rotations, little else.
    pub churn: bool,
    pub rough: Rough,
    /// Has the server worked since the last look?
    pub settled: bool,
    /// The end: nothing is lost, late or broken any more, and answers come here.
    pub calm: Option<Vec<(usize, Reply)>>,
    pub figures: Figures,
    pub wrong: Vec<String>,
    log: Option<Vec<String>>,
}

/// A schedule that held.
#[derive(Debug, PartialEq)]
pub struct Played {
    pub figures: Figures,
    pub log: Vec<String>,
}

/// A schedule that went wrong.
#[derive(Debug)]
pub struct Failure {
    pub wrong: Vec<String>,
    pub log: Vec<String>,
}

impl Schedule {
    pub fn new(seed: u64, home: Home, log: bool) -> Self {
        let mut dice = Dice::new(seed, 1);
        let rough = Rough {
            hold: [0, 60, 200][dice.index(3)],
            crash: [0, 0, 4, 15][dice.index(4)],
            fail: [0, 0, 5, 20][dice.index(4)],
        };
        let gates = Arc::new(Gates::new(seed, rough));
        let binding = [BindingWay::Webhook, BindingWay::Webhook, BindingWay::Auto, BindingWay::Api][dice.index(4)];
        let policy = Policy {
            absolute: Duration::from_secs([7 * 24 * 3600, 7 * 24 * 3600, 3 * 3600][dice.index(3)]),
            max_sessions: [12, 12, 12, 1][dice.index(4)],
            binding,
            keyed: Keyed::Offered,
            ..Policy::default()
        };
        let ground = Ground {
            home,
            clock: Arc::new(ManualClock(T0.into())),
            platform: Arc::new(FakePlatform { gates: gates.clone(), codes: Mutex::default() }),
            backend: Arc::new(FakeBackEnd { gates: gates.clone(), knows: [0, 0, 500][dice.index(3)] }),
            gates,
            ledger: Arc::new(Mutex::new(Ledger::default())),
            under_way: Arc::default(),
            flushed: Arc::default(),
            entropy: Arc::new(SeededEntropy::new(seed)),
            policy,
            room: if dice.chance(200) { 2 } else { 1000 },
        };
        let weather = Weather::new(&mut dice);
        let phones = Phone::some(&mut dice);
        let churn = dice.chance(70);
        let mut schedule = Self {
            life: Some(Life::boot(&ground)),
            dice,
            ground,
            lives: 1,
            now: T0,
            ran_before: 0,
            booted_at: T0,
            queue: BTreeMap::new(),
            sequence: 0,
            messages: Vec::new(),
            runs: Vec::new(),
            phones,
            thieves: Vec::new(),
            ghost: Ghost::default(),
            weather,
            churn,
            rough,
            settled: false,
            calm: None,
            figures: Figures { schedules: 1, ..Figures::default() },
            wrong: Vec::new(),
            log: log.then(Vec::new),
        };
        schedule.note(|s| format!("{:?} {:?} {:?} room {}", s.ground.policy, s.weather, s.rough, s.ground.room));
        schedule
    }

    /// Plays it to its end.
    pub fn play(mut self) -> Result<Played, Failure> {
        self.begin();
        let steps = if self.churn { 250 } else { 30 + self.dice.below(90) };
        while self.figures.steps < steps
            && self.wrong.is_empty()
            && let Some((at, event)) = self.queue.pop_first()
        {
            self.step(at.0, event);
        }
        if self.wrong.is_empty() {
            self.end();
        }
        {
            let ledger = self.ground.ledger.lock().unwrap();
            (self.figures.repeated, self.figures.step_ups) = (ledger.repeated, ledger.step_ups);
        }
        let log = self.log.unwrap_or_default();
        if self.wrong.is_empty() {
            Ok(Played { figures: self.figures, log })
        } else {
            Err(Failure { wrong: self.wrong, log })
        }
    }

    fn begin(&mut self) {
        for phone in 0..self.phones.len() {
            for page in 0..self.phones[phone].pages.len() {
                let after = self.dice.between(0, 3 * SECOND);
                self.at(after, Event::Wake { phone, page });
            }
        }
        for (event, chance, within) in [
            (Event::Upkeep, 1000, 2 * MINUTE),
            (Event::Crash, 300, HOUR),
            (Event::Crash, 100, 10 * SECOND),
            (Event::Stop, 200, HOUR),
            (Event::Steal, 400, HOUR),
            (Event::Steal, 200, 30 * SECOND),
            (Event::BackEnd, 200, HOUR),
        ] {
            if self.dice.chance(chance) {
                let after = self.dice.between(1, within);
                self.at(after, event);
            }
        }
    }

    /// Puts an event into the queue, so many milliseconds from now.
    pub fn at(&mut self, after: i64, event: Event) {
        self.sequence += 1;
        self.queue.insert((self.now + after, self.sequence), event);
    }

    fn step(&mut self, at: i64, event: Event) {
        self.pass_time(at);
        self.figures.steps += 1;
        self.note(|_| format!("{event:?}"));
        match event {
            Event::Wake { phone, page } => self.wake(phone, page),
            Event::Restart { phone } => self.restart(phone),
            Event::TimeOut { phone, page, call } => self.time_out(phone, page, call),
            Event::Deliver { message, copy } => self.deliver(message, copy),
            Event::Answer { message, reply } => self.answered(message, reply),
            Event::Gate { life, id } => {
                if life == self.lives {
                    self.ground.gates.open(id);
                    self.settle();
                }
            }
            Event::Upkeep => {
                self.upkeep();
                let after = self.dice.between(15 * SECOND, 10 * MINUTE);
                self.at(after, Event::Upkeep);
            }
            Event::Crash => {
                if self.life.is_some() {
                    self.crash("between two calls");
                }
            }
            Event::Stop => self.stop(),
            Event::Boot => self.boot(),
            Event::BackEnd => self.back_end_acts(),
            Event::Steal => self.steal(),
            Event::ThiefWakes { thief } => self.thief_wakes(thief),
        }
        self.look(false);
    }

    pub fn pass_time(&mut self, to: i64) {
        self.now = self.now.max(to);
        self.ground.clock.0.store(self.now, Ordering::SeqCst);
    }

    /// How long the server has been running, in all lives.
    pub fn ran(&self) -> i64 {
        self.ran_before + if self.life.is_some() { self.now - self.booted_at } else { 0 }
    }

    /// Every request that is still on its way arrives now, in any order; every answer too.
    pub fn drain(&mut self) {
        self.ground.gates.set(Rough::default());
        self.boot();
        let mut left: Vec<Event> = std::mem::take(&mut self.queue).into_values().collect();
        while !left.is_empty() && self.wrong.is_empty() {
            let at = self.dice.index(left.len());
            let event = left.swap_remove(at);
            if matches!(event, Event::Deliver { .. } | Event::Answer { .. } | Event::Gate { .. }) {
                let now = self.now;
                self.step(now, event);
            }
            left.extend(std::mem::take(&mut self.queue).into_values());
        }
        while self.ground.gates.open_all() {
            self.settle();
        }
    }

    /// Asks the server in calm weather.
    pub fn ask(&mut self, from: From, call: Call) -> Reply {
        let message = self.messages.len();
        self.messages.push(Message { from, call });
        self.deliver(message, 0);
        self.look(false);
        let answers = self.calm.as_mut().map(std::mem::take).unwrap_or_default();
        answers.into_iter().map(|(_, reply)| reply).next_back().unwrap_or(Reply::Down)
    }

    pub fn wrong(&mut self, what: String) {
        self.note(|_| format!("  WRONG: {what}"));
        self.wrong.push(what);
    }

    /// A line of the readable schedule, with its time in seconds; made only when it is wanted.
    pub fn note(&mut self, line: impl FnOnce(&Self) -> String) {
        if self.log.is_some() {
            let millis = self.now - T0;
            let line = format!("{:>6}.{:03}  {}", millis / 1000, millis % 1000, line(self));
            if let Some(log) = &mut self.log {
                log.push(line);
            }
        }
    }
}

/// A token's last letters, to tell them apart in the log.
pub fn tail(token: &str) -> &str {
    token.get(token.len().saturating_sub(6)..).unwrap_or(token)
}

pub fn short(reply: &Reply) -> String {
    match reply {
        Reply::Granted { token, session, bound } => {
            format!("token …{} of {}, bound {bound}", tail(token), name(*session))
        }
        other => format!("{other:?}"),
    }
}

/// A session's last letters.
pub fn name(id: SessionId) -> String {
    id.to_string().split_off(30)
}
