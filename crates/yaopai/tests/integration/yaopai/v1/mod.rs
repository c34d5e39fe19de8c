mod binding;
mod session;
pub mod sessions;
