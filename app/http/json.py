"""JSON by orjson."""

from __future__ import annotations

import json
from typing import Any

import orjson
from flask.json.provider import JSONProvider


class OrjsonProvider(JSONProvider):
    """Flask's JSON, several times faster; strict in what it reads: no NaN, no lone surrogates, no endless nesting."""

    def dumps(self, obj: Any, **_: Any) -> str:
        """The object as JSON text."""
        try:
            return orjson.dumps(obj).decode()
        except orjson.JSONEncodeError:
            # orjson writes no number beyond 64 bits, and long codes have more possibilities than that.
            return json.dumps(obj, separators=(",", ":"), ensure_ascii=False, allow_nan=False)

    def loads(self, s: str | bytes, **_: Any) -> Any:
        """The value that JSON text stands for. Raises ValueError."""
        return orjson.loads(s)
