//! WeChat's client against a raw TCP server that behaves badly (`wire`), and against the simulator.

mod access_token;
mod breaker;
mod checksession;
mod exchange;
mod exchange_faults;
mod https;
mod secrets;
mod support;
mod wire;
