//! Bringing in the bindings that a business system has already. Not part of [`Service`](super::Service): no call over the
//! network leads here, because here an openid is believed that no platform vouched for.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::app::Apps;
use crate::error::Result;
use crate::ids::{AppName, IdentityId};
use crate::ports::{
    BindTerms, Clock, Entropy, FileHash, ImportLog, ImportMark, ImportOutcome, ImportPiece, ImportRow, ImportTerms,
    Store, UserFound,
};
use crate::session::RiseLimits;
use crate::time::{Timestamp, Uptime, millis};

/// A binding as a file says it.
#[derive(Debug, Clone)]
pub struct FileBinding {
    /// One of the configured apps.
    pub app: AppName,
    /// The platform's id of the person in the app.
    pub openid: String,
    /// The platform's id of the person over its apps.
    pub unionid: Option<String>,
    /// The user, and what is said about it.
    pub user: UserFound,
    /// Since when, if the file knows it.
    pub bound_at: Option<Timestamp>,
}

/// Brings in files of bindings while no server runs.
pub struct Importer {
    apps: Apps,
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    /// The idle time line stands still as long as no server runs, however long an import takes.
    up: Uptime,
}

impl Importer {
    /// Starts on a store that is nobody else's meanwhile.
    ///
    /// # Errors
    /// The store's.
    pub async fn start(
        apps: Apps,
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self> {
        let now = clock.now();
        let up = now.uptime(store.resume(now).await?);
        Ok(Self { apps, store, clock, entropy, up })
    }

    /// How far the file has come in, if an import of it was cut off.
    ///
    /// # Errors
    /// The store's.
    pub async fn mark(&self, file: &FileHash) -> Result<Option<ImportMark>> {
        Ok(self.store.import_mark(file).await?)
    }

    /// Brings in the bindings that stand between two places of the file, in bytes. See [`Store::import_bindings`].
    ///
    /// # Errors
    /// The store's, and the log's.
    pub async fn bring_in(
        &self,
        file: FileHash,
        (from, to): (u64, u64),
        bindings: Vec<FileBinding>,
        log: Arc<dyn ImportLog>,
    ) -> Result<Vec<ImportOutcome>> {
        let now = self.clock.now();
        let row = |b: FileBinding| ImportRow {
            new_identity: IdentityId::new(now, &*self.entropy),
            app: b.app,
            openid: b.openid,
            unionid: b.unionid,
            user: b.user,
            bound_at: b.bound_at,
        };
        let rows = bindings.into_iter().map(row).collect();
        let piece = ImportPiece { file, from, to, rows, terms: Arc::new(self.terms(now)), log };
        Ok(self.store.import_bindings(piece).await?)
    }

    /// The file is in: the next import of it begins anew.
    ///
    /// # Errors
    /// The store's.
    pub async fn end(&self, file: &FileHash) -> Result<()> {
        Ok(self.store.end_import(file).await?)
    }

    fn terms(&self, now: Timestamp) -> BTreeMap<AppName, ImportTerms> {
        let of = |app: &Arc<crate::app::App>| {
            let bind = BindTerms {
                second_identity: app.policy.second_identity,
                limits: RiseLimits::of(&app.policy),
                idle_ms: millis(app.policy.idle),
                up: self.up,
                now,
            };
            (app.name.clone(), ImportTerms { realm: app.realm.clone(), bind })
        };
        self.apps.iter().map(of).collect()
    }
}
