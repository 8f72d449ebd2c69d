"""What every process of the demo does: live exactly as long as its parent."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable


def live_as_long_as_the_parent(farewell: Callable[[], object]) -> None:
    """End this process when standard input closes: a parent that dies, however, closes it.

    Args:
        farewell: Called first; it should be quick (flush what was measured).
    """

    def wait() -> None:
        sys.stdin.buffer.read()
        try:
            farewell()
        finally:
            os._exit(0)

    threading.Thread(target=wait, name="parent", daemon=True).start()
