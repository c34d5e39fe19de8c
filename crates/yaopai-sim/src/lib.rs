#![doc = include_str!("../README.md")]

mod clock;
mod config;
mod control;
mod dice;
mod error;
mod fault;
mod handle;
mod push;
mod server;
mod simulator;
mod state;
mod system;
mod wechat;

pub use clock::{ManualClock, SimClock};
pub use config::{
    AnswerShape, AppConfig, ClockKind, Config, ConfigError, DEFAULT_APPID, DEFAULT_SECRET, Guesses, MinRefresh,
    PushConfig, PushFormat, PushMode, RotateAt, Secret, SessionKeyPolicy, UserConfig, UserKeyMethod,
};
pub use error::SimError;
pub use fault::{Effect, Fault, FaultKind, FaultStatus, When};
pub use handle::SimHandle;
pub use push::{Push, PushReport, PushTry, Tamper, Verification};
pub use server::RunningSim;
pub use simulator::{Simulator, SimulatorBuilder};
pub use state::{CodeInfo, Counters, UserInfo, UserKey};
pub use system::SystemClock;
pub use wechat::{DataKey, DataSpoil, Encrypt, EncryptedData, Endpoint, MOCK_CODE, OpenData, SIM_HEADER};
