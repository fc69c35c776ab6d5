"""A bitmap font of seven rows for the digits of a clock."""

_GLYPHS = {
    "0": "01110 10001 10011 10101 11001 10001 01110",
    "1": "00100 01100 00100 00100 00100 00100 01110",
    "2": "01110 10001 00001 00110 01000 10000 11111",
    "3": "11110 00001 00001 01110 00001 00001 11110",
    "4": "00010 00110 01010 10010 11111 00010 00010",
    "5": "11111 10000 11110 00001 00001 10001 01110",
    "6": "00110 01000 10000 11110 10001 10001 01110",
    "7": "11111 00001 00010 00100 01000 01000 01000",
    "8": "01110 10001 10001 01110 10001 10001 01110",
    "9": "01110 10001 10001 01111 00001 00010 01100",
    ":": "00000 00100 00100 00000 00100 00100 00000",
    ".": "00000 00000 00000 00000 00000 01100 01100",
}
ROWS = 7


def rows(character: str, scale: int, ink: int, paper: int) -> list[bytes]:
    """The rows of a character `scale` times as large, in luma; each row stands for `scale`."""
    colour = {"0": bytes((paper,)) * scale, "1": bytes((ink,)) * scale}
    return [b"".join(colour[bit] for bit in f"{row}0") for row in _GLYPHS[character].split()]
