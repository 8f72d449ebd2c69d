"""One heap for all threads of a server: each heap more of glibc's holds megabytes that others could use."""

from __future__ import annotations

import ctypes

_ARENA_MAX = -8
"""glibc's M_ARENA_MAX."""


def share_heap() -> bool:
    """Let threads that begin from now on share one heap; whether the C library can (glibc). About 6 MB of a server."""
    try:
        return bool(ctypes.CDLL(None).mallopt(_ARENA_MAX, 1))
    except (AttributeError, OSError, TypeError):  # another C library
        return False
