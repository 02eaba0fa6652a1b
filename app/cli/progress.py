"""How far groups are: moving bars at a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol, TextIO

import click

from app.cli.output import is_terminal, printable
from mintage import Group

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

MOST_BARS = 8
"""Bars of single groups at a time, so that they fit a small terminal."""
_STEP = 10
"""Per cent between two plain lines of one group."""


class ProgressDisplay(Protocol):
    """What shows groups while they are made."""

    def show(self, group: Group) -> None:
        """Takes a group as it now stands."""


@contextmanager
def progress_display(groups: Sequence[Group], stream: TextIO | None = None) -> Iterator[ProgressDisplay]:
    """A display of these groups, all that will be shown, on standard error unless another stream is given."""
    stream = stream or sys.stderr
    if not is_terminal(stream):
        yield PlainLines(stream)
        return
    bars = _progress(stream)
    with bars:
        yield LiveBars(bars, groups)


def progress_line(group: Group) -> str:
    """`LABEL: 4,000 of 10,000 (40 %)`, with the status once it is final."""
    line = f"{printable(group.label)}: {group.created_codes_count:,} of {group.total_codes_count:,} ({_percent(group)} %)"
    return f"{line}, {group.status}" if group.finished else line


class PlainLines:
    """One line of a group when it begins, at every tenth, and when it is finished; no control characters."""

    def __init__(self, stream: TextIO) -> None:
        """Writes to the stream, line by line."""
        self._stream = stream
        self._shown: dict[str, int] = {}

    def show(self, group: Group) -> None:
        """Prints the line where there is news."""
        percent = _percent(group)
        shown = self._shown.get(group.id)
        if shown is None or group.finished or percent >= shown + _STEP:
            self._shown[group.id] = percent
            click.echo(progress_line(group), file=self._stream)


class LiveBars:
    """A bar of all groups together where there are several, and one of each that is being made."""

    def __init__(self, bars: Progress, groups: Sequence[Group]) -> None:
        """Takes a started rich display and all groups that will be shown."""
        self._bars = bars
        self._created = {group.id: group.created_codes_count for group in groups}
        self._tasks: dict[str, TaskID] = {}
        total = sum(group.total_codes_count for group in groups)
        self._overall = bars.add_task(f"{len(groups)} groups", total=total) if len(groups) > 1 else None

    def show(self, group: Group) -> None:
        """Moves the bars; a finished group's own bar goes where there is one of all."""
        self._created[group.id] = group.created_codes_count
        if self._overall is not None:
            self._bars.update(self._overall, completed=sum(self._created.values()))
        task = self._task(group)
        if task is None:
            return
        self._bars.update(task, completed=group.created_codes_count, total=group.total_codes_count)
        if group.finished and self._overall is not None:
            self._bars.remove_task(task)
            del self._tasks[group.id]

    def _task(self, group: Group) -> TaskID | None:
        begun = group.created_codes_count > 0 or self._overall is None
        if group.id not in self._tasks and begun and not group.finished and len(self._tasks) < MOST_BARS:
            self._tasks[group.id] = self._bars.add_task(printable(group.label), total=group.total_codes_count)
        return self._tasks.get(group.id)


def _progress(stream: TextIO) -> Progress:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.completed:,.0f} of {task.total:,.0f}", markup=False),
        TextColumn("{task.percentage:.0f} %", markup=False),
        TimeElapsedColumn(),
        console=Console(file=stream),
    )


def _percent(group: Group) -> int:
    """Rounded down, so that 100 means all of them."""
    return 100 * group.created_codes_count // max(1, group.total_codes_count)
