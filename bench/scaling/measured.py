"""figures.json as tables."""

import json
from pathlib import Path

from tables import row, table

FIGURES = json.loads(Path(__file__).with_name("figures.json").read_text())
CALLS, BULK, STEPS = FIGURES["calls"], FIGURES["bulk"], FIGURES["statements"]
POLLS, WIRE, SIZE = FIGURES["polls"], FIGURES["wire"], FIGURES["bytes"]
DELAYS, AGED = FIGURES["delays"], FIGURES["aged"]

NAMES = {
    "first_login": "first login of a person",
    "login": "login",
    "refresh": "refresh",
    "confirm": "first use of a new secret",
    "kick": "kick (an end of age: one statement less)",
    "load": "reading a session for a check",
}
IN_BULK = {
    "flush": "last use, of sessions opened lately",
    "flush_scattered": "last use, of sessions from all over",
    "walk": "live session looked at by upkeep",
    "purge_sessions": "ended session deleted",
    "purge_logins": "login record deleted",
    "purge_changes": "row of the log deleted",
}


def exact(*cells):
    return row(*cells, digits=3)


def calls():
    rows = []
    for call, name in NAMES.items():
        steps = (str(STEPS[call][n]) for n in ("before", "each", "transaction"))
        alone = CALLS[call + "_alone"]["cpu_us"] if call + "_alone" in CALLS else ""
        rows.append(exact(name, *steps, CALLS[call]["cpu_us"], alone, CALLS[call]["wal"]))
    lock = ("statements before the lock", "under it, each", "and for each transaction")
    return table(("a call", *lock, "µs of CPU, 64 callers", "one caller", "bytes of WAL"), rows)


def in_bulk():
    rows = []
    for key, name in IN_BULK.items():
        vacuum = BULK.get("vacuum_" + key.removeprefix("purge_"), {}).get("cpu_us", "")
        rows.append(exact(name, BULK[key]["cpu_us"], vacuum, BULK[key]["wal"]))
    return table(("a row, 256 at a time", "µs of CPU", "of VACUUM for it", "bytes of WAL"), rows)


def polls():
    rows = []
    for found, cost in POLLS.items():
        kept, rows_found = map(int, found.split("/"))
        rows.append(exact(f"{rows_found:,} rows of {kept:,}".replace(",", " "), cost["cpu_us"]))
    wire = [
        exact("a poll that finds nothing, sent and received", WIRE["poll_sent"] + WIRE["poll_received"]),
        exact("each row that it finds", WIRE["row"]),
    ]
    return table(("a poll that finds", "µs of CPU"), rows) + "\n" + table(("on the wire", "bytes"), wire)


def delays():
    rows = [exact(f"{delay} ms later", DELAYS[f"login_{delay}_ms"], DELAYS[f"kick_{delay}_ms"]) for delay in (0, 5)]
    ways = [(DELAYS[f"{call}_5_ms"] - DELAYS[f"{call}_0_ms"]) / 5 for call in ("login", "kick")]
    rows.append(row("so many ways", *ways))
    return table(("each statement arrives", "ms of time a login, 64 callers", "a kick"), rows)


def sizes():
    rows = []
    for name in ("identities", "sessions", "audit", "audit_keys"):
        indexes = SIZE[name + "_indexes"]
        named = ", ".join(f"`{index.removeprefix(name + '_')}` {size}" for index, size in indexes.items() if size)
        rows.append(exact(f"`{name}`", SIZE[name], sum(indexes.values()), named))
    return table(("bytes a row", "the row", "in indexes", "which"), rows)


def aged():
    rows = [exact(times, cost["bytes"], cost["cpu_us"]) for times, cost in AGED.items()]
    return table(("a bearer session's refreshes", "bytes of its row", "µs of CPU, the last one and its first use"), rows)


def parts():
    rows = [
        exact(name, BULK[f"whole_by_{by}"]["pages"], BULK[f"parts_by_{by}"]["pages"])
        for name, by in (("a session by its id", "id"), ("a person's live sessions", "identity"))
    ]
    return table(("pages read to look up", "in one table", "in 14 parts"), rows)


def report():
    return "\n".join([calls(), in_bulk(), polls(), delays(), sizes(), aged(), parts()])
