"""What this service counts, for Prometheus; everything is read at the moment of asking."""

from collections import Counter
from collections.abc import Iterator

from bus.topics import SERVICE_STATUS
from fastapi import APIRouter
from fastapi.responses import Response
from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from .channel import Channel
from .station import Here, Station

router = APIRouter(tags=["health"])


@router.get("/metrics", response_class=Response)
async def metrics(station: Here) -> Response:
    """Prometheus text format."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(StationCollector(station))
    ProcessCollector(registry=registry)
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)


class StationCollector(Collector):
    """Reads the counts where they are kept."""

    def __init__(self, station: Station) -> None:
        self._station = station

    def collect(self) -> Iterator[Metric]:
        yield from about_bus(self._station)
        yield from about_clients(self._station)
        yield from about_cameras(list(self._station.hub.channels.values()))


def about_bus(station: Station) -> Iterator[Metric]:
    """Messages that were dropped, by topic here and in total by every other service."""
    dropped = CounterMetricFamily(
        "beeper_invalid_messages", "Messages dropped by this service", labels=["topic"]
    )
    for topic, count in station.bus.invalid.items():
        dropped.add_metric([topic], count)
    yield dropped
    said = GaugeMetricFamily(
        "beeper_service_invalid_messages", "Messages dropped by a service", labels=["instance"]
    )
    online = GaugeMetricFamily(
        "beeper_service_online", "1 while a service says it is online", labels=["instance"]
    )
    for instance, status in station.readings.each(SERVICE_STATUS).items():
        said.add_metric([instance], status.invalid_messages)
        online.add_metric([instance], status.state == "online")
    yield said
    yield online
    yield gauge("beeper_bus_up", "1 while the broker answers", station.pulse.well)
    connects = CounterMetricFamily("beeper_bus_connects", "Connections made", labels=["link"])
    connects.add_metric(["messages"], station.bus.link.connects)
    connects.add_metric(["media"], station.media.link.connects)
    yield connects
    yield CounterMetricFamily(
        "beeper_topics_ignored", "Messages of more topics than kept", station.readings.ignored
    )


def about_clients(station: Station) -> Iterator[Metric]:
    """Who is connected, and who said what nobody understands."""
    yield gauge("beeper_pages", "Open /events sockets", len(station.pages.open))
    yield gauge("beeper_people", "People in the roster", station.roster.count)
    yield gauge("beeper_hls_waiting", "HLS requests that wait", len(station.shares.waiting))
    yield gauge("beeper_mjpeg_viewers", "Requests answered with JPEGs", station.jpegs.viewers)
    malformed = station.pages.malformed + sum(
        totals(channel)["malformed"] for channel in station.hub.channels.values()
    )
    yield CounterMetricFamily(
        "beeper_malformed_client_messages", "Messages against the protocol", malformed
    )


def about_cameras(channels: list[Channel]) -> Iterator[Metric]:
    """Fragments by what became of them, frames by whether viewers got them."""
    viewers = GaugeMetricFamily("beeper_viewers", "Open /live sockets", labels=["camera"])
    late = GaugeMetricFamily(
        "beeper_fragment_lateness_seconds", "Behind the quickest of the minute", labels=["camera"]
    )
    fragments = CounterMetricFamily(
        "beeper_fragments", "Fragments by kind or fate", labels=["camera", "kind"]
    )
    frames = CounterMetricFamily(
        "beeper_frames", "Video frames to viewers", labels=["camera", "fate"]
    )
    for channel in channels:
        viewers.add_metric([channel.name], len(channel.viewers))
        late.add_metric([channel.name], channel.lateness)
        counts = totals(channel)
        for name, count in sorted(counts.items()):
            if name.startswith("fragments_"):
                fragments.add_metric([channel.name, name.removeprefix("fragments_")], count)
        for fate in ("sent", "dropped"):
            frames.add_metric([channel.name, fate], counts[f"frames_{fate}"])
    yield from (viewers, late, fragments, frames)


def totals(channel: Channel) -> Counter[str]:
    """The counts of a channel with those of the viewers that are still there."""
    counts = Counter(channel.counts)
    for viewer in channel.viewers:
        counts["frames_sent"] += viewer.sent_frames
        counts["frames_dropped"] += viewer.dropped_frames
        counts["malformed"] += viewer.malformed
    return counts


def gauge(name: str, about: str, value: float) -> GaugeMetricFamily:
    """One value without labels."""
    return GaugeMetricFamily(name, about, value=float(value))
