mod binding;
mod session;
mod sessions;
