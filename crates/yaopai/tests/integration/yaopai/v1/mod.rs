mod binding;
mod binding_places;
mod decrypt;
mod phone;
pub mod push;
mod session;
pub mod sessions;
