"""Query parameters that several lists share."""

from __future__ import annotations

from enum import StrEnum
from typing import TypeVar

from app.errors import ValidationFailed

E = TypeVar("E", bound=StrEnum)


def choices(text: str | None, kind: type[E], field: str) -> list[E]:
    """The values in a comma-separated parameter, without repetitions; [] for none. Raises ValidationFailed for others."""
    parts = [part.strip() for part in (text or "").split(",") if part.strip()]
    try:
        return list(dict.fromkeys(kind(part) for part in parts))
    except ValueError:
        raise ValidationFailed(
            f"{field} must be {' or '.join(kind)}, or several of them joined by commas.", field=field
        ) from None


def searchable(text: str | None) -> str | None:
    """A search text, or None where there is none. Raises ValidationFailed for a NUL character, which no text holds."""
    if text and "\0" in text:
        raise ValidationFailed("query must not contain a NUL character.", field="query")
    return text or None
