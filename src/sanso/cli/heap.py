"""How a server uses glibc's heap: one for all threads, kept while questions come, and given back when they do not.

Each heap more of glibc's holds megabytes that others could use. And what an answer is made of (arrays of a few
megabytes, dozens a question) glibc by itself gives back to the system at once and gets again, page by page: that takes
as long as the evaluation. With other C libraries nothing is changed.
"""

from __future__ import annotations

import ctypes

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8
"""glibc's M_TRIM_THRESHOLD, M_MMAP_THRESHOLD and M_ARENA_MAX."""
_SETTINGS = ((_ARENA_MAX, 1), (_MMAP_THRESHOLD, 64 << 20), (_TRIM_THRESHOLD, 256 << 20))


def share_heap() -> bool:
    """Let threads that begin from now on share one heap that keeps its memory; whether the C library can (glibc)."""
    try:
        library = ctypes.CDLL(None)
        return all(library.mallopt(name, value) for name, value in _SETTINGS)
    except (AttributeError, OSError, TypeError):  # another C library
        return False


def give_back() -> None:
    """Give the system what the heap holds and nobody uses."""
    try:
        ctypes.CDLL(None).malloc_trim(0)
    except (AttributeError, OSError, TypeError):  # another C library
        return
