"""The base class of outputs."""


class Output:
    def __init__(self, pts: str | None = None) -> None:
        self.recording = False

    def start(self) -> None:
        self.recording = True

    def outputframe(
        self,
        frame: bytes,
        keyframe: bool = True,
        timestamp: int | None = None,
        packet: object = None,
        audio: bool = False,
    ) -> None:
        raise NotImplementedError
