"""How property tests run here."""

from __future__ import annotations

from hypothesis import settings

# Shared machines are slow at times: an example that takes long is no failure.
settings.register_profile("unit", deadline=None)
settings.load_profile("unit")
