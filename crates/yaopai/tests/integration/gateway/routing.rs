//! Which route a request takes, and what is asked of it.

use http::Method;

use super::world::World;
use crate::support::{Reply, Setup, TestApp, raw};

async fn get(world: &World, path: &str, token: Option<&str>) -> Reply {
    send(world, Method::GET, path, token).await
}

async fn send(world: &World, method: Method, path: &str, token: Option<&str>) -> Reply {
    let request = world.http.request(method, format!("{}{path}", world.public()));
    let request = if let Some(token) = token { request.bearer_auth(token) } else { request };
    Reply::of(request.send().await.unwrap()).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_check_says_who_passes() {
    let world = World::start().await;
    let (stranger, customer) = (world.phone("lilei"), world.customer("xiaohong", "张 三/1"));
    stranger.log_in().await;
    customer.log_in().await;

    assert_eq!(get(&world, "/shop/orders", None).await.refusal(), "401 session_missing");
    assert_eq!(get(&world, "/shop/orders", Some("yp1_junk")).await.refusal(), "401 session_unknown");
    assert_eq!(get(&world, "/shop/orders", Some(&stranger.token())).await.refusal(), "403 not_bound");
    assert_eq!(get(&world, "/open", Some("yp1_junk")).await.refusal(), "401 session_unknown");
    assert_eq!(world.upstream.targets(), Vec::<String>::new(), "a refused request reached the upstream");

    assert_eq!(get(&world, "/open", None).await.ok().text, "/open");
    assert_eq!(get(&world, "/session?a=/../b&c", Some(&stranger.token())).await.ok().text, "/session?a=/../b&c");
    assert_eq!(get(&world, "/shop/%E5%BC%A0?x=%2e", Some(&customer.token())).await.ok().text, "/shop/%E5%BC%A0?x=%2e");
    let [guest, unbound, bound] = &world.upstream.seen()[..] else { panic!("three came through") };
    assert!(guest.identity().is_empty(), "{:?}", guest.identity());
    assert_eq!((unbound.header("yaopai-user"), unbound.header("yaopai-app")), (None, Some("shop")));
    assert_eq!(bound.header("yaopai-user"), Some("%E5%BC%A0%20%E4%B8%89%2F1"));
    assert_eq!(bound.header("yaopai-openid"), Some(customer.openid().as_str()));
    assert!(bound.header("yaopai-vouched-at").is_some_and(|t| t.ends_with('Z')));
    assert_eq!(bound.header("authorization"), None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_comes_back_without_what_is_ours() {
    let world = World::start().await;
    let phone = world.customer_in("lilei", "1").await;
    let reply = get(&world, "/shop/x", Some(&phone.token())).await;
    assert_eq!((reply.header("yaopai-code"), reply.header("x-between")), (None, None));
    assert_eq!((reply.header("set-cookie"), reply.header("x-kept")), (Some("JSESSIONID=1"), Some("1")));
    let dropped = get(&world, "/dropped", Some(&phone.token())).await;
    assert_eq!(dropped.ok().header("set-cookie"), None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn paths_and_methods_without_a_route() {
    let world = World::start().await;
    let phone = world.customer_in("lilei", "1").await;
    let token = Some(phone.token());
    let token = token.as_deref();
    assert_eq!(send(&world, Method::POST, "/read/x", token).await.refusal(), "405 method_not_allowed");
    assert!(send(&world, Method::HEAD, "/read/x", token).await.status.is_success());
    // Ours is ours, also where nothing is.
    assert_eq!(get(&world, "/yaopai/v2/x", token).await.refusal(), "404 not_found");
    assert_eq!(get(&world, "/yaopai", token).await.refusal(), "404 not_found");
    assert_eq!(world.upstream.targets(), ["/read/x"]);
    // An escape is no way around a route.
    for path in ["/%73hop/orders", "/sho%70"] {
        assert_eq!(get(&world, path, None).await.refusal(), "401 session_missing", "{path}");
    }
    for path in ["/shop%2Forders", "/a;b", "//shop", "/a/%2e%2e/shop"] {
        // As bytes: a client would put them right.
        assert_eq!(raw::get(&world.public(), path, &[]).await.code(), "path_unclean", "{path}");
    }
    assert_eq!(world.upstream.targets(), ["/read/x"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_routes_there_is_no_gateway() {
    let app = TestApp::with(Setup::default()).await;
    let url = format!("{}/anything", app.addresses().public);
    assert_eq!(Reply::of(app.http.get(url).send().await.unwrap()).await.refusal(), "404 not_found");
}

/// The client is told that its session has risen, once, as by the API.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_that_the_back_end_has_bound_says_so() {
    let world = World::with("", Setup { binding: "api", ..Setup::default() }).await;
    let phone = world.phone("lilei");
    phone.log_in().await;
    let token = phone.token();
    let told = || async { get(&world, "/session", Some(&token)).await.ok().header("yaopai-bound").map(str::to_owned) };
    assert_eq!(told().await, None);
    let body = serde_json::json!({ "app": "shop", "openid": phone.openid(), "user": "42" });
    world.app.admin("POST", "/admin/v1/bindings", Some(body)).await.ok();
    assert_eq!(told().await.as_deref(), Some("1"));
    phone.read().await.ok();
    assert_eq!(told().await, None);
}
