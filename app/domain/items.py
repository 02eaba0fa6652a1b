"""What a code can open."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID


class ItemKind(StrEnum):
    """The kinds of things a code gives access to; the value is the wire name of their collection."""

    COURSE = "courses"
    LEARNING_PATH = "learningPaths"
    BUNDLE = "bundles"
    LICENSE = "licenses"

    @property
    def name_field(self) -> str:
        """The wire name of an item's display name."""
        return "title" if self is ItemKind.COURSE else "name"

    @property
    def singular(self) -> str:
        """The kind in a sentence."""
        return {"learningPaths": "learning path"}.get(self.value, self.value.removesuffix("s"))


@dataclass(frozen=True, slots=True)
class Item:
    """One thing of the catalog that a code can open."""

    kind: ItemKind
    id: UUID
    name: str
    client_id: UUID | None = None
    """Licenses only: whose license it is."""
    is_default: bool = False
    """Licenses only: the client's main license."""


@dataclass(frozen=True, slots=True)
class Client:
    """An organisation that codes are made for."""

    id: UUID
    name: str
    slug: str | None = None
    """Its name in the addresses of learner pages: a-z, 0-9 and hyphens; unique."""
