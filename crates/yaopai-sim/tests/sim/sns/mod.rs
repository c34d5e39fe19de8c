mod jscode2session;
mod session_key;
