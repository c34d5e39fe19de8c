mod business;
mod checksession;
mod resetusersessionkey;

use yaopai_sim::{DEFAULT_APPID, Endpoint};

use crate::support::{Reply, World};

/// A call about the session_key of lilei, signed with `signature`.
async fn signed(world: &World, endpoint: Endpoint, token: &str, signature: &str) -> Reply {
    let openid = world.openid(DEFAULT_APPID, "lilei").unwrap();
    let query =
        [("access_token", token), ("openid", &*openid), ("signature", signature), ("sig_method", "hmac_sha256")];
    world.get(endpoint, &query).await
}
