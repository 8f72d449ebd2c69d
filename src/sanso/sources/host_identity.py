"""Which machine this is: kernel and operating system, as labels of a constant 1."""

from __future__ import annotations

import os
import platform

import numpy as np

from sanso.model.frame import Columns, Family, Row
from sanso.model.labels import Labels, labels_of, series_of

_OS = {
    "ID": "id", "ID_LIKE": "id_like", "NAME": "name", "PRETTY_NAME": "pretty_name", "VERSION": "version",
    "VERSION_ID": "version_id", "VERSION_CODENAME": "version_codename",
}  # fmt: skip


class HostIdentity:
    """Read once: neither changes while the machine runs."""

    name = "host_identity"
    families = (
        Family("node_uname_info", "gauge", "The kernel's own description, as labels."),
        Family("node_os_info", "gauge", "The operating system, as labels."),
    )

    def __init__(self) -> None:
        self._columns = Columns(tuple(_identity()))
        self._ones = np.ones(len(self._columns.labels))

    def read(self, now_ms: int) -> Row | None:  # noqa: ARG002 - a source's signature
        """1 for each."""
        return Row(self._columns, self._ones)


def _identity() -> list[Labels]:
    found = os.uname()
    uname = {
        "sysname": found.sysname, "nodename": found.nodename, "release": found.release, "version": found.version,
        "machine": found.machine, "domainname": "(none)",
    }  # fmt: skip
    identity = [series_of("node_uname_info", **uname)]
    try:
        described = platform.freedesktop_os_release()
    except OSError:  # a minimal image
        return identity
    about = {label: described.get(key, "") for key, label in _OS.items()}
    return [*identity, labels_of({"__name__": "node_os_info", **about})]
