"""People who come and go, and what each visit asks of the primary: sessions over nodes that each have a table of their own.

Visits don't touch each other, so a sample of them says what one costs, and a rate of them what all cost.
"""

import random
from dataclasses import dataclass
from functools import lru_cache

POLL = 0.25  # seconds between two readings of the log: `POLL_EVERY` in crates/yaopai/src/serve/follow.rs
REFRESH = 20 * 60  # seconds after which a client refreshes: `refresh_after` of an app


@dataclass(frozen=True)
class People:
    """How they come. Invented, as every team's are other ones: change them and run it again."""

    share: float = 0.1  # of all identities come on a day
    visits: float = 3.0  # of each of those on that day
    length: float = 300.0  # seconds, mean
    pause: float = 10.0  # seconds between two requests of a visit, mean
    peak: float = 3.0  # the busiest hour against the mean of a day

    def visits_a_second(self, identities):
        return identities * self.share * self.visits / 86_400 * self.peak


@dataclass(frozen=True)
class Setting:
    """How the nodes are set up."""

    nodes: int
    sticky: bool  # a session's requests all go to one node
    idle: float = 1_800.0  # seconds: `sessions.idle` of an app
    flush: float = 15.0  # seconds: `live.flush_interval`


@dataclass
class Cost:
    """Of one visit, mean."""

    logins: float = 0.0
    refreshes: float = 0.0  # each is followed by the first use of the new secret
    reads: float = 0.0  # of a session by a check that doesn't know it
    flushed: float = 0.0  # rows of last uses
    held: float = 0.0  # nodes that hold the session at its end
    requests: float = 0.0

    @property
    def rows(self):
        """Of the log: a login, its end some day, a refresh and its first use."""
        return 2 * self.logins + 2 * self.refreshes


def visit(people, setting, rng, cost):
    nodes = setting.nodes
    home = rng.randrange(nodes)
    node = (lambda: home) if setting.sticky else (lambda: rng.randrange(nodes))
    phases = {}  # when each node polls and flushes
    holds = {}  # node -> when it read the session
    changes = []  # when it was changed
    flushes = set()

    def phase(at):
        if at not in phases:
            phases[at] = (rng.random() * POLL, rng.random() * setting.flush)
        return phases[at]

    def change(at, time):
        # It forgets at once; the others by their next poll.
        holds.pop(at, None)
        changes.append(time)

    def heard(at, change):
        """When a node has read of a change in the log."""
        offset = phase(at)[0]
        return change + (offset - change) % POLL

    def use(at, time):
        cost.requests += 1
        read = holds.get(at)
        if read is None or any(read <= heard(at, c) <= time for c in changes):
            cost.reads += 1
            holds[at] = time
        flushes.add((at, int((time - phase(at)[1]) // setting.flush)))

    def refresh(time):
        cost.refreshes += 1
        cost.reads += 2  # before it, and before the first use of its secret
        change(node(), time)
        change(node(), time)

    # Since the last visit: a session that has been idle for too long is gone.
    gap = rng.expovariate(people.visits / 86_400)
    time = 0.0
    if gap > setting.idle:
        cost.logins += 1
        change(node(), time)
    elif gap > REFRESH:
        refresh(time)
    refreshed, end = time, rng.expovariate(1 / people.length)
    while True:
        time += rng.expovariate(1 / people.pause)
        if time > end:
            break
        if time - refreshed > REFRESH:
            refresh(time)
            refreshed = time
        use(node(), time)
    cost.flushed += len(flushes)
    cost.held += len(holds)


@lru_cache(None)
def simulate(people, setting, visits=2_000, seed=7):
    rng, cost = random.Random(seed), Cost()
    for _ in range(visits):
        visit(people, setting, rng, cost)
    return Cost(**{name: value / visits for name, value in vars(cost).items()})
