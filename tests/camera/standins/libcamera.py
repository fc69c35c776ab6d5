"""Stands in for libcamera's Python bindings."""


class Transform:
    def __init__(self, hflip: bool = False, vflip: bool = False) -> None:
        self.hflip = hflip
        self.vflip = vflip
