//! `POST /_sim/push` and `POST /_sim/push/verify`, seen by the server that is pushed to.

mod delivery;
mod encrypted;
mod tamper;
mod verify;

use yaopai_sim::{DEFAULT_APPID, PushConfig, PushMode, Secret};

use crate::{
    receiver::{Received, Receiver},
    support::{World, world},
};

const TOKEN: &str = "pushtoken";
/// Its last character ends in bits that are not zero, as most random ones do.
const AES_KEY: &str = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG";

/// A simulator whose default app pushes to a receiver.
async fn pushing(change: impl FnOnce(&mut PushConfig)) -> (World, Receiver) {
    let world = world().await;
    let (receiver, url) = Receiver::start().await;
    let mut config = PushConfig::new(url, TOKEN);
    change(&mut config);
    world.update_app(DEFAULT_APPID, |app| app.push = Some(config)).unwrap();
    (world, receiver)
}

async fn pushing_in(mode: PushMode) -> (World, Receiver) {
    pushing(|config| {
        config.mode = mode;
        config.encoding_aes_key = Some(Secret::new(AES_KEY));
    })
    .await
}

fn is_signed(received: &Received) -> bool {
    received.param("signature") == Some(&received.signature_of(TOKEN, &[]))
}

/// msg_signature covers the encrypted text.
fn is_message_signed(received: &Received) -> bool {
    let encrypted = received.json()["Encrypt"].as_str().unwrap().to_owned();
    received.param("msg_signature") == Some(&received.signature_of(TOKEN, &[&encrypted]))
}
