"""What FFmpeg's errors about a network mean, said so that one knows what to do."""

import re

_NO_TLS = "the TLS connection failed; does it talk TLS at this port?"
_CAUSES = {
    r"Connection to \w+://\S*:(\d+)\S* failed: Connection refused": "port {} refuses connections",
    r"Failed to resolve hostname.*(Name or service not known|No address)": "no such host",
    r"Failed to resolve hostname": "its name cannot be resolved now; is the network there?",
    r"No route to host|Network is unreachable": "no way leads there; is it on?",
    r"timed out|Connection to srt:\S* failed": "it does not answer",
    r"Connection reset|Broken pipe": "it broke the connection off",
    r"\b(403)\b": "it forbids this ({})",
    r"\b(404)\b": "it has no such path ({})",
    r"\b(4\d\d) (?=[A-Z(])": "it refuses the request ({})",
    r"\b(5\d\d) (?=[A-Z(])|Server returned (5XX)": "it has an error of its own ({})",
    r"certificate": "its certificate is refused",
    r"\b(SSL|TLS|GnuTLS)\b": _NO_TLS,
    r"not on whitelist": "it leads to another kind of address, which is not followed",
    r"Protocol not found": "this ffmpeg was built without that protocol",
    r"Invalid data found when processing input": "what it sends is no video that ffmpeg knows",
    r"End of file": "it ended",
}
"""By what they contain, in the order in which they are looked for."""


def cause(lines: list[str], *, login: bool, port: int | None) -> str | None:
    """The cause that FFmpeg's error lines tell of; None when they tell of no known one.

    login: whether a user name was given; port: where it was to connect to.
    """
    if login:
        asked = "it refuses this user name or password ({})"
    else:
        asked = "it asks for a user name and password ({})"
    refused = f"port {port} refuses connections" if port else "it refuses connections"
    # Of what fails in TLS, some builds of FFmpeg say no more than that.
    last = {"Connection refused": refused, r"Impossible to open '\w+s://": _NO_TLS}
    table = {r"\b(401)\b": asked} | _CAUSES | last
    for sign, meaning in table.items():
        for line in lines:
            if found := re.search(sign, line):
                return meaning.format(*(group for group in found.groups() if group))
    return None
