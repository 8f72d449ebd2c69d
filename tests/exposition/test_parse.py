"""Text 0.0.4: what is read, what is refused and why, on first sight and over a page read before."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Summary, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from sanso.exposition.number_labels import NUMBER_LABELS, spelled
from sanso.exposition.page import NO_TIME, Limits, Sample
from sanso.exposition.parse import TextParser
from sanso.exposition.render import render_text
from sanso.model.errors import DecodeError
from sanso.model.frame import Family
from sanso.model.labels import NAME, Labels, labels_of, series_of
from tests.exposition import pages


def read(text: str | bytes, limits: Limits | None = None) -> dict[Labels, tuple[float | str, int | None]]:
    body = text if isinstance(text, bytes) else text.encode()
    return pages.told(TextParser(limits).parse(body))


def one(text: str) -> tuple[Labels, float | str, int | None]:
    ((labels, (value, time)),) = read(text).items()
    return labels, value, time


@pytest.mark.parametrize(
    ("line", "labels"),
    [
        ("a 1", series_of("a")),
        ("a{} 1", series_of("a")),
        ("a{ } 1", series_of("a")),
        ("a{}1", series_of("a")),
        (" \t a \t 1 \t ", series_of("a")),
        ('a{b="c"} 1', series_of("a", b="c")),
        ('a{b="c",} 1', series_of("a", b="c")),
        ('a{b="c" , } 1', series_of("a", b="c")),
        ('a\t{ b = "c" ,d="e"}\t1', series_of("a", b="c", d="e")),
        ('a{b="c" d="e"} 1', series_of("a", b="c", d="e")),
        ('a{d="e",b="c"}1', series_of("a", b="c", d="e")),
        ('a{b=""} 1', series_of("a")),
        ('a{b="}",c="{# ,="} 1', series_of("a", b="}", c="{# ,=")),
        (r'a{b="\\\"\n\t"} 1', series_of("a", b='\\"\n\\t')),
        ('a{b="é\0\r"} 1', series_of("a", b="é\0\r")),
        (":a:b_9 1", series_of(":a:b_9")),
        ('vllm:num_requests_running{model_name="m/x"} 1', series_of("vllm:num_requests_running", model_name="m/x")),
        ('{"a"} 1', series_of("a")),
        ('{"a.b"} 1', series_of("a.b")),
        ('{"a.b","c d"="x"} 1', series_of("a.b", **{"c d": "x"})),
        ('{"c d"="x", "a.b" , e="f"} 1', series_of("a.b", **{"c d": "x", "e": "f"})),
        (r'{"a\"\\b\n"} 1', series_of('a"\\b\n')),
        ('a{"b.c"="d"} 1', series_of("a", **{"b.c": "d"})),
        ('a{"__name"="d"} 1', series_of("a", __name="d")),
    ],
)
def test_series(line: str, labels: Labels) -> None:
    assert one(line) == (labels, 1.0, None)
    assert one(f"{line} 1700000000000\n") == (labels, 1.0, 1700000000000)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1.0),
        ("+1", 1.0),
        ("-1.50", -1.5),
        (".5", 0.5),
        ("5.", 5.0),
        ("007", 7.0),
        ("1e3", 1000.0),
        ("1E+03", 1000.0),
        ("1.5e-3", 0.0015),
        ("1e-999", 0.0),
        ("-0", -0.0),
        ("NaN", "NaN"),
        ("nan", "NaN"),
        ("nAN", "NaN"),
        ("Inf", math.inf),
        ("+Inf", math.inf),
        ("-Inf", -math.inf),
        ("infinity", math.inf),
        ("-INFINITY", -math.inf),
        ("9007199254740993", 9007199254740992.0),
    ],
)
def test_numbers(text: str, value: float | str) -> None:
    for line in (f"a {text}", f"a{{}} {text} 5", f"a\t{text}\t\n"):
        assert one(line)[1] == value


WRONG = [
    "x",
    "1_0",
    "0x1",
    "0x1p4",
    "1e",
    "e5",
    ".",
    "+",
    "--1",
    "+nan",
    "-NaN",
    "1e999",
    "-1e400",
    "infin",
    "1,5",
    "１",
]


@pytest.mark.parametrize("text", [*WRONG, "1\r", "1\x0b", "1\xa0", '"1"'])
def test_refused_numbers(text: str) -> None:
    for page in (f"ok 1\na {text}\n", f"ok 1 5\na {text} 5\n"):
        with pytest.raises(DecodeError, match=r"^line 2: "):
            read(page)
    parser = TextParser()  # laid over a page that was good, the same is refused
    parser.parse(b"ok 1\na 1\n")
    with pytest.raises(DecodeError, match=r"^line 2: "):
        parser.parse(f"ok 1\na {text}\n".encode())


@pytest.mark.parametrize("time", ["1.5", "1e3", "x", "9223372036854775808", "1 1", "NaN", "-", "1_0"])
def test_refused_times(time: str) -> None:
    with pytest.raises(DecodeError, match=r"^line 1: "):
        read(f"a 1 {time}")


def test_times() -> None:
    assert read("a 1 -5\nb 2\nc 3  0 \n") == {
        series_of("a"): (1.0, -5),
        series_of("b"): (2.0, None),
        series_of("c"): (3.0, 0),
    }
    assert TextParser().parse(b"a 1\n").times is None


@pytest.mark.parametrize(
    "line",
    [
        "a",
        "a ",
        "{} 1",
        '{b="c"} 1',
        '{__name__="a"} 1',
        'a{__name__="a"} 1',
        'a{__name__="b"} 1',
        '{""} 1',
        '{"a","b"} 1',
        'a{"b"} 1',
        '{"a" b="c"} 1',
        "a{b} 1",
        "a{b=} 1",
        'a{b="c} 1',
        "a{b='c'} 1",
        "a{b=c} 1",
        'a{b="c"',
        'a{b="c" 1',
        "a{,} 1",
        'a{,b="c"} 1',
        'a{b="c",,} 1',
        'a{b="c","d"} 1',
        'a{""="c"} 1',
        'a{1b="c"} 1',
        'a{b:c="c"} 1',
        'a{b.c="c"} 1',
        'a{b="c",b="d"} 1',
        'a{b="c"}{d="e"} 1',
        "1a 1",
        "a.b 1",
        "é 1",
        "a b 1",
        "=",
        "}",
        "a 1 # {} 1",
        "# TYPE a",
        "# TYPE a nothing",
        "# TYPE a info",
        "# TYPE  counter",
        "# HELP \t ",
        "# TYPE 1a counter",
        "\r",
        b'a{b="\xff"} 1',
        b'{"\xff"} 1',
        b"# HELP a \xff",
        b"\xef\xbb\xbfa 1",
    ],
)
def test_refused_lines(line: str | bytes) -> None:
    body = line if isinstance(line, bytes) else line.encode()
    for start in (b"ok 1\n", b"ok 1 5\n"):
        with pytest.raises(DecodeError, match=r"^line 2: "):
            read(start + body + b"\nalso 1\n")


def test_what_is_no_sample() -> None:
    page = TextParser().parse(
        b"\n \t \n#\n# \n#HELP no text of a\n# a comment\n# help a no\n# HELPa no\n# TYPEa counter\n"
        b' # \t HELP \t a \t one \\\\ two\\n \\x "three" \t \n#\tTYPE\ta\tcounter \na 1\n# HELP a last\n'
        b"# HELP late Told after it.\nlate 2\n# TYPE late gauge\n# UNIT a seconds\n# EOF\n"
        b'# TYPE "b.c" untyped\n# HELP empty\n# HELP empty.too a name is cut\n'
    )
    assert set(page.row.columns.labels) == {series_of("a"), series_of("late")}
    assert page.families == (
        Family("a", "counter", "last"),
        Family("late", "gauge", "Told after it."),
        Family("b.c", "unknown", ""),
        Family("empty", "unknown", ""),
    )
    first = TextParser().parse(b' # \t HELP \t a \t one \\\\ two\\n \\x "three" \t \n')
    assert first.families[0].help == 'one \\ two\n \\x "three"'


@pytest.mark.parametrize("body", [b"", b"\n", b"# only a comment", b"\n\n"])
def test_pages_without_samples(body: bytes) -> None:
    page = TextParser().parse(body)
    assert page.row.columns.labels == ()
    assert page.row.values.shape == (0,)


def test_the_first_of_two_lines_of_a_series_counts() -> None:
    page = TextParser().parse(b'a{x="1",y="2"} 1\nb 2\na{y="2",x="1",z=""} 3\n')
    assert pages.told(page) == {series_of("a", x="1", y="2"): (1.0, None), series_of("b"): (2.0, None)}
    assert page.duplicates == 1


@pytest.mark.parametrize(
    ("limits", "line", "message"),
    [
        (Limits(body_bytes=20), 3, "bytes, more than the limit of 20"),
        (Limits(samples=2), 3, "3 samples, more than the limit of 2"),
        (Limits(labels=2), 3, "more labels than the limit of 2"),
        (Limits(label_name_bytes=8), 3, "label name 'long_name'… is longer than the limit of 8 bytes"),
        (Limits(label_value_bytes=9), 3, "value of label 'long_name' is longer than the limit of 9 bytes"),
    ],
)
def test_limits_are_named_with_the_line(limits: Limits, line: int, message: str) -> None:
    body = 'a 1\nb{b="c"} 1\nc{d="e",long_name="ééééé"} 1\n'
    with pytest.raises(DecodeError, match=f"^line {line}: .*{message}"):
        read(body, limits)
    assert len(read(body)) == 3


def test_of_a_line_with_millions_of_labels_only_the_first_are_read() -> None:
    labels = ",".join(f'"l{number}"="x"' for number in range(1_000_000))
    with pytest.raises(DecodeError, match=r"^line 1: more labels than the limit of 128$"):
        read(f"a{{{labels}}} 1")


def test_a_page_of_empty_lines_is_bounded() -> None:
    with pytest.raises(DecodeError, match=r"^line 1029: more lines"):
        read(b"\n" * 2000, Limits(samples=1))


def test_columns_stay_as_long_as_the_series_do() -> None:
    parser = TextParser()
    first = parser.parse(b"# HELP a x\na 1\nb 2\n")
    again = parser.parse(b"# HELP a x\na 3\nb 4\n")
    moved = parser.parse(b"b 6\n\na 5\n")
    more = parser.parse(b"b 6\na 5\nc 7\n")
    assert again.row.columns is first.row.columns is moved.row.columns
    assert moved.row.values.tolist() == [5, 6]
    assert pages.told(more) == {series_of("a"): (5.0, None), series_of("b"): (6.0, None), series_of("c"): (7.0, None)}


def test_after_a_refused_page_the_next_is_read() -> None:
    parser = TextParser()
    first = parser.parse(b"a 1\n")
    with pytest.raises(DecodeError):
        parser.parse(b"a x\n")
    assert parser.parse(b"a 2\n").row.columns is first.row.columns


LINES = st.sampled_from(
    r"""a 1|a 2|a  3|a {b="c"} 4|a {b="c"}5|a{} 6|a	7|a{b="c"} 1|a{b="c"}2|a{b="c d"} 3|b 1|| |# a|# TYPE a gauge
