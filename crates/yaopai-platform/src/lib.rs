#![doc = include_str!("../README.md")]

mod breaker;
mod http;
mod lane;
pub mod wechat;

pub use breaker::BreakerPolicy;
pub use http::{HttpError, SIM_HEADER};
pub use lane::LanePolicy;
