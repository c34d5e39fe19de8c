mod access;
mod apps;
mod codes;
mod encrypted_data;
mod faults;
mod keys;
mod running;
mod users;
