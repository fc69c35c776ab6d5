"""Starts one relay: `python -m relay mediamtx`; or makes what it needs: `create-ingress`."""

import sys

from bus import Bus, main

from .create_ingress import COMMAND
from .create_ingress import main as create_ingress
from .live import Live
from .settings import HUB, Settings
from .uplink import Uplink


async def work(bus: Bus, settings: Settings, name: str) -> None:
    """Push one camera to one target: RTSP, RTMP, WHIP, a hub. See also: create-ingress --help."""
    relay = settings.relay[name]
    kind = Uplink if relay.url.get_secret_value() == HUB else Live
    await kind(bus, settings, relay, name).run()


if __name__ == "__main__":
    if sys.argv[1:2] == [COMMAND]:
        sys.exit(create_ingress(sys.argv[2:]))
    main("relay", Settings, work, takes="relay", known=lambda settings: settings.relay)
