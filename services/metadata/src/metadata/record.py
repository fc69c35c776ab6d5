"""The newest whole record among the last bytes of a metadata file.

Both formats are rpicam-vid's (`--metadata-format`, rpicam-apps `output/output.cpp`). `json`: `[`,
then objects joined by `,` and a newline, pretty-printed with one key a line and their braces in
the first column, and `]` only at a clean exit: never valid as a whole. `txt`: `Name=value` lines,
an empty line after each frame.
"""

import json
import re
from collections.abc import Callable
from typing import Literal, NamedTuple, NoReturn

Form = Literal["json", "txt"]

MAX_RECORD = 64 * 1024
"""A longer record is refused (bytes); libcamera's have about 1 kB."""

CANDIDATES = 64
"""Places tried from the end backwards, so that rubbish cannot make a look expensive."""

_JSON_LINE = re.compile(r' *"(\w{1,64})": ([^\n]*?),?')
_TXT_LINE = re.compile(r"(\w{1,64})=([^\n]*)")


class Record(NamedTuple):
    """One frame's metadata as it was written."""

    start: int
    """Where it begins, counted from the first of the given bytes."""
    fields: dict[str, object]


def newest(tail: bytes, form: Form, whole: bool) -> Record | None:
    """The last complete record in `tail`, the bytes before a file's end; None when there is none.

    `whole` says that `tail` is all of the file. Never raises, whatever the bytes are.
    """
    return _newest_json(tail, whole) if form == "json" else _newest_txt(tail, whole)


def _newest_json(tail: bytes, whole: bool) -> Record | None:
    end = len(tail)
    for _ in range(CANDIDATES):
        start = tail.rfind(b"\n{", 0, end) + 1
        if start == 0 and not (whole and tail.startswith(b"{")):
            return None
        text = _closed(tail[start:end], end == len(tail))
        if text and len(text) <= MAX_RECORD and (fields := _object(text.decode(errors="replace"))):
            return Record(start, fields)
        if start == 0:
            return None
        end = start - 1
    return None


def _closed(body: bytes, last: bool) -> bytes | None:
    """The text of a record with its brace; None while its end has not been written.

    The writer flushes at each newline and puts the brace after the last one, so the newest record
    lacks its brace until the next begins. Only its last line ends without a comma.
    """
    end = body.find(b"\n}")
    if end >= 0:
        return body[: end + 2]
    if last and body.endswith(b"\n") and not body.rstrip().endswith((b",", b"{", b"[")):
        return body + b"}"
    return None


def _object(text: str) -> dict[str, object] | None:
    fields = _value(text)
    return fields if isinstance(fields, dict) else _lines(text.split("\n")[1:-1], _JSON_LINE)


def _newest_txt(tail: bytes, whole: bool) -> Record | None:
    end = tail.rfind(b"\n\n")
    for _ in range(CANDIDATES):
        before = tail.rfind(b"\n\n", 0, max(end, 0))
        if end < 0 or (before < 0 and not whole):
            return None
        start = before + 2 if before >= 0 else 0
        body = tail[start:end] if end - start <= MAX_RECORD else b""
        if fields := _lines(body.decode(errors="replace").split("\n"), _TXT_LINE, _rectangle):
            return Record(start, fields)
        end = before
    return None


def _lines(
    lines: list[str], shape: re.Pattern[str], otherwise: Callable[[str], object] = lambda _: None
) -> dict[str, object] | None:
    """What the lines say, without the values that are not valid, such as `nan` or a bare size.

    None when a line has another shape or a name comes twice: then bytes are lost between them.
    """
    fields: dict[str, object] = {}
    for line in lines:
        match = shape.fullmatch(line)
        if match is None or match[1] in fields:
            return None
        value = _value(match[2])
        fields[match[1]] = otherwise(match[2]) if value is None else value
    return {name: value for name, value in fields.items() if value is not None}


def _rectangle(text: str) -> str | None:
    """The JSON form quotes the values with a slash, `(x, y)/WxH`; so they are its strings."""
    return text if "/" in text else None


def _value(text: str) -> object:
    try:
        # Half the cost of decode(), which looks for white space on either side first.
        value, end = _decoder.raw_decode(text)
    except (ValueError, RecursionError):
        return None
    return value if end == len(text) else None


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise ValueError("a name comes twice: two records have run into each other")
    return fields


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not a number")


_decoder = json.JSONDecoder(object_pairs_hook=_once, parse_constant=_refuse)
