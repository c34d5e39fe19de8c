use std::{
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::net::{TcpListener, ToSocketAddrs};

use crate::{
    AppConfig, ClockKind, Config, ConfigError, ManualClock, RunningSim, Secret, SimClock, SimHandle, SystemClock,
    UserConfig, push::Courier, state::State, system,
};

/// What listener, endpoints, control API and handles share.
pub(crate) struct Core {
    state: Mutex<State>,
    pub(crate) clock: Arc<dyn SimClock>,
    pub(crate) control_token: Secret,
    pub(crate) courier: Courier,
}

impl Core {
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        // A panic in one test's call must not turn every later call into another panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A simulator that is not listening yet.
pub struct Simulator(Arc<Core>);

impl std::fmt::Debug for Simulator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Simulator")
    }
}

impl Simulator {
    /// Starts from the default configuration: one app, three users.
    pub fn builder() -> SimulatorBuilder {
        SimulatorBuilder { config: Config::default(), clock: None }
    }

    /// As the configuration says.
    ///
    /// # Errors
    /// The configuration does not pass [`Config::validate`].
    pub fn from_config(config: Config) -> Result<Self, ConfigError> {
        SimulatorBuilder { config, clock: None }.build()
    }

    /// Control without HTTP; works before and after the start.
    pub fn handle(&self) -> SimHandle {
        SimHandle::new(Arc::clone(&self.0))
    }

    /// Listens, on the current Tokio runtime. Port 0 takes a free one; see [`RunningSim::base_url`].
    ///
    /// # Errors
    /// The address can't be listened on.
    pub async fn start(self, addr: impl ToSocketAddrs) -> io::Result<RunningSim> {
        RunningSim::start(self.0, TcpListener::bind(addr).await?).await
    }

    /// Listens on a free port of 127.0.0.1.
    ///
    /// # Errors
    /// No port is free.
    pub async fn start_local(self) -> io::Result<RunningSim> {
        self.start(("127.0.0.1", 0)).await
    }
}

/// Puts a simulator together.
pub struct SimulatorBuilder {
    config: Config,
    clock: Option<Arc<dyn SimClock>>,
}

impl SimulatorBuilder {
    /// Replaces the whole configuration.
    #[must_use]
    pub fn config(self, config: Config) -> Self {
        Self { config, ..self }
    }

    /// Seeds every id, so that each run gives the same.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.config.seed = Some(seed);
        self
    }

    /// Whose time is used, in place of the configuration's `clock`: a [`ManualClock`] or a closure. An `Arc<dyn SimClock>`
    /// goes through [`SimulatorBuilder::shared_clock`].
    #[must_use]
    pub fn clock(self, clock: impl SimClock) -> Self {
        self.shared_clock(Arc::new(clock))
    }

    /// As [`SimulatorBuilder::clock`], for a clock that is shared already.
    #[must_use]
    pub fn shared_clock(self, clock: Arc<dyn SimClock>) -> Self {
        Self { clock: Some(clock), ..self }
    }

    /// The bearer token of the control API, at least 16 characters.
    #[must_use]
    pub fn control_token(mut self, token: impl Into<String>) -> Self {
        self.config.control_token = Some(Secret::new(token));
        self
    }

    /// The apps, in place of the default one.
    #[must_use]
    pub fn apps(mut self, apps: impl IntoIterator<Item = AppConfig>) -> Self {
        self.config.apps = apps.into_iter().collect();
        self
    }

    /// One more app.
    #[must_use]
    pub fn app(mut self, app: AppConfig) -> Self {
        self.config.apps.push(app);
        self
    }

    /// One more user.
    #[must_use]
    pub fn user(mut self, user: UserConfig) -> Self {
        self.config.users.push(user);
        self
    }

    /// Checks and makes it.
    ///
    /// # Errors
    /// The configuration does not pass [`Config::validate`].
    pub fn build(self) -> Result<Simulator, ConfigError> {
        let Self { config, clock } = self;
        config.validate()?;
        let clock = clock.unwrap_or_else(|| match config.clock {
            ClockKind::System => Arc::new(SystemClock),
            ClockKind::Manual => Arc::new(ManualClock::default()),
        });
        // Whoever reaches the control API can log in as anyone, so its token is never a fixed one.
        let fresh_token = || Secret::new(hex::encode(system::entropy::<16>()));
        let control_token = config.control_token.clone().unwrap_or_else(fresh_token);
        let stream_seed = config.seed.unwrap_or_else(|| u64::from_be_bytes(system::entropy()));
        let state = Mutex::new(State::new(config, stream_seed));
        Ok(Simulator(Arc::new(Core { state, clock, control_token, courier: Courier::default() })))
    }
}
