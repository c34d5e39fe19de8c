"""The real schema with a million of each row in it, made of those that a node has written."""

# The rows that are copied: those of a person who has come back, with a user.
MODELS = {
    "identities": "SELECT * FROM identities WHERE id IN (SELECT identity FROM sessions WHERE id = (SELECT id FROM model))",
    "sessions": "SELECT * FROM sessions WHERE id = (SELECT id FROM model)",
    "audit": "SELECT * FROM audit WHERE node > 0 AND person IS NOT NULL ORDER BY seq DESC LIMIT 1",
    "audit_keys": "SELECT * FROM audit_keys WHERE node > 0 ORDER BY no DESC LIMIT 1",
}
PIECE = 100_000  # rows of an INSERT


def fill(postgres, rows):
    """A million of each row, made of those that a node has written: other names of the same lengths, and ids that are later than
    all there are, since an index that grows at its end is half as large."""
    id_of = (
        "(lpad(to_hex((extract(epoch FROM now()) * 1000)::bigint + {first} + n), 12, '0') || '7' || "
        "substr(md5(n || '{salt}'), 1, 3) || 'a' || substr(md5(n || '{salt}'), 4, 15))::uuid"
    )
    name = "('{first}' || substr(md5(n || '{first}'), 1, 27))::bytea"
    sid, iid = (id_of.format(first=60_000, salt=salt) for salt in ("s", "i"))
    user = f"convert_to('u_' || replace({iid}::text, '-', ''), 'UTF8')"
    columns = {
        "identities": {"id": iid, "openid": name.format(first="o"), "unionid": name.format(first="u"), "user_id": user},
        "sessions": {"id": sid, "identity": iid, "user_id": user, "last_seen": "r.last_seen + 7200000"},
        "audit": {"node": "-1", "seq": "n", "mac": "decode(md5(n::text) || md5('m' || n), 'hex')"},
        "audit_keys": {"node": "-1", "no": "n", "owner": "decode(md5('k' || n), 'hex')"},
    }
    postgres.sql("CREATE TABLE model AS SELECT id FROM sessions WHERE ended_at IS NULL ORDER BY id DESC LIMIT 1")
    postgres.sql("INSERT INTO nodes (id, name) OVERRIDING SYSTEM VALUE VALUES (-1, 'past')")
    for table, made in columns.items():
        names = postgres.sql(
            "SELECT string_agg(attname, ',' ORDER BY attnum) FROM pg_attribute "
            f"WHERE attrelid = '{table}'::regclass AND attnum > 0"
        ).split(",")
        values = ", ".join(made.get(name, f"r.{name}") for name in names)
        # In pieces, as rows come, so that the indexes grow as they do.
        for at in range(0, rows, PIECE):
            postgres.sql(
                f"INSERT INTO {table} ({', '.join(names)}) SELECT {values} FROM ({MODELS[table]}) r, "
                f"generate_series({at + 1}, {at + PIECE}) n"
            )
    postgres.sql("VACUUM ANALYZE")


def sizes(postgres, rows):
    """Bytes of each row, in the table and in its indexes."""
    found = {}
    for table in ("identities", "sessions", "audit", "audit_keys"):
        found[table] = int(postgres.sql(f"SELECT pg_table_size('{table}')")) // rows
        indexes = postgres.sql(
            "SELECT indexrelid::regclass, pg_relation_size(indexrelid) FROM pg_index "
            f"WHERE indrelid = '{table}'::regclass"
        )
        named = (line.split("|") for line in indexes.splitlines())
        found[table + "_indexes"] = {name: int(size) // rows for name, size in named}
    return found
