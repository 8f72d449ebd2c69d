from __future__ import annotations

import pytest

from sanso.sources.scrape.pattern import compiled


@pytest.mark.parametrize(
    ("pattern", "text", "matches"),
    [
        ("(?i)prod", "PROD", True),
        ("x(?i)y", "xY", True),
        ("x(?i)y", "XY", False),
        ("a(b(?i)c)d", "abCd", True),
        ("a(b(?i)c)d", "abCD", False),
        ("[[:alpha:]]+", "abc", True),
        ("[[:digit:]]+", "abc", False),
        (r"\Qa.b\E", "a.b", True),
        (r"\Qa.b\E", "axb", False),
        (r"a\z", "a", True),
        ("a$", "a\n", False),
        (r"\d", "٣", False),
        ("(?s:a.b)", "a\nb", True),
        ("(?<x>a)", "a", True),
        ("a|b", "ab", False),
    ],
)
def test_re2_patterns(pattern: str, text: str, *, matches: bool) -> None:
    assert (compiled(pattern).fullmatch(text) is not None) == matches


@pytest.mark.parametrize("pattern", ["(?=a)", "(?<!a)b", "(", "[[:no:]]", "a++"])
def test_what_re2_does_not_have_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match=r"RE2|regular expression|character class"):
        compiled(pattern)
