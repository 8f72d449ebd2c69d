"""What an import may pull, seen from a fresh interpreter: the static graph cannot see everything."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = {"numpy", "textual", "starlette", "psutil", "uvicorn", "rich", "opentelemetry", "google.protobuf"}


@pytest.mark.parametrize("module", ["sanso", "sanso.sdk", "sanso.cli.main"])
def test_import_is_light(module: str) -> None:
    code = f"import sys, {module}; print(*sys.modules)"
    loaded = set(
        subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()
    )
    assert not loaded & HEAVY


def test_public_names_resolve() -> None:
    import sanso

    for name in sanso.__all__:
        assert getattr(sanso, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = sanso.nothing
