mod binding;
mod binding_places;
mod decrypt;
mod phone;
mod session;
pub mod sessions;
