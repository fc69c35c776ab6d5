"""Answers out of InfluxDB 2, which Telegraf fills as the contract says (`bus/points.py`)."""

import asyncio
import json
from datetime import UTC, datetime

from bus import wall_clock
from bus.address import hide_addresses, hide_logins
from bus.messages import HistorySeries, HistorySource
from bus.points import MEASUREMENTS, STATISTICS, WINDOW
from influxdb_client.client.exceptions import InfluxDBError
from influxdb_client.client.flux_table import TableList
from influxdb_client.client.influxdb_client import InfluxDBClient
from influxdb_client.rest import ApiException
from urllib3.exceptions import HTTPError

from . import downsample
from .metric import Metric, name_of
from .settings import Influxdb

DAY = 86_400


class Influx:
    """Asks in Flux, a thread for each question. Raises OSError when it is away or says no."""

    def __init__(self, settings: Influxdb) -> None:
        self._settings = settings
        self._client = InfluxDBClient(
            settings.url,
            settings.secret(),
            org=settings.org,
            timeout=round(settings.timeout * 1000),
        )
        self._api = self._client.query_api()

    async def sources(self, station: str) -> list[HistorySource]:
        """Every topic of a station of which there are readings."""
        return await asyncio.to_thread(self._sources, station)

    async def query(self, metric: Metric, start: float, end: float, points: int) -> HistorySeries:
        """The past of a metric between two Unix times (s), in at most so many buckets."""
        return await asyncio.to_thread(self._query, metric, start, end, points)

    def _sources(self, station: str) -> list[HistorySource]:
        names = {kept.name: kept for kept in MEASUREMENTS.values()}
        flux = newest(self._settings.bucket, self._settings.raw_days, list(names), station)
        found: dict[str, HistorySource] = {}
        for table in self._ask(flux):
            for record in table.records:
                kept = names[record["_measurement"]]
                tags = {tag: record.values.get(tag) or "" for tag in kept.tags}
                source = HistorySource(
                    topic=name_of(kept, tags),
                    fields=[record["_field"]] if record["_field"] in kept.numbers else [],
                    interval=kept.topic.every,
                    first=None,
                    last=record["_time"].timestamp(),
                )
                before = found.get(source.topic)
                found[source.topic] = joined(before, source) if before else source
        return [found[name] for name in sorted(found)]

    def _query(self, metric: Metric, start: float, end: float, points: int) -> HistorySeries:
        begin, stop = round(start * 1000), round(end * 1000)
        width = downsample.width(begin, stop, points)
        old = start < wall_clock.now() - self._settings.raw_days * DAY
        if old:
            width = max(width, WINDOW * 1000)
        wide = width >= WINDOW * 1000
        bucket = self._settings.long_bucket if wide else self._settings.bucket
        values: dict[int, dict[str, float]] = {}
        for table in self._ask(flux_of(bucket, metric, begin, stop, width, wide)):
            for record in table.records:
                number = round(record["_time"].timestamp() * 1000) // width
                values.setdefault(number, {})[record["result"]] = record["_value"]
        buckets = [
            downsample.Bucket(number, (number + 0.5) * width, *(row[s] for s in STATISTICS))
            for number, row in sorted(values.items())
            if len(row) == len(STATISTICS)
        ]
        return downsample.series(buckets, width, metric.measurement.topic.every or 0)

    def _ask(self, flux: str) -> TableList:
        where = hide_addresses(self._settings.url)
        try:
            return self._api.query(flux)
        except ApiException as error:
            raise OSError(f"InfluxDB at {where} says {error.status} {error.reason}") from None
        except (InfluxDBError, HTTPError) as error:
            raise OSError(
                f"InfluxDB at {where} does not answer: {hide_logins(str(error))}"
            ) from None


def flux_of(bucket: str, metric: Metric, begin: int, stop: int, width: int, wide: bool) -> str:
    """Three results, named as STATISTICS: one value for each bucket (ms) that has any."""
    tags = {"_measurement": metric.measurement.name, "_field": metric.field, **metric.tags}
    conditions = " and ".join(f"r[{text(name)}] == {text(tags[name])}" for name in tags)
    parts = [
        f"data = from(bucket: {text(bucket)})",
        f"  |> range(start: {moment(begin)}, stop: {moment(stop)})",
        f"  |> filter(fn: (r) => {conditions})",
    ]
    for name in STATISTICS:
        chosen = f'  |> filter(fn: (r) => r["statistic"] == {text(name)})\n' if wide else ""
        parts.append(
            f"data\n{chosen}  |> toFloat()\n  |> group()\n"
            f"  |> aggregateWindow(every: {width}ms, fn: {name}, createEmpty: false, "
            f'timeSrc: "_start")\n'
            f"  |> yield(name: {text(name)})"
        )
    return "\n".join(parts)


def newest(bucket: str, days: float, measurements: list[str], station: str) -> str:
    """The last value of every field of every series of a station."""
    names = " or ".join(f"r._measurement == {text(name)}" for name in measurements)
    since = f"{round(days * DAY)}s"
    source = f"from(bucket: {text(bucket)}) |> range(start: -{since})"
    own = f"r.station == {text(station)} and ({names})"
    return f"{source} |> filter(fn: (r) => {own}) |> last()"


def joined(one: HistorySource, other: HistorySource) -> HistorySource:
    """The same topic with the fields of both, and the later end."""
    fields = [*one.fields, *other.fields]
    last = max(one.last or 0, other.last or 0) or None
    return one.model_copy(update={"fields": fields, "last": last})


def text(value: str) -> str:
    """A string of Flux; it would replace `${…}` inside."""
    return json.dumps(value).replace("${", "\\${")


def moment(milliseconds: int) -> str:
    """A time of Flux (RFC 3339)."""
    time_of = datetime.fromtimestamp(milliseconds / 1000, UTC)
    return time_of.isoformat(timespec="milliseconds").replace("+00:00", "Z")
