"""Which questions are short: answered on the server's own thread, for a hop to another costs more than they do."""

from __future__ import annotations

from collections import OrderedDict

_SHORT_S = 0.002
_MOST = 2048


class ShortQuestions:
    """Remembers the questions that took little the last time; one that takes long goes back to the pool."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, None] = OrderedDict()

    def __contains__(self, question: str) -> bool:
        return question in self._known

    def took(self, question: str, seconds: float) -> None:
        """What it took this time."""
        if seconds > _SHORT_S:
            self._known.pop(question, None)
            return
        self._known[question] = None
        self._known.move_to_end(question)
        if len(self._known) > _MOST:
            self._known.popitem(last=False)
