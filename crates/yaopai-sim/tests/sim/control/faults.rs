use reqwest::Method;
use serde_json::json;
use yaopai_sim::DEFAULT_APPID;

use crate::support::world;

#[tokio::test]
async fn a_fault_is_set_listed_and_cleared() {
    let world = world().await;
    let body = json!({"kind": "errcode", "errcode": 45009, "endpoint": "jscode2session", "user": "lilei", "times": 2});
    let reply = world.control_post("/faults", &body).await;
    assert_eq!(reply.status, 201);
    let id = reply.json()["id"].as_u64().unwrap();
    assert_eq!(world.login_as("lilei").await.errcode(), 45009);
    let listed = world.control_get("/faults").await["faults"][0].clone();
    assert_eq!((&listed["id"], &listed["struck"], &listed["fault"]["times"]), (&json!(id), &json!(1), &json!(1)));
    let path = format!("/faults/{id}");
    assert_eq!(world.control(Method::DELETE, &path, None).await.status, 204);
    assert_eq!(world.control(Method::DELETE, &path, None).await.status, 404);
    assert_eq!(world.login_as("lilei").await.errcode(), 0);
}

#[tokio::test]
async fn all_faults_are_cleared() {
    let world = world().await;
    for kind in ["reset", "bad_gateway", "truncated_body", "cut_body", "empty_body", "string_errcode"] {
        assert_eq!(world.control_post("/faults", &json!({"kind": kind})).await.status, 201, "{kind}");
    }
    assert_eq!(world.control(Method::DELETE, "/faults", None).await.status, 204);
    assert_eq!(world.control_get("/faults").await, json!({"faults": []}));
    assert_eq!(world.login_as("lilei").await.errcode(), 0);
}

#[tokio::test]
async fn nonsense_is_refused() {
    let world = world().await;
    for (body, status, word) in [
        (json!({"kind": "explode"}), 400, "unknown variant `explode`"),
        (json!({}), 400, "missing field `kind`"),
        (json!({"kind": "delay"}), 400, "ms"),
        (json!({"kind": "reset", "ms": 5}), 400, "ms"),
        (json!({"kind": "reset", "endpoint": "login"}), 400, "unknown variant `login`"),
        (json!({"kind": "cut_body", "when": "before"}), 400, "when"),
        (json!({"kind": "reset", "user": "nobody"}), 404, "nobody"),
        (json!({"kind": "reset", "app": "wx0"}), 404, "wx0"),
    ] {
        let reply = world.control_post("/faults", &body).await;
        assert_eq!(reply.status, status, "{body}");
        assert!(reply.field("message").contains(word), "{}", reply.text);
    }
    assert_eq!(world.faults(), []);
}

/// The names of the control API are those of the paths.
#[tokio::test]
async fn every_endpoint_has_its_name() {
    let world = world().await;
    for endpoint in yaopai_sim::Endpoint::ALL {
        let body = json!({"kind": "reset", "endpoint": endpoint.name(), "app": DEFAULT_APPID});
        assert_eq!(world.control_post("/faults", &body).await.status, 201, "{}", endpoint.name());
        assert_eq!(world.calls(endpoint.name()), 0);
    }
}
