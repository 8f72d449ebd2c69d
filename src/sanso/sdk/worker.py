"""Workers: what each claims to do, told with every heartbeat, and the signs by which the claim can be judged."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Literal, TypeAlias

from sanso.sdk.cpu import ThreadClock
from sanso.sdk.tasks import OUTCOMES, Outcome, outcome_of

Claim: TypeAlias = Literal["active", "processing", "waiting", "error", "closed"]
_LONGEST_ERROR = 120
_ERRORS_KEPT = 4


class Waiting:
    """What `wait` gives: the worker waits on until its next task, or to the end of a `with` block."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, error: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._worker.resume()

    async def __aenter__(self) -> None:
        return None

    async def __aexit__(
        self, error: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._worker.resume()


class Worker:
    """One worker of the organisation; any thread may use it.

    Made by `Telemetry.worker`. A forked child tells nothing of its parent's workers until it uses them itself.

    Attributes:
        name: As it calls itself.
        about: Its role, icon and whom it reports to, as labels.
        claim: Its state as it says.
        claimed_since: When it came into that state, seconds since 1970.
        started: When it was made, seconds since 1970.
        doing: The text of the task in hand; empty where there is none.
        progressed: Steps of progress so far.
        outcomes: Tasks by how they ended.
        in_progress: Tasks now.
        errors: The last few error texts, the newest last.
        clock: CPU time of its threads.
        present: Whether it is told of at the next push.
    """

    def __init__(self, name: str, about: dict[str, str], now: Callable[[], float], join: Callable[[Worker], None]):
        self.name = name
        self.about = {"worker": name, **about}
        self._now = now
        self._join = join
        self._epoch = 0
        self.reset()
        self._join(self)

    def reset(self) -> None:
        """Nothing was done so far, in this process."""
        self._lock = threading.Lock()
        self._epoch += 1
        self.present = False
        self.claim: Claim = "active"
        self.started = self.claimed_since = self._now()
        self.doing = ""
        self.progressed = 0.0
        self.outcomes: dict[Outcome, int] = dict.fromkeys(OUTCOMES, 0)
        self.in_progress = 0
        self.errors: list[str] = []
        self.clock = ThreadClock()

    @contextmanager
    def task(self, text: str = "") -> Iterator[Worker]:
        """Work on something: processing until the block ends; an exception that leaves it is a failed task."""
        epoch = self._take_up(text)
        try:
            yield self
        except BaseException as error:
            self._put_down(epoch, outcome_of(type(error)), error)
            raise
        self._put_down(epoch, "completed", None)

    def progress(self, n: float = 1) -> None:
        """Say that the work goes on: a worker that claims to work without any sign is judged to stand still."""
        self._sign()
        with self._lock:
            self.progressed += n if n > 0 else 0
            if self.claim in ("waiting", "error"):
                self._say("processing" if self.in_progress else "active")

    def wait(self) -> Waiting:
        """Wait for something (input, another worker), until the next task or progress; or `with worker.wait():`."""
        self._sign()
        with self._lock:
            self._say("waiting")
        return Waiting(self)

    def resume(self) -> None:
        """Wait no more."""
        self._sign()
        with self._lock:
            if self.claim == "waiting":
                self._say("processing" if self.in_progress else "active")

    def error(self, error: BaseException | str) -> None:
        """Be in error until the next task or progress."""
        self._sign()
        with self._lock:
            self._err(error)

    def close(self) -> None:
        """Say goodbye: a worker that ends without is taken for lost."""
        if self.present:
            with self._lock:
                self._say("closed")

    def appear(self) -> None:
        """Be told of from now on."""
        with self._lock:
            self.present = True
            self.started = self._now()
            self._say("active")

    def _sign(self) -> None:
        if not self.present:
            self._join(self)
        self.clock.sign()

    def _take_up(self, text: str) -> int:
        self._sign()
        with self._lock:
            self.in_progress += 1
            self.doing = text
            self._say("processing")
            return self._epoch

    def _put_down(self, epoch: int, outcome: Outcome, error: BaseException | None) -> None:
        if epoch != self._epoch:  # forked in between: the task is the parent's to count
            return
        self.clock.sign()
        with self._lock:
            self.in_progress -= 1
            self.outcomes[outcome] += 1
            if outcome in ("failed", "timed_out") and error is not None:
                self._err(error)
            elif self.claim == "processing" and not self.in_progress:
                self._say("active")
            if not self.in_progress:
                self.doing = ""

    def _err(self, error: BaseException | str) -> None:
        text = error_text(error)
        self.errors = [*(kept for kept in self.errors if kept != text), text][-_ERRORS_KEPT:]
        self._say("error")

    def _say(self, claim: Claim) -> None:
        if claim != self.claim:
            self.claim = claim
            self.claimed_since = self._now()


def error_text(error: BaseException | str) -> str:
    """An error in one short line: `ValueError: no such file`."""
    if isinstance(error, BaseException):
        said = str(error).strip()
        error = f"{type(error).__name__}: {said}" if said else type(error).__name__
    line = (error.strip().splitlines() or ["error"])[0]
    return line if len(line) <= _LONGEST_ERROR else line[: _LONGEST_ERROR - 1] + "…"
