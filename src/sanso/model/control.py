"""What limits a question while it is answered: its time, its memory, and whether anyone still waits for it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

from sanso.model.clock import Clock
from sanso.model.errors import QueryError

DEFAULT_TIMEOUT_S = 120.0
DEFAULT_MOST_SAMPLES = 50_000_000


@dataclass(frozen=True)
class QueryLimits:
    """What a server allows its questions.

    Attributes:
        timeout_s: How long an answer may take; a question may ask for less.
        most_samples: How many samples may be in memory at once, a question.
        threads: Questions answered at once.
        lookback_ms: How old an instant selector's sample may be, where the question does not say.
    """

    timeout_s: float = DEFAULT_TIMEOUT_S
    most_samples: int = DEFAULT_MOST_SAMPLES
    threads: int = max(os.cpu_count() or 2, 2)
    lookback_ms: int = 300_000


Phase: TypeAlias = Literal["waiting", "preparing", "evaluating", "sorting"]
"""Of a question: in the queue; parsed and its samples read; evaluated over them; its series put in order."""


class QueryControl:
    """The limits of one question, and what it has used of them. One thread evaluates; any may cancel.

    Args:
        clock: For the time that has passed.
        timeout_s: How long an answer may take.
        most_samples: How many samples may be in memory at once (8 bytes each).

    Attributes:
        timeout_s: As given.
        cancelled: Whether nobody waits any more.
        peak_samples: The most samples that were in memory at once so far.
        total_samples: Samples read so far.
        seconds: What each phase has taken so far, together all the time to the last `spent`.
    """

    def __init__(
        self, clock: Clock, *, timeout_s: float = DEFAULT_TIMEOUT_S, most_samples: int = DEFAULT_MOST_SAMPLES
    ) -> None:
        self.peak_samples = 0
        self.total_samples = 0
        self.seconds: dict[Phase, float] = dict.fromkeys(get_args(Phase), 0.0)
        self._clock = clock
        self.timeout_s = timeout_s
        self._most_samples = most_samples
        self._last = clock.monotonic()
        self._until = self._last + timeout_s
        self.cancelled = False

    def spent(self, phase: Phase) -> None:
        """The time since the last such word, or since the question was asked, went into a phase."""
        now = self._clock.monotonic()
        self.seconds[phase] += now - self._last
        self._last = now

    def cancel(self) -> None:
        """Nobody waits any more: the evaluation stops at its next check."""
        self.cancelled = True

    def check(self) -> None:
        """Go on, or not; called between the steps of an evaluation.

        Raises:
            QueryError: The question was cancelled or has taken too long.
        """
        if self.cancelled:
            raise QueryError("query was canceled in expression evaluation", "canceled")
        if self._clock.monotonic() >= self._until:
            raise QueryError(f"query timed out in expression evaluation (after {self.timeout_s:g} s)", "timeout")

    def hold(self, samples: int, *, read: int = 0) -> None:
        """So many samples are, or are about to be, in memory at once; `read` of them fresh from the store.

        Raises:
            QueryError: As `check`, or there are too many.
        """
        self.check()
        self.total_samples += read
        self.peak_samples = max(self.peak_samples, samples)
        if samples > self._most_samples:
            raise QueryError(
                "query processing would load too many samples into memory in query execution: "
                f"{samples} ({samples * 8 / 2**20:.0f} MiB), {self._most_samples} are allowed",
                "execution",
            )
