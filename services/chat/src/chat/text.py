"""What is left of a text that somebody typed: words, never what steers a terminal or a page."""

import re
import unicodedata

BREAKS = re.compile("\r\n|[\r\v\f\x1c-\x1e\x85\u2028\u2029]")
OVERRIDES = frozenset(map(chr, (*range(0x202A, 0x202F), *range(0x2066, 0x2070))))
"""Embeddings, overrides and isolates of UAX #9, and the deprecated ones: they turn around what
others wrote. The marks LRM, RLM and ALM stay, since Hebrew and Arabic need them."""
NOT_TEXT = frozenset(("Cc", "Cs"))
"""Control characters and lone surrogates (UAX #44). What is unassigned stays: it may be an emoji
that is younger than this Python."""
UNSEEN = frozenset(("Cf", "Zs", "Zl", "Zp", "Mn", "Me"))
BLANKS = frozenset("\u115f\u1160\u2800\u3164\uffa0")
"""Letters and symbols that show nothing."""
MARKS = 4
"""Marks above or below one letter; more of them reach into the lines of others."""


def clean(text: str) -> str:
    """A message: trimmed, at most one empty line in a row; empty when nothing of it can be seen."""
    text = BREAKS.sub("\n", text).replace("\t", " ")
    text = "".join(c for c in text if c == "\n" or is_text(c))
    text = thinned(unicodedata.normalize("NFC", text))
    text = re.sub(r"[^\S\n]+\n", "\n", text)
    text = re.sub(r"\n{3,}", "\n\n", text).strip()
    return text if any(is_seen(c) for c in text) else ""


def clean_name(name: str) -> str:
    """A name: the same in one line, without any format character."""
    line = " ".join(clean(name).split())
    return "".join(c for c in line if unicodedata.category(c) != "Cf").strip()


def is_text(character: str) -> bool:
    """Whether a character may stand in a message."""
    return character not in OVERRIDES and unicodedata.category(character) not in NOT_TEXT


def is_seen(character: str) -> bool:
    """Whether a character shows anything."""
    blank = character.isspace() or character in BLANKS
    return not blank and unicodedata.category(character) not in UNSEEN


def thinned(text: str) -> str:
    """No more marks in a row than a letter of any language bears."""
    kept: list[str] = []
    marks = 0
    for character in text:
        marks = marks + 1 if unicodedata.category(character) in ("Mn", "Me") else 0
        if marks <= MARKS:
            kept.append(character)
    return "".join(kept)
