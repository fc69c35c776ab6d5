"""What ffmpeg's errors mean, said so that one knows what to do."""

import re

from .address import Address
from .source import SourceError

_DEVICE = {
    "Device or resource busy": "busy, another program uses it",
    "Permission denied": "no permission",
    "Operation not permitted": "no permission",
    "No such device": "no device",
    "cannot open audio device": "no device",
}

_TRACKS = {
    r"Stream map '0:a.* matches no streams": "the camera has no sound",
    r"Stream map '0:v.* matches no streams": "the camera has no picture",
}

_NETWORK = {
    r"Connection to \w+://\S*:(\d+)\S* failed: Connection refused": "port {} refuses connections",
    r"Connection refused": "it refuses connections",
    r"Failed to resolve hostname.*(Name or service not known|No address)": "no such host",
    r"Failed to resolve hostname": "its name cannot be resolved now; is the network there?",
    r"No route to host|Network is unreachable": "no way leads there; is it on?",
    r"timed out": "it does not answer",
    r"Connection reset|Broken pipe": "it broke the connection off",
    r"\b(403)\b": "it forbids this ({})",
    r"\b(404)\b": "it has no such path ({})",
    r"\b(4\d\d) (?=[A-Z(])": "it refuses the request ({})",
    r"\b(5\d\d) (?=[A-Z(])|Server returned (5XX)": "it has an error of its own ({})",
    r"certificate": "its certificate is refused",
    r"\b(SSL|TLS|GnuTLS)\b": "the TLS connection failed; does it talk TLS at this port?",
    r"not on whitelist": "it leads to another kind of address, which is not followed",
    r"Protocol not found": "this ffmpeg was built without that protocol",
    r"Invalid data found when processing input": "what it sends is no video that ffmpeg knows",
    r"End of file": "it ended",
}
"""By what they contain, in the order in which they are looked for."""


def in_words(error: SourceError, lines: list[str], source: Address | None = None) -> SourceError:
    """The meaning of ffmpeg's words.

    source: where the input is. For a device the words themselves follow; of an address they would
    say nothing more.
    """
    remote = source is not None and not source.is_file
    table = _TRACKS | (_of_address(source) if source and remote else _DEVICE)
    for sign, meaning in table.items():
        for line in lines:
            if found := re.search(sign, line):
                said = meaning.format(*(group for group in found.groups() if group))
                return SourceError(said if source else f"{said}: {line}")
    return error


def _of_address(source: Address) -> dict[str, str]:
    if source.has_login:
        asked = "it refuses this user name or password ({})"
    else:
        asked = "it asks for a user name and password ({})"
    return {r"\b(401)\b": asked} | _NETWORK
