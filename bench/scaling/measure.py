#!/usr/bin/env python3
"""What PostgreSQL pays for all that nodes ask of it: `bench/scaling/measure.py target/debug/yaopai`.

CPU is that of PostgreSQL's processes (/proc/PID/stat), because other work on the machine stretches time and not CPU. A node is run
for real where that can be done; what happens in bulk (polls, flushes, deletions) is run by pgbench, with the statements of
crates/yaopai-store/src/postgres. `--write` puts the figures into figures.json, which simulate.py reads; of several runs the cheapest
figures are kept, so delete the file first when the code has changed. It takes a quarter of an hour.
"""

import json
import re
import sys
import time
from pathlib import Path

import bulk
import filled
from world import Postgres, Processes, Relay, each

ROWS = 1_000_000
PEOPLE = 1_500
SOURCES = Path(__file__).parents[2] / "crates/yaopai-store/src/postgres"


def statement(file, start):
    """A statement as the store has it, so that what is measured is what is run."""
    text = (SOURCES / file).read_text()
    literal = text[text.index('"' + start) + 1 :]
    return re.sub(r"\\\n\s*", "", literal[: literal.index('"')])


def steps(postgres, node):
    """What a node asks for each of these, as PostgreSQL's log has it: before the writers' lock, under it for each call, and under
    it for each transaction."""
    session = node.login(node.code(0))
    postgres.sql("ALTER SYSTEM SET log_statement = 'all'")
    postgres.sql("SELECT pg_reload_conf()")
    time.sleep(1)
    found = {}

    def step(name, work):
        nonlocal session
        start = (postgres.folder / "log").stat().st_size
        session = work(session) or session
        time.sleep(1)
        log = (postgres.folder / "log").read_bytes()[start:].decode(errors="replace")
        lines = re.findall(r"\[(\d+)\] LOG:  (?:statement|execute [^:]+): (.*)", log)
        lines = [(pid, text) for pid, text in lines if "pg_walfile_name" not in text]
        writers = {pid for pid, text in lines if "pg_advisory_xact_lock" in text}
        held = [text for pid, text in lines if pid in writers]
        # BEGIN, the chain's head, what is told, COMMIT.
        once = [t for t in held if t.startswith(("BEGIN", "COMMIT", "WITH told", "SELECT seq, mac FROM audit"))]
        found[name] = {"before": len(lines) - len(held), "each": len(held) - len(once), "transaction": len(once)}

    step("first_login", lambda _: node.login(node.code(1)))
    step("login", lambda _: node.login(node.code(1)))
    step("load", node.check)
    step("refresh", node.refresh)
    step("confirm", node.check)
    step("load", node.check)
    step("kick", node.kick)
    postgres.sql("ALTER SYSTEM RESET log_statement")
    postgres.sql("SELECT pg_reload_conf()")
    return found


class Phases:
    """Calls of a node, each with what it cost PostgreSQL."""

    def __init__(self, postgres, idle):
        self.postgres, self.idle, self.found = postgres, idle, {}

    def run(self, name, work, items, threads):
        postgres = self.postgres
        batches = lambda: int(postgres.sql("SELECT sum(batch) FROM nodes"))
        before = batches(), postgres.wal(), postgres.cpu(), time.monotonic()
        results = each(work, items, threads)
        took = time.monotonic() - before[3]
        cpu = postgres.cpu() - before[2] - self.idle * took
        written = batches() - before[0]
        self.found[name] = {
            "cpu_us": round(cpu / len(items) * 1e6),
            "wal": round((postgres.wal() - before[1]) / len(items)),
            "batch": round(len(items) / written, 1) if written > 2 else 0,
        }
        print(name, self.found[name], f"{len(items) / took:.0f}/s", file=sys.stderr)
        # What was changed has come back by the log.
        time.sleep(1)
        return results


