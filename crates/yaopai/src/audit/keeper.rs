//! Writes what waits, exports heads, deletes what is too old.

use std::path::PathBuf;
use std::time::Duration;

use tokio::sync::watch;
use yaopai_core::Service;
use yaopai_core::audit::Head;

use super::heads;
use crate::listen;

/// How often what waits is written.
const WRITE_EVERY: Duration = Duration::from_millis(250);
/// How often the head is exported and old rows are deleted.
const EXPORT_EVERY: Duration = Duration::from_secs(60);

/// How the log is kept.
#[derive(Debug, Clone)]
pub struct Keeper {
    /// How long rows are kept.
    pub retention: Duration,
    /// Where heads are appended to.
    pub heads_file: Option<PathBuf>,
}

/// Until the server stops: then what still waits is written, and the last head exported.
pub async fn keep(service: Service, keeper: Keeper, mut stopping: watch::Receiver<bool>) {
    compare(&service, &keeper).await;
    let (mut exported, mut since) = (None, Duration::ZERO);
    loop {
        tokio::select! {
            () = listen::stopping(&mut stopping) => return,
            () = tokio::time::sleep(WRITE_EVERY) => {}
        }
        if let Err(e) = service.write_audit(false).await {
            tracing::warn!(error = ?e, "audit events were not written; the next that can says how many");
        }
        since += WRITE_EVERY;
        if since >= EXPORT_EVERY {
            since = Duration::ZERO;
            export(&service, &keeper, &mut exported).await;
            let (now, _) = service.now();
            if let Err(e) = service.purge_audit(now - keeper.retention).await {
                tracing::warn!(error = ?e, "old audit rows were not deleted; the next round goes on");
            }
        }
    }
}

/// After the listeners have stopped: nothing is told any more.
pub async fn finish(service: &Service, keeper: &Keeper) {
    if let Err(e) = service.write_audit(true).await {
        tracing::error!(error = ?e, "the last audit events were not written");
    }
    export(service, keeper, &mut None).await;
}

/// Exports the head, if it has moved.
async fn export(service: &Service, keeper: &Keeper, exported: &mut Option<Head>) {
    let head = match service.audit_head().await {
        Ok(Some(head)) if Some(head) != *exported => head,
        Ok(_) => return,
        Err(e) => return tracing::warn!(error = ?e, "the audit log's head was not read"),
    };
    let (now, _) = service.now();
    tracing::info!(target: "audit", seq = head.seq, mac = %hex::encode(head.mac), "head");
    if let Some(path) = keeper.heads_file.clone() {
        let written = tokio::task::spawn_blocking(move || heads::append(&path, &head, now)).await;
        match written.unwrap_or_else(|e| Err(std::io::Error::other(e))) {
            Ok(()) => {}
            // Not noted as exported: the next round tries again.
            Err(e) => return tracing::error!(error = %e, "audit.heads_file: the head was not appended"),
        }
    }
    *exported = Some(head);
}

/// Does the chain hold the head that was exported last? If not, the database is an older copy, or its tail was cut off.
async fn compare(service: &Service, keeper: &Keeper) {
    let Some(path) = keeper.heads_file.clone() else { return };
    let last = tokio::task::spawn_blocking(move || heads::last(&path)).await;
    let exported = match last {
        Ok(Ok(Some(head))) => head,
        Ok(Ok(None)) => return,
        Ok(Err(e)) => return tracing::error!(error = %e, "audit.heads_file can't be read"),
        Err(e) => return tracing::error!(error = %e, "audit.heads_file can't be read"),
    };
    let store = &service.world().store;
    let found = async {
        if let Some(checkpoint) = store.audit_checkpoint().await?
            && exported.seq <= checkpoint.head.seq
        {
            return Ok(exported.seq < checkpoint.head.seq || exported == checkpoint.head);
        }
        if exported.seq == 0 {
            return Ok(true);
        }
        let row = store.audit_rows(None, exported.seq - 1, 1).await?;
        Ok::<_, yaopai_core::ports::StoreError>(row.first().is_some_and(|kept| kept.row.head() == exported))
    };
    match found.await {
        Ok(true) => {}
        Ok(false) => tracing::error!(
            seq = exported.seq,
            "the audit log does not hold the head that was exported last: this is an older copy of the database, or rows were \
             cut off or written anew; `yaopai audit verify` says which"
        ),
        Err(e) => tracing::warn!(error = %e, "the audit log was not compared with the exported heads"),
    }
}

#[cfg(test)]
mod tests {
    use yaopai_core::time::Timestamp;

    use super::super::heads::BadHeads;
    use super::*;

    #[test]
    fn a_file_of_heads() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("heads");
        assert_eq!(heads::last(&path).unwrap(), None);
        let all: Vec<Head> = (1..100).map(|seq| Head { seq, mac: [u8::try_from(seq).unwrap(); 32] }).collect();
        all.iter().for_each(|head| heads::append(&path, head, Timestamp(0)).unwrap());
        assert_eq!(heads::read(&path).unwrap(), all);
        assert_eq!(heads::last(&path).unwrap().as_ref(), all.last());
        // Killed while it wrote.
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, &text[..text.len() - 9]).unwrap();
        assert_eq!(heads::read(&path).unwrap(), all[..98]);
        assert_eq!(heads::last(&path).unwrap(), Some(all[97]));
        std::fs::write(&path, "{}\n").unwrap();
        assert!(matches!(heads::read(&path), Err(BadHeads::Line(1))));
    }
}
