"""Groups and their codes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime
from typing import Literal

from mintage.catalog import Bundle, CatalogClient, Course, LearningPath, License
from mintage.connection import Connection, json_of, once
from mintage.errors import GroupFailed
from mintage.exporting import Target, export
from mintage.models import AlphabetName, Code, Group, GroupStatus, Named, id_of, ids_of, parsed, wire_date
from mintage.watching import group_path, watch

Moment = date | datetime | str
"""A date alone (through the end of that day in the group's time zone), an aware moment, or either as ISO 8601 text."""


class GroupCalls:
    """The groups' part of `Client`; wherever a group is asked for, its id does as well."""

    _connection: Connection

    def create_group(
        self,
        label: str,
        *,
        total: int,
        code_length: int | None = None,
        client: str | Named | CatalogClient | None = None,
        expiration_date: Moment | None = None,
        start_date: Moment | None = None,
        access_days: int | None = None,
        access_expiration_date: Moment | None = None,
        courses: Iterable[str | Named | Course] = (),
        bundles: Iterable[str | Named | Bundle] = (),
        licenses: Iterable[str | Named | License] = (),
        learning_paths: Iterable[str | Named | LearningPath] = (),
        custom_name: str | None = None,
        usage_type: Literal["single", "multiple"] | None = None,
        max_redemptions: int | None = None,
        prefix: str | None = None,
        alphabet: AlphabetName | None = None,
        time_zone: str | None = None,
        idempotency_key: str | None = None,
    ) -> Group:
        """Asks for a group of `total` codes, and returns it pending, before any code exists; `wait` for it next.

        What is left out is left to the service. The request carries an idempotency key of its own making, so that trying
        again after a lost answer cannot make a second group; give `idempotency_key` to extend that over a restart of
        your program. Raises Invalid with the service's sentence, and ValueError for a datetime without an offset.
        """
        body = {
            "label": label,
            "codeLength": code_length,
            "totalCodesCount": total,
            "client": None if client is None else id_of(client),
            "expirationDate": wire_date(expiration_date),
            "startDate": wire_date(start_date),
            "accessDays": access_days,
            "accessExpirationDate": wire_date(access_expiration_date),
            "courses": ids_of(courses),
            "bundles": ids_of(bundles),
            "licenses": ids_of(licenses),
            "learningPaths": ids_of(learning_paths),
            "customName": custom_name,
            "usageType": usage_type,
            "maxRedemptions": max_redemptions,
            "prefix": prefix,
            "alphabet": alphabet,
            "timeZone": time_zone,
        }
        given = {name: value for name, value in body.items() if value is not None and value != []}
        answer = self._connection.send("POST", "/redemptionCodes", body=given, headers=once(idempotency_key))
        return parsed(Group.from_wire, json_of(answer))

    def get_group(self, group: str | Group) -> Group:
        """The group as it stands now; raises NotFound."""
        return parsed(Group.from_wire, self._connection.fetch(group_path(id_of(group))))

    def groups(
        self, query: str | None = None, *, sort: str | None = None, status: str | None = None, page_size: int = 50
    ) -> Iterator[Group]:
        """All groups, or those whose label matches `query`; pages are fetched as they are consumed.

        `sort` is `label` or `createdAt`, with `:asc` or `:desc`; `status` is one of `GroupStatus`.
        """
        asked = {"query": query, "sort": sort, "status": status, "pageSize": page_size}
        pages = self._connection.pages("/redemptionCodes", "redemptionCodes", asked)
        return (parsed(Group.from_wire, wire) for wire in pages)

    def watch(self, groups: Iterable[str | Group], *, timeout: float | None = None) -> Iterator[Group]:
        """Each group as it stands and after every change, until all are completed, failed or cancelled.

        The last value of each group is its final state; no error is raised for one that failed. Raises WaitTimedOut
        after `timeout` seconds, NotFound for a group that is not there.
        """
        return watch(self._connection, [id_of(group) for group in groups], timeout)

    def wait(self, group: str | Group, timeout: float | None = None, on_progress: Callable[[Group], None] | None = None) -> Group:
        """The group once it is completed; `on_progress` gets it as it stands and after every change.

        Raises GroupFailed where it failed or was cancelled, and WaitTimedOut (a TimeoutError) after `timeout` seconds;
        the group goes on without being waited for.
        """
        for state in self.watch([group], timeout=timeout):
            if on_progress:
                on_progress(state)
        if state.status is not GroupStatus.COMPLETED:
            raise GroupFailed(state)
        return state

    def codes(
        self,
        group: str | Group,
        *,
        status: str | None = None,
        active: bool | None = None,
        query: str | None = None,
        page_size: int = 500,
    ) -> Iterator[Code]:
        """The codes of a group, or those of a `status` (used, unused), active or not, or that begin with `query`.

        Pages are fetched as they are consumed; a million codes need the memory of one page.
        """
        asked = {"status": status, "active": active, "query": query, "pageSize": page_size}
        pages = self._connection.pages(group_path(id_of(group), "codes"), "codes", asked)
        return (parsed(Code.from_wire, wire) for wire in pages)

    def export(self, group: str | Group, target: Target) -> int:
        """Streams all codes of a group as CSV to a path or an open file, and returns the number of data rows.

        A path holds either the whole export or what it held before. Raises ExportMismatch where fewer or more rows
        arrive than the service announced, ConnectionFailed where the download breaks off, and OSError from the file.
        """
        return export(self._connection, id_of(group), target)
