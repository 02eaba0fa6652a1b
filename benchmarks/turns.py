"""Two sides that answer requests in turns, and what each answer costs them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from statistics import median

from app.local.servers import LocalServers
from benchmarks import processors
from benchmarks.stack import Service
from benchmarks.wire import Load


@dataclass
class Side:
    """What one side did in all its turns."""

    loads: list[Load] = field(default_factory=list)
    processors: dict[str, float] = field(default_factory=dict)
    """Seconds of processor time by kind of process."""

    @property
    def rate(self) -> float:
        """Answers a second, the median of its turns."""
        return median(load.rate for load in self.loads)

    def quantile(self, share: float) -> float:
        """The latency in milliseconds that `share` of the requests kept below, the median of its turns."""
        return median(load.quantile(share) for load in self.loads)

    def cost(self, whose: str) -> list[tuple[str, float]]:
        """Milliseconds of processor time for one answer, by kind of process; what is next to nothing is left out."""
        answers = sum(len(load.latencies) for load in self.loads)
        spent = ((kind, seconds * 1000 / answers) for kind, seconds in self.processors.items())
        return [(f"{whose}: {kind}", milliseconds) for kind, milliseconds in spent if milliseconds >= 0.02]


def take_turns(
    service: Service, servers: LocalServers, ours: Callable[[], Load], theirs: Callable[[], Load], rounds: int
) -> tuple[Side, Side]:
    """Lets both answer once to warm up, and then `rounds` times in turns."""
    for warm_up in (ours, theirs):
        warm_up()
    sides = (Side(), Side())
    for _ in range(rounds):
        for side, answer in zip(sides, (ours, theirs), strict=True):
            before = processors.read(service, servers)
            side.loads.append(answer())
            for kind, seconds in processors.spent(before, processors.read(service, servers)).items():
                side.processors[kind] = side.processors.get(kind, 0.0) + seconds
    return sides