def phases(postgres, binary):
    node = Processes(binary, postgres.folder, 300)
    try:
        node.add_people(2, PEOPLE)
        time.sleep(3)
        start = postgres.cpu()
        time.sleep(20)
        all_of = Phases(postgres, (postgres.cpu() - start) / 20)
        for many, threads, last in ((PEOPLE, 64, PEOPLE), (200, 1, 202)):
            who = range(2, last)
            mark = "" if threads > 1 else "_alone"
            if threads > 1:
                all_of.run("first_login", node.login, each(node.code, who, 8), threads)
            opened = all_of.run("login" + mark, node.login, each(node.code, who, 8), threads)
            all_of.run("load" + mark, node.check, opened, threads)
            all_of.run("load_again" + mark, node.check, opened, threads)
            all_of.run("known" + mark, node.check, opened, threads)
            opened = all_of.run("refresh" + mark, node.refresh, opened, threads)
            all_of.run("confirm" + mark, node.check, opened, threads)
            all_of.run("kick" + mark, node.kick, opened, threads)
        return all_of.found, all_of.idle
    finally:
        node.stop()


def polls(postgres):
    """One poll that finds so many rows, in a log of ten minutes."""
    head = statement("log.rs", "SELECT s::text, pg_snapshot_xmin").replace("$2", "50001")
    found = {}
    for kept in (0, 600_000):
        postgres.sql("TRUNCATE changes")
        if kept:
            # Forty rows a transaction, as a busy fleet writes them, and one number after the other.
            postgres.sql(
                "INSERT INTO changes (xid, session, ended) SELECT (1000 + n / 40)::text::xid8, gen_random_uuid(), false "
                f"FROM generate_series(1, {kept}) n"
            )
        postgres.sql("VACUUM ANALYZE changes")
        last = 1000 + kept // 40
        for rows in (0, 40, 400, 4_000, 20_000) if kept else (0,):
            at = last + 1 - rows // 40
            # A parameter as the node's: the last poll's snapshot, as text.
            seen = f"SELECT concat({at}, chr(58), {at}, chr(58)) AS seen \\gset\n"
            script = f"{seen}{head.replace('$1', ':seen')};\n"
            base, _ = postgres.bench(seen, 10_000)
            cost, wall = postgres.bench(script, max(100, 10_000 // (1 + rows // 100)))
            found[f"{kept}/{rows}"] = {"cpu_us": round(cost - base, 1), "wall_us": round(wall)}
            print("poll", kept, rows, found[f"{kept}/{rows}"], file=sys.stderr)
    return found


def wire(postgres, binary):
    """Bytes of a poll's connection: of a node that has nothing to hear, and for each row that it hears of."""
    relay = Relay(postgres)
    node = Processes(binary, relay.folder, 300)
    try:
        time.sleep(3)
        before = relay.poller()
        time.sleep(20)
        idle = relay.poller()
        polls = idle["messages"] - before["messages"]
        many = 40_000
        postgres.sql(f"INSERT INTO changes (session, ended) SELECT gen_random_uuid(), false FROM generate_series(1, {many})")
        time.sleep(3)
        after = relay.poller()
        more = after["messages"] - idle["messages"]
        received = (idle["received"] - before["received"]) / polls
        return {
            "polls_a_second": round(polls / 20, 2),
            "poll_sent": round((idle["sent"] - before["sent"]) / polls),
            "poll_received": round(received),
            "row": round((after["received"] - idle["received"] - more * received) / many, 1),
        }
    finally:
        node.stop()
        relay.stop()


def delays(postgres, binary):
    """Logins and kicks, 64 at a time, over a way to PostgreSQL that takes so much longer."""
    found, people = {}, range(1, 150)
    for delay in (0.0, 0.005):
        relay = Relay(postgres, delay)
        node = Processes(binary, relay.folder, 300)
        try:
            node.add_people(1, 150)
            each(node.login, each(node.code, people, 8), 64)
            codes = each(node.code, list(people) * 2, 8)
            for name, work in (("login", node.login), ("kick", node.kick)):
                start = time.monotonic()
                codes = each(work, codes, 64)
                found[f"{name}_{delay * 1e3:.0f}_ms"] = round((time.monotonic() - start) / len(codes) * 1e3, 1)
        finally:
            node.stop()
            relay.stop()
    print("delays", found, file=sys.stderr)
    return found


def aged(postgres, binary):
    """What bearer sessions take that have been refreshed so often, and what one more refresh and its first use cost. Secrets that
    are still in their 30 s are kept whole, so those are waited for."""
    found, node = {}, Processes(binary, postgres.folder, 300)
    try:
        node.add_people(1, 201)
        opened, times = each(node.login, each(node.code, range(1, 201), 8), 64), 0
        for last in (1, 8, 21):
            while times < last:
                opened, times = each(node.refresh, opened, 64), times + 1
                each(node.check, opened, 64)
            time.sleep(31)
            before = postgres.cpu()
            opened, times = each(node.refresh, opened, 64), times + 1
            each(node.check, opened, 64)
            cpu = (postgres.cpu() - before) / len(opened) * 1e6
            size = postgres.sql(
                "SELECT avg(pg_column_size(s.*))::int FROM sessions s WHERE ended_at IS NULL AND length(secrets) > 500"
            )
            found[times] = {"bytes": int(size), "cpu_us": round(cpu)}
        print("aged", found, file=sys.stderr)
        return found
    finally:
        node.stop()


def least(kept, new):
    """Of what was measured before and now, what cost less CPU: the run that others on the machine disturbed less."""
    if not isinstance(new, dict) or not isinstance(kept, dict):
        return new
    if "cpu_us" in new and 0 < kept.get("cpu_us", 0) < new["cpu_us"]:
        return kept
    return {name: least(kept.get(name), value) for name, value in new.items()}


def main():
    binary, write = sys.argv[1], "--write" in sys.argv
    kept = Path(__file__).with_name("figures.json")
    # Parts can be measured again alone: `polls`, `delays`, `sizes`, `calls`, `bulk`, `partitions`, `aged`.
    parts = [word for word in sys.argv[2:] if word != "--write"] or ["polls", "delays", "calls", "bulk", "aged"]
    before = json.loads(kept.read_text()) if kept.exists() else {}
    figures = dict(before)
    postgres = Postgres()
    try:
        figures |= {"postgres": postgres.sql("SHOW server_version").split()[0], "rows": ROWS}
        node = Processes(binary, postgres.folder, 300)
        try:
            node.add_people(1, 3)
            figures["statements"] = steps(postgres, node)
            node.login(node.code(2))
        finally:
            node.stop()
        if "polls" in parts:
            figures["polls"] = polls(postgres)
            postgres.sql("TRUNCATE changes")
        if "delays" in parts:
            figures["delays"] = delays(postgres, binary)
        if {"calls", "sizes", "bulk", "partitions"} & set(parts):
            filled.fill(postgres, ROWS)
            figures["bytes"] = filled.sizes(postgres, ROWS)
        if "calls" in parts:
            figures["calls"], idle = phases(postgres, binary)
            figures["idle_cpu_us_a_second"] = round(idle * 1e6)
            figures["wire"] = wire(postgres, binary)
        if "bulk" in parts:
            figures["bulk"] = bulk.measure(postgres, ROWS, statement)
        elif "partitions" in parts:
            figures["bulk"] = before["bulk"] | bulk.partitions(postgres, ROWS, statement)
        # Last: these sessions are no model of the others.
        if "aged" in parts:
            figures["aged"] = aged(postgres, binary)
    finally:
        postgres.stop()
        text = json.dumps(least(before, figures), indent=1)
        print(text)
        if write:
            kept.write_text(text + "\n")


if __name__ == "__main__":
    main()
