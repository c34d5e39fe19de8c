//! Control of what is WeChat's: codes, keys, tokens, apps, users.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{Path, State as Shared},
    http::StatusCode,
    routing::{get, post},
};
use serde_json::{Map, Value, json};

use super::{
    Answer, Body, ControlError,
    bodies::{Action, AppOnly, EncryptBody, KeyAction, NewSecret, UserPatch, Who},
    handle,
};
use crate::{AppConfig, Encrypt, SimError, UserConfig, simulator::Core};

pub(super) fn routes() -> Router<Arc<Core>> {
    Router::new()
        .route("/code", post(issue_code))
        .route("/code/{code}", get(code))
        .route("/phone-code", post(issue_phone_code))
        .route("/phone-code/{code}", get(phone_code))
        .route("/session-key", post(session_key))
        .route("/user-key", post(user_key))
        .route("/encrypted-data", post(encrypted_data))
        .route("/access-tokens/revoke", post(revoke))
        .route("/users", get(users).post(add_user))
        .route("/users/{name}", get(user).patch(change_user))
        .route("/apps", get(apps))
        .route("/apps/{appid}", get(app).patch(change_app))
        .route("/apps/{appid}/secret", post(rotate_secret))
}

async fn issue_code(Shared(core): Shared<Arc<Core>>, Body(who): Body<Who>) -> Answer<(StatusCode, Json<Value>)> {
    let handle = handle(&core);
    let app = handle.app_or_only(who.app.as_deref())?;
    let code = handle.issue_code(&app, &who.user)?;
    Ok((StatusCode::CREATED, Json(json!({"code": code, "app": app}))))
}

async fn code(Shared(core): Shared<Arc<Core>>, Path(code): Path<String>) -> Answer {
    let handle = handle(&core);
    match handle.code(&code) {
        Some(info) => Ok(Json(json!(info))),
        // DevTools' code was never issued, but its exchanges count, too.
        None if code == crate::MOCK_CODE => Ok(Json(json!({"exchanges": handle.exchanges_of(&code)}))),
        None => Err(ControlError::NotFound("no such code")),
    }
}

async fn issue_phone_code(Shared(core): Shared<Arc<Core>>, Body(who): Body<Who>) -> Answer<(StatusCode, Json<Value>)> {
    let handle = handle(&core);
    let app = handle.app_or_only(who.app.as_deref())?;
    let code = handle.issue_phone_code(&app, &who.user)?;
    Ok((StatusCode::CREATED, Json(json!({"code": code, "app": app}))))
}

async fn phone_code(Shared(core): Shared<Arc<Core>>, Path(code): Path<String>) -> Answer {
    let info = handle(&core).phone_code(&code).ok_or(ControlError::NotFound("no such code"))?;
    Ok(Json(json!(info)))
}

async fn session_key(Shared(core): Shared<Arc<Core>>, Body(body): Body<KeyAction>) -> Answer {
    let handle = handle(&core);
    let app = handle.app_or_only(body.app.as_deref())?;
    match body.action {
        Action::Show => {}
        Action::Rotate => drop(handle.rotate_session_key(&app, &body.user)?),
        Action::Expire => handle.expire_session_key(&app, &body.user)?,
        Action::Set => handle.set_session_key(&app, &body.user, body.session_key.as_deref().unwrap_or_default())?,
    }
    Ok(Json(json!({"session_key": handle.session_key(&app, &body.user)?})))
}

async fn user_key(Shared(core): Shared<Arc<Core>>, Body(body): Body<KeyAction>) -> Answer {
    let handle = handle(&core);
    let app = handle.app_or_only(body.app.as_deref())?;
    match body.action {
        Action::Show => {}
        Action::Rotate => handle.rotate_user_key(&app, &body.user)?,
        Action::Expire | Action::Set => {
            return Err(SimError::Invalid("action: a user key is only shown or rotated".to_owned()).into());
        }
    }
    Ok(Json(json!(handle.user_key(&app, &body.user)?)))
}

async fn encrypted_data(Shared(core): Shared<Arc<Core>>, Body(body): Body<EncryptBody>) -> Answer {
    let handle = handle(&core);
    let EncryptBody { app, user, data, key, watermark_appid, watermark_timestamp, spoil } = body;
    let app = handle.app_or_only(app.as_deref())?;
    let how = Encrypt { data, key, watermark_appid, watermark_timestamp, spoil };
    Ok(Json(json!(handle.encrypt(&app, &user, &how)?)))
}

