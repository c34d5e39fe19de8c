//! The checks that types can't make. The control API uses them for what it adds, too.

use std::collections::HashSet;

use super::{AppConfig, Config, ConfigError, Secret, UserConfig};

/// Longest name, id or secret, in bytes.
const MAX_TEXT: usize = 512;
const MIN_CONTROL_TOKEN: usize = 16;

fn invalid<T>(message: String) -> Result<T, ConfigError> {
    Err(ConfigError::Invalid(message))
}

pub(super) fn config(config: &Config) -> Result<(), ConfigError> {
    if let Some(token) = &config.control_token
        && (token.expose().len() < MIN_CONTROL_TOKEN || !token.expose().bytes().all(|byte| byte.is_ascii_graphic()))
    {
        return invalid(format!("control_token: at least {MIN_CONTROL_TOKEN} printable ASCII characters"));
    }
    let mut appids = HashSet::new();
    for app in &config.apps {
        check_app(app)?;
        if !appids.insert(&app.appid) {
            return invalid(format!("apps: the appid {:?} is there twice", app.appid));
        }
    }
    let mut names = HashSet::new();
    let mut openids = HashSet::new();
    for user in &config.users {
        check_user(user)?;
        if !names.insert(&user.name) {
            return invalid(format!("users: the name {:?} is there twice", user.name));
        }
        for (appid, openid) in &user.openids {
            if !appids.contains(appid) {
                return invalid(format!("users: {:?} has an openid for {appid:?}, which is no app", user.name));
            }
            if !openids.insert((appid, openid)) {
                return invalid(format!("users: the openid {openid:?} is there twice"));
            }
        }
    }
    match &config.mock_code_user {
        Some(name) if !names.contains(name) => invalid(format!("mock_code_user: no user has the name {name:?}")),
        _ => Ok(()),
    }
}

pub(crate) fn check_app(app: &AppConfig) -> Result<(), ConfigError> {
    let digits = app.appid.strip_prefix("wx").unwrap_or_default();
    if digits.len() != 16 || !digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
        return invalid(format!("apps: the appid {:?} is not `wx` and 16 lower-case hex digits", app.appid));
    }
    check_secret(&app.appid, &app.secret)?;
    if let Some(push) = &app.push {
        push.check(&app.appid)?;
    }
    if app.open_platform.len() > MAX_TEXT {
        return invalid(format!("apps: the open_platform of {} is too long", app.appid));
    }
    Ok(())
}

pub(crate) fn check_secret(appid: &str, secret: &Secret) -> Result<(), ConfigError> {
    if secret.expose().is_empty() || secret.expose().len() > MAX_TEXT {
        return invalid(format!("apps: the secret of {appid} is empty or too long"));
    }
    Ok(())
}

pub(crate) fn check_user(user: &UserConfig) -> Result<(), ConfigError> {
    if user.name.is_empty() || user.name.len() > 64 {
        return invalid(format!("users: the name {:?} is not 1 to 64 bytes long", user.name));
    }
    let ids = user.openids.values().chain(&user.unionid).chain(&user.phone);
    for id in ids {
        if id.is_empty() || id.len() > MAX_TEXT {
            return invalid(format!("users: an id or phone number of {:?} is empty or too long", user.name));
        }
    }
    Ok(())
}
