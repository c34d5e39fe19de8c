//! The rounds between requests.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::sync::watch;
use yaopai_core::Service;

use crate::admin::Health;
use crate::listen;
use crate::oauth::Issuer;
use crate::telemetry::Metrics;

/// Goes on until `stopping` turns true.
pub(super) async fn upkeep(
    (service, issuer): (Service, Arc<Issuer>),
    every: Duration,
    metrics: Arc<Metrics>,
    health: Arc<Health>,
    mut stopping: watch::Receiver<bool>,
) {
    loop {
        tokio::select! {
            () = listen::stopping(&mut stopping) => return,
            () = tokio::time::sleep(every) => {}
        }
        let done = service.upkeep().await;
        let world = service.world();
        metrics.upkept(world.presence.len(), done.is_ok());
        match done {
            Ok(done) => {
                health.upkept_at.store(world.clock.now().0, Ordering::Relaxed);
                tracing::debug!(?done, "upkeep");
            }
            Err(e) => tracing::warn!(error = ?e, "upkeep failed; the next round makes up for it"),
        }
        if let Err(e) = issuer.upkeep().await {
            tracing::warn!(error = %e, "the signing keys could not be looked after; the next round does it");
        }
    }
}
