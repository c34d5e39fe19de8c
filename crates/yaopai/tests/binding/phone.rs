//! Binding by a phone number: the platform tells it, the back end says whose it is.

use yaopai_core::app::{BindingWay, Policy};
use yaopai_core::ports::PlatformError;

use super::world::{World, outcome};

const NUMBER: &str = "13800138000";

/// A back end that has the number in its table.
async fn world() -> World {
    let world = World::new(Policy { second_identity: true, ..Policy::default() }).await;
    world.back_end.numbers.lock().unwrap().insert(NUMBER.into(), "42".into());
    world
}

fn code(openid: &str) -> String {
    format!("{openid}/{NUMBER}")
}

#[tokio::test]
async fn the_number_is_the_back_end_s_evidence() {
    let world = world().await;
    let token = world.log_in("o1").await;
    let granted = world.bind_by_phone(&token, "r1", &code("o1")).await.unwrap();
    assert_eq!((granted.bound, granted.session.user.as_ref().unwrap().as_str()), (true, "42"));
    assert_eq!(*world.back_end.shown.lock().unwrap(), [NUMBER]);
    // The same request again is answered, and asks neither.
    let again = world.bind_by_phone(&token, "r1", &code("o1")).await.unwrap();
    assert_eq!(again.token.unwrap().reveal(), granted.token.unwrap().reveal());
    assert_eq!((world.platform.asked.lock().unwrap().len(), world.back_end.shown.lock().unwrap().len()), (1, 1));
}

#[tokio::test]
async fn a_number_that_the_back_end_does_not_know() {
    let world = world().await;
    let token = world.log_in("o1").await;
    assert_eq!(outcome(world.bind_by_phone(&token, "r1", "o1/13900139000").await), "binding_rejected");
}

/// Another person's code, taken from their screen or their network, tells nothing and binds nobody.
#[tokio::test]
async fn another_person_s_phone_code_is_refused() {
    let world = world().await;
    world.log_in("o1").await;
    let thief = world.log_in("o2").await;
    assert_eq!(outcome(world.bind_by_phone(&thief, "r1", &code("o1")).await), "code_invalid");
    // Also right after its owner has redeemed it: what is remembered of a code is the owner's.
    let owner = world.log_in("o1").await;
    assert_eq!(outcome(world.bind_by_phone(&owner, "r2", &code("o1")).await), "42");
    assert_ne!(outcome(world.bind_by_phone(&thief, "r3", &code("o1")).await), "42");
    assert_eq!(world.back_end.shown.lock().unwrap().len(), 1);
}

/// The number's last owner has an identity in the app; its next owner must not become that user, even in an app where a user
/// may have two identities.
#[tokio::test]
async fn a_recycled_number_binds_nobody_to_its_last_owner() {
    let world = world().await;
    let last = world.log_in("o1").await;
    assert_eq!(outcome(world.bind_by_phone(&last, "r1", &code("o1")).await), "42");
    let next = world.log_in("o2").await;
    assert_eq!(outcome(world.bind_by_phone(&next, "r2", &code("o2")).await), "binding_conflict");
    // A new session and another try change nothing.
    let next = world.log_in("o2").await;
    assert_eq!(outcome(world.bind_by_phone(&next, "r3", &(code("o2") + "#2")).await), "binding_conflict");
}

/// What fails behind the platform's word costs the person no second tap, and the platform no second call.
#[tokio::test]
async fn a_code_is_redeemed_once_however_often_the_bind_is_sent() {
    let world = world().await;
    let token = world.log_in("o1").await;
    *world.back_end.down.lock().unwrap() = true;
    for _ in 0..3 {
        assert_eq!(outcome(world.bind_by_phone(&token, "r1", &code("o1")).await), "backend_unavailable");
    }
    *world.back_end.down.lock().unwrap() = false;
    let code = code("o1");
    let copies = (0..2).map(|_| world.bind_by_phone(&token, "r1", &code));
    for copy in futures_util::future::join_all(copies).await {
        assert_eq!(outcome(copy), "42");
    }
    assert_eq!(world.platform.asked.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_number_is_its_session_s_and_remembered_while_the_platform_knows_the_code() {
    let world = world().await;
    let (token, other) = (world.log_in("o1").await, world.log_in("o1").await);
    *world.back_end.down.lock().unwrap() = true;
    assert_eq!(outcome(world.bind_by_phone(&token, "r1", &code("o1")).await), "backend_unavailable");
    *world.back_end.down.lock().unwrap() = false;
    world.advance(359);
    world.service.upkeep().await.unwrap();
    assert_eq!(outcome(world.bind_by_phone(&other, "r2", &code("o1")).await), "code_used");
    assert_eq!(outcome(world.bind_by_phone(&token, "r1", &code("o1")).await), "42");
    assert_eq!(world.platform.asked.lock().unwrap().len(), 1, "a spent code is not sent again");
    // From then on it is the platform that knows.
    world.advance(1);
    world.service.upkeep().await.unwrap();
    assert_eq!(outcome(world.bind_by_phone(&other, "r3", &code("o1")).await), "code_used");
    assert_eq!(world.platform.asked.lock().unwrap().len(), 2);
}

#[tokio::test]
async fn only_a_code_that_never_arrived_is_sent_again() {
    let world = world().await;
    let token = world.log_in("o1").await;
    let what = || "a test".to_owned();
    *world.platform.fails.lock().unwrap() = Some(PlatformError::NotReached { retry_after: 1, what: what() });
    for _ in 0..2 {
        assert_eq!(outcome(world.bind_by_phone(&token, "r1", &code("o1")).await), "platform_unavailable");
    }
    assert_eq!(world.platform.asked.lock().unwrap().len(), 2);
    *world.platform.fails.lock().unwrap() = Some(PlatformError::Unavailable { retry_after: 1, what: what() });
    for _ in 0..2 {
        assert_eq!(outcome(world.bind_by_phone(&token, "r1", &code("o1")).await), "platform_unavailable");
    }
    assert_eq!(world.platform.asked.lock().unwrap().len(), 3, "it may have arrived");
}

#[tokio::test]
async fn an_app_that_binds_otherwise_spends_no_code() {
    for binding in [BindingWay::Auto, BindingWay::Api] {
        let world = World::new(Policy { binding, ..Policy::default() }).await;
        let token = world.log_in("o1").await;
        assert_eq!(outcome(world.bind_by_phone(&token, "r1", &code("o1")).await), "field_invalid");
        assert_eq!(world.platform.asked.lock().unwrap().len(), 0);
    }
}
