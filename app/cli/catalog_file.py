"""Reading a catalog from JSON or CSV: every entry checked before anything is sent, every complaint with its row."""

from __future__ import annotations

import csv
import io
import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from app.errors import MintageError

NAME_FIELDS = {"clients": "name", "courses": "title", "bundles": "name", "licenses": "name", "learningPaths": "name"}
"""The collections in the order in which they are to be loaded, each with the field that holds its entries' names."""

_ORDER = list(NAME_FIELDS)
_OWN_FIELDS = {"licenses": ("client", "isDefault"), "clients": ("slug",)}
_NAMESPACE = uuid.UUID("6d696e74-6167-5e63-8174-616c6f670000")
_WORDS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}

Entry = dict[str, Any]
Catalog = dict[str, list[Entry]]


class CatalogFileError(MintageError):
    """The catalog file could not be read."""


@dataclass(frozen=True, slots=True)
class _Row:
    place: str
    collection: str
    entry: Entry

    def refuse(self, what: str) -> CatalogFileError:
        return CatalogFileError(f"{self.place}: {what}")


def parse_catalog(text: str, *, is_csv: bool) -> Catalog:
    """The entries by collection, each with an id; reading the same text again gives the same ids.

    JSON is an object with any of the collections as keys and arrays of objects as values. CSV has the columns kind (a
    collection, or its singular), id, title or name, client, isDefault and slug. An entry without an id gets one that follows
    from its kind, name and client. A license may name its client by id, slug or name. Raises CatalogFileError with the row.
    """
    rows = sorted(_csv_rows(text) if is_csv else _json_rows(text), key=lambda row: _ORDER.index(row.collection))
    clients: dict[str, str] = {}
    seen: dict[tuple[str, str], str] = {}
    catalog: Catalog = {}
    for row in rows:
        entry = _checked(row, clients)
        first = seen.setdefault((row.collection, entry["id"]), row.place)
        if first != row.place:
            raise row.refuse(f"the same entry as in {first}.")
        catalog.setdefault(row.collection, []).append(entry)
        if row.collection == "clients":
            clients |= {str(entry[name]): entry["id"] for name in ("name", "slug") if entry.get(name)}
    if not catalog:
        raise CatalogFileError("The file holds no entries.")
    return catalog


def _json_rows(text: str) -> Iterator[_Row]:
    try:
        document = json.loads(text)
    except ValueError as error:
        raise CatalogFileError(f"The file is not JSON: {error}.") from error
    if not isinstance(document, dict):
        raise CatalogFileError(f"The file must hold one object with the keys {', '.join(NAME_FIELDS)}.")
    for collection, entries in document.items():
        if collection not in NAME_FIELDS or not isinstance(entries, list):
            raise CatalogFileError(f"{collection!r} must be one of {', '.join(NAME_FIELDS)}, with an array.")
        for number, entry in enumerate(entries, 1):
            row = _Row(f"{collection}, entry {number}", collection, entry)
            if not isinstance(entry, dict):
                raise row.refuse("an object is needed.")
            yield row


def _csv_rows(text: str) -> Iterator[_Row]:
    reader = csv.DictReader(io.StringIO(text, newline=""))
    if "kind" not in (reader.fieldnames or ()):
        raise CatalogFileError(
            "Row 1: the column kind is missing; the columns are kind, id, title, name, client, isDefault, slug."
        )
    try:
        for cells in reader:
            yield _csv_row(reader.line_num, cells)
    except csv.Error as error:
        raise CatalogFileError(f"Row {reader.line_num}: {error}.") from error


def _csv_row(number: int, cells: dict[str | Any, Any]) -> _Row:
    """Cells of a column that a kind does not use must be empty, but title and name stand for each other."""
    values = {name: value.strip() for name, value in cells.items() if isinstance(name, str) and value and value.strip()}
    kind = values.pop("kind", "")
    collection = _collection_of(kind)
    row = _Row(f"Row {number}", collection, values)
    if None in cells:
        raise row.refuse("more cells than there are columns.")
    if not collection:
        raise row.refuse(f"the kind {kind!r} is not one of {', '.join(NAME_FIELDS)}.")
    other = "name" if NAME_FIELDS[collection] == "title" else "title"
    if other in values:
        values.setdefault(NAME_FIELDS[collection], values.pop(other))
    return row


def _collection_of(kind: str) -> str:
    spelled = {name.lower(): name for name in NAME_FIELDS}
    word = kind.lower().replace("_", "").replace(" ", "")
    return spelled.get(word) or spelled.get(word + "s") or ""


def _checked(row: _Row, clients: dict[str, str]) -> Entry:
    name_field, entry = NAME_FIELDS[row.collection], dict(row.entry)
    known = ("id", name_field, *_OWN_FIELDS.get(row.collection, ()))
    if unknown := sorted(set(entry) - set(known)):
        raise row.refuse(f"{row.collection} have no {unknown[0]!r}; they have {', '.join(known)}.")
    name = entry.get(name_field)
    if not isinstance(name, str) or not name.strip():
        raise row.refuse(f"a {name_field} is needed.")
    if entry.get("client"):
        entry["client"] = _client_id(row, str(entry["client"]), clients)
    if "isDefault" in entry:
        entry["isDefault"] = _truth(row, entry["isDefault"])
    entry["id"] = _own_id(row, entry["id"]) if entry.get("id") else _derived_id(row.collection, name, entry.get("client"))
    return entry


def _own_id(row: _Row, value: object) -> str:
    try:
        return str(uuid.UUID(str(value)))
    except ValueError:
        raise row.refuse(f"the id {value!r} is not a UUID.") from None


def _derived_id(collection: str, name: str, client: object) -> str:
    return str(uuid.uuid5(_NAMESPACE, json.dumps([collection, name.strip(), client])))


def _client_id(row: _Row, value: str, clients: dict[str, str]) -> str:
    if value in clients:
        return clients[value]
    try:
        return str(uuid.UUID(value))
    except ValueError:
        raise row.refuse(f"the client {value!r} is neither a UUID nor the slug or name of a client in this file.") from None


def _truth(row: _Row, value: object) -> bool:
    if isinstance(value, bool):
        return value
    if str(value).lower() not in _WORDS:
        raise row.refuse(f"isDefault is true or false, not {value!r}.")
    return _WORDS[str(value).lower()]
