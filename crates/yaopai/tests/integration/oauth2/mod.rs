//! `/oauth2/…`: what a back end asks about tokens.

mod introspect;
