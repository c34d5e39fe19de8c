//! What moves: every table and column, once, for both databases and both directions. `tests/house.rs` compares it with what the
//! migrations make, so that no column can be forgotten.

/// What a column holds, and what each database keeps it as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// 16 bytes: BLOB, uuid.
    Id,
    /// INTEGER, bigint.
    Int,
    /// INTEGER, integer.
    Small,
    /// INTEGER (0 or 1), boolean.
    Bool,
    /// What somebody else has named, any characters: TEXT, bytea.
    Name,
    /// Our own text: TEXT, text.
    Text,
    /// BLOB, bytea.
    Bytes,
}

/// A table. Its rows are written in the order of `key`, which is the same in both databases: bytes compare as bytes.
#[derive(Debug)]
pub struct Table {
    /// Its name.
    pub name: &'static str,
    /// What its rows are ordered by, and told apart.
    pub key: &'static str,
    /// Has it one row, which is there from the beginning?
    pub single: bool,
    /// What moves.
    pub columns: &'static [(&'static str, Kind)],
    /// What stays behind, in either database, and why.
    pub stays: &'static [(&'static str, &'static str)],
}

use Kind::{Bool, Bytes, Id, Int, Name, Small, Text};

const fn table(name: &'static str, key: &'static str, columns: &'static [(&'static str, Kind)]) -> Table {
    Table { name, key, single: false, columns, stays: &[] }
}

/// In an order in which each row finds what it names.
pub const TABLES: &[Table] = &[
    Table {
        name: "meta",
        key: "downtime_ms",
        single: true,
        columns: &[("alive_at", Int), ("downtime_ms", Int)],
        stays: &[
            ("one", "the only row's key"),
            ("only", "the only row's key"),
            ("changes_from", "of `changes`"),
            ("moved_at", "says of this database that nobody lives in it any more"),
            ("moved_to", "says of this database that nobody lives in it any more"),
            ("rehearsal_at", "says of this database how it was made"),
            ("schema", "each database's own"),
            ("compatible_from", "each database's own"),
        ],
    },
    Table {
        name: "nodes",
        key: "id",
        single: false,
        columns: &[("id", Small), ("name", Text), ("leased_until", Int)],
        stays: &[
            ("knows", "whoever starts says it anew"),
            ("batch", "counts the transactions of one connection, to ask about one that got no answer"),
            ("saved", "nonces: what was signed before the move is refused after it"),
        ],
    },
    table("data_keys", "id", &[("id", Int), ("sealed", Bytes), ("reserved", Int)]),
    table(
        "signing_keys",
        "kid",
        &[("kid", Text), ("alg", Text), ("private_key", Bytes), ("made_at", Int), ("signs_from", Int)],
    ),
    table(
        "identities",
        "id",
        &[
            ("id", Id),
            ("realm", Text),
            ("app", Text),
            ("openid", Name),
            ("unionid", Name),
            ("session_key", Bytes),
            ("user_id", Name),
            ("bound_at", Int),
            ("created_at", Int),
            ("vouched_at", Int),
        ],
    ),
    table("users", "realm, user_id", &[("realm", Text), ("user_id", Name), ("claims", Text), ("disabled_at", Int)]),
    table(
        "sessions",
        "id",
        &[
            ("id", Id),
            ("realm", Text),
            ("app", Text),
            ("identity", Id),
            ("user_id", Name),
            ("device_id", Name),
            ("device_type", Name),
            ("device_name", Name),
            ("env_version", Text),
            ("created_at", Int),
            ("vouched_at", Int),
            ("absolute_at", Int),
            ("last_seen", Int),
            ("key_kind", Text),
            ("key_version", Int),
            ("key", Bytes),
            ("secrets", Text),
            ("jar_version", Int),
            ("ended_reason", Text),
            ("ended_at", Int),
        ],
    ),
    table("logins", "key", &[("key", Bytes), ("session", Id), ("sealed", Bytes), ("expires_at", Int)]),
    table(
        "jar",
        "session, slot",
        &[
            ("session", Id),
            ("slot", Bytes),
            ("twin", Bytes),
            ("site", Bytes),
            ("everywhere", Bool),
            ("expires_at", Int),
            ("created", Int),
            ("used_at", Int),
            ("sealed", Bytes),
        ],
    ),
    table(
        "bind_codes",
        "hash",
        &[
            ("hash", Bytes),
            ("realm", Text),
            ("app", Text),
            ("user_id", Name),
            ("masked", Name),
            ("expires_at", Int),
            ("seen_by", Id),
        ],
    ),
    table("imports", "file", &[("file", Bytes), ("position", Int), ("note", Text)]),
    table("moves", "realm, app", &[("realm", Text), ("app", Text), ("share", Small), ("back", Bool)]),
    table("move_lists", "realm, app, kind, id", &[("realm", Text), ("app", Text), ("kind", Text), ("id", Name)]),
    table(
        "idempotency",
        "key",
        &[("key", Bytes), ("realm", Text), ("request", Bytes), ("sealed", Bytes), ("expires_at", Int)],
    ),
    table(
        "audit_checkpoint",
        "node",
        &[("node", Small), ("seq", Int), ("head", Bytes), ("rows", Int), ("at", Int), ("mac", Bytes)],
    ),
    table(
        "audit_keys",
        "node, no",
        &[("node", Small), ("no", Int), ("period", Int), ("owner", Bytes), ("salt", Bytes)],
    ),
    table(
        "audit",
        "node, seq",
        &[
            ("node", Small),
            ("seq", Int),
            ("at", Int),
            ("realm", Text),
            ("clear", Bytes),
            ("person", Int),
            ("sealed", Bytes),
            ("mac", Bytes),
        ],
    ),
];

/// Tables that stay behind, and why.
pub const STAY: &[(&str, &str)] = &[
    ("changes", "tells running servers of each other's changes; none runs, and the numbers are the database's own"),
    ("nonces", "which signed requests were accepted: what was signed before the move is refused after it"),
    ("nonces_past", "since when the nonces are remembered: anew"),
    ("tries", "how often somebody has tried: begins anew, as at every restart of a server that is alone"),
    ("tries_turns", "how many names are in `tries`"),
    ("platform_tokens", "the platforms' access tokens: fetched anew, once"),
    ("idempotency_counts", "counted anew by a trigger as the rows come in"),
    ("refinery_schema_history", "each database's own"),
];

impl Table {
    /// The columns' names, as SQL lists them.
    pub fn list(&self) -> String {
        self.columns.iter().map(|(name, _)| format!("\"{name}\"")).collect::<Vec<_>>().join(", ")
    }

    /// All rows, in order.
    pub fn select(&self) -> String {
        format!("SELECT {} FROM {} ORDER BY {}", self.list(), self.name, self.key)
    }
}
