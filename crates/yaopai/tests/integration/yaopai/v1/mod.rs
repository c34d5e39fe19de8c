mod binding;
mod binding_places;
pub mod push;
mod session;
pub mod sessions;
