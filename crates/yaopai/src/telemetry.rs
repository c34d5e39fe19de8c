//! Logs and metrics. Handles are resolved at start, so that nothing is looked up by name while serving.

use std::sync::Arc;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use tracing_subscriber::EnvFilter;
use yaopai_wire::problem::Code;

/// How logs are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// For machines, a JSON object a line.
    Json,
}

/// Starts logging to standard error. The level comes from `filter` (`info`, `yaopai=debug` …).
///
/// The HTTP crates' own logs stay off whatever the filter says: theirs hold URLs, and code2Session's URL holds the AppSecret.
pub fn start_logs(format: LogFormat, filter: &str) {
    let mut filter = EnvFilter::try_new(filter).unwrap_or_else(|_| EnvFilter::new("info"));
    for quiet in ["hyper=off", "hyper_util=off", "reqwest=off", "h2=off", "rustls=off", "tower=off", "axum=off"] {
        if let Ok(directive) = quiet.parse() {
            filter = filter.add_directive(directive);
        }
    }
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false);
    let started = match format {
        LogFormat::Text => builder.with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr())).try_init(),
        LogFormat::Json => builder.json().with_ansi(false).try_init(),
    };
    // A second start in one process (tests, the demo) keeps the first one's.
    drop(started);
}

#[derive(Debug, Clone, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Outcome {
    outcome: &'static str,
}

#[derive(Debug, Clone, Hash, PartialEq, Eq, EncodeLabelSet)]
struct BySide {
    side: &'static str,
}

/// Whose session a request at the gateway shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Ours.
    Yaopai,
    /// The old program's.
    Legacy,
    /// Nobody's.
    Guest,
}

/// Every metric, by handle.
pub struct Metrics {
    registry: Registry,
    checks_passed: Counter,
    checks_guest: Counter,
    checks_slow: Counter,
    checks_refused: Vec<Counter>,
    calls_done: Counter,
    calls_refused: Vec<Counter>,
    gateway_passed: Counter,
    gateway_refused: Vec<Counter>,
    gateway_sides: [Counter; 3],
    live_sessions: Gauge,
    upkeeps: Counter,
    upkeep_failures: Counter,
    polls: Counter,
    poll_failures: Counter,
}

impl Metrics {
    /// Registers every metric.
    pub fn new() -> Arc<Self> {
        let mut registry = Registry::with_prefix("yaopai");
        let checks = Family::<Outcome, Counter>::default();
        registry.register("checks", "Checks by outcome: passed, guest, or the refusal's code", checks.clone());
        let calls = Family::<Outcome, Counter>::default();
        registry.register("api_calls", "Calls of mini programs by outcome: done, or the refusal's code", calls.clone());
        let gateway = Family::<Outcome, Counter>::default();
        let help = "Requests at the gateway by outcome: passed (on, and answered), or the refusal's code";
        registry.register("gateway_requests", help, gateway.clone());
        let sides = Family::<BySide, Counter>::default();
        let help = "Requests that the gateway let pass, by whose session they show: yaopai, legacy (the old program's), or guest";
        registry.register("gateway_sides", help, sides.clone());
        let (checks_slow, live_sessions) = (Counter::default(), Gauge::default());
        registry.register("checks_slow", "Checks that the live table could not decide", checks_slow.clone());
        registry.register("live_sessions", "Sessions in the live table", live_sessions.clone());
        let (upkeeps, upkeep_failures) = (Counter::default(), Counter::default());
        registry.register("upkeeps", "Rounds of upkeep", upkeeps.clone());
        registry.register("upkeep_failures", "Rounds of upkeep that failed", upkeep_failures.clone());
        let (polls, poll_failures) = (Counter::default(), Counter::default());
        registry.register("log_polls", "Readings of the other nodes' changes", polls.clone());
        registry.register(
            "log_poll_failures",
            "Readings of the other nodes' changes that failed",
            poll_failures.clone(),
        );
        let handle = |family: &Family<Outcome, Counter>, outcome| family.get_or_create(&Outcome { outcome }).clone();
        let by_code = |family| Code::ALL.iter().map(|c| handle(family, c.as_str())).collect();
        Arc::new(Self {
            checks_passed: handle(&checks, "passed"),
            checks_guest: handle(&checks, "guest"),
            checks_slow,
            checks_refused: by_code(&checks),
            calls_done: handle(&calls, "done"),
            calls_refused: by_code(&calls),
            gateway_passed: handle(&gateway, "passed"),
            gateway_refused: by_code(&gateway),
            gateway_sides: ["yaopai", "legacy", "guest"].map(|side| sides.get_or_create(&BySide { side }).clone()),
            live_sessions,
            upkeeps,
            upkeep_failures,
            polls,
            poll_failures,
            registry,
        })
    }

    /// A check passed.
    pub fn check_passed(&self) {
        self.checks_passed.inc();
    }

    /// A check passed without a session.
    pub fn check_guest(&self) {
        self.checks_guest.inc();
    }

    /// A check left the fast path.
    pub fn check_slow(&self) {
        self.checks_slow.inc();
    }

    /// A check was refused.
    pub fn check_refused(&self, code: Code) {
        count(&self.checks_refused, code);
    }

    /// A mini program's call was done.
    pub fn call_done(&self) {
        self.calls_done.inc();
    }

    /// A mini program's call was refused.
    pub fn call_refused(&self, code: Code) {
        count(&self.calls_refused, code);
    }

    /// The gateway passed a request on, and its answer has begun.
    pub fn gateway_passed(&self) {
        self.gateway_passed.inc();
    }

    /// The gateway refused a request, or had no answer for it.
    pub fn gateway_refused(&self, code: Code) {
        count(&self.gateway_refused, code);
    }

    /// The gateway let a request pass.
    pub fn gateway_side(&self, side: Side) {
        let [yaopai, legacy, guest] = &self.gateway_sides;
        match side {
            Side::Yaopai => yaopai.inc(),
            Side::Legacy => legacy.inc(),
            Side::Guest => guest.inc(),
        };
    }

    /// The other nodes' changes were read, or could not be.
    pub fn polled(&self, ok: bool) {
        self.polls.inc();
        if !ok {
            self.poll_failures.inc();
        }
    }

    /// A round of upkeep ended.
    pub fn upkept(&self, live: usize, ok: bool) {
        self.live_sessions.set(i64::try_from(live).unwrap_or(i64::MAX));
        self.upkeeps.inc();
        if !ok {
            self.upkeep_failures.inc();
        }
    }

    /// All of them in the OpenMetrics text format.
    pub fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a string can't fail.
        let _ = prometheus_client::encoding::text::encode(&mut text, &self.registry);
        text
    }
}

/// Codes are numbered as they stand in [`Code::ALL`].
fn count(counters: &[Counter], code: Code) {
    if let Some(counter) = counters.get(code as usize) {
        counter.inc();
    }
}
