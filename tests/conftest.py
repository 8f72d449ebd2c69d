"""What all tests share: hypothesis without a stopwatch, for a machine under load is not an error."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("sanso", deadline=None)
settings.load_profile("sanso")