async fn revoke(Shared(core): Shared<Arc<Core>>, Body(body): Body<AppOnly>) -> Answer<StatusCode> {
    let handle = handle(&core);
    let app = handle.app_or_only(body.app.as_deref())?;
    handle.revoke_access_tokens(&app)?;
    Ok(StatusCode::NO_CONTENT)
}

async fn users(Shared(core): Shared<Arc<Core>>) -> Json<Value> {
    Json(json!({"users": handle(&core).users()}))
}

async fn add_user(Shared(core): Shared<Arc<Core>>, Body(user): Body<UserConfig>) -> Answer<(StatusCode, Json<Value>)> {
    let added = handle(&core).add_user(user)?;
    Ok((StatusCode::CREATED, Json(json!(added))))
}

async fn user(Shared(core): Shared<Arc<Core>>, Path(name): Path<String>) -> Answer {
    Ok(Json(json!(handle(&core).user(&name)?)))
}

async fn change_user(
    Shared(core): Shared<Arc<Core>>,
    Path(name): Path<String>,
    Body(patch): Body<UserPatch>,
) -> Answer {
    let handle = handle(&core);
    if let Some(phone) = &patch.phone {
        handle.set_phone(&name, phone)?;
    }
    if let Some(blocked) = patch.blocked {
        handle.block_user(&name, blocked)?;
    }
    Ok(Json(json!(handle.user(&name)?)))
}

async fn apps(Shared(core): Shared<Arc<Core>>) -> Json<Value> {
    let apps: Vec<_> = handle(&core).apps().iter().map(without_secret).collect();
    Json(json!({"apps": apps}))
}

async fn app(Shared(core): Shared<Arc<Core>>, Path(appid): Path<String>) -> Answer {
    let apps = handle(&core).apps();
    let app = apps.iter().find(|app| app.appid == appid).ok_or(SimError::UnknownApp(appid))?;
    Ok(Json(without_secret(app)))
}

fn without_secret(app: &AppConfig) -> Value {
    let mut shown = json!(app);
    if let Some(fields) = shown.as_object_mut() {
        fields.shift_remove("secret");
    }
    if let Some(push) = shown.get_mut("push").and_then(Value::as_object_mut) {
        push.retain(|name, _| !matches!(name.as_str(), "token" | "encoding_aes_key"));
    }
    shown
}

/// The body has the shape of an app in the configuration, of which only what is named changes (RFC 7396).
async fn change_app(
    Shared(core): Shared<Arc<Core>>,
    Path(appid): Path<String>,
    Body(patch): Body<Map<String, Value>>,
) -> Answer {
    let handle = handle(&core);
    if let Some(fixed) = ["appid", "open_platform"].into_iter().find(|key| patch.contains_key(*key)) {
        return Err(SimError::Invalid(format!("{fixed}: can't change while the simulator runs")).into());
    }
    handle.try_update_app(&appid, |app| {
        let mut merged = json!(app);
        merge(&mut merged, Value::Object(patch));
        *app = serde_json::from_value(merged).map_err(|error| SimError::Invalid(error.to_string()))?;
        Ok(())
    })?;
    app(Shared(core), Path(appid)).await
}

async fn rotate_secret(
    Shared(core): Shared<Arc<Core>>,
    Path(appid): Path<String>,
    Body(body): Body<NewSecret>,
) -> Answer {
    let secret = handle(&core).rotate_secret(&appid, body.secret)?;
    Ok(Json(json!({"secret": secret})))
}

/// RFC 7396: objects are merged, null takes a field away (so that it has its default), anything else replaces.
fn merge(target: &mut Value, patch: Value) {
    let Value::Object(patch) = patch else {
        *target = patch;
        return;
    };
    if !target.is_object() {
        *target = json!({});
    }
    let Some(fields) = target.as_object_mut() else { return };
    for (key, value) in patch {
        if value.is_null() {
            fields.shift_remove(&key);
        } else {
            merge(fields.entry(key).or_insert(Value::Null), value);
        }
    }
}
