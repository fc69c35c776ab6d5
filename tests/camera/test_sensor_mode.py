"""Which mode a sensor is read out in; the modes are those that rpicam-vid lists of real ones."""

import pytest
from camera.sensor_mode import SensorMode, attached, choose, listed, shortfall

LISTED = """\
Available cameras
-----------------
0 : imx708 [4608x2592 10-bit RGGB] (/base/axi/pcie@120000/rp1/i2c@80000/imx708@1a)
    Modes: 'SRGGB10_CSI2P' : 1536x864 [120.13 fps - (768, 432)/3072x1728 crop]
                             2304x1296 [56.03 fps - (0, 0)/4608x2592 crop]
                             4608x2592 [14.35 fps - (0, 0)/4608x2592 crop]

1 : imx219 [3280x2464 10-bit RGGB] (/base/axi/pcie@120000/rp1/i2c@88000/imx219@10)
    Modes: 'SRGGB10_CSI2P' : 640x480 [103.33 fps - (1000, 752)/1280x960 crop]
                             1640x1232 [41.85 fps - (0, 0)/3280x2464 crop]
                             1920x1080 [47.57 fps - (680, 692)/1920x1080 crop]
                             3280x2464 [21.19 fps - (0, 0)/3280x2464 crop]
           'SRGGB8' : 640x480 [206.65 fps - (1000, 752)/1280x960 crop]
                      1640x1232 [83.70 fps - (0, 0)/3280x2464 crop]
                      1920x1080 [47.57 fps - (680, 692)/1920x1080 crop]
                      3280x2464 [21.19 fps - (0, 0)/3280x2464 crop]

2 : imx477 [4056x3040 12-bit RGGB] (/base/axi/pcie@120000/rp1/i2c@70000/imx477@1a)
    Modes: 'SRGGB10_CSI2P' : 1332x990 [120.05 fps - (696, 528)/2664x1980 crop]
           'SRGGB12_CSI2P' : 2028x1080 [50.03 fps - (0, 440)/4056x2160 crop]
                             2028x1520 [40.01 fps - (0, 0)/4056x3040 crop]
                             4056x3040 [10.00 fps - (0, 0)/4056x3040 crop]

3 : ov5647 [2592x1944 10-bit GBRG] (/base/axi/pcie@120000/rp1/i2c@60000/ov5647@36)
    Modes: 'SGBRG10_CSI2P' : 640x480 [58.92 fps - (16, 0)/2560x1920 crop]
                             1296x972 [46.34 fps - (0, 0)/2592x1944 crop]
                             1920x1080 [32.81 fps - (348, 434)/1928x1080 crop]
                             2592x1944 [15.63 fps - (0, 0)/2592x1944 crop]
"""
MODULE_3, MODULE_2, HQ, MODULE_1 = range(4)


def test_every_mode_of_each_camera_is_read() -> None:
    assert attached(LISTED) == [0, 1, 2, 3]
    assert [len(listed(LISTED, camera)) for camera in range(5)] == [3, 8, 4, 4, 0]
    assert listed(LISTED, MODULE_3)[0] == SensorMode(1536, 864, 10, 120.13, 3072, 1728)
    assert listed(LISTED, MODULE_2)[4] == SensorMode(640, 480, 8, 206.65, 1280, 960)


@pytest.mark.parametrize(
    ("camera", "asked", "mode"),
    [
        (MODULE_3, (800, 600, 15), (2304, 1296, 10)),
        (MODULE_3, (1280, 720, 30), (2304, 1296, 10)),
        (MODULE_3, (2560, 1440, 10), (4608, 2592, 10)),
        (MODULE_3, (1280, 720, 100), (1536, 864, 10)),
        (MODULE_3, (3840, 2160, 30), (2304, 1296, 10)),
        (MODULE_2, (800, 600, 15), (1640, 1232, 10)),
        (MODULE_2, (640, 480, 30), (1640, 1232, 10)),
        (MODULE_2, (1640, 1232, 60), (1640, 1232, 8)),
        (HQ, (800, 600, 15), (2028, 1520, 12)),
        (HQ, (1920, 1080, 30), (2028, 1520, 12)),
        (MODULE_1, (640, 480, 30), (640, 480, 10)),
        (MODULE_1, (800, 600, 15), (1296, 972, 10)),
        (MODULE_1, (800, 600, 46.34), (1296, 972, 10)),
    ],
)
def test_the_smallest_mode_that_shows_everything_is_chosen(
    camera: int, asked: tuple[int, int, float], mode: tuple[int, int, int]
) -> None:
    modes = listed(LISTED, camera)
    found = choose(modes, *asked)
    assert found is not None
    assert (found.width, found.height, found.bits) == mode


@pytest.mark.parametrize(
    ("camera", "asked", "says"),
    [
        (MODULE_3, (800, 600, 15), None),
        (HQ, (1920, 1080, 30), None),
        (MODULE_1, (640, 480, 58.92), None),
        (MODULE_3, (800, 600, 60), "60 pictures a second cost field of view: 67%"),
        (MODULE_1, (640, 480, 90), "the sensor gives 58.92 pictures a second at most, 90 are"),
    ],
)
def test_what_a_mode_does_not_give_is_said(
    camera: int, asked: tuple[int, int, float], says: str | None
) -> None:
    modes = listed(LISTED, camera)
    found = choose(modes, *asked)
    assert found is not None
    told = shortfall(found, modes, *asked)
    assert told is None if says is None else told is not None and told.startswith(says)


@pytest.mark.parametrize("text", ["No cameras available!", "", "0 : imx708 [4608x2592] (/x)\n"])
def test_without_modes_none_is_chosen(text: str) -> None:
    assert choose(listed(text, 0), 800, 600, 15) is None
