"""Small named states (of alerts), kept as durably as rows."""

from __future__ import annotations

from collections.abc import Mapping

from sanso.store.disk import Disk


class States:
    """`StateKeeper`: what is saved is committed with the next commit of the store."""

    def __init__(self, disk: Disk | None, saved: Mapping[str, bytes]) -> None:
        self._disk = disk
        self._states = dict(saved)

    def load_state(self, key: str) -> bytes | None:
        """As `StateKeeper.load_state`."""
        return self._states.get(key)

    def save_state(self, key: str, value: bytes) -> None:
        """As `StateKeeper.save_state`; on the thread that commits."""
        self._states[key] = value
        if self._disk is not None:
            self._disk.waiting.add_state(key, value)
