"""`make doctor`: the versions of what CSI cameras need."""

import pytest
from station.doctor.csi import picamera2, rpicam

SAID = """\
rpicam-apps build: v{} 1d5c3ad0f4d1 17-11-2025 (12:00:00)
rpicam-apps capabilites: egl:1 qt:1 drm:1 libav:1
libcamera build: v{}+dirty
"""


@pytest.mark.parametrize(
    ("own", "libcamera", "grades"),
    [
        ("1.13.0", "0.7.2", ["ok", "ok"]),
        ("1.5.0", "0.3.0", ["ok", "ok"]),
        ("1.4.4", "0.2.0", ["fail", "fail"]),
        ("1.10.1", "0.6.0", ["ok", "ok"]),
    ],
)
def test_versions_of_rpicam_are_judged(own: str, libcamera: str, grades: list[str]) -> None:
    found = list(rpicam(SAID.format(own, libcamera)))
    assert [verdict.grade for verdict in found] == grades
    assert own in found[0].what and libcamera in found[1].what


def test_a_program_that_does_not_say_its_version_is_a_warning() -> None:
    assert [verdict.grade for verdict in rpicam("Segmentation fault")] == ["warn", "warn"]


@pytest.mark.parametrize(
    ("own", "pyav", "grade", "says"),
    [
        ("0.3.36", "19.0.2", "ok", "picamera2 0.3.36 with PyAV 19.0.2"),
        ("0.3.12", "10.0.0", "ok", "picamera2 0.3.12 with PyAV 10.0.0"),
        ("0.3.36", None, "ok", "picamera2 0.3.36"),
        ("0.3.18", "14.2.0", "warn", "a Pi 5 needs picamera2 0.3.24"),
        ("0.3.9", "10.0.0", "fail", "0.3.12 is needed"),
    ],
)
def test_picamera2_is_judged_with_the_pyav_beside_it(
    own: str, pyav: str | None, grade: str, says: str
) -> None:
    found = picamera2(own, pyav)
    assert found.grade == grade
    assert says in found.what
    assert bool(found.cure) is (grade != "ok")
