//! Who uses the nodes meanwhile, and what they were told.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::join_all;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};
use tokio::task::JoinHandle;
use yaopai_sim::{DEFAULT_APPID, UserConfig};

use crate::fleet::{Fleet, MAX_STALE, NODES, Said, Session};
use crate::replays::signed;

const CLIENTS: u64 = 10;
/// Until somebody answers.
const ATTEMPTS: usize = 600;
const PAUSE: Duration = Duration::from_millis(25);
/// What a node may say of a session that lives: to be asked again, of another one.
const LATER: [&str; 2] = ["unavailable", "proof_stale"];

/// A session as its client knows it, and what it must be from now on.
#[derive(Clone)]
struct Held {
    session: Session,
    bound: bool,
    kicked: bool,
}

#[derive(Default)]
struct Figures {
    logins: AtomicU64,
    checks: AtomicU64,
    signed: AtomicU64,
    refreshes: AtomicU64,
    binds: AtomicU64,
    kicks: AtomicU64,
    /// Answers that were no answer.
    later: Mutex<BTreeMap<String, u64>>,
    wrong: Mutex<Vec<String>>,
}

pub struct Load {
    shared: Arc<Shared>,
    clients: Vec<JoinHandle<()>>,
}

struct Shared {
    fleet: Arc<Fleet>,
    stop: AtomicBool,
    held: Mutex<Vec<Held>>,
    figures: Figures,
}

impl Load {
    pub fn start(fleet: &Arc<Fleet>) -> Self {
        let (fleet, held) = (fleet.clone(), Mutex::default());
        let shared = Arc::new(Shared { fleet, stop: AtomicBool::new(false), held, figures: Figures::default() });
        let clients = (0..CLIENTS).map(|seed| tokio::spawn(shared.clone().client(seed))).collect();
        Self { shared, clients }
    }

