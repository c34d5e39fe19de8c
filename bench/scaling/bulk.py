"""What is done in bulk: last uses, the walk for expired sessions, deletions; and what partitions would change about it."""

import re
import sys

BATCH = 256  # rows of one command: `CHUNK` in crates/yaopai-store/src/engine/store.rs
STEP = 512  # sessions of one step of the walk: `STALE_STEP` in crates/yaopai-core/src/service/upkeep.rs
PARTS = 14  # days: a week of life, and a week in which the client is told why its session ended


class Bulk:
    def __init__(self, postgres, rows, statement):
        self.postgres, self.rows, self.statement, self.found = postgres, rows, statement, {}

    def bench(self, name, script, transactions, each):
        """Runs it, and notes what each row cost."""
        wal = self.postgres.wal()
        cpu, wall = self.postgres.bench(script, transactions)
        self.found[name] = {
            "cpu_us": round(cpu / each, 2),
            "wall_us": round(wall / each, 2),
            "wal": round((self.postgres.wal() - wal) / transactions / each, 1),
        }
        print(name, self.found[name], file=sys.stderr)

    def written(self, name, statement, transactions, before=""):
        """The same as the writer does it: a transaction, whose last statement counts it."""
        count = "UPDATE nodes SET batch = batch WHERE id = -1"
        self.bench(name, f"{before}BEGIN;\n{statement};\n{count};\nCOMMIT;\n", transactions, BATCH)

    def vacuumed(self, table, deleted):
        before, wal = self.postgres.cpu(), self.postgres.wal()
        self.postgres.sql(f"VACUUM {table}")
        self.found[f"vacuum_{table}"] = {
            "cpu_us": round((self.postgres.cpu() - before) / deleted * 1e6, 2),
            "wal": round((self.postgres.wal() - wal) / deleted, 1),
        }

    def flushes(self):
        """Last uses of sessions that were opened lately, which lie beside each other, and of sessions from all over the table."""
        for name, of in (("flush", self.rows // 10), ("flush_scattered", self.rows)):
            self.postgres.sql(
                f"CREATE TABLE sets_of_{name} AS SELECT n % {of // BATCH} AS n, array_agg(id) AS ids FROM "
                "(SELECT id, row_number() OVER (ORDER BY random()) AS n FROM (SELECT id FROM sessions "
                f"WHERE ended_at IS NULL ORDER BY id DESC LIMIT {of}) AS latest) AS shuffled "
                f"GROUP BY 1 HAVING count(*) >= {BATCH}; CREATE UNIQUE INDEX ON sets_of_{name} (n); VACUUM ANALYZE; CHECKPOINT"
            )
            one = f"FROM sets_of_{name} WHERE n = :n"
            seen = f"(SELECT last_seen FROM sessions WHERE id = (SELECT ids[1] {one}))"
            flush = self.statement("sessions.rs", "UPDATE sessions s SET last_seen")
            flush = flush.replace("$1", f"(SELECT ids[1:{BATCH}] {one})")
            flush = flush.replace("$2", f"array_fill({seen} + 1, ARRAY[{BATCH}])")
            self.written(name, flush, 1_500, f"\\set n random(0, {of // BATCH - 2})\n")
        hot = "SELECT round(n_tup_hot_upd::numeric / n_tup_upd, 2) FROM pg_stat_user_tables WHERE relname = 'sessions'"
        self.found["flush_hot"] = float(self.postgres.sql(hot))

    def walk(self):
        columns = "identity, id, app, last_seen, absolute_at"
        walk = (
            f"SELECT ids[1] AS at FROM sets_of_flush WHERE n = 1 \\gset\nSELECT {columns} FROM sessions WHERE ended_at IS NULL "
            f"AND (identity, id) > (:at::uuid, :at::uuid) ORDER BY identity, id LIMIT {STEP};\n"
        )
        self.bench("walk", walk, 300, STEP)

    def deletions(self):
        """As upkeep deletes. The oldest third of the sessions has ended, nearly in the order in which it was opened."""
        self.postgres.sql(
            "UPDATE sessions s SET ended_reason = 'expired_idle', ended_at = o.n + random() * 50000 FROM "
            "(SELECT id, row_number() OVER (ORDER BY id) AS n FROM sessions) AS o "
            f"WHERE o.id = s.id AND o.n < {self.rows // 3};"
            "TRUNCATE logins; INSERT INTO logins SELECT decode(md5(n::text) || md5('x' || n), 'hex'), gen_random_uuid(), "
            "decode(repeat('ab', 180), 'hex'), n FROM generate_series(1, 200000) n;"
            "TRUNCATE changes; INSERT INTO changes (xid, session, ended, at) SELECT (3 + n / 40)::text::xid8, "
            "gen_random_uuid(), false, now() - interval '1 hour' FROM generate_series(1, 200000) n; VACUUM ANALYZE; CHECKPOINT"
        )
        for table, file, start in (
            ("sessions", "sessions.rs", "DELETE FROM sessions"),
            ("logins", "logins.rs", "DELETE FROM logins"),
            ("changes", "server.rs", "WITH gone AS"),
        ):
            delete = self.statement(file, start)
            past, limit = ("9000000000000", "$2") if "$2" in delete else (None, "$1")
            delete = delete.replace(limit, str(BATCH)).replace("$1", past or "$1")
            self.written(f"purge_{table}", delete, 500)
            self.vacuumed(table, 500 * BATCH)

    def partitions(self):
        """The same sessions in one table, and in parts by the time in their ids: looked up by id, by identity; a part dropped."""
        sql = self.postgres.sql
        columns = (
            "id uuid PRIMARY KEY, identity uuid NOT NULL, app text, user_id bytea, last_seen bigint, absolute_at bigint, "
            "secrets text, ended_at bigint"
        )
        names = "id, identity, app, user_id, last_seen, absolute_at, secrets, ended_at"
        live = "(identity, id) WHERE ended_at IS NULL"
        sql(
            f"CREATE TABLE whole ({columns}); CREATE INDEX ON whole {live};"
            f"INSERT INTO whole SELECT {names} FROM sessions WHERE ended_at IS NULL;"
            f"CREATE TABLE parts ({columns}) PARTITION BY RANGE (id); CREATE INDEX ON parts {live}"
        )
        edges = sql(
            f"SELECT id FROM (SELECT id, row_number() OVER (ORDER BY id) AS n, count(*) OVER () / {PARTS} AS part FROM whole) AS s "
            "WHERE n % part = 0 ORDER BY id"
        ).split()[: PARTS - 1]
        edges = ["MINVALUE", *(f"'{edge}'" for edge in edges), "MAXVALUE"]
        for n, (low, high) in enumerate(zip(edges, edges[1:])):
            sql(f"CREATE TABLE part{n} PARTITION OF parts FOR VALUES FROM ({low}) TO ({high})")
        sql(
            "INSERT INTO parts SELECT * FROM whole; CREATE TABLE picked AS SELECT row_number() OVER (ORDER BY random()) AS n, "
            "id, identity FROM whole LIMIT 20000; CREATE UNIQUE INDEX ON picked (n); VACUUM ANALYZE"
        )
        # By pages, which are the same on a busy machine: the difference is lost in what a look-up costs beside them.
        for name, where in (("id", "id = $1"), ("identity", "identity = $1 AND ended_at IS NULL")):
            for table in ("whole", "parts"):
                looked = sql(
                    f"SET plan_cache_mode = force_generic_plan; PREPARE look (uuid) AS SELECT * FROM {table} WHERE {where};"
                    f"SELECT {name} AS at FROM picked WHERE n = 1 \\gset\nEXECUTE look (:'at');\n"
                    "EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, SUMMARY OFF) EXECUTE look (:'at');"
                )
                self.found[f"{table}_by_{name}"] = {"pages": int(re.search(r"Buffers: shared hit=(\d+)", looked).group(1))}
        wal = self.postgres.wal()
        sql("DROP TABLE part0")
        self.found["drop_part"] = {"wal": self.postgres.wal() - wal}
        print({name: self.found[name] for name in self.found if "_by_" in name}, file=sys.stderr)


def measure(postgres, rows, statement):
    bulk = Bulk(postgres, rows, statement)
    bulk.flushes()
    bulk.walk()
    bulk.deletions()
    bulk.partitions()
    return bulk.found


def partitions(postgres, rows, statement):
    """Only those, of a table in which nothing has ended."""
    bulk = Bulk(postgres, rows, statement)
    bulk.partitions()
    return bulk.found
