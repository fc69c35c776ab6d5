"""The rule for foreign H.264, on streams that x264 makes."""

import subprocess

import pytest
from camera.proof import Proof, Refusal
from camera_sources.clips import pictures
from camera_sources.parameter_sets import pps_as, slice_as, with_ids, with_used_pps
from media.h264 import is_key, split_annex_b
from media.h264.bits import BitWriter


def encode(*options: str, seconds: int = 3) -> list[list[bytes]]:
    """Access units of a drawn film at 10 fps, in the order of the stream."""
    done = subprocess.run(
        [
            *("ffmpeg", "-v", "error", "-f", "lavfi"),
            *("-i", f"testsrc2=s=160x120:r=10:d={seconds}", "-c:v", "libx264", *options),
            *("-x264-params", "slices=1:aud=1:keyint=10:min-keyint=10:scenecut=0"),
            *("-f", "h264", "pipe:1"),
        ],
        capture_output=True,
        check=True,
    )
    units: list[list[bytes]] = []
    for nal in split_annex_b(done.stdout):
        if nal[0] & 31 == 9:
            units.append([])
        units[-1].append(nal)
    return units


def proven_at(units: list[list[bytes]]) -> int | None:
    """Which unit is the first that may go out."""
    proof = Proof()
    for number, unit in enumerate(units):
        proof.look(unit, number / 10)
        if proof.proven:
            return number
    return None


def test_baseline_is_proven_by_its_first_picture() -> None:
    assert proven_at(encode("-profile:v", "baseline", "-pix_fmt", "yuv420p")) == 0


def test_a_set_that_says_nothing_takes_two_key_frames() -> None:
    units = encode("-profile:v", "main", "-bf", "0", "-pix_fmt", "yuv420p")
    silent = [[silent_set() if nal[0] & 31 == 7 else nal for nal in unit] for unit in units]
    assert proven_at(units) == 0
    assert proven_at(silent) == 10


def silent_set() -> bytes:
    """A set of main profile, 160×112, without VUI, as hardware encoders write it (§7.3.2.1.1)."""
    bits = BitWriter()
    for value in (77, 0, 30):
        bits.fixed(value, 8)
    for code in (0, 0, 0, 0, 1):
        bits.unsigned(code)
    bits.fixed(0, 1)
    bits.unsigned(9)
    bits.unsigned(6)
    bits.fixed(0b1100, 4)
    return b"\x67" + bits.payload()


def test_b_frames_are_refused() -> None:
    with pytest.raises(Refusal, match="B-frames"):
        proven_at(encode("-profile:v", "main", "-bf", "2", "-pix_fmt", "yuv420p"))


def test_what_browsers_cannot_show_is_refused() -> None:
    with pytest.raises(Refusal, match="4:2:0"):
        proven_at(encode("-pix_fmt", "yuv422p"))


def test_key_frames_too_far_apart_are_refused() -> None:
    units = encode("-profile:v", "baseline", "-pix_fmt", "yuv420p")
    proof = Proof()
    proof.look(units[0], 0)
    proof.look(units[1], 9.9)
    with pytest.raises(Refusal, match="10 s apart"):
        proof.look(units[2], 10.1)


def test_a_stream_without_key_frames_is_refused() -> None:
    units = [unit for unit in encode("-bf", "0", "-pix_fmt", "yuv420p") if not is_key(unit)]
    proof = Proof()
    proof.look(units[0], 0)
    with pytest.raises(Refusal, match="10 s apart"):
        proof.look(units[1], 10.5)


FIELDS = ("-flags", "+ildct+ilme", "-bf", "0", "-pix_fmt", "yuv420p")


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (FIELDS, "its pictures are interlaced"),
        (("-vf", "setsar=16/11"), "its pixels are not square"),
        (("-profile:v", "high10", "-pix_fmt", "yuv420p10le"), "4:2:0 in 8 bits"),
        (("-bsf:v", "h264_metadata=display_orientation=insert:rotate=180"), "has to be turned"),
        (("-bsf:v", "h264_metadata=level=6.1"), "levels up to 5.2"),
    ],
)
def test_what_browsers_show_wrongly_is_refused(options: tuple[str, ...], reason: str) -> None:
    with pytest.raises(Refusal, match=reason):
        proven_at(encode(*options))


def test_a_limit_holds_for_copies_too() -> None:
    unit = pictures("320x240")[0]
    Proof((320, 240)).look(unit, 0)
    with pytest.raises(Refusal, match="320x240 pixels are more than 320x180"):
        Proof((320, 180)).look(unit, 0)


def test_several_sets_and_other_ids_are_no_reason() -> None:
    assert proven_at(with_used_pps(pictures(), 7)) == 0
    assert proven_at(with_ids(pictures(), 2, 3)) == 0


def test_a_set_that_changes_between_key_frames_is_refused() -> None:
    units = pictures()
    new = pps_as(next(nal for nal in units[0] if nal[0] & 31 == 8), 4)
    proof = Proof()
    proof.look(units[0], 0)
    proof.look([new, *units[1]], 0.1)
    with pytest.raises(Refusal, match="change between key frames"):
        proof.look([slice_as(nal, 4) for nal in units[2] if nal[0] & 31 == 1], 0.2)
