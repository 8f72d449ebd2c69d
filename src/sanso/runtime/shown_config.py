"""A configuration as it may be shown: secrets hidden, as Prometheus hides them."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import yaml

_SECRET = "<secret>"
_SECRETS = frozenset(
    {
        "password", "credentials", "bearer_token", "client_secret", "secret_key", "access_key", "key", "secrets",
        "secret", "token",
    }
)  # fmt: skip


def shown(tree: Any) -> str:
    """The YAML of plain values."""
    text: str = yaml.safe_dump(_hidden(tree), sort_keys=False, allow_unicode=True) if tree else ""
    return text


def _hidden(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _SECRET if key in _SECRETS and inner else _hidden(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_hidden(item) for item in value]
    if isinstance(value, str) and "://" in value and "@" in value:
        parts = urlsplit(value)
        if parts.password:
            return value.replace(f":{parts.password}@", f":{_SECRET}@", 1)
    return value
