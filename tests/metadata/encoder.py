"""Writes metadata as rpicam-vid does, in a process of its own, as it is told on stdin.

Run as `encoder.py <path> json|txt`; answers each line with `ok`. Like rpicam-vid it flushes at
each newline, so that the brace of a record stays in its buffer until the next begins. Record n
(counted from 1) has `Lux` n, or as set by `first`.
"""

import sys
import time
from pathlib import Path


class Encoder:
    def __init__(self, path: Path, form: str) -> None:
        self.path, self.form = path, form
        self.number = 0
        self.extra: list[tuple[str, str]] = []
        self.open()

    def open(self) -> None:
        """Open with truncation, as every start of rpicam-vid does."""
        self.file = self.path.open("w", encoding="latin-1", newline="")
        self.empty = True
        if self.form == "json":
            self.line("[\n")

    def line(self, text: str) -> None:
        self.file.write(text)
        self.file.flush()

    def fields(self) -> list[tuple[str, str]]:
        self.number += 1
        return [
            ("SensorTimestamp", str(time.clock_gettime_ns(time.CLOCK_BOOTTIME))),
            ("ScalerCrop", "(0, 0)/2592x1944"),
            ("ColourGains", "[ 1.200000, 2.100000 ]"),
            ("ExposureTime", "33022"),
            ("FrameDuration", "33333"),
            *self.extra,
            ("Lux", f"{self.number}.000000"),
        ]

    def frame(self, keys: int = 99) -> None:
        """One record, or only its first keys."""
        fields = self.fields()[:keys]
        if self.form == "txt":
            for name, value in fields:
                self.line(f"{name}={value}\n")
            self.line("\n" if keys == 99 else "")
            return
        self.line("{" if self.empty else ",\n{")
        self.empty = False
        for place, (name, value) in enumerate(fields):
            quote = '"' if "/" in value else ""
            self.line(",\n" if place else "\n")
            self.file.write(f'    "{name}": {quote}{value}{quote}')
        if keys == 99:
            self.line("\n")
            self.file.write("}")
        else:
            self.file.flush()

    def obey(self, order: str, *words: str) -> None:
        match order:
            case "frames":
                for _ in range(int(words[0])):
                    self.frame()
            case "megabytes":
                end = self.file.tell() + int(words[0]) * 1_000_000
                while self.file.tell() < end:
                    self.frame()
            case "half":
                self.frame(keys=3)
            case "with":
                self.extra = [(words[0], words[1])]
            case "raw":
                self.line(bytes.fromhex(words[0]).decode("latin-1"))
            case "seek":
                self.file.seek(int(words[0]))
            case "truncate":
                self.file.close()
                self.open()
            case "recreate":
                self.file.close()
                self.path.unlink()
                self.open()
            case "exit":
                self.line("\n]\n")
            case _:
                raise ValueError(order)


if __name__ == "__main__":
    encoder = Encoder(Path(sys.argv[1]), sys.argv[2])
    sys.stdout.write("ok\n")
    sys.stdout.flush()
    for told in sys.stdin:
        encoder.obey(*told.split())
        sys.stdout.write("ok\n")
        sys.stdout.flush()
