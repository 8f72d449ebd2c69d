"""Write pending.txt: which evals fail now, those that load or expect native histograms apart from the others.

Run as `python -m tests.promql.pending` when a change has made evals pass or the scripts are newer; the tests
themselves never write it, and an eval that is listed and passes is a failure.
"""

from __future__ import annotations

import re
from collections import defaultdict

from sanso.model.errors import QueryError
from sanso.model.native_histogram import NativeHistogram
from tests.promql.script.check import check
from tests.promql.script.commands import Eval, Load
from tests.promql.test_scripts import PENDING, engine, questions, scripts


def main() -> None:
    found: dict[str, dict[str, list[int]]] = {
        "pending: native histograms": defaultdict(list),
        "pending": defaultdict(list),
    }
    for script in scripts():
        first = 0
        for number, (question, loads) in enumerate(questions(script)):
            if loads is not questions(script)[first][1]:
                first = number
            try:
                check(engine(script, first), question)
            except (AssertionError, QueryError):
                reason = "pending: native histograms" if _has_histograms(question, loads) else "pending"
                found[reason][script.name].append(question.line)
    lines = []
    for reason, files in found.items():
        if files:
            lines.append(f"# {reason}")
        for name, numbers in files.items():
            lines += [f"{name}:{' '.join(map(str, numbers[at : at + 20]))}" for at in range(0, len(numbers), 20)]
    PENDING.write_text("\n".join(lines) + "\n")


def _has_histograms(question: Eval, loads: tuple[Load, ...]) -> bool:
    points = [point for load in loads for _, points in load.series for point in points]
    points += [point for _, points in question.series for point in points]
    return (
        any(isinstance(point, NativeHistogram) for point in points)
        or any(load.with_custom for load in loads)
        or bool(re.search(r"histogram_(sum|count|avg|std|fraction)", question.expr))
    )


if __name__ == "__main__":
    main()
