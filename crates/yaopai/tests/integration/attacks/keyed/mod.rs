//! Attacks on keyed sessions: what somebody gets with a copied token, a copied request, another session's key or a copy of the
//! database. What honest clients may expect is in `yaopai/v1/session`.

mod confusion;
mod crash;
mod crossed;
mod downgrade;
mod dump;
mod floods;
mod hand;
mod moved;
mod profile;
mod replay;
mod stolen;
mod wechat;

use crate::support::{Phone, Setup, TestApp};

/// Keys are required.
async fn required() -> TestApp {
    TestApp::with(Setup { shop: "keyed = \"required\"", ..Setup::default() }).await
}

/// A victim, user `42`, in a keyed session.
async fn scene() -> (TestApp, Phone) {
    let app = required().await;
    let victim = app.customer("lilei", "42").keyed();
    victim.log_in().await;
    (app, victim)
}

/// A thief, user `666`, in a keyed session of their own.
async fn thief(app: &TestApp) -> Phone {
    let thief = app.customer("xiaoming", "666").keyed();
    thief.log_in().await;
    thief
}
