from __future__ import annotations

import contextlib
import string
import tomllib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sanso.model.control import QueryLimits
from sanso.model.errors import ConfigError
from sanso.runtime.config import Config, load_config, split_address
from sanso.sources.workers import ConfiguredWorker

FULL = """
listen = "127.0.0.1:4444"
otlp_listen = ""
data = "history"
retention = "30d"
[sample]
interval = "500ms"
host = false
[[rules]]
file = "alerts.json"
[organisation]
expected = 8
[[organisation.workers]]
name = "PRESIDENT"
icon = "👑"
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "sanso.toml"
    path.write_text(text, "utf-8")
    return path


def test_no_file_is_the_defaults() -> None:
    config = load_config(None)
    assert config == Config()
    assert (config.listen, config.interval_ms, config.retention_ms) == ("127.0.0.1:3333", 1000, 15 * 86_400_000)


def test_limits_of_questions_and_who_may_ask(tmp_path: Path) -> None:
    text = 'cors_origin = "https://.*"\nexternal_labels = {region = "eu", az = "1"}\n[query]\n'
    text += 'timeout = "30s"\nmax_samples = 1000\nmax_concurrency = 3\nlookback_delta = "1m"\n'
    config = load_config(written(tmp_path, text))
    assert config.query == QueryLimits(timeout_s=30.0, most_samples=1000, threads=3, lookback_ms=60_000)
    assert config.cors_origin == "https://.*"
    assert config.external_labels == (("az", "1"), ("region", "eu"))


@pytest.mark.parametrize(
    "text",
    [
        "query = {max_samples = 0}",
        "query = {timeout = '0s'}",
        "query = {lookback_delta = '0s'}",
        "query = {threads = 1}",
        "cors_origin = '('",
        "external_labels = {a = 1}",
    ],
)
def test_limits_that_are_none_are_refused_by_name(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError, match=text.partition(" ")[0]):
        load_config(written(tmp_path, text))


def test_every_key_is_read_and_paths_are_meant_from_the_file(tmp_path: Path) -> None:
    config = load_config(written(tmp_path, FULL))
    assert config.listen == "127.0.0.1:4444"
    assert config.otlp_listen == ""
    assert config.data == tmp_path / "history"
    assert config.retention_ms == 30 * 86_400_000
    assert (config.interval_ms, config.collect_host) == (500, False)
    assert config.rule_files == (tmp_path / "alerts.json",)
    assert config.organisation.expected == 8
    assert config.organisation.workers == (ConfiguredWorker("PRESIDENT", "👑"),)


def test_as_many_workers_are_expected_as_are_named(tmp_path: Path) -> None:
    text = '[organisation]\n[[organisation.workers]]\nname="A"\n[[organisation.workers]]\nname="B"\n'
    assert load_config(written(tmp_path, text)).organisation.expected == 2


@pytest.mark.parametrize(
    ("text", "line", "field", "expected"),
    [
        ('listn = "x"', 1, "listn", "unknown key; known are"),
        ('\nlisten = "nowhere"', 2, "listen", "is not host:port; write it like 127.0.0.1:3333"),
        ("listen = 3333", 1, "listen", "a text is expected, not 3333"),
        ('retention = "long"', 1, "retention", "long"),
        ("retention = true", 1, "retention", "a duration like 1s or 15d is expected"),
        ('[sample]\ninterval = "1ms"', 2, "sample.interval", "at least 100ms"),
        ('[sample]\nhost = "yes"', 2, "sample.host", "true or false is expected"),
        ("[sample]\ncolour = 1", 2, "sample.colour", "unknown key; known are host, interval"),
        ("sample = 3", 1, "sample", "a table is expected: [sample]"),
        ("[rules]\nfile = 'x'", 1, "rules", "a list of tables is expected: [[rules]]"),
        ("[organisation]\nexpected = true", 2, "organisation.expected", "a whole number is expected"),
        ("[[organisation.workers]]\nrole = 'x'", 0, "organisation.workers.name", "a name is expected"),
    ],
)
def test_what_is_wrong_is_named_with_file_line_and_field(
    tmp_path: Path, text: str, line: int, field: str, expected: str
) -> None:
    path = written(tmp_path, text)
    with pytest.raises(ConfigError) as caught:
        load_config(path)
    error = caught.value
    assert (error.file, error.field) == (str(path), field)
    assert error.line == line
    assert expected in str(error)


def test_a_file_that_is_not_there_or_not_toml(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read: No such file"):
        load_config(tmp_path / "none.toml")
    with pytest.raises(ConfigError, match="is not TOML"):
        load_config(written(tmp_path, "listen ="))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=100)
@given(st.text(alphabet=string.printable, max_size=60))
def test_any_text_is_a_configuration_or_a_clear_error(tmp_path: Path, text: str) -> None:
    path = written(tmp_path, text)
    try:
        tomllib.loads(path.read_text("utf-8"))
    except tomllib.TOMLDecodeError:
        with pytest.raises(ConfigError, match="is not TOML"):
            load_config(path)
        return
    with contextlib.suppress(ConfigError):  # TOML, but keys that we do not know
        assert isinstance(load_config(path), Config)


@pytest.mark.parametrize(
    ("text", "address"),
    [("127.0.0.1:0", ("127.0.0.1", 0)), ("[::1]:33", ("::1", 33)), (":4318", ("0.0.0.0", 4318)), ("a.b:1", ("a.b", 1))],
)
def test_addresses(text: str, address: tuple[str, int]) -> None:
    assert split_address(text) == address


@pytest.mark.parametrize("text", ["", "localhost", "localhost:", "localhost:x", "localhost:99999", "1:2:-3"])
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(ValueError, match="is not host:port"):
        split_address(text)


def test_tiers_replace_the_defaults(tmp_path: Path) -> None:
    assert set(Config().tiers_ms) == {10_000, 300_000}
    config = load_config(written(tmp_path, '[tiers]\n"1m" = "1y"\n'))
    assert config.tiers_ms == {60_000: 365 * 86_400_000}
    assert load_config(written(tmp_path, "[tiers]\n")).tiers_ms == {}


@pytest.mark.parametrize("line", ['"soon" = "1y"', '"10ms" = "1y"', '"1m" = true', '"1m" = "long"'])
def test_tiers_that_make_no_sense_are_refused(tmp_path: Path, line: str) -> None:
    with pytest.raises(ConfigError, match="tiers"):
        load_config(written(tmp_path, f"[tiers]\n{line}\n"))
