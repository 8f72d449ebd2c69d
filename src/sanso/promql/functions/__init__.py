"""PromQL's functions, one family a file; importing this package fills the tables."""

from sanso.promql.functions import histogram, labels, mathematics, over_time, presence, rates, spread, time, trends

__all__ = ["histogram", "labels", "mathematics", "over_time", "presence", "rates", "spread", "time", "trends"]
