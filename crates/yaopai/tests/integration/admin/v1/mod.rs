mod apps;
mod bindings;
mod keys;
mod sessions;
mod users;
