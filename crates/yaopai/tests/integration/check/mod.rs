//! `/check/…`: who is this request?

mod forward;
mod forward_query;
mod nginx;
mod real_nginx;
mod spellings;
