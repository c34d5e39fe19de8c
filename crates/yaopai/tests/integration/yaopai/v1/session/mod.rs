mod failing;
mod life;
mod limits;
mod login;
mod logout;
mod read;
mod refresh;
mod restart;
