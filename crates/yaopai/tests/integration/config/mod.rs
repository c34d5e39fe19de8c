//! The configuration and the command line, through the real binary.

mod durability;
mod init;
mod startup;
