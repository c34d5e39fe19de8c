//! Tests of calls that `yaopai_platform` and `yaopai_sim` don't have yet. With them, each line moves to the `mod.rs` of its
//! folder, and this file goes.

#[path = "admin/v1/apps/access_token.rs"]
mod access_token;
#[path = "yaopai/v1/decrypt.rs"]
mod decrypt;
#[path = "yaopai/v1/phone.rs"]
mod phone;
