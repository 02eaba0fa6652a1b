"""The entry for WSGI servers: `app.wsgi:application`."""

from __future__ import annotations

from app.factory import create_app
from app.logs import configure_logging
from app.runtime import make_runtime
from app.settings import load_settings

settings = load_settings()
configure_logging(settings)
application = create_app(make_runtime(settings))
