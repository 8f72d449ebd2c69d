"""What all tests share: hypothesis without a stopwatch, for a machine under load is not an error.

In CI its inputs are the same each time, so that a verdict is of the change; everywhere else chance goes on looking.
"""

from __future__ import annotations

import os

from hypothesis import settings

settings.register_profile("sanso", deadline=None, derandomize=os.environ.get("SANSO_REQUIRE_PEERS") == "1")
settings.load_profile("sanso")
