//! `[limits]`: how many tries there may be in a window.

use std::time::Duration;

use yaopai_core::limit::{Allowed, TryLimits};

use super::{ConfigError, file};

pub(super) fn read(file: &file::Limits) -> Result<TryLimits, ConfigError> {
    if !(60..=86_400).contains(&file.window) {
        return Err(ConfigError::value("limits.window", "must be 60 to 86400 seconds".into()));
    }
    let allowed = |per_identity, per_network, per_app| Allowed { per_identity, per_network, per_app };
    Ok(TryLimits {
        logins: allowed(file.logins_per_identity, file.logins_per_network, file.logins_per_app),
        binds: allowed(file.binds_per_identity, file.binds_per_network, file.binds_per_app),
        phone_numbers: allowed(
            file.phone_numbers_per_identity,
            file.phone_numbers_per_network,
            file.phone_numbers_per_app,
        ),
        failed_proofs: allowed(
            file.failed_proofs_per_identity,
            file.failed_proofs_per_network,
            file.failed_proofs_per_app,
        ),
        binds_per_account: file.binds_per_account,
        window: Duration::from_secs(file.window),
    })
}
