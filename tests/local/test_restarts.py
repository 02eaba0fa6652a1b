"""The rule of restarts, without processes."""

from __future__ import annotations

import pytest

from app.local.restarts import RestartPolicy, Restarts


def pauses(lives: list[float], policy: RestartPolicy | None = None) -> list[float | None]:
    """The pauses after children that lived so long, each started when the pause before was over."""
    restarts = Restarts(policy or RestartPolicy())
    now, found = 0.0, []
    for life in lives:
        pause = restarts.pause_after(now, now + life)
        found.append(pause)
        now += life + (pause or 0.0)
    return found


@pytest.mark.parametrize(
    ("lives", "expected"),
    [
        ([0.0], [0.2]),
        ([0.0] * 7, [0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0]),
        ([0.0, 0.0, 30.0, 0.0], [0.2, 0.4, 0.2, 0.4]),
        ([29.9, 29.9], [0.2, 0.4]),
        ([0.0] * 11, [0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0, 5.0, 5.0, 5.0, None]),
        ([4.0] * 30, [0.2, 0.4, 0.8, 1.6, 3.2, *[5.0] * 25]),
    ],
    ids=["one", "doubling", "reset after a life", "no reset before", "given up", "seldom enough to go on"],
)
def test_pauses(lives: list[float], expected: list[float | None]) -> None:
    """Pauses double up to the longest, start over after a steady life, and end when the restarts come too thick."""
    assert pauses(lives) == expected


def test_a_shorter_patience() -> None:
    """Every number of the policy is the caller's to set."""
    assert pauses([0.0, 0.0, 0.0], RestartPolicy(first_pause=1.0, longest_pause=1.5, attempts=2)) == [1.0, 1.5, None]
