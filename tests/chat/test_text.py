import unicodedata

import pytest
from chat.text import clean, clean_name
from hypothesis import given
from hypothesis import strategies as st

STEERING = "\x00\x07\x08\x1b\x7f\x9b\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ud800"
ANY = st.text(st.characters(exclude_categories=()) | st.sampled_from(STEERING + "\r\n\t \u0301"))


@given(ANY)
def test_cleaning_twice_is_cleaning_once(text: str) -> None:
    assert clean(clean(text)) == clean(text)
    assert clean_name(clean_name(text)) == clean_name(text)


@given(ANY)
def test_nothing_that_steers_is_left(text: str) -> None:
    for left in (clean(text), clean_name(text)):
        assert not set(left) & set(STEERING)
        assert all(c == "\n" or unicodedata.category(c) not in ("Cc", "Cs") for c in left)
        assert left == left.strip()
    assert "\n\n\n" not in clean(text)
    assert "\n" not in clean_name(text)
    clean(text).encode()


@given(st.text(st.characters(categories=("Lu", "Ll", "Nd", "Po", "Sm")), min_size=1))
def test_what_people_write_is_left_as_it_is(text: str) -> None:
    assert clean(text) == unicodedata.normalize("NFC", text).strip()


@pytest.mark.parametrize(
    ("typed", "left"),
    [
        ("  hello \r\n\r\n\r\n\n you\t!  ", "hello\n\n you !"),
        ("<b>not markup</b> &amp; ${this}", "<b>not markup</b> &amp; ${this}"),
        ("abc\u202egpj.exe\u202c", "abcgpj.exe"),
        ("שלום\u200f, مرحبا", "שלום\u200f, مرحبا"),
        ("👩\u200d🌾 \U0001fae8", "👩\u200d🌾 \U0001fae8"),
        ("z" + "\u0351" * 100, "z" + "\u0351" * 4),
        ("e\x00\u0301", "é"),
        ("\u200b\u2060\ufeff \u3164\u2800 \u034f", ""),
        ("\x1b[31mred\x1b[0m", "[31mred[0m"),
        ("one\u2028two\x85three", "one\ntwo\nthree"),
    ],
)  # fmt: skip
def test_examples(typed: str, left: str) -> None:
    assert clean(typed) == left


def test_a_name_is_one_line_without_invisible_characters() -> None:
    assert clean_name(" ann\n\u200bof\u200e  the\tcoop ") == "ann of the coop"
