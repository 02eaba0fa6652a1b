"""JSON by orjson."""

from __future__ import annotations

from typing import Any

import orjson
from flask.json.provider import JSONProvider


class OrjsonProvider(JSONProvider):
    """Flask's JSON, several times faster; strict in what it reads: no NaN, no lone surrogates, no endless nesting."""

    def dumps(self, obj: Any, **_: Any) -> str:
        """The object as JSON text."""
        return orjson.dumps(obj).decode()

    def loads(self, s: str | bytes, **_: Any) -> Any:
        """The value that JSON text stands for. Raises ValueError."""
        return orjson.loads(s)
