"""The picture of the test camera: it moves, it shows the time, and a machine can read the time.

Drawn in YUV 4:2:0 by copying slices of rows that were built beforehand, since a Raspberry Pi has
to draw it thirty times a second beside its real work.

The machine-readable clock: on the top 16 rows stand 40 cells of equal width, white (luma 235) for 1
and black (16) for 0. The first 32 are the Unix time in milliseconds modulo 2**32, most significant
bit first; the last 8 are the CRC-8 of those four bytes (polynomial 0x07, start 0, not reflected).
"""

import random
import time

from . import font

CODE_ROWS = 16
CELLS = 40
WHITE, BLACK = 235, 16

_BLOCK = 8
_STEP = 2
"""Rows that the background moves with every picture."""
_NOISES = 16
"""Shifts of the noise band until it repeats."""


def crc8(data: bytes) -> int:
    """CRC-8 as in SMBus: polynomial 0x07, start 0, not reflected, not inverted."""
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc << 1 ^ 0x07 if crc & 0x80 else crc << 1) & 0xFF
    return crc


def code_row(milliseconds: int, width: int) -> bytes:
    """One row of the machine-readable clock, in luma."""
    stamp = (milliseconds % (1 << 32)).to_bytes(4, "big")
    bits = int.from_bytes(stamp + bytes((crc8(stamp),)), "big")
    cells = []
    for cell in range(CELLS):
        ink = WHITE if bits >> (CELLS - 1 - cell) & 1 else BLACK
        cells.append(bytes((ink,)) * ((cell + 1) * width // CELLS - cell * width // CELLS))
    return b"".join(cells)


class Picture:
    """Draws one picture after another."""

    def __init__(self, width: int, height: int) -> None:
        self._width = width
        self._height = height
        self._count = 0
        self._scale = max(2, width // 160)
        self._glyphs = {c: font.rows(c, self._scale, WHITE, BLACK) for c in "0123456789:."}
        self._background = _mosaic(width, height)
        self._luma = bytearray(width * height)
        self._chroma = [_colours(width // 2, height // 2, turn) for turn in (0, 1)]
        self._noise = random.Random(7).randbytes(width * (height // 8 + _NOISES))  # noqa: S311
        self._noise = self._noise.translate(bytes(90 + value // 8 for value in range(256)))
        self._object = bytes((200,)) * (width // 10)

    def draw(self, unix: float) -> list[bytes | bytearray | memoryview]:
        """The picture of this moment as its planes Y, U and V; valid until the next is drawn."""
        self._scroll()
        self._draw_noise()
        self._draw_object()
        self._draw_clock(unix)
        row = code_row(int(unix * 1000), self._width)
        self._luma[: CODE_ROWS * self._width] = row * CODE_ROWS
        self._count += 1
        return [self._luma, *(self._colour(plane) for plane in self._chroma)]

    def _scroll(self) -> None:
        start = self._count * _STEP % self._height * self._width
        self._luma[:] = memoryview(self._background)[start : start + len(self._luma)]

    def _colour(self, plane: bytes) -> memoryview:
        size = self._width // 2 * (self._height // 2)
        start = self._count * _STEP // 2 % (self._height // 2) * (self._width // 2)
        return memoryview(plane)[start : start + size]

    def _draw_noise(self) -> None:
        """A band in which nothing can be predicted, so that the encoder uses its bits."""
        rows, first = self._height // 8, self._height * 3 // 4
        start = self._count * 7 % _NOISES * self._width
        piece = memoryview(self._noise)[start : start + rows * self._width]
        self._luma[first * self._width : (first + rows) * self._width] = piece

    def _draw_object(self) -> None:
        width, size = self._width, len(self._object)
        left = self._count * 4 % (width - size)
        for row in range(self._height // 2, self._height // 2 + self._height // 10):
            start = row * width + left
            self._luma[start : start + size] = self._object

    def _draw_clock(self, unix: float) -> None:
        milliseconds = int(unix * 1000)
        text = time.strftime("%H:%M:%S", time.localtime(milliseconds // 1000))
        glyphs = [self._glyphs[c] for c in f"{text}.{milliseconds % 1000:03d}"]
        top, left = CODE_ROWS + 2 * self._scale, 4 * self._scale
        for line in range(font.ROWS * self._scale):
            piece = b"".join(glyph[line // self._scale] for glyph in glyphs)
            start = (top + line) * self._width + left
            self._luma[start : start + len(piece)] = piece


def _mosaic(width: int, height: int) -> bytes:
    """Grey blocks, twice the picture's height, whose second half repeats the first."""
    shades = random.Random(1)  # noqa: S311 (a pattern, no secret)
    rows = []
    for _ in range(-(-height // _BLOCK)):
        blocks = shades.choices(range(60, 130), k=-(-width // _BLOCK))
        row = b"".join(bytes((shade,)) * _BLOCK for shade in blocks)[:width]
        rows += [row] * _BLOCK
    return b"".join(rows[:height] * 2)


def _colours(width: int, height: int, turn: int) -> bytes:
    """A plane of slowly changing colour, twice the height, that runs round without a seam."""
    rows = []
    for row in range(height):
        slope = abs(2 * row - height) * 40 // height
        rows.append(bytes((108 + (slope if turn else 40 - slope),)) * width)
    return b"".join(rows * 2)
