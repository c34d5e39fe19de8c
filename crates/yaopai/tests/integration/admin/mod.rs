//! The admin listener: `/admin/v1/…` with an API key, and the server's own state.

mod health;
mod metrics;
mod v1;
