"""Following groups until they are finished."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from urllib.parse import quote

from mintage.connection import Connection, json_of, retry_after_of
from mintage.errors import WaitTimedOut
from mintage.models import Group, parsed

FIRST_INTERVAL = 0.05
LONGEST_INTERVAL = 1.0
_GROWTH = 1.5


def group_path(group_id: str, *rest: str) -> str:
    """The path of a group, or of something below it."""
    return "/".join(("/redemptionCodes", quote(group_id, safe=""), *rest))


def watch(connection: Connection, ids: Iterable[str], timeout: float | None) -> Iterator[Group]:
    """Each group as first seen and after every change, until all are finished; the last of each is its final state.

    Polls with the entity tag of the state last seen, so that a poll without news costs an empty 304. The pause between
    rounds grows from 50 ms to the server's `Retry-After`, at most a second. Raises WaitTimedOut after `timeout` seconds.
    """
    rounds = _Rounds(connection, timeout)
    tags: dict[str, str | None] = dict.fromkeys(ids)
    while tags:
        for group_id in tuple(tags):
            group, tags[group_id] = rounds.poll(group_id, tags[group_id])
            if group is None:
                continue
            if group.finished:
                del tags[group_id]
            yield group
        if tags:
            rounds.pause(len(tags))


class _Rounds:
    """The clock of one watch: what is left of its time, and how long to pause."""

    def __init__(self, connection: Connection, timeout: float | None) -> None:
        self._connection = connection
        self._patience = connection.patience
        self._timeout = timeout
        self._started = self._patience.clock()
        self._interval = FIRST_INTERVAL
        self._longest = LONGEST_INTERVAL

    def _left(self) -> float | None:
        return None if self._timeout is None else max(0.0, self._started + self._timeout - self._patience.clock())

    def poll(self, group_id: str, tag: str | None) -> tuple[Group | None, str | None]:
        """The group with its new entity tag, or None and the old tag where nothing changed."""
        headers = {"If-None-Match": tag} if tag else {}
        response = self._connection.send("GET", group_path(group_id), headers=headers, seconds=self._left())
        asked = retry_after_of(response)
        if asked is not None:
            self._longest = min(LONGEST_INTERVAL, max(asked, FIRST_INTERVAL))
        if response.status_code == 304:
            return None, tag
        return parsed(Group.from_wire, json_of(response)), response.headers.get("ETag")

    def pause(self, waiting: int) -> None:
        left = self._left()
        if left == 0:
            named = "The group is" if waiting == 1 else f"{waiting} groups are"
            raise WaitTimedOut(f"{named} not finished after {self._timeout:g} s.")
        self._patience.sleep(self._interval if left is None else min(self._interval, left))
        self._interval = min(self._interval * _GROWTH, self._longest)
