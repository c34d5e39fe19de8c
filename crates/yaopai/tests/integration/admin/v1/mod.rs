mod apps;
mod audit;
mod bind_codes;
mod bindings;
mod keys;
mod sessions;
mod signing_keys;
mod users;
