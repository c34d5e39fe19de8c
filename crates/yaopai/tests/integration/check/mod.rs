//! `/check/…`: who is this request?

mod forward;
mod nginx;
mod real_nginx;
