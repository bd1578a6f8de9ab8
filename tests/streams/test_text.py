import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.text import clean_text

any_text = st.text(st.characters(codec=None), max_size=60)  # lone surrogates included


@given(any_text, st.integers(0, 50))
def test_cleaned_text_holds_nothing_that_can_steer_a_terminal(text: str, limit: int) -> None:
    cleaned = clean_text(text, limit)
    assert len(cleaned) <= limit
    assert unicodedata.is_normalized("NFC", cleaned)
    assert not any(unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") for c in cleaned)
    assert not any(unicodedata.bidirectional(c) in _BIDI_CONTROLS for c in cleaned)
    cleaned.encode("utf-8")


@given(any_text, st.integers(0, 50))
def test_cleaning_twice_changes_nothing(text: str, limit: int) -> None:
    assert clean_text(clean_text(text, limit), limit) == clean_text(text, limit)


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=100))
def test_plain_text_stays_as_it_is(text: str) -> None:
    assert clean_text(text) == text.strip()


@pytest.mark.parametrize(
    ("dirty", "clean"),
    [
        ("dot \x1b]0;owned\x07 7", "dot �]0;owned� 7"),
        ("first\r\nsecond\tthird", "first second third"),
        ("abc\u202edcba", "abc�dcba"),
        ("e\u0301", "é"),
        ("\ud800", "�"),
        ("   2.0   ", "2.0"),
    ],
)
def test_what_becomes_of_dirt(dirty: str, clean: str) -> None:
    assert clean_text(dirty) == clean


def test_long_text_is_cut_and_says_so() -> None:
    assert clean_text("x" * 300, limit=10) == "xxxxxxxxx…"


_BIDI_CONTROLS = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
