"""PromQL questions made from bytes: right ones mostly, of every construct, about the series of frames.test."""

from __future__ import annotations

from sanso.promql.functions import registry
from tests.fuzz.choices import Choices

NAMES = (
    "requests_total", "depth", "up", "target_info", "wait_bucket", "wait_count", "wait_sum", "spread", "lonely",
    "nothing", "evil", '{"a.b c"}', '{__name__=~".+"}', '{__name__=~"wait.*"}', "requests_total_sum",
)  # fmt: skip
MATCHERS = ('instance="x"', 'instance!="x"', 'code=~"2.."', 'path!~"/a|"', 'le="+Inf"', '"d e"="é"', 'job=""', 'le!=""')
BACKTRACKING = (
    'v=~"(a+)+b"', 'v=~"(a|a)*b"', 'v=~"(.*)(.*)(.*)(.*)(.*)(.*)(.*)(.*)b"', 'v!~"(?:a{0,30}){30}b"',
    'v=~"(.{1,20}){40}b"', 'v=~"(?:(?:.?){30}.{30})+b"', 'v=~"(a*)*|b"', 'v=~"(?:\\\\pL{0,10}){20}b"',
    'v=~"(?:\\\\pL{1000})b"', 'v=~"(((a{10}){10}){10}){10}"', 'v=~"\\\\C*"', 'v=~"\\\\QA\\\\E"', 'v=~"a{1001}"',
    'v=~"(?P<x>a)(?P<x>b)"', 'v=~"(("', 'v=~"\\xff"', 'v=~".*a.{200}"',
)  # fmt: skip
HUGE = (
    "1e1000", "-1e1000", "0x7fffffffffffffff", "0xffffffffffffffffff", "9" * 5_000, "0x" + "f" * 5_000, "1e-1000",
    "292y", "300y", "9223372036854775807", "9223372036.85", "1e30",
)  # fmt: skip
DEPTHS = (150, 600, 2_500)
DEEP = (
    ("x+", "x", ""), ("(", "x", ")"), ("-", "x", ""), ("abs(", "x", ")"), ("sum by (a) (", "x", ")"),
    ("x and ", "x", ""),
    ("(", "", ""), ("x[", "", ""), ("x{", "", ""), ("2^", "2", ""), ("x == bool ", "x", ""),
    ("count_over_time(", "x", "[1m:1m])"),
    ("", "x", "[1m:1m]"), ("", "x", " offset 1m"), ("", "x", ")"), ("vector(scalar(", "x", "))"), ("-(", "1", ")"),
    ('x{v=~"', "a", '"}'), ('x{v=~"', "a", '|a"}'),
)  # fmt: skip
NUMBERS = (
    "0",
    "1",
    "-1",
    "0.5",
    "2",
    "1e3",
    "NaN",
    "Inf",
    "-Inf",
    "0x10",
    "1e308",
    "5e-324",
    "0.99",
    "100",
    "time()",
    "pi()",
)
TEXTS = ('""', '"instance"', '"x"', '"(.*)"', '"$1-$2"', '"code"', '"("', '"é"', '"__name__"', '"le"')
DURATIONS = ("30s", "1m", "10s", "1ms", "5m", "1h", "7s", "10y", "1d")
LABELS = ("instance", "le", "code", "job", "__name__", "missing", "path")
BINARY = (
    "+",
    "-",
    "*",
    "/",
    "%",
    "^",
    "atan2",
    "==",
    "!=",
    "<",
    "<=",
    ">",
    ">=",
    "and",
    "or",
    "unless",
    "== bool",
    "> bool",
)
AGGREGATIONS = ("sum", "avg", "min", "max", "count", "group", "stddev", "stdvar")
WITH_PARAMETER = ("topk", "bottomk", "quantile", "limitk", "limit_ratio")
OF_HISTOGRAMS = ("histogram_count", "histogram_sum", "histogram_avg", "histogram_stddev", "histogram_stdvar")
PLAIN = tuple(sorted({*registry.PLAIN, *OF_HISTOGRAMS, "absent", "info", "sort", "timestamp"}))
OF_RANGES = tuple(sorted({*registry.RANGE, "absent_over_time"}))
DEEPEST = 5


def deep(opening: str, inside: str, closing: str, times: int) -> str:
    """An expression in itself."""
    return opening * times + inside + closing * times


def hard() -> list[str]:
    """What no one asks who means well: deep, ambiguous, beyond every number and time."""
    found = [deep(*form, times) for form in DEEP for times in DEPTHS]
    found += [f"evil{{{matcher}}}" for matcher in BACKTRACKING]
    found += [f'{{__name__=~".+",{matcher}}}' for matcher in BACKTRACKING]
    found += [f'label_replace(evil, "w", "$1", "v", {matcher[3:]})' for matcher in BACKTRACKING]
    forms = ("{}", "x + {}", "up[{}]", "up[5m:{}]", "up[{}:1m]", "up offset {}", "up offset -{}", "up @ {}", "up @ -{}")
    found += [form.format(number) for form in forms for number in HUGE]
    found += [
        form.format(number)
        for form in ("topk({}, up)", "round(up, {})", "predict_linear(up[1m], {})")
        for number in HUGE
    ]
    return found


