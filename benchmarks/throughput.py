"""Codes a second: a hundred groups through HTTP until all are completed, against plain COPY by as many writers."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from app.local.servers import LocalServers
from benchmarks import copying, processors
from benchmarks.figures import Figure, Result, Target
from benchmarks.stack import CODES_PER_GROUP, WORKERS, Service, a_service

GROUPS = 100
ROUNDS = 2
_WARM_UP = 4
_POLL_EVERY = 0.05


@dataclass
class Turn:
    """What one side needed for its groups of one round."""

    seconds: float
    processors: dict[str, float] = field(default_factory=dict)


def measure(servers: LocalServers) -> Result:
    """Takes turns: the service makes its groups, the writers copy theirs; both tables grow alike."""
    with a_service(servers) as service:
        copying.make_table(service)
        _make_groups(service, _WARM_UP)
        pairs = [_one_round(service, servers) for _ in range(ROUNDS)]
        _check(service, (GROUPS * ROUNDS + _WARM_UP) * CODES_PER_GROUP)
    ours, theirs = ([pair[side] for pair in pairs] for side in (0, 1))
    figure = Figure(
        "100 groups of 10,000, 2 workers", _rate(ours), "codes/s", Target(0.7, 0.85), _rate(theirs), "COPY by 2 processes"
    )
    note = f"one worker of {WORKERS} processes; {ROUNDS} rounds in turns, tables growing from empty"
    details = {"seconds": [(mine.seconds, copied.seconds) for mine, copied in pairs]}
    steps = [*_spent(ours, ""), *_spent(theirs, "COPY alone: ")]
    return Result("throughput", [figure], [note], steps, "Processor time for one group of 10,000", details)


def _one_round(service: Service, servers: LocalServers) -> tuple[Turn, Turn]:
    service.checkpoint()
    before = processors.read(service, servers)
    ours = Turn(_make_groups(service, GROUPS))
    ours.processors = processors.spent(before, processors.read(service, servers))
    service.checkpoint()
    with copying.writers(service, GROUPS, WORKERS) as writers:
        before = processors.read(service, servers)
        theirs = Turn(writers.run())
        theirs.processors = processors.spent(before, processors.read(service, servers))
    return ours, theirs


def _make_groups(service: Service, groups: int) -> float:
    """Posts groups and waits until all are completed; the seconds from the first POST on."""
    begun = time.perf_counter()
    ids = service.create_groups(groups)
    # The last one first: that takes the fewest polls, and every one of them is asked all the same.
    service.wait_until_completed(ids[::-1], every=_POLL_EVERY)
    return time.perf_counter() - begun


def _rate(turns: list[Turn]) -> float:
    return GROUPS * CODES_PER_GROUP * len(turns) / sum(turn.seconds for turn in turns)


def _spent(turns: list[Turn], whose: str) -> list[tuple[str, float]]:
    """Milliseconds of processor time for one group, by kind of process; what is next to nothing is left out."""
    kinds = dict.fromkeys(kind for turn in turns for kind in turn.processors)
    share = 1000 / (GROUPS * len(turns))
    spent = {kind: sum(turn.processors.get(kind, 0.0) for turn in turns) * share for kind in kinds}
    return [(f"{whose}{kind}", milliseconds) for kind, milliseconds in spent.items() if milliseconds > 0.5]


def _check(service: Service, codes: int) -> None:
    (row,) = service.rows("SELECT count(*) FROM codes")
    if row[0] != codes:
        raise RuntimeError(f"{codes} codes should be stored, and {row[0]} are")
