"""The recording of a real node_exporter, 900 s of 507 series at 1 s, as long and as wide as a benchmark wants it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sanso.exposition.page import Limits
from sanso.exposition.series_text import series_labels
from sanso.model.labels import Labels, labels_of

RECORDING = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "node_exporter_900s.npz"


@dataclass(frozen=True)
class Recorded:
    """Series, and what was read of them: values [T, N] at times in ms [T]."""

    labels: list[Labels]
    times: NDArray[np.int64]
    values: NDArray[np.float64]

    @classmethod
    def load(cls) -> Recorded:
        """As it was recorded."""
        with np.load(RECORDING) as held:
            labels = [series_labels(text.encode(), Limits(), strict=False) for text in held["series"].tolist()]
            return cls(labels, held["timeline_ms"], np.ascontiguousarray(held["values"]))

    def wide(self, series: int) -> Recorded:
        """So many series: hosts by number, each the recording from another second on."""
        hosts = -(-series // len(self.labels))
        labels = [
            labels_of((*each, ("instance", f"host-{host}:9100"))) for host in range(hosts) for each in self.labels
        ]
        values = [np.roll(self.values, -37 * host, axis=0) for host in range(hosts)]
        return Recorded(labels[:series], self.times, np.ascontiguousarray(np.hstack(values)[:, :series]))

    def rows(self, count: int, start_ms: int, step_ms: int = 1000) -> Iterator[tuple[int, NDArray[np.float64]]]:
        """Rows one after another; at its end the recording begins anew, counters from where they were."""
        rising = (np.diff(self.values, axis=0) >= 0).all(axis=0)
        each_round = np.where(rising, self.values[-1] - self.values[0], 0.0)
        for row in range(count):
            turn, place = divmod(row, len(self.values))
            yield start_ms + row * step_ms, self.values[place] + turn * each_round