def question(choices: Choices, depth: int = 0) -> str:
    """An expression."""
    if depth >= DEEPEST or not choices.left:
        return vector(choices)
    if depth == 0 and choices.number(24) == 1:
        return deep(*choices.of(DEEP), choices.of(DEPTHS))
    kind = choices.number(10)
    if kind == 0:
        return vector(choices)
    if kind == 1:
        return choices.of(HUGE if choices.number(8) == 1 else NUMBERS)
    if kind <= 3:
        return over_range(choices, depth)
    if kind == 4:
        return plain_call(choices, depth)
    if kind <= 6:
        return aggregation(choices, depth)
    if kind <= 8:
        return binary(choices, depth)
    return choices.of((f"-({question(choices, depth + 1)})", f"({question(choices, depth + 1)})", choices.of(TEXTS)))


def vector(choices: Choices) -> str:
    name = choices.of(NAMES)
    found = [choices.of(BACKTRACKING if choices.number(12) == 1 else MATCHERS) for _ in range(choices.number(3))]
    if found:
        name = f"{name[:-1]},{','.join(found)}}}" if name.endswith("}") else f"{name}{{{','.join(found)}}}"
    return name + modifier(choices)


def modifier(choices: Choices) -> str:
    return choices.of(
        (
            "",
            "",
            "",
            f" offset {choices.of(DURATIONS)}",
            f" offset -{choices.of(DURATIONS)}",
            " @ 100",
            " @ start()",
            " @ end()",
            f" offset {choices.of(HUGE)}",
            f" @ {choices.of(HUGE)}",
        )
    )


def ranged(choices: Choices, depth: int) -> str:
    if choices.number(3):
        name = choices.of(NAMES)
        return f"{name}[{choices.of(DURATIONS)}]{modifier(choices)}"
    step = choices.of(("", "10s", "1m", "1ms", "7s"))
    return f"({question(choices, depth + 1)})[{choices.of(DURATIONS)}:{step}]{modifier(choices)}"


def over_range(choices: Choices, depth: int) -> str:
    name = choices.of(OF_RANGES)
    more = {"quantile_over_time": 1, "predict_linear": 1, "double_exponential_smoothing": 2, "mad_over_time": 0}.get(
        name, 0
    )
    numbers = [scalar(choices, depth) for _ in range(more)]
    window = ranged(choices, depth)
    arguments = [*numbers, window] if name == "quantile_over_time" else [window, *numbers]
    return f"{name}({', '.join(arguments)})"


def scalar(choices: Choices, depth: int) -> str:
    return choices.of((*NUMBERS, f"scalar({question(choices, depth + 1)})")) if choices.left else "1"


def plain_call(choices: Choices, depth: int) -> str:
    name = choices.of(PLAIN)
    inner = question(choices, depth + 1)
    if name in ("time", "pi", "start", "end", "step", "range"):
        return f"{name}()"
    if name == "vector":
        return f"vector({scalar(choices, depth)})"
    if name in ("clamp", "histogram_fraction"):
        numbers = f"{scalar(choices, depth)}, {scalar(choices, depth)}"
        return f"clamp({inner}, {numbers})" if name == "clamp" else f"histogram_fraction({numbers}, {inner})"
    if name in ("clamp_min", "clamp_max", "round"):
        return f"{name}({inner}, {scalar(choices, depth)})"
    if name == "histogram_quantile":
        return f"histogram_quantile({scalar(choices, depth)}, {inner})"
    if name == "label_replace":
        return f"label_replace({inner}, {', '.join(choices.of(TEXTS) for _ in range(4))})"
    if name in ("label_join", "sort_by_label", "sort_by_label_desc"):
        return f"{name}({inner}, {', '.join(choices.of(TEXTS) for _ in range(2 + choices.number(3)))})"
    return f"{name}({inner})"


def aggregation(choices: Choices, depth: int) -> str:
    inner = question(choices, depth + 1)
    group = choices.of(("", f" by ({labels(choices)})", f" without ({labels(choices)})"))
    if choices.number(3):
        return f"{choices.of(AGGREGATIONS)}{group} ({inner})"
    if choices.number(4) == 0:
        return f"count_values{group} ({choices.of(TEXTS)}, {inner})"
    return f"{choices.of(WITH_PARAMETER)}{group} ({scalar(choices, depth)}, {inner})"


def labels(choices: Choices) -> str:
    return ", ".join(choices.of(LABELS) for _ in range(choices.number(3)))


def binary(choices: Choices, depth: int) -> str:
    left, right = question(choices, depth + 1), question(choices, depth + 1)
    match = choices.of(("", "", f" on ({labels(choices)})", f" ignoring ({labels(choices)})"))
    many = choices.of(("", f" group_left ({labels(choices)})", f" group_right ({labels(choices)})")) if match else ""
    return f"({left}) {choices.of(BINARY)}{match}{many} ({right})"
