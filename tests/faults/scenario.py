"""What a scenario is: a fault, how often it must have happened, and the conditions under which it is brought about."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field

from app.failpoints import RESERVED
from tests.faults.plant import Plant
from tests.faults.shift import Crew, Shift

PACE = "sleep:0.05"
"""What makes a chunk take long enough to be met while it is in hand."""

Injection = Callable[[Shift], int]
"""Brings a fault about and returns how often it really happened, as seen at the place where it happened (the fail points'
file, the answer of Redis, the proxy's count); adds to the shift's complaints what must not have been."""


@dataclass(frozen=True)
class Conditions:
    """What a shift works under."""

    failpoints: str = f"{RESERVED}={PACE}"
    crew: Crew = field(default_factory=Crew)
    overrides: Mapping[str, object] = field(default_factory=dict)


Setting = Callable[[Plant, Conditions], AbstractContextManager[Shift]]


@contextmanager
def usual(plant: Plant, conditions: Conditions) -> Iterator[Shift]:
    """A shift that is connected to the servers directly."""
    with plant.shift(conditions.crew, conditions.failpoints, **conditions.overrides) as shift:
        yield shift


@dataclass(frozen=True)
class Scenario:
    """One fault."""

    name: str
    inject: Injection
    least: int
    """How often it must have happened, or the scenario has shown nothing."""
    conditions: Conditions = field(default_factory=Conditions)
    setting: Setting = usual
    missing: Callable[[], str | None] = lambda: None
    """Why it cannot be run here; None where it can."""
