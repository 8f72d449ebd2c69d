"""The eight workers of the demo's organisation: who they are and what they really compute."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

Work: TypeAlias = Callable[[np.random.Generator], Iterator[None]]
"""One task: yields after each step, so that the worker can say that it moves on; raises where the task fails."""


@dataclass(frozen=True)
class Member:
    """One worker: its name, its place, and its work (None: it generates tokens)."""

    name: str
    icon: str
    role: str
    reports_to: str
    task: str
    work: Work | None


def _decide(random: np.random.Generator) -> Iterator[None]:
    """Rank options by the leading eigenvector of their pairwise comparisons."""
    for _ in range(6):
        comparisons = random.random((120, 120)) + 0.01
        np.linalg.eig(comparisons / comparisons.T)
        yield


def _schedule(random: np.random.Generator) -> Iterator[None]:
    """Order a random graph of tasks so that none comes before what it needs."""
    for _ in range(8):
        needs = {task: set(random.integers(0, task, 3).tolist()) if task else set() for task in range(1500)}
        done: set[int] = set()
        while len(done) < len(needs):
            done |= {task for task, before in needs.items() if before <= done}
        yield


def _design(random: np.random.Generator) -> Iterator[None]:
    """Solve the loads of a structure; now and then it has no unique solution, and the task fails."""
    for _ in range(8):
        stiffness = random.standard_normal((150, 150))
        if random.random() < 0.01:
            stiffness[0] = stiffness[1] = 0.0
        np.linalg.solve(stiffness @ stiffness.T, random.standard_normal(150))
        yield


def _aggregate(random: np.random.Generator) -> Iterator[None]:
    """Sort and sum a table by its keys."""
    for _ in range(10):
        keys = random.integers(0, 1000, 150_000)
        order = np.argsort(keys, kind="stable")
        np.add.reduceat(random.random(150_000)[order], np.flatnonzero(np.diff(keys[order], prepend=-1)))
        yield


def _verify(random: np.random.Generator) -> Iterator[None]:
    """Check signatures: hash blocks of data."""
    for _ in range(10):
        hashlib.pbkdf2_hmac("sha256", random.bytes(16), b"salt", 12_000)
        yield


def _forecast(random: np.random.Generator) -> Iterator[None]:
    """Fit a trend to noisy progress."""
    for _ in range(6):
        days = np.arange(3000.0)
        np.polyfit(days, 0.3 * days + random.standard_normal(3000).cumsum(), 4)
        yield


def _archive(random: np.random.Generator) -> Iterator[None]:
    """Compress logs."""
    for _ in range(6):
        lines = b"\n".join(b"GET /pay 200 %d" % n for n in random.integers(0, 5000, 20_000))
        zlib.compress(lines, 6)
        yield


MEMBERS = (
    Member("PRESIDENT", "👑", "decides", "", "decide", _decide),
    Member("COORDINATOR", "🔄", "schedules", "PRESIDENT", "schedule tasks", _schedule),
    Member("ANALYST", "📋", "reads and summarises", "COORDINATOR", "summarise", None),
    Member("ARCHITECT", "🏗️", "designs", "COORDINATOR", "solve loads", _design),
    Member("DATA_ENG", "📊", "aggregates", "COORDINATOR", "aggregate table", _aggregate),
    Member("SECURITY", "🔒", "verifies", "COORDINATOR", "verify blocks", _verify),
    Member("PM", "📈", "forecasts", "PRESIDENT", "forecast", _forecast),
    Member("DEVOPS", "⚙️", "archives", "COORDINATOR", "archive logs", _archive),
)
