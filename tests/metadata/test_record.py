"""Finding the newest whole record among the last bytes."""

import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from metadata.record import MAX_RECORD, Form, newest

FIELDS: list[dict[str, object]] = [
    {"SensorTimestamp": 1000 + n, "ScalerCrop": f"({n}, 0)/8x6", "ColourGains": [1.5, n], "Lux": n}
    for n in range(1, 5)
]


def json_record(fields: dict[str, object]) -> str:
    lines = ",\n".join(f'    "{name}": {json.dumps(value)}' for name, value in fields.items())
    return "{\n" + lines + "\n}"


def txt_record(fields: dict[str, object]) -> str:
    return "".join(f"{name}={value}\n" for name, value in fields.items()) + "\n"


STREAMS: dict[Form, bytes] = {
    "json": ("[\n" + ",\n".join(map(json_record, FIELDS))).encode(),
    "txt": "".join(map(txt_record, FIELDS)).encode(),
}
FORMS = st.sampled_from(["json", "txt"])


def found(tail: bytes, form: Form = "json", whole: bool = True) -> dict[str, object] | None:
    record = newest(tail, form, whole)
    return record.fields if record else None


@pytest.mark.parametrize("form", ["json", "txt"])
def test_finds_the_last_record_and_where_it_begins(form: Form) -> None:
    record = newest(STREAMS[form], form, True)
    assert record is not None
    assert record.fields == FIELDS[-1]
    start = b"{" if form == "json" else b"SensorTimestamp"
    assert record.start == STREAMS[form].rfind(start)


def test_finds_the_last_record_after_a_clean_exit() -> None:
    assert found(STREAMS["json"] + b"\n]\n") == FIELDS[-1]


def test_takes_a_record_whose_brace_is_still_in_the_writers_buffer() -> None:
    assert found(STREAMS["json"].removesuffix(b"}")) == FIELDS[-1]


def test_finds_a_record_at_the_very_start() -> None:
    assert found(json_record(FIELDS[0]).encode()) == FIELDS[0]
    assert found(json_record(FIELDS[0]).encode(), whole=False) is None


@given(FORMS, st.data())
def test_no_cut_of_a_stream_yields_a_partial_record(form: Form, data: st.DataObject) -> None:
    stream = STREAMS[form]
    end = data.draw(st.integers(0, len(stream)))
    start = data.draw(st.integers(0, end))
    assert found(stream[start:end], form, start == 0) in [None, *FIELDS]


@given(FORMS, st.data())
def test_the_newest_whole_record_of_any_prefix_is_found(form: Form, data: st.DataObject) -> None:
    stream = STREAMS[form]
    prefix = stream[: data.draw(st.integers(0, len(stream)))]
    # A record is whole with the newline after its last value, in txt with the one after that.
    last = '"Lux": {}\n' if form == "json" else "Lux={}\n\n"
    whole = [fields for fields in FIELDS if last.format(fields["Lux"]).encode() in prefix]
    assert found(prefix, form) == (whole[-1] if whole else None)


PIECES = [
    b"{",
    b"}",
    b"\n",
    b",\n",
    b"[",
    b"]",
    b'"Lux": ',
    b"1",
    b"nan",
    b"=",
    b"\n{",
    b"\n}",
    b"\0",
]


@given(st.binary(max_size=2000) | st.lists(st.sampled_from(PIECES)).map(b"".join), FORMS)
def test_rubbish_never_raises(rubbish: bytes, form: Form) -> None:
    for whole in (True, False):
        record = newest(rubbish, form, whole)
        assert record is None or record.fields


@given(st.binary(max_size=300), FORMS)
def test_a_record_after_rubbish_is_found(rubbish: bytes, form: Form) -> None:
    after = f",\n{json_record(FIELDS[2])}" if form == "json" else f"\n\n{txt_record(FIELDS[2])}"
    assert found(STREAMS[form] + rubbish + after.encode(), form) == FIELDS[2]


@pytest.mark.parametrize("form", ["json", "txt"])
def test_the_record_before_rubbish_is_found(form: Form) -> None:
    rubbish = random.Random(1).randbytes(500).replace(b"\n", b" ")
    separator = b",\n" if form == "json" else b""
    assert found(STREAMS[form] + separator + rubbish, form) == FIELDS[-1]


@pytest.mark.parametrize("before", [STREAMS["json"], b"[\n", b""])
def test_what_a_full_disk_tore_costs_only_itself(before: bytes) -> None:
    text = ",\n{}"
    last: dict[str, object] = {"SensorTimestamp": 9, "ColourGains": [1.5, 2], "Lux": 99}
    torn = text.format(json_record(last)).encode()
    following = text.format(json_record(FIELDS[1])).encode()
    for cut in range(len(torn)):
        assert found(before + torn[:cut] + following) == FIELDS[1]
        for again in range(len(following)):
            assert found(before + torn[:cut] + following[:again]) in [None, *FIELDS, last]


@pytest.mark.parametrize(
    "value", ["nan", "-nan", "inf", "NaN", "-Infinity", "800x600", "(1, 2)", ""]
)
def test_a_value_that_is_no_json_costs_only_itself(value: str) -> None:
    text = f'[\n{{\n    "Lux": {value},\n    "AnalogueGain": 4.000000\n}}'
    assert found(text.encode()) == {"AnalogueGain": 4.0}
    assert found(f"Lux={value}\nAnalogueGain=4.000000\n\n".encode(), "txt") == {"AnalogueGain": 4.0}


@pytest.mark.parametrize(
    "text",
    [
        '{\n    "Lux": 1,\n    "Gain": 2,\n    "Lux": 3\n}',
        '{\n    "Lux": 1,\n    "Gain": nan,\n    "Lux": 3\n}',
        '{\n    "Lux": 1,\n    "Ga\n}',
        '{\n    "Lux": ' + "[" * 20_000 + "\n}",
        '{\n    "Lux" 1\n}',
        "{\n}",
        '{\n    "ColourGains": [\n',
        '{\n    "ColourGains": [\n        1.0\n',
    ],
)
def test_a_damaged_record_is_refused_as_a_whole(text: str) -> None:
    assert found(f"[\n{text}".encode()) is None
    assert found(f"[\n{json_record(FIELDS[0])},\n{text}".encode()) == FIELDS[0]


def test_a_number_too_long_to_be_one_costs_only_itself() -> None:
    text = '[\n{\n    "Lux": ' + "9" * 5000 + ',\n    "AeState": 2\n}'
    assert found(text.encode()) == {"AeState": 2}


@pytest.mark.parametrize("form", ["json", "txt"])
def test_a_record_beyond_the_limit_is_refused(form: Form) -> None:
    huge: dict[str, object] = {"Text": "a/" * MAX_RECORD}
    text = f",\n{json_record(huge)}" if form == "json" else txt_record(huge)
    assert found(STREAMS[form] + text.encode(), form) == FIELDS[-1]


def test_rectangles_are_text_and_lists_are_lists_in_txt() -> None:
    text = b"ScalerCrop=(0, 0)/4608x2592\nColourGains=[ 1.5, 2.0 ]\nAeLocked=true\n\n"
    crop = "(0, 0)/4608x2592"
    assert found(text, "txt") == {"ScalerCrop": crop, "ColourGains": [1.5, 2.0], "AeLocked": True}
