#!/usr/bin/env python3
"""What one primary carries: the people of visits.py at the costs of figures.json. Prints the tables of docs/scaling-paper.md;
`--write` puts them there, `--check` fails if others stand there."""

import math
import sys
from dataclasses import replace
from pathlib import Path

import measured
from measured import AGED, BULK, CALLS, POLLS, SIZE, STEPS, WIRE
from tables import figure, row, table
from visits import POLL, People, Setting, simulate

PAGE = Path(__file__).parents[2] / "docs/scaling-paper.md"
BEGIN, END = "<!-- simulated: begin -->", "<!-- simulated: end -->"

# Not measured (µs): a way to PostgreSQL and back within a data centre, what a node does between two statements, and a commit that
# a synchronous standby has, too.
RTT, NODE, COMMIT = 200, 20, 1_000
# A large machine, and how much of it, and of the writers' lock, may be in use at the busiest hour.
CORES, FULL = 32, 0.7
BATCH = 128  # calls of a transaction at most: `PostgresOptions`
CHUNK = 256  # rows of last uses in a call: `CHUNK` of the store
# Sessions a second that a node's upkeep looks at (`STALE_STEPS`, `STALE_STEP`) with a flush each minute: one that comes a moment
# before `STALE_EVERY` is over leaves it to the next.
WALK = 16 * 512 / 120
CHANGES_MAX = 50_000  # rows of a poll at most: crates/yaopai-store/src/postgres/log.rs
LIVE = 353  # bytes of a keyed session in a node's table: docs/performance.md
DAYS, ENDED = 180, 7  # `audit.retention_days`; for how long ended sessions are kept

POLL_CPU = POLLS["600000/0"]["cpu_us"]
ROW_CPU = (POLLS["600000/20000"]["cpu_us"] - POLLS["600000/400"]["cpu_us"]) / 19_600


def held(call, rtt, ways=None):
    """Seconds for which one call holds the writers' lock: its statements' ways, and the work on them."""
    steps = STEPS[call]
    each = steps["each"] if ways is None else ways
    work = max(0, CALLS[call]["cpu_us"] - steps["before"] * CALLS["load"]["cpu_us"])
    return ((each + steps["transaction"] / BATCH) * (rtt + NODE) + work + COMMIT / BATCH) / 1e6


def aged(setting):
    """By how much (µs) a refresh and its first use cost more than the first ones: a bearer session remembers its secrets, and with a
    long `idle` it has had many."""
    first = CALLS["refresh"]["cpu_us"] + CALLS["confirm"]["cpu_us"]
    return max(0, AGED["9"]["cpu_us"] - first) if setting.idle > 86_400 / 3 else 0


def locked(cost, setting, rtt, ways=None):
    """The same for a visit, by what it is for. An end of age is taken for a kick."""
    return {
        "logins": cost.logins * held("login", rtt, ways),
        "refreshes": cost.refreshes * (held("refresh", rtt, ways) + held("confirm", rtt, ways) + aged(setting) / 1e6),
        "ends": cost.logins * held("kick", rtt, ways),
        "last uses": cost.flushed * ((4 * (rtt + NODE) + COMMIT) / CHUNK + BULK["flush"]["cpu_us"]) / 1e6,
    }


def cpu(cost, setting):
    """Seconds of PostgreSQL's CPU for a visit, without the polls that find nothing."""
    gone = sum(BULK[f"{how}_{table}"]["cpu_us"] for how in ("purge", "vacuum") for table in ("sessions", "logins"))
    micros = (
        cost.logins * (CALLS["login"]["cpu_us"] + CALLS["kick"]["cpu_us"] + gone)
        + cost.refreshes * (CALLS["refresh"]["cpu_us"] + CALLS["confirm"]["cpu_us"] + aged(setting))
        + max(0, cost.reads - 2 * cost.refreshes) * CALLS["load"]["cpu_us"]
        + cost.flushed * BULK["flush"]["cpu_us"]
        + cost.rows * (setting.nodes * ROW_CPU + BULK["purge_changes"]["cpu_us"] + BULK["vacuum_changes"]["cpu_us"])
    )
    return micros / 1e6


def wal(cost):
    """Bytes of WAL for a visit, which each standby takes."""
    login = (CALLS["login"], CALLS["kick"], BULK["purge_sessions"], BULK["vacuum_sessions"], BULK["purge_logins"])
    return (
        cost.logins * sum(part["wal"] for part in login)
        + cost.refreshes * (CALLS["refresh"]["wal"] + CALLS["confirm"]["wal"])
        + cost.flushed * BULK["flush"]["wal"]
        + cost.rows * BULK["purge_changes"]["wal"]
    )


