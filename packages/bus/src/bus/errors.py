"""What can go wrong on the bus."""


class BusError(OSError):
    """The broker is away, or did not answer in time."""


class Refused(BusError):
    """The broker refused a message (PUBACK, MQTT 5 §3.4.2.1)."""


class Nobody(BusError):
    """Nobody is there to take a command (reason code 0x10)."""


class Refusal(Exception):
    """Raised by an answering service: the request is answered with this reason."""
