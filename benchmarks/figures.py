"""What a benchmark found: figures with their references, and how to show and keep them."""

from __future__ import annotations

import json
import os
import platform
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"


class Measure(StrEnum):
    """How a figure is compared."""

    RATIO = "ratio"
    """Figure divided by reference."""
    DIFFERENCE = "difference"
    """Figure less reference."""
    ALONE = "alone"
    """The figure itself; there is no reference."""


@dataclass(frozen=True, slots=True)
class Target:
    """What a comparison must reach first, and what it should reach then."""

    first: float
    then: float | None = None
    at_most: bool = False
    """Smaller is better."""

    def verdict(self, reached: float) -> str:
        """`met`, `met, also the second`, or `missed`."""
        if not self._holds(reached, self.first):
            return "missed"
        if self.then is None:
            return "met"
        return "met, also the second" if self._holds(reached, self.then) else "met"

    def _holds(self, reached: float, bound: float) -> bool:
        return reached <= bound if self.at_most else reached >= bound

    def __str__(self) -> str:
        sign = "≤" if self.at_most else "≥"
        return f"{sign} {self.first:g}" + (f", then {self.then:g}" if self.then is not None else "")


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of the product and what it is measured against."""

    what: str
    value: float
    unit: str
    target: Target
    reference: float | None = None
    against: str = ""
    measure: Measure = Measure.RATIO

    @property
    def compared(self) -> float:
        """The number that the target is about."""
        if self.reference is None or self.measure is Measure.ALONE:
            return self.value
        return self.value / self.reference if self.measure is Measure.RATIO else self.value - self.reference


@dataclass(frozen=True, slots=True)
class Result:
    """What one benchmark found."""

    name: str
    figures: Sequence[Figure]
    notes: Sequence[str] = ()
    steps: Sequence[tuple[str, float]] = ()
    """Milliseconds by step, for benchmarks that take a process apart."""
    steps_title: str = ""
    details: dict[str, Any] = field(default_factory=dict)

    def save(self, folder: Path = RESULTS) -> Path:
        """Writes the result as JSON, in the place of the last one of that name."""
        figures = [asdict(figure) | _compared(figure) for figure in self.figures]
        kept = {
            "name": self.name,
            "when": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "machine": _machine(),
            "figures": figures,
            "stepsMilliseconds": dict(self.steps),
            "notes": list(self.notes),
            "details": self.details,
        }
        folder.mkdir(exist_ok=True)
        path = folder / f"{self.name}.json"
        path.write_text(json.dumps(kept, indent=2, ensure_ascii=False) + "\n", "utf-8")
        return path


def table(results: Iterable[Result]) -> str:
    """All figures as one Markdown table."""
    head = ("figure", "value", "reference", "against", "compared", "target", "")
    rows = [_row(figure) for result in results for figure in result.figures]
    return _markdown(head, rows)


def step_table(result: Result) -> str:
    """What each step of a benchmark cost, as a Markdown table."""
    return _markdown(("step", "ms"), [(name, f"{milliseconds:.2f}") for name, milliseconds in result.steps])


def _row(figure: Figure) -> tuple[str, ...]:
    compared = f"{figure.compared:.2f}" if figure.measure is Measure.RATIO else f"{figure.compared:+.1f} {figure.unit}"
    return (
        figure.what,
        f"{_number(figure.value)} {figure.unit}",
        "" if figure.reference is None else f"{_number(figure.reference)} {figure.unit}",
        figure.against,
        compared,
        str(figure.target),
        figure.target.verdict(figure.compared),
    )


def _compared(figure: Figure) -> dict[str, Any]:
    return {"compared": figure.compared, "verdict": figure.target.verdict(figure.compared)}


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}" if value < 100 else f"{value:.0f}"


def _markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    widths = [max(len(line[place]) for line in (head, *rows)) for place in range(len(head))]

    def line(cells: Sequence[str]) -> str:
        return "| " + " | ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)) + " |"

    return "\n".join([line(head), "|" + "|".join("-" * (width + 2) for width in widths) + "|", *map(line, rows)])


def _machine() -> dict[str, Any]:
    load = os.getloadavg()[0]
    return {"processors": os.cpu_count(), "python": platform.python_version(), "loadAverage": round(load, 2)}
