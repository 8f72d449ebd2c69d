"""TLS contexts made from settings; a changed certificate file counts from the next connection on."""

from __future__ import annotations

import contextlib
import ssl
import tempfile
from collections.abc import Iterator
from pathlib import Path

from sanso.model.errors import SourceError
from sanso.sources.scrape.settings import Secret, TlsSettings

_VERSIONS = {
    "TLS10": ssl.TLSVersion.TLSv1,
    "TLS11": ssl.TLSVersion.TLSv1_1,
    "TLS12": ssl.TLSVersion.TLSv1_2,
    "TLS13": ssl.TLSVersion.TLSv1_3,
}
VERSION_NAMES = tuple(_VERSIONS)


class TlsContexts:
    """The context of one job, made when it is first needed and anew when its files change."""

    def __init__(self, settings: TlsSettings) -> None:
        self._settings = settings
        self._context: ssl.SSLContext | None = None
        self._seen: tuple[float, ...] = ()

    def context(self) -> ssl.SSLContext:
        """The context now.

        Raises:
            SourceError: A file cannot be read, or holds no certificate.
        """
        secrets = (self._settings.ca, self._settings.cert, self._settings.key)
        try:
            seen = tuple(secret.file.stat().st_mtime for secret in secrets if secret.file is not None)
            if self._context is None or seen != self._seen:
                self._context, self._seen = _made(self._settings), seen
        except (OSError, ValueError) as error:
            raise SourceError(f"tls_config: {error}") from error
        return self._context


def _made(settings: TlsSettings) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if settings.ca:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(cadata=settings.ca.text or (settings.ca.file or Path()).read_text("ascii"))
    if settings.skip_verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if settings.cert:
        with _as_file(settings.cert) as cert, _as_file(settings.key) as key:
            context.load_cert_chain(cert, key)
    if settings.min_version:
        context.minimum_version = _VERSIONS[settings.min_version]
    if settings.max_version:
        context.maximum_version = _VERSIONS[settings.max_version]
    return context


@contextlib.contextmanager
def _as_file(secret: Secret) -> Iterator[Path]:
    """The library takes files only; a text lies in one of this user's own for as long as it is read."""
    if secret.file is not None:
        yield secret.file
        return
    with tempfile.NamedTemporaryFile("w", suffix=".pem") as file:
        file.write(secret.text)
        file.flush()
        yield Path(file.name)
