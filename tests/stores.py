"""Where the tests' servers are."""

from __future__ import annotations

import os
from dataclasses import dataclass
from urllib.parse import urlsplit

from sqlalchemy.engine import make_url

from app.settings import Settings

SECRET = "a secret of the tests, and of nothing else"


@dataclass(frozen=True)
class Stores:
    """A PostgreSQL and a Redis for a test run."""

    database_url: str
    redis_url: str
    template: str = f"mintage_template_{os.getpid()}"


def settings_for(stores: Stores, database: str, **overrides: object) -> Settings:
    """Settings for one database of the tests' PostgreSQL; Redis database 1 is the tests', 0 is left alone."""
    url = make_url(stores.database_url).set(database=database).render_as_string(hide_password=False)
    values: dict[str, object] = {
        "database_url": url,
        "redis_url": urlsplit(stores.redis_url)._replace(path="/1").geturl(),
        "secret_key": SECRET,
        "lease_seconds": 10.0,
        "task_time_limit": 8.0,
        "heartbeat_seconds": 1.0,
        "redis_timeout_seconds": 2.0,
    }
    return Settings.model_validate(values | overrides)
