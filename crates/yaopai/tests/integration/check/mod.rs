//! `/check/…`: who is this request?

mod forward;
mod forward_query;
mod in_target;
mod nginx;
mod real_nginx;
mod spellings;