# HELP a b|a 1 5|a NaN|a Inf| a 1|a 1 |a x|a|b{x="a 1"} 2""".replace("\n", "|").split("|")
)


@given(st.lists(st.lists(LINES, max_size=5), min_size=1, max_size=5))
@example([["a 1"], ['a {b="c"} 5']])
@example([["a 1"], ['a {b="c"}5']])
def test_what_was_read_before_changes_nothing(bodies: list[list[str]]) -> None:
    parser = TextParser()
    for lines in bodies:
        body = "\n".join(lines).encode()
        assert outcome(parser, body) == outcome(TextParser(), body)


def outcome(parser: TextParser, body: bytes) -> object:
    try:
        page = parser.parse(body)
    except DecodeError as error:
        return str(error)
    return pages.told(page), page.families, page.duplicates


SAMPLES = st.lists(
    st.tuples(pages.series() | pages.series(pages.quoted_names, pages.quoted_names), pages.values, pages.times),
    unique_by=lambda sample: sample[0],
    max_size=8,
)
FAMILIES = st.lists(
    st.builds(
        Family,
        pages.names | pages.quoted_names,
        st.sampled_from(["counter", "gauge", "histogram", "unknown"]),
        pages.texts,
    ),
    unique_by=lambda family: family.name,
    max_size=4,
)


