"""The typed client of a Mintage service.

>>> from mintage import Client
>>> with Client() as mintage:
...     course = mintage.upsert_courses([{"title": "Algebra I"}])[0]
...     group = mintage.create_group("Spring promotion", code_length=12, total=10_000, courses=[course.id])
...     mintage.export(mintage.wait(group), "codes.csv")
"""

from mintage.catalog import Bundle, CatalogClient, Course, LearningPath, License
from mintage.client import Client
from mintage.errors import (
    ApiError,
    Conflict,
    ConnectionFailed,
    ExportMismatch,
    Forbidden,
    GroupFailed,
    Invalid,
    MintageError,
    NotConfigured,
    NotFound,
    RateLimited,
    Unauthorized,
    Unavailable,
    UnexpectedAnswer,
    WaitTimedOut,
)
from mintage.lifecycle import Estimate, Proof
from mintage.models import Code, Group, GroupStatus, Named, Redeemer
from mintage.patience import Patience

__version__ = "0.1.0"

__all__ = [
    "ApiError",
    "Bundle",
    "CatalogClient",
    "Client",
    "Code",
    "Conflict",
    "ConnectionFailed",
    "Course",
    "Estimate",
    "ExportMismatch",
    "Forbidden",
    "Group",
    "GroupFailed",
    "GroupStatus",
    "Invalid",
    "LearningPath",
    "License",
    "MintageError",
    "Named",
    "NotConfigured",
    "NotFound",
    "Patience",
    "Proof",
    "RateLimited",
    "Redeemer",
    "Unauthorized",
    "Unavailable",
    "UnexpectedAnswer",
    "WaitTimedOut",
    "__version__",
]
