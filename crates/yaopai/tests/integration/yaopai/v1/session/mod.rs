mod failing;
mod life;
mod limits;
pub mod linking;
mod login;
mod logout;
mod read;
mod refresh;
mod restart;
