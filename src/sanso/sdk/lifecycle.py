"""What must happen when the process forks or ends."""

from __future__ import annotations

import atexit
import os
import sys
import weakref
from functools import cache
from typing import Protocol

_BEFORE_CHILDREN_OF_OURS = -10


class Living(Protocol):
    """Something that has a thread, and values to deliver."""

    def begin_in_child(self) -> None:
        """The process is a fresh fork."""
        ...

    def end(self) -> None:
        """The process ends now."""
        ...


def attach(living: Living) -> None:
    """Tell it of every fork, and of the end of this process."""
    _watch_forks().add(living)
    _watch_the_end(living)


def detach(living: Living) -> None:
    """Tell it no more."""
    _watch_forks().discard(living)
    atexit.unregister(living.end)


@cache
def _watch_forks() -> weakref.WeakSet[Living]:
    """Everything to tell of a fork: one hook for all, since a hook cannot be taken back."""
    living: weakref.WeakSet[Living] = weakref.WeakSet()

    def tell() -> None:
        for one in list(living):
            one.begin_in_child()
            _finalise(one)

    os.register_at_fork(after_in_child=tell)
    return living


def _watch_the_end(living: Living) -> None:
    atexit.register(living.end)
    _finalise(living)


def _finalise(living: Living) -> None:
    """A child of multiprocessing ends without atexit, and forgets the finalizers that were set before its start."""
    util = sys.modules.get("multiprocessing.util")
    if util is not None:
        util.register_after_fork(living, _set_finalizer)
        _set_finalizer(living)


def _set_finalizer(living: Living) -> None:
    from multiprocessing.util import Finalize

    reference = weakref.ref(living)

    def end() -> None:
        alive = reference()
        if alive is not None:
            alive.end()

    Finalize(None, end, exitpriority=_BEFORE_CHILDREN_OF_OURS)
