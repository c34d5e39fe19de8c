//! A new identity gets the user whom its unionid names, or none.

use super::*;

use yaopai_core::app::Yields;
use yaopai_core::ids::AppName;
use yaopai_core::ports::{LinkBy, Open, Opened, UserFound};
use yaopai_core::session::{EndReason, Limits, Session};

fn in_app(app: &str, open: Open) -> Open {
    let session = Session { app: AppName::from(app), unionid: Some("un".into()), ..open.session.clone() };
    Open { session, ..open }
}

/// A login in the app `mall` that may be linked to the users of `shop`.
fn linking(n: u8, openid: &str) -> Open {
    let link = LinkBy { apps: ["shop", "mall"].map(AppName::from).into(), first: false };
    Open { link: Some(link), ..in_app("mall", login(n, openid)) }
}

fn not_linked(opened: Opened) -> Session {
    match opened {
        Opened::NotLinked(session) => *session,
        other => panic!("{other:?}"),
    }
}

pub async fn a_new_identity_gets_the_user_of_its_unionid(mut lab: Lab) {
    lab.must_open(in_app("shop", login_as(1, "o1", "u"))).await;
    lab.reopen();
    let s = lab.must_open(linking(2, "m1")).await;
    assert_eq!((s.user, s.secrets.current_bound()), (Some(user("u")), true));
    let identity = lab.identity(&AppName::from("mall"), "m1").await.unwrap().unwrap();
    assert_eq!((identity.user, identity.bound_at), (Some(user("u")), Some(T0)));
    // A second app of the same person names no second user.
    let s = lab.must_open(in_app("club", Open { link: linking(3, "c").link, ..login(3, "c1") })).await;
    assert_eq!(s.user, Some(user("u")));
    // Whom nobody has is bound to nobody.
    let other = Session { unionid: Some("another".into()), ..linking(4, "m4").session };
    assert_eq!(lab.must_open(Open { session: other, ..linking(4, "m4") }).await.user, None);
    let without = Session { unionid: None, ..linking(5, "m5").session };
    assert_eq!(lab.must_open(Open { session: without, ..linking(5, "m5") }).await.user, None);
}

pub async fn several_users_are_not_guessed(lab: Lab) {
    lab.must_open(in_app("shop", login_as(1, "o1", "u"))).await;
    lab.must_open(in_app("mall", login_as(2, "m1", "v"))).await;
    let club = |n: u8, openid: &str| in_app("club", Open { link: linking(n, "c").link, ..login(n, openid) });
    assert_eq!(not_linked(lab.open(club(3, "c1")).await.unwrap()).user, None);
    // It is an identity like any other: the usual way binds it, and the next login is no question any more.
    assert_eq!(lab.must_open(club(4, "c1")).await.user, None);
    // A user who was made up for the login is taken, where nobody else is named.
    let made = |open: Open| Open {
        user: Some(found("made")),
        link: open.link.clone().map(|link| LinkBy { first: true, ..link }),
        ..open
    };
    assert_eq!(not_linked(lab.open(made(club(5, "c2"))).await.unwrap()).user, Some(user("made")));
}

pub async fn only_the_apps_that_count_and_the_realm(lab: Lab) {
    lab.must_open(in_app("club", login_as(1, "c1", "u"))).await;
    let far = Session { realm: other_realm(), ..in_app("far", login(2, "f1")).session };
    lab.must_open(Open { session: far, ..login_as(2, "f1", "v") }).await;
    let mut open = linking(3, "m1");
    open.link = open.link.map(|link| LinkBy { apps: ["shop", "mall", "far"].map(AppName::from).into(), ..link });
    assert_eq!(lab.must_open(open).await.user, None);
    let unasked = Open { link: None, ..linking(4, "m2") };
    lab.must_open(in_app("shop", login_as(5, "o1", "w"))).await;
    assert_eq!(lab.must_open(unasked).await.user, None);
}

pub async fn a_user_with_an_identity_of_the_app_gets_no_second(lab: Lab) {
    lab.must_open(in_app("shop", login_as(1, "o1", "u"))).await;
    // The person's other WeChat account.
    let other = Session { unionid: Some("second".into()), ..in_app("mall", login(2, "m1")).session };
    lab.must_open(Open { session: other, ..login_as(2, "m1", "u") }).await;
    assert_eq!(not_linked(lab.open(linking(3, "m2")).await.unwrap()).user, None);
    let allowed = Open { second_identity: true, ..linking(4, "m3") };
    assert_eq!(lab.must_open(allowed).await.user, Some(user("u")));
}

pub async fn the_back_end_s_word_goes_first(lab: Lab) {
    lab.must_open(in_app("shop", login_as(1, "o1", "u"))).await;
    let named = Open { user: Some(found("v")), ..linking(2, "m1") };
    assert_eq!(lab.must_open(named).await.user, Some(user("v")));
    lab.unbind_identity(&main(), who(2), None, T0).await.unwrap();
    // But not one that was made up for the login.
    let mut made = Open { user: Some(found("made")), ..linking(3, "m2") };
    made.link = made.link.map(|link| LinkBy { first: true, ..link });
    assert_eq!(lab.must_open(made).await.user, Some(user("u")));
}

/// Whoever unbound an identity meant it.
pub async fn one_that_is_not_new_is_not_linked(lab: Lab) {
    lab.must_open(in_app("shop", login_as(1, "o1", "u"))).await;
    lab.must_open(linking(2, "m1")).await;
    assert!(lab.unbind_identity(&main(), who(2), None, T0).await.unwrap());
    assert_eq!(lab.must_open(linking(3, "m1")).await.user, None);
}

pub async fn a_linked_session_is_the_user_s_whole(lab: Lab) {
    lab.must_open(in_app("shop", Open { user: Some(found_as("u", "boss")), ..login(1, "o1") })).await;
    lab.log.take();
    let second = |n: u8, openid: &str| Open { second_identity: true, ..linking(n, openid) };
    let s = lab.must_open(second(2, "m1")).await;
    assert_eq!(s.claims, Some(said("boss")), "what is said about the user is said here too");
    assert_eq!(lab.log.did(), [Did::Put(id(2))]);
    // And it is counted among the user's.
    let one = Limits { max: 1, max_of_type: None, yields: Yields::Oldest };
    lab.must_open(Open { limits: one, ..second(3, "m2") }).await;
    assert_eq!((lab.reason(2).await, lab.reason(1).await), (Some(EndReason::Replaced), None));
    let made = UserFound { claims: Some(said("made")), ..found("made") };
    let mut open = Open { user: Some(made), ..second(4, "m3") };
    open.link = open.link.map(|link| LinkBy { first: true, ..link });
    lab.must_open(open).await;
    assert_eq!(lab.claims(&main(), &user("u")).await.unwrap(), Some(said("boss")));
    assert_eq!(lab.claims(&main(), &user("made")).await.unwrap(), None);
}
