"""What can go wrong on the bus."""


class BusError(OSError):
    """The broker is away, or did not answer in time."""


class Refused(BusError):
    """The broker refused a message (PUBACK, MQTT 5 §3.4.2.1)."""


class Nobody(BusError):
    """Nobody is there to take a command (reason code 0x10)."""


class Declined(BusError):
    """The other side answered, and said no; `code` is its HTTP status code."""

    def __init__(self, reason: str, code: int) -> None:
        super().__init__(reason)
        self.code = code


class Refusal(Exception):
    """Raised by an answering service: the request is answered with this reason.

    code: the HTTP status code for whoever asks on behalf of a browser.
    """

    def __init__(self, reason: str, code: int = 400) -> None:
        super().__init__(reason)
        self.code = code
