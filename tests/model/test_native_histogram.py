from __future__ import annotations

import math

from sanso.model.labels import series_of
from sanso.model.native_histogram import COMPONENT, bucket_part, component, custom_part, part_of, plain


def test_a_part_is_the_series_with_one_more_label() -> None:
    series = series_of("latency_seconds", route="/pay")
    part = component(series, bucket_part(5, -3, "n"))
    assert part_of(part) == "s5:-3n"
    assert (COMPONENT, "s5:-3n") in part
    assert plain(part) == series
    assert part_of(series) == ""


def test_custom_buckets_are_named_by_their_upper_bound() -> None:
    assert [custom_part(upper) for upper in (0.25, 1.0, math.inf)] == ["le:0.25", "le:1.0", "le:+Inf"]
