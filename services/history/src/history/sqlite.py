"""Answers out of SQLite, and of what has not been written to it yet."""

from functools import partial

from bus.messages import HistorySeries, HistorySource

from . import downsample, lookup, schema
from .metric import Metric, name_of
from .recorder import Recorder
from .series import Series
from .store import Store


class Sqlite:
    """Asks the recorder's own file. Raises sqlite3.Error or OSError when that is of no use."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder

    async def sources(self, station: str) -> list[HistorySource]:
        """Every topic of a station of which something is kept."""
        return await self._recorder.ask(partial(sources, station=station))

    async def query(self, metric: Metric, start: float, end: float, points: int) -> HistorySeries:
        """The past of a metric between two Unix times (s), in at most so many buckets."""
        question = partial(query, metric=metric, start=start, end=end, points=points)
        return await self._recorder.ask(question)


def sources(store: Store, station: str) -> list[HistorySource]:
    """Every topic of a station of which something is kept."""
    found = [series for _, series in sorted(store.series.items()) if not series.boot]
    return [source(store, series) for series in found if series.tags["station"] == station]


def source(store: Store, series: Series) -> HistorySource:
    """One of them."""
    span = store.span(series)
    return HistorySource(
        topic=name_of(series.kept, series.tags),
        fields=[field for field in series.kept.numbers if field in series.fields],
        interval=series.interval or None,
        first=span and span[0] / 1000,
        last=span and span[1] / 1000,
    )


def query(store: Store, metric: Metric, start: float, end: float, points: int) -> HistorySeries:
    """The past of a metric between two Unix times (s), in at most so many buckets."""
    found = [series for series in store.series.values() if fits(series, metric)]
    begin, stop = round(start * 1000), round(end * 1000)
    width = downsample.width(begin, stop, points)
    if any(begin < only_windows_before(store, series) for series in found):
        width = max(width, schema.WIDE)
    buckets = [b for series in found for b in look(store, series, metric.field, begin, stop, width)]
    interval = max((series.interval for series in found), default=0.0)
    return downsample.series(downsample.merged(buckets), width, interval)


def only_windows_before(store: Store, series: Series) -> int:
    """Time (ms) up to which the readings are gone and their windows are not; 0 when never."""
    span = store.span(series)
    oldest = store.end(series, f"main.{series.kept.name}_windows", "ASC")
    if oldest is None or (span and oldest + schema.WIDE > span[0]):
        return 0
    return span[0] if span else series.rolled


def fits(series: Series, metric: Metric) -> bool:
    """Whether a series is one of a metric's: the payload may tell more of them apart."""
    same = series.kept.name == metric.measurement.name and not series.boot
    return same and metric.tags.items() <= series.tags.items()


def look(
    store: Store, series: Series, field: str, begin: int, stop: int, width: int
) -> list[downsample.Bucket]:
    """The buckets of one series; times in ms."""
    wide = width >= schema.WIDE
    statement = (lookup.from_windows if wide else lookup.from_readings)(series.kept, field)
    about = {"series": series.key, "begin": begin, "stop": stop, "width": width}
    about |= {"rolled": series.rolled}
    return [downsample.Bucket(*row) for row in store.database.execute(statement, about)]
