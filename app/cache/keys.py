"""Every Redis key of the service, apart from the broker's own (which begin with `mintage.broker.`).

| key                          | type | owner                    | life time                                     |
|------------------------------|------|--------------------------|-----------------------------------------------|
| mintage:reserved:{LEN}:EPOCH | set  | `app.cache.reservations` | ends two epochs after its own began, whatever |

LEN stands in braces, so that a cluster keeps the sets of one code length on one node.
"""

from __future__ import annotations


def reserved(length: int, epoch: int) -> str:
    """The set of codes of that length that were reserved in that epoch."""
    return f"mintage:reserved:{{{length}}}:{epoch}"
