"""Headers that say who asks; files of secrets are read anew each time."""

from __future__ import annotations

import base64

from sanso.model.errors import SourceError
from sanso.sources.scrape.settings import HttpSettings, Secret


def header_lines(settings: HttpSettings) -> list[tuple[str, str]]:
    """Names and values of the headers that the settings ask for.

    Raises:
        SourceError: A file cannot be read, or what it holds is no header.
    """
    lines = []
    if settings.username is not None:
        pair = f"{_read(settings.username)}:{_read(settings.password)}"
        lines.append(("Authorization", f"Basic {base64.b64encode(pair.encode()).decode()}"))
    elif settings.credentials:
        lines.append(("Authorization", f"{settings.auth_type} {_read(settings.credentials)}"))
    lines += [(name, _read(value)) for name, value in settings.headers]
    for name, value in lines:
        if any(sign in name + value for sign in "\r\n\0"):
            raise SourceError(f"the value of header {name} holds a line's end")
    return lines


def _read(secret: Secret) -> str:
    if secret.file is None:
        return secret.text
    try:
        return secret.file.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SourceError(f"unable to read {secret.file}: {error}") from error
