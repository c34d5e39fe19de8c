//! What a login costs PostgreSQL itself: the same rows into the same tables, in the same batches, by a plain loop over prepared
//! statements. A batch ends, as the store's does, with one statement that writes what other nodes are told.

use std::error::Error;

use bytes::BytesMut;
use tokio_postgres::types::{IsNull, ToSql, Type, accepts, to_sql_checked};
use tokio_postgres::{Client, NoTls, Statement};
use yaopai_core::ports::AuditRow;

use super::Rows;

const IDENTITY: &str = "INSERT INTO identities (id, realm, app, openid, unionid, session_key, user_id, bound_at, created_at, vouched_at) \
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
const CLAIMS: &str = "INSERT INTO users (realm, user_id, claims) VALUES ($1, $2, $3)";
const SESSION: &str = "INSERT INTO sessions (id, realm, app, identity, user_id, device_id, device_type, device_name, env_version, \
    created_at, vouched_at, absolute_at, last_seen, key_kind, secrets) \
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)";
const LOGIN: &str = "INSERT INTO logins (key, session, sealed, expires_at) VALUES ($1, $2, $3, $4)";
const AUDIT: &str =
    "INSERT INTO audit (node, seq, at, realm, clear, person, sealed, mac) VALUES (1, $1, $2, $3, $4, $5, $6, $7)";
const AUDIT_KEY: &str = "INSERT INTO audit_keys (node, no, period, owner, salt) VALUES (1, $1, 0, $2, $3)";
const CHANGES: &str = "INSERT INTO changes (session, ended) SELECT unnest($1::uuid[]), false";

/// A connection with its statements.
pub(super) struct Raw {
    client: Client,
    identity: Statement,
    claims: Statement,
    session: Statement,
    login: Statement,
    audit: Statement,
    audit_key: Statement,
    changes: Statement,
}

impl Raw {
    /// Connects to a database that has the schema, on the runtime that is current.
    pub async fn connect(url: &str) -> anyhow::Result<Self> {
        let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
        tokio::spawn(connection);
        Ok(Self {
            identity: client.prepare(IDENTITY).await?,
            claims: client.prepare(CLAIMS).await?,
            session: client.prepare(SESSION).await?,
            login: client.prepare(LOGIN).await?,
            audit: client.prepare(AUDIT).await?,
            audit_key: client.prepare(AUDIT_KEY).await?,
            changes: client.prepare(CHANGES).await?,
            client,
        })
    }

    /// Inserts all rows, a commit for each batch.
    pub async fn insert(&mut self, rows: &[Rows], batches: &[usize]) -> anyhow::Result<()> {
        let mut rest = rows;
        for size in batches {
            let (batch, after) = rest.split_at((*size).min(rest.len()));
            rest = after;
            self.client.batch_execute("BEGIN").await?;
            for row in batch {
                self.one(row).await?;
            }
            let sessions: Vec<Uuid> = batch.iter().map(|row| Uuid(row.open.session.id.0)).collect();
            self.client.execute(&self.changes, &[&sessions]).await?;
            self.client.batch_execute("COMMIT").await?;
        }
        anyhow::ensure!(rest.is_empty(), "{} rows are in no batch", rest.len());
        Ok(())
    }

    async fn one(&self, Rows { open, secrets, told }: &Rows) -> anyhow::Result<()> {
        let s = &open.session;
        let now = s.created_at.0;
        let user = open.user.as_ref();
        let (session, identity) = (Uuid(s.id.0), Uuid(open.new_identity.0));
        let user_id = user.map(|user| user.user.as_str().as_bytes());
        let (realm, app) = (s.realm.as_str(), s.app.as_str());
        let (unionid, openid) = (s.unionid.as_ref().map(String::as_bytes), s.openid.as_bytes());
        let bound_at = user.map(|_| now);
        let bytes = |text: &Option<String>| text.clone().map(String::into_bytes);
        let (device, kind, name) = (bytes(&s.device.id), bytes(&s.device.kind), bytes(&s.device.name));
        let env_version = s.env_version.map(|version| version.as_str());
        let (vouched_at, absolute_at, last_seen) = (s.vouched_at.0, s.absolute_at.0, s.last_seen.0);
        let run =
            async |statement: &Statement, params: &[&(dyn ToSql + Sync)]| self.client.execute(statement, params).await;
        run(
            &self.identity,
            &[&identity, &realm, &app, &openid, &unionid, &open.session_key, &user_id, &bound_at, &now, &vouched_at],
        )
        .await?;
        if let Some(said) = user.and_then(|user| user.claims.as_ref()) {
            run(&self.claims, &[&realm, &user_id, &said.as_str()]).await?;
        }
        run(
            &self.session,
            &[
                &session,
                &realm,
                &app,
                &identity,
                &user_id,
                &device,
                &kind,
                &name,
                &env_version,
                &now,
                &vouched_at,
                &absolute_at,
                &last_seen,
                &"bearer",
                secrets,
            ],
        )
        .await?;
        let login = &open.login;
        run(&self.login, &[&login.key.as_slice(), &session, &login.sealed, &login.expires_at.0]).await?;
        if let Some(AuditRow { row, salt }) = told {
            let (seq, realm) = (row.seq.cast_signed(), row.realm.as_ref().map(|realm| realm.as_str()));
            // As scattered as a keyed hash.
            run(&self.audit_key, &[&seq, &&row.mac[..16], &salt.as_ref().map(|salt| salt.as_slice())]).await?;
            run(&self.audit, &[&seq, &row.at.0, &realm, &row.clear, &seq, &row.sealed, &row.mac.as_slice()]).await?;
        }
        Ok(())
    }
}

/// An id as PostgreSQL's `uuid`.
#[derive(Debug, Clone, Copy)]
struct Uuid([u8; 16]);

impl ToSql for Uuid {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        out.extend_from_slice(&self.0);
        Ok(IsNull::No)
    }

    accepts!(UUID);
    to_sql_checked!();
}
