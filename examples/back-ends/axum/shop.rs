//! A shop in axum behind Yaopai: who is calling stands in the request's headers, and nobody but Yaopai can put it there.
//!
//! ```sh
//! PORT=8080 cargo run -p yaopai --example back_end
//! ```

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use axum::extract::{FromRequestParts, Path, State};
use axum::routing::{get, post};
use axum::{Json, Router};
use http::StatusCode;
use http::request::Parts;
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

/// What is in whose cart, by user.
type Carts = Arc<Mutex<HashMap<String, Vec<String>>>>;

/// The user who is calling: an argument of every handler that needs one.
struct User(String);

impl<S: Sync> FromRequestParts<S> for User {
    type Rejection = (StatusCode, Json<Value>);

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        // Percent-encoded, since a user's id may be any text; empty for a guest.
        let shown = parts.headers.get("yaopai-user").and_then(|value| value.to_str().ok()).unwrap_or_default();
        match percent_decode_str(shown).decode_utf8() {
            Ok(user) if !user.is_empty() => Ok(Self(user.into_owned())),
            _ => Err((StatusCode::UNAUTHORIZED, Json(json!({ "error": "log in first" })))),
        }
    }
}

#[tokio::main]
#[allow(clippy::print_stdout, reason = "whoever starts it learns the port")]
async fn main() -> std::io::Result<()> {
    let port: u16 = std::env::var("PORT").ok().and_then(|port| port.parse().ok()).unwrap_or(8080);
    // On loopback: whoever reaches this without going through Yaopai can call himself anybody.
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await?;
    println!("listening on {}", listener.local_addr()?.port());
    axum::serve(listener, shop()).await
}

fn shop() -> Router {
    Router::new()
        .route("/account", get(async |User(user): User| Json(json!({ "user": user }))))
        .route("/cart", get(cart))
        .route("/cart/{item}", post(add))
        .with_state(Carts::default())
}

async fn cart(State(carts): State<Carts>, User(user): User) -> Json<Value> {
    let items = carts.lock().expect("nothing panics under the lock").get(&user).cloned().unwrap_or_default();
    Json(json!({ "items": items, "user": user }))
}

async fn add(State(carts): State<Carts>, User(user): User, Path(item): Path<String>) -> Json<Value> {
    let mut carts = carts.lock().expect("nothing panics under the lock");
    let items = carts.entry(user.clone()).or_default();
    items.push(item);
    Json(json!({ "items": items, "user": user }))
}
