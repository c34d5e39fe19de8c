//! `/check/…`: who is this request?

mod forward;
mod nginx;
