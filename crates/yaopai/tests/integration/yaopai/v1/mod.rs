mod binding;
mod binding_places;
mod decrypt;
mod phone;
pub mod push;
pub mod session;
pub mod sessions;
pub mod ticket;
