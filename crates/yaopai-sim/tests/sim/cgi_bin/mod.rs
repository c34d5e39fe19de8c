mod stable_token;
mod token;
