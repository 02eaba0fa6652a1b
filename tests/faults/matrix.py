"""Running scenarios one after the other in one plant, and what came of each."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from tests.faults import invariants
from tests.faults.plant import Plant, wait_until_no_reservation
from tests.faults.scenario import Scenario
from tests.faults.shift import Shift

INJECTIONS = 200
"""How many faults a whole matrix must have injected."""


@dataclass(frozen=True)
class Outcome:
    """What came of one scenario."""

    fault: str
    times: int = 0
    groups: int = 0
    asked: int = 0
    stored: int = 0
    unique: int = 0
    stuck: int = 0
    """Groups in no terminal state when patience ended."""
    failed: int = 0
    """Groups that failed with a reason, and were resumed."""
    recovery_seconds: float | None = None
    """From the end of the last fault until every group was finished."""
    notes: tuple[str, ...] = ()
    complaints: tuple[str, ...] = ()
    skipped: str | None = None

    @property
    def duplicates(self) -> int:
        """Rows that say what another row says."""
        return self.stored - self.unique

    @property
    def lost(self) -> int:
        """Codes that were asked for and are not stored."""
        return self.asked - self.stored

    @property
    def holds(self) -> bool:
        """Whether every promise was kept."""
        return not (self.duplicates or self.lost or self.stuck or self.complaints)

    def as_dict(self) -> dict[str, Any]:
        """All of it, for a file."""
        return asdict(self) | {"duplicates": self.duplicates, "lost": self.lost, "holds": self.holds}


def run_matrix(plant: Plant, scenarios: Iterable[Scenario], report: Callable[[Outcome], None]) -> list[Outcome]:
    """Runs scenarios one after the other, and reports each outcome as soon as it is there."""
    outcomes = []
    for scenario in scenarios:
        outcome = _outcome_of(plant, scenario)
        report(outcome)
        outcomes.append(outcome)
    return outcomes


def _outcome_of(plant: Plant, scenario: Scenario) -> Outcome:
    reason = scenario.missing()
    if reason:
        return Outcome(scenario.name, skipped=reason)
    try:
        return run_scenario(plant, scenario)
    except Exception as error:
        return Outcome(scenario.name, complaints=(f"the scenario broke off: {type(error).__name__}: {error}",))


def run_scenario(plant: Plant, scenario: Scenario) -> Outcome:
    """Brings one fault about, waits for everything to be finished, and counts."""
    with scenario.setting(plant, scenario.conditions) as shift:
        times = _inject(scenario, shift)
        _settle(shift)
        failed = shift.resume_failed()
        if failed:
            shift.notes.append(f"{failed} failed and resumed")
            _settle(shift)
        stuck, recovered = len(shift.unfinished()), _recovery_seconds(shift)
    complaints = [*shift.complaints, *plant.violations(), *_left_reservations(plant)]
    with plant.runtime.reading() as conn:
        tally = invariants.tally(conn, list(shift.accepted))
    return Outcome(
        scenario.name,
        times,
        len(shift.accepted),
        tally.asked,
        tally.stored,
        tally.unique,
        stuck,
        failed,
        recovered,
        tuple(shift.notes),
        tuple(complaints),
    )


def _inject(scenario: Scenario, shift: Shift) -> int:
    """Brings the fault about; whatever goes wrong with that is a complaint, so that the others are still tried."""
    try:
        times = scenario.inject(shift)
    except Exception as error:
        shift.complaints.append(f"the fault could not be brought about: {type(error).__name__}: {error}")
        return 0
    shift.fault_ended = shift.fault_ended or time.monotonic()
    if times < scenario.least:
        shift.complaints.append(f"the fault happened {times} times instead of {scenario.least}")
    return times


def _settle(shift: Shift) -> None:
    try:
        shift.wait_until_done()
    except AssertionError:
        shift.complaints.append("not everything was finished in time")


def _recovery_seconds(shift: Shift) -> float | None:
    if shift.done is None or shift.fault_ended is None:
        return None
    return round(max(0.0, shift.done - shift.fault_ended), 1)


def _left_reservations(plant: Plant) -> list[str]:
    try:
        wait_until_no_reservation(plant)
    except AssertionError:
        left = invariants.reservations(plant.runtime.redis)
        plant.runtime.redis.delete(*left)  # so that they are held against this fault alone
        return [f"reservations are left: {', '.join(left)}"]
    return []


def table(outcomes: Sequence[Outcome]) -> str:
    """The outcomes as lines of text, with a line of sums."""
    head = ("fault", "times", "groups", "asked", "stored", "unique", "dup", "lost", "stuck", "recovery s")
    rows = [head, *(_cells(outcome) for outcome in outcomes), _sums(outcomes)]
    widths = [max(len(row[place]) for row in rows) for place in range(len(head))]
    return "\n".join("  ".join(map(_aligned, row, widths, range(len(head)))).rstrip() for row in rows)


def _aligned(cell: str, width: int, place: int) -> str:
    return cell.rjust(width) if place else cell.ljust(width)


def _cells(outcome: Outcome) -> tuple[str, ...]:
    if outcome.skipped:
        return (f"{outcome.fault} (skipped)", *[""] * 9)
    numbers = (outcome.times, outcome.groups, outcome.asked, outcome.stored, outcome.unique, outcome.duplicates, outcome.lost)
    seconds = "-" if outcome.recovery_seconds is None else f"{outcome.recovery_seconds:.1f}"
    return (outcome.fault, *(f"{number:,}" for number in numbers), str(outcome.stuck), seconds)


def _sums(outcomes: Sequence[Outcome]) -> tuple[str, ...]:
    names = ("times", "groups", "asked", "stored", "unique", "duplicates", "lost", "stuck")
    slowest = max((outcome.recovery_seconds or 0.0 for outcome in outcomes), default=0.0)
    return ("all", *(f"{sum(getattr(outcome, name) for outcome in outcomes):,}" for name in names), f"≤ {slowest:.1f}")
