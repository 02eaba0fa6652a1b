"""The progress display."""

from __future__ import annotations

import io
import re

import pytest

from app.cli.progress import MOST_BARS, progress_display, progress_line
from mintage import Group
from tests.client.fake_service import group_wire


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def group_at(created: int, **changes: object) -> Group:
    return Group.from_wire(group_wire(id="g1", createdCodesCount=created, **changes))


@pytest.mark.parametrize(
    ("created", "status", "line"),
    [
        (0, "pending", "Spring: 0 of 10,000 (0 %)"),
        (4_000, "processing", "Spring: 4,000 of 10,000 (40 %)"),
        (9_999, "processing", "Spring: 9,999 of 10,000 (99 %)"),
        (10_000, "completed", "Spring: 10,000 of 10,000 (100 %), completed"),
        (4_000, "cancelled", "Spring: 4,000 of 10,000 (40 %), cancelled"),
    ],
)
def test_a_plain_line(created: int, status: str, line: str) -> None:
    """100 % means all of them; the status is told once it is final."""
    assert progress_line(group_at(created, status=status)) == line


def test_plain_lines_come_at_tenths_and_at_the_end() -> None:
    """A slow group does not fill a log."""
    stream = io.StringIO()
    with progress_display([group_at(0)], stream) as display:
        for created in range(0, 10_000, 100):
            display.show(group_at(created))
        display.show(group_at(10_000, status="completed"))
    assert len(stream.getvalue().splitlines()) == 11


def test_a_terminal_gets_bars_and_the_label_as_it_is() -> None:
    """Square brackets in a label are text, not style; control characters never reach the terminal."""
    stream = Terminal()
    group = group_at(0, label="[red]Spring\x1b]0;owned\x07")
    with progress_display([group], stream) as display:
        display.show(group)
    assert "[red]Spring" in stream.getvalue()
    assert "\x1b]0;" not in stream.getvalue()


def test_several_groups_have_one_bar_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bar of all counts all codes, and the others are those that are being made."""
    monkeypatch.setenv("COLUMNS", "120")
    stream = Terminal()
    groups = [Group.from_wire(group_wire(label=f"Part {number}.")) for number in range(25)]
    with progress_display(groups, stream) as display:
        for group in groups[:20]:
            display.show(Group.from_wire({**group.raw, "createdCodesCount": 5_000, "status": "processing"}))
        stream.truncate(0)
    shown = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", stream.getvalue())
    assert "25 groups" in shown
    assert "100,000 of 250,000" in shown
    assert len(set(re.findall(r"Part \d+\.", shown))) == MOST_BARS


def test_a_finished_group_s_bar_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its codes stay counted in the bar of all."""
    monkeypatch.setenv("COLUMNS", "120")
    stream = Terminal()
    groups = [Group.from_wire(group_wire(label=f"Part {number}.")) for number in range(2)]
    with progress_display(groups, stream) as display:
        for created, status in ((5_000, "processing"), (10_000, "completed")):
            display.show(Group.from_wire({**groups[0].raw, "createdCodesCount": created, "status": status}))
        stream.truncate(0)
    shown = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", stream.getvalue())
    assert "10,000 of 20,000" in shown
    assert "Part 0." not in shown