    /// Waits for so many more logins.
    pub async fn goes_on(&self, logins: u64) {
        let count = || self.shared.figures.logins.load(Ordering::SeqCst);
        let goal = count() + logins;
        while count() < goal {
            assert!(!self.clients.iter().any(JoinHandle::is_finished), "a client has given up");
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Ends it, asks every node about all that was answered, and judges.
    pub async fn finish(self, times: u64) {
        let Self { shared, clients } = self;
        shared.stop.store(true, Ordering::SeqCst);
        join_all(clients).await.into_iter().for_each(Result::unwrap);
        let held = std::mem::take(&mut *shared.held.lock().unwrap());
        for some in held.chunks(64) {
            join_all(some.iter().map(|held| shared.verify(held))).await;
        }
        let f = &shared.figures;
        let count = |n: &AtomicU64| n.load(Ordering::SeqCst);
        println!(
            "upgraded node by node and back, {times} times: {} logins, {} checks, {} requests signed and sent twice, {} refreshes, {} binds, \
             {} kicks; {} sessions asked about at the end; not answered: {:?}",
            count(&f.logins),
            count(&f.checks),
            count(&f.signed),
            count(&f.refreshes),
            count(&f.binds),
            count(&f.kicks),
            held.len(),
            f.later.lock().unwrap()
        );
        let wrong = f.wrong.lock().unwrap();
        assert!(wrong.is_empty(), "{} wrong, as: {:#?}", wrong.len(), &wrong[..wrong.len().min(5)]);
        for n in [&f.logins, &f.signed, &f.refreshes, &f.binds, &f.kicks] {
            assert!(count(n) > 3 * times, "too little load");
        }
    }
}

impl Shared {
    fn wrong(&self, what: String) {
        self.figures.wrong.lock().unwrap().push(what);
    }

    fn later(&self, said: Option<&Said>) {
        let what = said.map_or_else(|| "silence".into(), |said| format!("{} {}", said.status, said.code));
        *self.figures.later.lock().unwrap().entry(what).or_default() += 1;
    }

    async fn client(self: Arc<Self>, seed: u64) {
        let mut dice = ChaCha8Rng::seed_from_u64(seed);
        let mut number = 0;
        while !self.stop.load(Ordering::SeqCst) {
            number += 1;
            let name = format!("{seed:02}-{number:06}");
            match dice.next_u64() % 3 {
                0 => self.signs(&mut dice, &name).await,
                1 => self.refreshes(&mut dice, &name).await,
                _ => self.is_bound(&mut dice, &name).await,
            }
        }
    }

    /// One with a key: each request is sent to two nodes at once.
    async fn signs(&self, dice: &mut ChaCha8Rng, name: &str) {
        let session = self.fleet.login(node(dice), true).await;
        self.count(&self.figures.logins);
        for n in 0..4 {
            self.accepted_once(dice, &session, &format!("{name}-{n}")).await;
        }
        self.hold(session, false, false);
    }

    async fn accepted_once(&self, dice: &mut ChaCha8Rng, session: &Session, name: &str) {
        for attempt in 0..ATTEMPTS {
            let fields = signed(session, &format!("a-nonce-of-an-upgrade-{name}-{attempt:04}"));
            let first = node(dice);
            let check = |at: usize| self.fleet.check(at % NODES, &session.token, &fields);
            let said = tokio::join!(check(first), check(first + 1 + node(dice) % 2));
            let said = [said.0, said.1];
            match said.iter().flatten().filter(|said| said.status == 200).count() {
                1 => return self.count(&self.figures.signed),
                2 => return self.wrong(format!("accepted twice: {name}")),
                _ => {}
            }
            for said in &said {
                match said {
                    Some(said) if !LATER.contains(&said.code.as_str()) && said.code != "proof_replayed" => {
                        return self.wrong(format!("a live session that signs is told {said:?}"));
                    }
                    said => self.later(said.as_ref()),
                }
            }
            tokio::time::sleep(PAUSE).await;
        }
        self.wrong(format!("no node accepts what is signed: {name}"));
    }

    /// One without: refreshes at two nodes at once, and half of the time is kicked.
    async fn refreshes(&self, dice: &mut ChaCha8Rng, name: &str) {
        let mut session = self.fleet.login(node(dice), false).await;
        self.count(&self.figures.logins);
        for n in 0..3 {
            self.passes(dice, &session, "require=session").await;
            let (at, id) = (node(dice), format!("refresh-of-an-upgrade-{name}-{n}"));
            let (first, second) = tokio::join!(
                self.refreshed(at, &session.token, &id),
                self.refreshed((at + 1) % NODES, &session.token, &id)
            );
            if first != second {
                return self.wrong(format!("one refresh, two answers: {name}"));
            }
            let Some(token) = first else { return };
            session.token = token;
            self.count(&self.figures.refreshes);
        }
        self.passes(dice, &session, "require=session").await;
        let kicked = dice.next_u64().is_multiple_of(2);
        if kicked {
            self.kick(dice, &session).await;
        }
        self.hold(session, false, kicked);
    }

    /// The same request until somebody answers, as clients do.
    async fn refreshed(&self, node: usize, token: &str, id: &str) -> Option<String> {
        for attempt in 0..ATTEMPTS {
            match self.fleet.refresh((node + attempt) % NODES, token, id).await {
                Some((200, body)) => return Some(body["token"].as_str().unwrap().to_owned()),
                Some((status, body)) => {
                    self.wrong(format!("a refresh is told {status}: {body}"));
                    return None;
                }
                None => self.later(None),
            }
            tokio::time::sleep(PAUSE).await;
        }
        self.wrong("nobody refreshes".into());
        None
    }

    /// From the answer on it passes nowhere for longer than `max_stale`; if all were waited for, nowhere.
    async fn kick(&self, dice: &mut ChaCha8Rng, session: &Session) {
        // A stop waits for those.
        let all = dice.next_u64().is_multiple_of(4);
        let mut at = node(dice);
        let mut attempts = 0;
        while !self.fleet.kick(at % NODES, &session.id, if all { "?wait=all" } else { "" }).await {
            (at, attempts) = (at + 1, attempts + 1);
            self.later(None);
            if attempts > ATTEMPTS {
                return self.wrong("nobody kicks".into());
            }
            tokio::time::sleep(PAUSE).await;
        }
        let answered = self.fleet.now();
        self.count(&self.figures.kicks);
        let until = if all { 0 } else { MAX_STALE };
        loop {
            let sent = self.fleet.now() - answered;
            let said = join_all((0..NODES).map(|at| self.fleet.check(at, &session.token, &[]))).await;
            if sent > until && said.iter().flatten().any(|said| said.status == 200) {
                return self.wrong(format!("accepted {sent} ms after its kick: {said:?}"));
            }
            if sent > MAX_STALE {
                return;
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// A guest whom the back end binds: a fact that stays.
    async fn is_bound(&self, dice: &mut ChaCha8Rng, name: &str) {
        let who = format!("upgrade-{name}");
        self.fleet.sim.add_user(UserConfig::named(&who)).unwrap();
        let openid = self.fleet.sim.openid(DEFAULT_APPID, &who).unwrap();
        let session = self.fleet.login_person(node(dice), &who).await;
        self.count(&self.figures.logins);
        self.passes(dice, &session, "require=session").await;
        let mut at = node(dice);
        loop {
            match self.fleet.try_bind(at % NODES, &openid, &format!("user-of-{name}")).await {
                Some((200, _)) => break,
                None | Some((503, _)) => self.later(None),
                Some((status, text)) => return self.wrong(format!("a bind is told {status}: {text}")),
            }
            at += 1;
            tokio::time::sleep(PAUSE).await;
        }
        self.count(&self.figures.binds);
        self.passes(dice, &session, "require=bound").await;
        self.hold(session, true, false);
    }

    /// It must pass, at whatever node answers.
    async fn passes(&self, dice: &mut ChaCha8Rng, session: &Session, ask: &str) {
        let at = node(dice);
        self.said_from(at, NODES, ask, session, None).await;
    }

    /// What it was told must hold at every node.
    async fn verify(&self, held: &Held) {
        let ask = if held.bound { "require=bound" } else { "require=session" };
        for at in 0..NODES {
            let refused = held.kicked.then_some("session_kicked");
            self.said_from(at, 1, ask, &held.session, refused).await;
        }
    }

    /// Asks one of so many nodes from this one on until it says something: 200, or this refusal.
    async fn said_from(&self, at: usize, nodes: usize, ask: &str, session: &Session, refused: Option<&str>) {
        for attempt in 0..ATTEMPTS {
            let fields = match &session.key {
                Some(_) => signed(session, &format!("a-nonce-of-the-end-{}-{at}-{attempt:04}", session.id)),
                None => Vec::new(),
            };
            let said = self.fleet.check_asking((at + attempt % nodes) % NODES, ask, &session.token, &fields).await;
            match said {
                Some(said) if said.status == 200 && refused.is_none() => return self.count(&self.figures.checks),
                Some(said) if refused == Some(said.code.as_str()) => return self.count(&self.figures.checks),
                Some(said) if !LATER.contains(&said.code.as_str()) => {
                    return self.wrong(format!("{ask} of {}, to be {refused:?}, is told {said:?}", session.id));
                }
                said => self.later(said.as_ref()),
            }
            tokio::time::sleep(PAUSE).await;
        }
        self.wrong(format!("no node says anything of {}", session.id));
    }

    fn hold(&self, session: Session, bound: bool, kicked: bool) {
        self.held.lock().unwrap().push(Held { session, bound, kicked });
    }

    fn count(&self, n: &AtomicU64) {
        n.fetch_add(1, Ordering::SeqCst);
    }
}

fn node(dice: &mut ChaCha8Rng) -> usize {
    usize::try_from(dice.next_u64() % NODES as u64).unwrap()
}
