mod binding;
mod binding_places;
mod session;
pub mod sessions;
