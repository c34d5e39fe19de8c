mod access_token;
mod moves;
