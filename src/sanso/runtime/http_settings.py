"""Credentials, TLS and headers of a configuration, in Prometheus's fields."""

from __future__ import annotations

from sanso.runtime.table import Table
from sanso.sources.scrape.settings import HttpSettings, Secret, TlsSettings
from sanso.sources.scrape.tls import VERSION_NAMES

HTTP_KEYS = frozenset(
    {
        "basic_auth", "authorization", "bearer_token", "bearer_token_file", "tls_config", "follow_redirects",
        "enable_http2", "http_headers", "oauth2", "proxy_url", "no_proxy", "proxy_from_environment",
        "proxy_connect_header",
    }
)  # fmt: skip
NOT_YET = {
    "oauth2": "no token is fetched",
    "proxy_url": "the connection is direct",
    "proxy_from_environment": "the connection is direct",
    "proxy_connect_header": "the connection is direct",
}
"""What is known, and what happens instead."""


def read_http(table: Table) -> HttpSettings:
    """How a server is asked.

    Raises:
        ConfigError: A field is wrong, or two say who asks.
    """
    ways = [
        key for key in ("basic_auth", "authorization", "oauth2", "bearer_token", "bearer_token_file") if key in table
    ]
    if len(ways) > 1:
        raise table.error(ways[1], f"at most one of {', '.join(ways)} can be there")
    username, password = _basic(table)
    kind, credentials = _authorization(table)
    return HttpSettings(
        username=username,
        password=password,
        auth_type=kind,
        credentials=credentials,
        headers=tuple(_headers(table)),
        follow_redirects=table.flag("follow_redirects", default=True),
        tls=_tls(table),
    )


def _secret(table: Table, key: str, file_key: str = "") -> Secret:
    file_key = file_key or f"{key}_file"
    if key in table and file_key in table:
        raise table.error(key, f"at most one of {key} and {file_key} can be there")
    return Secret(table.text(key), table.path(file_key))


def _basic(table: Table) -> tuple[Secret | None, Secret]:
    basic = table.table("basic_auth")
    if basic is None:
        return None, Secret()
    basic.only({"username", "username_file", "password", "password_file"})
    return _secret(basic, "username"), _secret(basic, "password")


def _authorization(table: Table) -> tuple[str, Secret]:
    inner = table.table("authorization")
    if inner is None:
        return "Bearer", _secret(table, "bearer_token")
    inner.only({"type", "credentials", "credentials_file"})
    kind = inner.text("type", "Bearer").strip() or "Bearer"
    if kind.lower() == "basic":
        raise inner.error("type", 'authorization type cannot be "basic": use basic_auth')
    return kind, _secret(inner, "credentials")


def _headers(table: Table) -> list[tuple[str, Secret]]:
    inner = table.table("http_headers")
    found: list[tuple[str, Secret]] = []
    for name in inner.values if inner is not None else ():
        header = inner.table(name) if inner is not None else None
        if header is None:
            continue
        header.only({"values", "secrets", "files"})
        found += [(name, Secret(text)) for text in (*header.texts("values"), *header.texts("secrets"))]
        found += [(name, Secret(file=header.folder / file)) for file in header.texts("files")]
    return found


def _tls(table: Table) -> TlsSettings:
    inner = table.table("tls_config")
    if inner is None:
        return TlsSettings()
    keys = {"ca", "ca_file", "cert", "cert_file", "key", "key_file", "server_name", "insecure_skip_verify"}
    inner.only(keys | {"min_version", "max_version"})
    for key in ("min_version", "max_version"):
        if inner.text(key) not in ("", *VERSION_NAMES):
            raise inner.error(key, f"one of {', '.join(VERSION_NAMES)} is expected, not {inner.raw(key)!r}")
    cert, private = _secret(inner, "cert"), _secret(inner, "key")
    if bool(cert) != bool(private):
        raise inner.error("cert_file" if cert else "key_file", "a certificate and its key are expected together")
    return TlsSettings(
        ca=_secret(inner, "ca"),
        cert=cert,
        key=private,
        server_name=inner.text("server_name"),
        skip_verify=inner.flag("insecure_skip_verify", default=False),
        min_version=inner.text("min_version"),
        max_version=inner.text("max_version"),
    )
