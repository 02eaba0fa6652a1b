"""The guardian process: ends what a supervising process leaves behind when it is killed.

Run by `app.local.guard.Guard` as a plain script in isolated mode, so it imports nothing but a few standard modules (9 MiB of
memory, 3.5 MiB of it its own). Standard input carries one order a line:

    watch PID SIGNAL GRACE TURN     the leader of a process group, the signal that ends it, seconds of patience, when it goes
    forget PID                      it has ended
    finish                          as the end of input

At the end of input the groups still watched are ended, those with the lowest turn first: each leader gets its signal, a group
whose leader has gone is killed, and so is all that is left when the grace is over. Then the guardian ends too.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import time
from collections.abc import Callable

Watched = tuple[int, int, float, int]


def main() -> None:
    """Follows orders till the supervising process is gone, then ends what is still watched."""
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, signal.SIG_IGN)
    watched = follow_orders(parent=int(sys.argv[1]))
    if watched:
        say(f"the supervising process {sys.argv[1]} is gone; ending {sorted(watched)}")
    for turn in sorted({entry[3] for entry in watched.values()}):
        end([entry for entry in watched.values() if entry[3] == turn])


def follow_orders(parent: int) -> dict[int, Watched]:
    """Reads orders till the end of input, or till the parent has changed; returns what is watched then."""
    watched: dict[int, Watched] = {}
    unread = b""
    # A fork of the supervising process holds the pipe open after it; the parent's id does not lie.
    while os.getppid() == parent:
        if not select.select([0], [], [], 1.0)[0]:
            continue
        block = os.read(0, 65536)
        if not block:
            break
        *lines, unread = (unread + block).split(b"\n")
        if not all(obey(line.decode().split(), watched) for line in lines):
            break
    return watched


def obey(words: list[str], watched: dict[int, Watched]) -> bool:
    """Carries out one order; False if it was the last."""
    match words:
        case ["watch", pid, number, grace, turn]:
            watched[int(pid)] = (int(pid), int(number), float(grace), int(turn))
        case ["forget", pid]:
            watched.pop(int(pid), None)
        case _:
            return False
    return True


def end(entries: list[Watched]) -> None:
    """Ends these groups side by side; returns when they are gone or were killed."""
    for pid, number, _, _ in entries:
        send(os.kill, pid, number)
        send(os.killpg, pid, signal.SIGCONT)
    deadlines = {pid: time.monotonic() + grace for pid, _, grace, _ in entries}
    while deadlines:
        for pid, deadline in list(deadlines.items()):
            if not is_running(pid) or time.monotonic() > deadline:
                send(os.killpg, pid, signal.SIGKILL)
                del deadlines[pid]
        time.sleep(0.02)


def send(how: Callable[[int, int], None], pid: int, number: int) -> bool:
    """Sends a signal; False if there is nobody to get it."""
    try:
        how(pid, number)
    except ProcessLookupError:
        return False
    except PermissionError:
        say(f"no permission to signal {pid}")
        return False
    return True


def is_running(pid: int) -> bool:
    """Whether the process exists and has not ended; one that only waits for its parent to notice has ended."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return not is_zombie(pid)


def is_zombie(pid: int) -> bool:
    """Whether the process has ended but not been waited for; False where the system has no /proc to tell."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:  # noqa: PTH123 - pathlib would cost memory
            return file.read().rpartition(b")")[2].split()[0] == b"Z"
    except OSError:
        return False


def say(sentence: str) -> None:
    """Writes a line to standard error, which is the guardian's log."""
    sys.stderr.write(f"{time.strftime('%Y-%m-%dT%H:%M:%S%z')} {sentence}\n")


if __name__ == "__main__":
    main()
