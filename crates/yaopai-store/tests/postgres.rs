//! The suite over PostgreSQL.
#![cfg(unix)]

mod conformance;
mod database;

conformance::suite_on!(database::Server::start());