def visits_table(people):
    rows = []
    for nodes in (1, 3, 10, 30, 100):
        both = Setting(nodes, True), Setting(nodes, False)
        kept, spread = (simulate(people, setting) for setting in both)
        cells = (kept.reads, spread.reads, kept.flushed, spread.flushed, kept.held, spread.held)
        rows.append(row(str(nodes), *cells, cpu(kept, both[0]) * 1e3, cpu(spread, both[1]) * 1e3))
    pairs = ("reads of the session", "rows of last uses", "nodes that hold it at the end", "ms of the primary's CPU")
    head = ("nodes", *(f"{name}, {how}" for name in pairs for how in ("kept", "spread")))
    return table(head, rows)


def log_table():
    rows = []
    for changes in (100, 1_000, 10_000, 100_000):
        for nodes in (3, 10, 100):
            told, found = nodes * changes, changes * POLL
            megabytes = (nodes / POLL * (WIRE["poll_received"] + WIRE["poll_sent"]) + told * WIRE["row"]) / 1e6
            cores = (nodes / POLL * POLL_CPU + told * ROW_CPU) / 1e6
            poll = found if found <= CHANGES_MAX else "all is forgotten"
            rows.append(row(figure(changes), figure(nodes), poll, told, megabytes, cores))
    head = ("changes a second", "nodes", "rows a poll", "rows a second from the primary", "MB a second", "cores of the primary")
    return table(head, rows)


def limits_table(people):
    spread = Setting(10, False)
    kept = replace(spread, sticky=True)
    slow = replace(kept, flush=60.0)
    long = replace(slow, idle=86_400.0)
    rows = []
    for name, setting, rtt, ways in (
        ("as it comes, requests spread at random", spread, RTT, None),
        ("a session's requests kept at one node", kept, RTT, None),
        ("and `flush_interval = 60`", slow, RTT, None),
        ("and PostgreSQL 1 ms away", slow, 1_000, None),
        ("and PostgreSQL 0.05 ms away", slow, 50, None),
        ("0.2 ms away, and `idle` of a day", long, RTT, None),
        ("*not built:* `idle` of 30 min, a call in two messages", slow, RTT, 2),
        ("*not built:* `idle` of a day, a call in one", long, RTT, 1),
    ):
        cost = simulate(people, setting)
        parts = locked(cost, setting, rtt, ways)
        work = cpu(cost, setting)
        by_lock = FULL / sum(parts.values())
        by_cpu = (FULL * CORES - setting.nodes / POLL * POLL_CPU / 1e6) / work
        visits = min(by_lock, by_cpu)
        identities = visits / people.visits_a_second(1)
        ends = f"the lock, by {max(parts, key=parts.get)}" if by_lock < by_cpu else "CPU"
        mega = visits * wal(cost) / 1e6
        rows.append(row(
            name, visits, visits * cost.logins, visits * cost.rows, ends, visits * work, mega, identities / 1e6,
            str(math.ceil(1e9 / identities)),
        ))
    rates = ("visits a second", "logins a second", "changes a second")
    head = ("ten nodes", *rates, "what ends", "cores in use", "WAL, MB a second", "million identities", "primaries for 10⁹")
    return table(head, rows)


def fleet_table(people):
    """What a fleet holds at its busiest hour, and what a failover asks of its primaries."""
    cost = simulate(people, Setting(10, True, flush=60.0))
    identity, session, audit = (SIZE[name] + sum(SIZE[name + "_indexes"].values()) for name in ("identities", "sessions", "audit"))
    rows = []
    for identities in (1e6, 1e7, 1e8, 1e9):
        visits = people.visits_a_second(identities)
        logins, active = visits * cost.logins, visits * people.length
        live = logins * (people.length + 1_800)
        daily = identities * people.share * people.visits * cost.logins
        disk = (identities * identity, daily * ENDED * session, daily * DAYS * 2 * audit)
        rows.append(row(
            figure(identities / 1e6), logins, active / people.pause, live / 1e6, live * LIVE / 1e6, *(size / 1e9 for size in disk),
            logins / WALK, active * CALLS["load"]["cpu_us"] / 1e6,
        ))
    gigabytes = (f"GB of {name}" for name in ("identities", "sessions", "audit log"))
    head = ("million identities", "logins a second", "requests a second", "million live sessions", "MB of tables over all nodes",
            *gigabytes, "nodes that end what has expired", "core-seconds of reads after a failover")
    return table(head, rows)


def report():
    people = People()
    parts = (
        ("Measured", measured.report()), ("Simulated: one visit", visits_table(people)), ("The log of changes", log_table()),
        ("Where one primary ends", limits_table(people)), ("How large it is", fleet_table(people)),
    )
    return "\n".join(f"### {name}\n\n{text}" for name, text in parts)


def main():
    text = report()
    page = PAGE.read_text(encoding="utf-8")
    before, rest = page.split(BEGIN + "\n")
    stands, after = rest.split(END)
    if "--check" in sys.argv:
        if stands != text:
            sys.exit("docs/scaling-paper.md is not what bench/scaling/simulate.py prints: run it with --write")
    elif "--write" in sys.argv:
        PAGE.write_text(f"{before}{BEGIN}\n{text}{END}{after}", encoding="utf-8")
    else:
        print(text)


if __name__ == "__main__":
    main()
