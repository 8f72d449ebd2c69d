"""Frames by name, and the lanes that stand beside them for rows that came late."""

from __future__ import annotations

import itertools
from collections.abc import Container, Iterable

from sanso.store.late import frame_of, lane_name


class FrameBook:
    """Numbers of frames and lanes; a number is not given again."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._lanes: dict[str, list[str]] = {}
        self._next = 1

    def number(self, name: str) -> int | None:
        """The number of a frame or lane; None where it is unknown."""
        return self._numbers.get(name)

    def add(self, name: str, number: int = 0) -> int:
        """Learn of a frame or lane; its number, the next one if none is given."""
        number = number or self._next
        self._numbers[name] = number
        self._next = max(self._next, number + 1)
        if frame_of(name) != name:
            self._lanes.setdefault(frame_of(name), []).append(name)
        return number

    def pass_over(self, number: int) -> None:
        """Give numbers up to this one to no frame that comes."""
        self._next = max(self._next, number + 1)

    def lanes(self, frame: str) -> list[int]:
        """The numbers of a frame and of its lanes, the lowest first."""
        return [self._numbers[lane] for lane in (frame, *self._living(self._lanes.get(frame, [])))]

    def next_lane(self, frame: str) -> str:
        """The name of a lane that a frame does not have yet."""
        return next(name for n in itertools.count(1) if (name := lane_name(frame, n)) not in self._numbers)

    def forget_others(self, living: Container[int]) -> list[int]:
        """Forget all frames and lanes but these; the numbers of those that were."""
        ended = {name: number for name, number in self._numbers.items() if number not in living}
        for name in ended:
            del self._numbers[name]
            self._lanes.pop(name, None)
        self._lanes = {name: kept for name, lanes in self._lanes.items() if (kept := self._living(lanes))}
        return list(ended.values())

    def _living(self, lanes: Iterable[str]) -> list[str]:
        return [lane for lane in lanes if lane in self._numbers]