@given(SAMPLES, FAMILIES)
def test_what_is_rendered_is_read_back(samples: list[Sample], families: list[Family]) -> None:
    page = TextParser().parse(render_text(samples, {family.name: family for family in families}).encode())
    assert pages.told(page) == pages.meant(samples)
    known = {family.name: family.type for family in families}
    assert all(known[family.name] == family.type for family in page.families)


@given(SAMPLES, st.integers(0, 2**32))
def test_pages_in_any_order_of_lines_mean_the_same(samples: list[Sample], seed: int) -> None:
    lines = render_text(samples, {}).split("\n")
    np.random.default_rng(seed).shuffle(lines)
    assert read("\n".join(lines)) == pages.meant(samples)


NOT_RESERVED = pages.label_names.filter(lambda name: not name.startswith("__"))
CLASSIC = st.lists(
    st.tuples(pages.series(keys=NOT_RESERVED), pages.values, st.none()), unique_by=lambda sample: sample[0], max_size=8
)


@given(CLASSIC)
def test_prometheus_client_reads_the_same(samples: list[Sample]) -> None:
    text = render_text(samples, {})
    told = {
        labels_of({NAME: sample.name, **sample.labels}): ("NaN" if math.isnan(sample.value) else sample.value, None)
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    assert read(text) == told


def test_prometheus_clients_own_page() -> None:
    registry = CollectorRegistry()
    Counter("orders", 'How "many"\\ \n.', ["kind"], registry=registry).labels('c"a\\r\nd').inc(3)
    Gauge("depth", "", registry=registry).set(-math.inf)
    Histogram("wait_seconds", "h", registry=registry).observe(0.3)
    Summary("size_bytes", "s", registry=registry).observe(7)
    body = generate_latest(registry)
    page = TextParser().parse(body)
    told = pages.told(page)
    assert told[series_of("orders_total", kind='c"a\\r\nd')] == (3.0, None)
    assert told[series_of("wait_seconds_bucket", le="+Inf")] == (1.0, None)
    assert told[series_of("depth")] == (-math.inf, None)
    helps = {family.name: family.help for family in page.families}
    assert helps["orders_total"] == 'How "many"\\ \n.'
    assert {(f.name, f.type) for f in page.families} >= {("wait_seconds", "histogram"), ("size_bytes", "summary")}


@pytest.mark.skipif(not pages.NODE_EXPORTER.exists(), reason="the shared data is not beside the checkout")
def test_a_real_page() -> None:
    text = pages.NODE_EXPORTER.read_text("utf-8")
    told = {
        spelled(labels_of({NAME: sample.name, **sample.labels}), NUMBER_LABELS.get(family.type, ""), strict=False): (
            "NaN" if math.isnan(sample.value) else sample.value,
            None,
        )
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    page = TextParser().parse(text.encode())
    assert pages.told(page) == told
    assert len(told) == 507
    assert page.times is None
    assert NO_TIME not in page.row.values


def test_a_family_without_a_help_text_has_no_line_for_it() -> None:
    families = {"x": Family("x", "gauge", "", ""), "y": Family("y", "gauge", "Y.", "")}
    samples = [(series_of(name), 1.0, None) for name in families]
    assert render_text(samples, families) == "# TYPE x gauge\nx 1\n# HELP y Y.\n# TYPE y gauge\ny 1\n"
