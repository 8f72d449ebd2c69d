"""Functions that change labels: label_replace and label_join."""

from __future__ import annotations

from collections.abc import Callable

from sanso.model.errors import QueryError
from sanso.model.expressions import compiled
from sanso.model.labels import Labels, LabelSets, derived, labels_of
from sanso.promql.functions.registry import Call, function
from sanso.promql.lexical import is_text, quoted
from sanso.promql.values import Vector, distinct


@function("label_replace")
def label_replace(call: Call) -> Vector:
    """Set a label from another one that matches an anchored expression; `$1` and `${name}` stand for its groups."""
    target, replacement, source, pattern = (call.text(place) for place in range(1, 5))
    try:
        expression = compiled(pattern)
    except QueryError as error:
        raise QueryError(f"invalid regular expression in label_replace(): {pattern}", "execution") from error
    _check(target, "destination label name in label_replace()")

    def changed(labels: Labels) -> Labels:
        found = dict(labels)
        match = expression.match(found.get(source, ""))
        if match is not None:
            found[target] = match.expand(replacement)
        return labels_of(found)

    return _renamed(call.vector(0), changed, ("label_replace", target, replacement, source, pattern))


@function("label_join")
def label_join(call: Call) -> Vector:
    """Set a label to the values of others, joined."""
    target, separator = call.text(1), call.text(2)
    sources = [call.text(place) for place in range(3, len(call.args))]
    _check(target, "destination label name in label_join()")
    for source in sources:
        _check(source, "source label name in label_join()")

    def changed(labels: Labels) -> Labels:
        found = dict(labels)
        return labels_of({**found, target: separator.join(found.get(name, "") for name in sources)})

    return _renamed(call.vector(0), changed, ("label_join", target, separator, *sources))


def _renamed(vector: Vector, changed: Callable[[Labels], Labels], key: tuple[str, ...]) -> Vector:
    """The vector under changed label sets; what they are is kept with the old ones under a key."""
    return distinct(vector.named(derived(vector.labels, key, lambda sets: LabelSets(map(changed, sets)))))


def _check(name: str, role: str) -> None:
    if not name or not is_text(name):
        raise QueryError(f"invalid {role}: {quoted(name)[1:-1]}", "execution")
