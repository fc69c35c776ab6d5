"""What can be set about a CSI camera's picture, under the names of rpicam-apps.

`drivers/libcamera.py` translates each of them, once for rpicam-vid and once for picamera2.
"""

from typing import Literal

from bus.settings import Section
from pydantic import Field, field_validator, model_validator

_NUMBER = r"\d{1,4}(\.\d{1,6})?"

Metering = Literal["centre", "spot", "average", "custom"]
Awb = Literal[
    "auto", "incandescent", "tungsten", "fluorescent", "indoor", "daylight", "cloudy", "custom"
]
Denoise = Literal["auto", "off", "cdn_off", "cdn_fast", "cdn_hq"]
Hdr = Literal["off", "auto", "sensor", "single-exp"]


class Controls(Section):
    """Whatever is not set is left to the camera. Flips, rotation and roi work for v4l2 too."""

    hflip: bool = Field(False, description="mirror the picture left to right")
    vflip: bool = Field(False, description="mirror the picture top to bottom")
    rotation: int = Field(0, description="degrees clockwise: 0 or 180; v4l2 also 90 and 270")
    roi: str = Field(
        "",
        pattern=rf"^({_NUMBER}(,{_NUMBER}){{3}})?$",
        description="digital zoom: x,y,width,height as parts of the picture, such as "
        "0.25,0.25,0.5,0.5; empty = all of it",
    )
    mode: str = Field(
        "full",
        pattern=r"^(full|default|\d{2,5}:\d{2,5}(:\d{1,2}(:[PUpu])?)?)$",
        description="sensor mode: full = the smallest one with the whole field of view; "
        "default = the one that libcamera picks; or WIDTH:HEIGHT:BITS:P",
    )
    tuning_file: str = Field("", max_length=300, description="libcamera's tuning file")
    shutter: int | None = Field(None, ge=1, le=700_000_000, description="µs of exposure")
    gain: float | None = Field(None, ge=1, le=256, description="analogue gain")
    ev: float | None = Field(None, ge=-8, le=8, description="exposure compensation in stops")
    metering: Metering | None = Field(None, description="centre, spot, average or custom")
    flicker_period: int | None = Field(
        None, ge=1000, le=100_000, description="µs: 10000 cancels 50 Hz lamps, 8333 60 Hz lamps"
    )
    awb: Awb | None = Field(
        None,
        description="white balance: auto, incandescent, tungsten, fluorescent, indoor, daylight, "
        "cloudy or custom",
    )
    awb_gains: str = Field(
        "", pattern=rf"^({_NUMBER},{_NUMBER})?$", description="red,blue; instead of awb"
    )
    denoise: Denoise | None = Field(None, description="auto, off, cdn_off, cdn_fast or cdn_hq")
    hdr: Hdr | None = Field(None, description="off, auto, sensor (Camera Module 3) or single-exp")
    autofocus_mode: Literal["manual", "auto", "continuous"] | None = Field(
        None, description="manual, auto (once) or continuous; null = continuous"
    )
    autofocus_range: Literal["normal", "macro", "full"] | None = Field(
        None, description="normal, macro or full"
    )
    autofocus_speed: Literal["normal", "fast"] | None = Field(None, description="normal or fast")
    lens_position: float | None = Field(
        None, ge=0, le=32, description="focus in dioptres: 0 = infinity, 10 = 10 cm"
    )
    brightness: float | None = Field(None, ge=-1, le=1, description="0 = normal")
    contrast: float | None = Field(None, ge=0, le=15.99, description="1 = normal")
    saturation: float | None = Field(None, ge=0, le=15.99, description="1 = normal, 0 = grey")
    sharpness: float | None = Field(None, ge=0, le=15.99, description="1 = normal")

    @field_validator("rotation")
    @classmethod
    def _right_angle(cls, value: int) -> int:
        if value not in (0, 90, 180, 270):
            raise ValueError("Input should be 0, 90, 180 or 270")
        return value

    @field_validator("roi")
    @classmethod
    def _within_the_picture(cls, value: str) -> str:
        if value:
            x, y, width, height = numbers(value)
            if not (width > 0 and height > 0 and x + width <= 1 and y + height <= 1):
                raise ValueError("x + width and y + height may be 1 at most, and neither size 0")
        return value

    @model_validator(mode="after")
    def _consistent(self) -> "Controls":
        if self.lens_position is not None and self.autofocus_mode in ("auto", "continuous"):
            raise ValueError("lens_position needs autofocus_mode = manual")
        if self.awb_gains and self.awb is not None:
            raise ValueError("awb_gains and awb exclude each other")
        return self

    @property
    def given(self) -> list[str]:
        """The names of those that differ from their defaults."""
        return [
            name
            for name, field in type(self).model_fields.items()
            if getattr(self, name) != field.default
        ]


def numbers(text: str) -> list[float]:
    """The numbers of a value such as 0.25,0.25,0.5,0.5."""
    return [float(part) for part in text.split(",")]
