"""The catalog: what a code can give access to, and for whom."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, is_dataclass
from typing import Any, Generic, Self, TypeVar, cast

from mintage.connection import Connection, json_of
from mintage.errors import UnexpectedAnswer
from mintage.models import Wire, id_of, parsed

LARGEST_BATCH = 500
Entry = TypeVar("Entry")


@dataclass(frozen=True, slots=True)
class Course:
    """A course, by its title."""

    id: str
    title: str

    @classmethod
    def from_wire(cls, wire: Wire) -> Self:
        """From the service's answer."""
        return cls(wire["id"], wire["title"])


@dataclass(frozen=True, slots=True)
class Bundle:
    """A bundle of courses."""

    id: str
    name: str

    @classmethod
    def from_wire(cls, wire: Wire) -> Self:
        """From the service's answer."""
        return cls(wire["id"], wire["name"])


@dataclass(frozen=True, slots=True)
class LearningPath:
    """A learning path."""

    id: str
    name: str

    @classmethod
    def from_wire(cls, wire: Wire) -> Self:
        """From the service's answer."""
        return cls(wire["id"], wire["name"])


@dataclass(frozen=True, slots=True)
class License:
    """A license; `client` is the id of the client it belongs to, whose main license is the one with `is_default`."""

    id: str
    name: str
    client: str | None = None
    is_default: bool = False

    @classmethod
    def from_wire(cls, wire: Wire) -> Self:
        """From the service's answer, where the client is an id or `{id, name}`."""
        client = wire.get("client")
        return cls(
            wire["id"],
            wire["name"],
            client["id"] if isinstance(client, Mapping) else client,
            bool(wire.get("isDefault")),
        )


@dataclass(frozen=True, slots=True)
class CatalogClient:
    """A client: the organisation that a license or a group belongs to."""

    id: str
    name: str
    slug: str | None = None

    @classmethod
    def from_wire(cls, wire: Wire) -> Self:
        """From the service's answer."""
        return cls(wire["id"], wire["name"], wire.get("slug"))


@dataclass(frozen=True, slots=True)
class Kind(Generic[Entry]):
    """One collection of the catalog: its name, on the wire and in the path, and how to read an entry."""

    collection: str
    parse: Callable[[Wire], Entry]


COURSES = Kind("courses", Course.from_wire)
BUNDLES = Kind("bundles", Bundle.from_wire)
LICENSES = Kind("licenses", License.from_wire)
LEARNING_PATHS = Kind("learningPaths", LearningPath.from_wire)
CLIENTS = Kind("clients", CatalogClient.from_wire)


class CatalogCalls:
    """The catalog's part of `Client`.

    Every `upsert_…` takes mappings (keys as on the wire or in snake_case) or the values that it returns, sends them in
    batches of at most 500, and returns what the service stored, in that order. An entry without an id gets one here, so
    that trying again cannot make it twice; one with an id that exists replaces it. Raises ApiError; the batches before
    the refused one stay.
    """

    _connection: Connection

    def upsert_courses(self, courses: Iterable[Mapping[str, Any] | Course]) -> list[Course]:
        """Makes or replaces courses (`title`)."""
        return self._upsert(COURSES, courses)

    def upsert_bundles(self, bundles: Iterable[Mapping[str, Any] | Bundle]) -> list[Bundle]:
        """Makes or replaces bundles (`name`)."""
        return self._upsert(BUNDLES, bundles)

    def upsert_licenses(self, licenses: Iterable[Mapping[str, Any] | License]) -> list[License]:
        """Makes or replaces licenses (`name`, `client`, `is_default`)."""
        return self._upsert(LICENSES, licenses)

    def upsert_learning_paths(self, learning_paths: Iterable[Mapping[str, Any] | LearningPath]) -> list[LearningPath]:
        """Makes or replaces learning paths (`name`)."""
        return self._upsert(LEARNING_PATHS, learning_paths)

    def upsert_clients(self, clients: Iterable[Mapping[str, Any] | CatalogClient]) -> list[CatalogClient]:
        """Makes or replaces clients (`name`, `slug`)."""
        return self._upsert(CLIENTS, clients)

    def courses(self, query: str | None = None, *, page_size: int = 500) -> Iterator[Course]:
        """All courses, or those that match; pages are fetched as they are consumed."""
        return self._listed(COURSES, query, page_size)

    def bundles(self, query: str | None = None, *, page_size: int = 500) -> Iterator[Bundle]:
        """All bundles, or those that match; pages are fetched as they are consumed."""
        return self._listed(BUNDLES, query, page_size)

    def licenses(self, query: str | None = None, *, page_size: int = 500) -> Iterator[License]:
        """All licenses, or those that match; pages are fetched as they are consumed."""
        return self._listed(LICENSES, query, page_size)

    def learning_paths(self, query: str | None = None, *, page_size: int = 500) -> Iterator[LearningPath]:
        """All learning paths, or those that match; pages are fetched as they are consumed."""
        return self._listed(LEARNING_PATHS, query, page_size)

    def clients(self, query: str | None = None, *, page_size: int = 500) -> Iterator[CatalogClient]:
        """All clients, or those that match; pages are fetched as they are consumed."""
        return self._listed(CLIENTS, query, page_size)

    def _upsert(self, kind: Kind[Entry], entries: Iterable[object]) -> list[Entry]:
        wires = [_wire_of(entry) for entry in entries]
        stored: list[Entry] = []
        for start in range(0, len(wires), LARGEST_BATCH):
            answer = json_of(self._connection.send("POST", f"/{kind.collection}", body=wires[start : start + LARGEST_BATCH]))
            stored += parsed(lambda wire: [kind.parse(entry) for entry in wire[kind.collection]], answer)
        if len(stored) != len(wires):
            raise UnexpectedAnswer(f"The service was sent {len(wires)} {kind.collection} and answered {len(stored)}.")
        return stored

    def _listed(self, kind: Kind[Entry], query: str | None, page_size: int) -> Iterator[Entry]:
        pages = self._connection.pages(f"/{kind.collection}", kind.collection, {"query": query, "pageSize": page_size})
        return (parsed(kind.parse, wire) for wire in pages)


def _wire_of(entry: object) -> dict[str, Any]:
    fields = asdict(entry) if is_dataclass(entry) and not isinstance(entry, type) else dict(cast(Mapping[str, Any], entry))
    wire = {_camel(name): value for name, value in fields.items() if value is not None}
    wire.setdefault("id", str(uuid.uuid4()))
    for reference in ("id", "client"):
        if reference in wire:
            wire[reference] = id_of(wire[reference])
    return wire


def _camel(name: str) -> str:
    return re.sub(r"_([a-z])", lambda match: match[1].upper(), name)
