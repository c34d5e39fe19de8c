//! One fault: what the client got, what it gets when it sends the same again, what reached WeChat, and who was lost.

use std::sync::atomic::{AtomicUsize, Ordering};

use yaopai_sim::{DEFAULT_APPID, DEFAULT_SECRET, Endpoint, Fault, FaultKind, Secret, When};

use super::call::{Call, Caller};
use crate::support::{Phone, Reply, Setup, TestApp, hours, seconds};

/// Longer than the server waits for WeChat (5 s), in whole and in the eight pieces of a slow body.
const DELAY_MS: u64 = 5_500;
const PIECE_MS: u64 = 700;

/// A row of the table.
pub struct Row {
    pub fault: String,
    pub moment: &'static str,
    pub answer: String,
    pub again: String,
    /// Calls that the first request made, by endpoint, and those that its repetition added.
    pub calls: Vec<(Endpoint, u64, u64)>,
    pub shown: Option<u64>,
    pub lost: usize,
    /// What must hold of every row and does not of this one.
    pub broken: Vec<String>,
}

/// A server for one column of faults, and five sessions that nothing may end.
pub struct World {
    app: TestApp,
    call: Call,
    endpoint: Endpoint,
    bystanders: Vec<(Phone, Option<String>)>,
    callers: AtomicUsize,
}

/// With an idle time-out that spans the whole table, since the clock moves on by hours between its rows.
pub async fn server() -> TestApp {
    TestApp::with(Setup {
        sessions: "idle = 2592000, absolute = 31536000",
        tables: "[[api_keys]]\nname = \"for tokens\"\nhash = \"{other_key}\"\nscopes = [\"access_token\"]",
        ..Setup::default()
    })
    .await
}

impl World {
    pub async fn new(call: Call, endpoint: Endpoint) -> Self {
        let app = server().await;
        let mut bystanders = Vec::new();
        for (n, bound) in [true, true, true, false, false].into_iter().enumerate() {
            let (phone, user) = (app.newcomer(&format!("bystander-{n}")), format!("bystander-{n}"));
            if bound {
                app.back_end.knows(&phone.openid(), &user);
            }
            phone.log_in().await;
            bystanders.push((phone, bound.then_some(user)));
        }
        Self { app, call, endpoint, bystanders, callers: AtomicUsize::new(0) }
    }

    /// What happens on a good day.
    pub async fn without_fault(&self) -> Row {
        self.run("none", "", None).await
    }

    pub async fn with(&self, kind: FaultKind, moment: When) -> Row {
        let fault = Fault::new(kind).on(self.endpoint).when(moment).once();
        let fault = match kind {
            FaultKind::Delay => Fault { ms: DELAY_MS, ..fault },
            FaultKind::SlowBody => Fault { ms: PIECE_MS, ..fault },
            _ => fault,
        };
        let moment = if moment == When::Before { "before" } else { "after" };
        self.run(kind.name(), moment, Some(fault)).await
    }

    async fn run(&self, name: &str, moment: &'static str, fault: Option<Fault>) -> Row {
        let (app, struck) = (&self.app, fault.is_some());
        // No access token, no open breaker and no pause is left from the row before.
        app.clock.advance(hours(3));
        let mut caller = Caller::new(app, self.call, self.callers.fetch_add(1, Ordering::Relaxed)).await;
        if let Some(fault) = fault {
            app.sim.set_fault(fault).unwrap();
        }
        let before = self.calls();
        let answer = outcome(&caller.send(app).await);
        let missed = struck && !app.sim.faults().is_empty();
        app.sim.clear_faults();
        let between = self.calls();
        // As long as Retry-After asks for in all but the quotas.
        app.clock.advance(seconds(3));
        let again = outcome(&caller.send(app).await);
        let after = self.calls();
        // Some faults leave another AppSecret behind.
        app.sim.rotate_secret(DEFAULT_APPID, Some(Secret::new(DEFAULT_SECRET))).unwrap();

        let endpoints = Endpoint::ALL.into_iter().enumerate();
        let calls: Vec<_> = endpoints.map(|(i, e)| (e, between[i] - before[i], after[i] - between[i])).collect();
        let lost = self.lost(&caller).await;
        let shown = caller.shown(app);
        let mut row = Row { fault: name.to_owned(), moment, answer, again, calls, shown, lost, broken: Vec::new() };
        row.broken = self.broken(&row, missed);
        row
    }

    fn broken(&self, row: &Row, missed: bool) -> Vec<String> {
        let mut broken = Vec::new();
        let mut must = |holds: bool, what: &str| {
            if !holds {
                let on = self.endpoint.name();
                broken.push(format!("{:?}, {} {} on {on}: {what}", self.call, row.fault, row.moment));
            }
        };
        must(!missed, "it did not strike");
        must(row.lost == 0, "sessions were lost");
        for (endpoint, first, second) in &row.calls {
            // A dead access token is replaced and the call made once more; a code of wx.login knows no second time.
            let most = if *endpoint == Endpoint::Jscode2session { 1 } else { 2 };
            must(*first <= most && *second <= most, "a storm");
        }
        // A phone code is shown again with another access token, the first having been refused.
        let most = if matches!(self.call, Call::Login | Call::StepUp) { 1 } else { 2 };
        must(row.shown.is_none_or(|shown| shown <= most), "the code was shown too often");
        for answer in [&row.answer, &row.again] {
            must(!answer.starts_with("500"), "an error of our own");
        }
        broken
    }

    fn calls(&self) -> Vec<u64> {
        Endpoint::ALL.iter().map(|endpoint| self.app.sim.calls(endpoint.name())).collect()
    }

    /// Sessions that were there before and no longer are who they were.
    async fn lost(&self, caller: &Caller) -> usize {
        let mut lost = usize::from(!caller.lives().await);
        for (phone, user) in &self.bystanders {
            let check = phone.check("require=session").await;
            let read = phone.read().await;
            let seen = check.status == 200 && check.user() == user.as_deref().unwrap_or_default();
            let same = read.status == 200 && read.json()["user"].as_str() == user.as_deref();
            lost += usize::from(!(seen && same));
        }
        lost
    }
}

fn outcome(reply: &Reply) -> String {
    if reply.status.is_success() { "ok".to_owned() } else { reply.refusal() }
}
