mod binding;
mod binding_places;
pub mod session;
pub mod sessions;
