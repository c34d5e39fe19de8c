mod access;
mod apps;
mod codes;
mod faults;
mod keys;
mod running;
mod users;
