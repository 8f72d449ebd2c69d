"""A store that is killed serves, after the next start, every tick that it acknowledged."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from sanso.model.matchers import Matcher
from sanso.store.store import Store

WRITER = """
import sys
import numpy as np
from pathlib import Path
from sanso.model.frame import Columns, Row
from sanso.model.labels import series_of
from sanso.store.store import Store

store = Store.open(Path(sys.argv[1]), retention_ms=10**12, head_rows=40)
if sys.argv[3] == "beside":
    store.tend_beside()
columns = Columns(tuple(series_of("x", i=str(i)) for i in range(20)))
tick = int(sys.argv[2])
while True:
    tick += 1
    store.append("f", tick * 1000, Row(columns, np.full(20, float(tick))))
    store.commit()
    print(tick, flush=True)
"""


@pytest.mark.parametrize("upkeep", ["beside", "between"])
def test_twenty_kills_lose_no_acknowledged_tick(tmp_path: Path, upkeep: str) -> None:
    acknowledged = 0
    dice = random.Random(1)
    for _ in range(20):
        with subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path), str(acknowledged), upkeep],
            stdout=subprocess.PIPE,
            text=True,
        ) as child:
            assert child.stdout is not None
            acknowledged = int(child.stdout.readline())
            time.sleep(dice.uniform(0.0, 0.1))
            child.kill()
            rest = [line for line in child.stdout.read().splitlines(keepends=True) if line.endswith("\n")]
            acknowledged = int(rest[-1]) if rest else acknowledged
        store = Store.open(tmp_path, retention_ms=10**12, head_rows=40)
        frames = store.select([Matcher("__name__", "=", "x")], 0, 10**12)
        store.close()
        times = frames[0].timeline
        assert len(frames[0].labels) == 20
        assert times[:acknowledged].tolist() == [tick * 1000 for tick in range(1, acknowledged + 1)]
        assert np.array_equal(frames[0].values, np.broadcast_to(times / 1000, frames[0].values.shape))
        acknowledged = len(times)  # a tick may be committed before it is said
