"""Places where a test may have a process killed, failed or held up. In production every one of them does nothing.

Armed by the environment alone, and only by two variables together:

    MINTAGE_FAILPOINTS      what happens where: `chunk.reserved=kill:0.15,chunk.stored=sleep:2:3`
    MINTAGE_FAILPOINTS_LOG  a file that gets one line (`POINT MODE PID SUBJECT`) before anything happens

A test that never sees its fault happen proves nothing, so there is no way to arm a point without the file that counts.
Where either variable is missing, `reach` reads one global name and returns.

An order is `POINT[SUBJECT]=MODE[:ARGUMENT...]`; `[SUBJECT]` limits it to one chunk. The modes: `kill` ends the process by
SIGKILL as if it had never reached the next line, `raise` raises FailpointReached, `sleep:SECONDS` waits. A further
argument with a dot (`0.15`) is a probability; one without (`20`) is how often it happens at most, over all processes
that write to the same file.
"""

from __future__ import annotations

import fcntl
import os
import re
import signal
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from random import SystemRandom

from app.errors import ConfigurationError

VARIABLE = "MINTAGE_FAILPOINTS"
LOG_VARIABLE = "MINTAGE_FAILPOINTS_LOG"

RECEIVED = "chunk.received"
"""A message has come; nothing is claimed yet."""
CLAIMED = "chunk.claimed"
"""The claim is committed; nothing is drawn yet."""
RESERVED = "chunk.reserved"
"""The codes are drawn and reserved; nothing is stored yet."""
STORED = "chunk.stored"
"""The codes are in the table, in a transaction that is not committed yet."""
COMMITTED = "chunk.committed"
"""The codes are stored; their reservation is not given back yet."""
RELEASED = "chunk.released"
"""All is done; the message is not acknowledged yet."""

POINTS = (RECEIVED, CLAIMED, RESERVED, STORED, COMMITTED, RELEASED)

Action = Callable[[str, object], None]
"""What happens at a point; takes the point's name and its subject."""

_ORDER = re.compile(r"(?P<point>[a-z.]+)(?:\[(?P<subject>\w+)\])?=(?P<mode>kill|raise|sleep)(?P<arguments>(?::\d+(?:\.\d+)?)*)")
_chance = SystemRandom()  # a forked process must not repeat what its brothers draw
_armed: Mapping[str, Action] | None = None


class FailpointReached(RuntimeError):  # says what is the case, as all errors of this code base
    """An armed fail point was told to raise; stands for any defect at that line."""


def reach(point: str, subject: object = None) -> None:
    """Says that the present process is at `point`, busy with `subject`; does nothing unless that point is armed."""
    if _armed is not None and point in _armed:
        _armed[point](point, subject)


def arm(actions: Mapping[str, Action] | None) -> None:
    """Sets what happens at which point in this process; None disarms all. For tests that run in one process."""
    global _armed
    unknown = set(actions or ()) - set(POINTS)
    if unknown:
        raise ConfigurationError(f"{VARIABLE} names {', '.join(sorted(unknown))}; the fail points are {', '.join(POINTS)}.")
    _armed = actions or None


@dataclass(frozen=True, slots=True)
class Order:
    """One order of the environment: where, with what, and how often."""

    mode: str
    log: Path
    subject: str | None = None
    seconds: float = 0.0
    chance: float = 1.0
    most: int | None = None

    def __call__(self, point: str, subject: object) -> None:
        """Carries the order out, if it is this subject's and chance's turn and has not happened often enough."""
        if self.subject not in (None, str(subject)) or _chance.random() >= self.chance:
            return
        if not self._note(point, subject):
            return
        if self.mode == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if self.mode == "raise":
            raise FailpointReached(point)
        time.sleep(self.seconds)

    def _note(self, point: str, subject: object) -> bool:
        """Counts one hit in the file; False, and nothing written, where there were enough."""
        with self.log.open("a+", encoding="utf-8") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            if self.most is not None:
                file.seek(0)
                if sum(line.startswith(f"{point} {self.mode} ") for line in file) >= self.most:
                    return False
            file.write(f"{point} {self.mode} {os.getpid()} {subject}\n")
        return True


def parse(orders: str, log: Path) -> dict[str, Action]:
    """The actions that `orders` asks for, by point. Raises ConfigurationError naming the order that cannot be read."""
    return dict(_parse_order(order.strip(), log) for order in orders.split(",") if order.strip())


def _parse_order(order: str, log: Path) -> tuple[str, Order]:
    found = _ORDER.fullmatch(order)
    if found is None:
        raise ConfigurationError(f"{VARIABLE}: {order!r} is not POINT=kill, POINT=raise or POINT=sleep:SECONDS.")
    arguments = found["arguments"].split(":")[1:]
    seconds = float(arguments.pop(0)) if found["mode"] == "sleep" and arguments else 0.0
    chances = [float(argument) for argument in arguments if "." in argument]
    counts = [int(argument) for argument in arguments if "." not in argument]
    return found["point"], Order(
        found["mode"], log, found["subject"], seconds, chances[0] if chances else 1.0, counts[0] if counts else None
    )


def _arm_from_environment() -> None:
    orders, log = os.environ.get(VARIABLE), os.environ.get(LOG_VARIABLE)
    if orders and log:
        arm(parse(orders, Path(log)))


_arm_from_environment()
