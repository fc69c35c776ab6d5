"""Queries in Flux, for fields that the contract has: a name that it lacks is a KeyError."""

from bus.points import LONG_BUCKET, MEASUREMENTS, RAW_BUCKET, Measurement
from grafana_foundation_sdk.cog import builder, variants
from grafana_foundation_sdk.models.dashboard import DataSourceRef

SOURCE = DataSourceRef(type_val="influxdb", uid="influxdb")
RANGE = "range(start: v.timeRangeStart, stop: v.timeRangeStop)"
LATE = "5s"
"""What Telegraf may take to store a message."""
WHOLE_MINUTES = (
    f"range(start: v.timeRangeStart, stop: date.truncate(t: date.sub(d: {LATE},"
    " from: v.timeRangeStop), unit: 1m))"
)
"""Ends with the last minute that is over and stored: a mean of seconds is no mean of a minute."""
NOW = "5m"
"""A value that is older than this is not shown as the present one."""
PRESENT = f"range(start: date.sub(d: {NOW}, from: v.timeRangeStop), stop: v.timeRangeStop)"
HERE = 'r.station == "${station}"'
"""The dashboards' variable; a rule looks at every station."""


def means(function: str = "mean") -> str:
    """One value for each window, and null where there was none, so that a gap is seen.

    The panel's `interval` keeps windows longer than the time between two messages.
    """
    return f"aggregateWindow(every: v.windowPeriod, fn: {function}, createEmpty: true)"


class Query(variants.Dataquery):  # type: ignore[misc] # the SDK has no types
    """A target of the InfluxDB data source, in Flux."""

    def __init__(self, ref_id: str, flux: str) -> None:
        self.ref_id = ref_id
        self.flux = flux

    def to_json(self) -> dict[str, object]:
        """As Grafana stores it."""
        return {"refId": self.ref_id, "query": imported(self.flux), "datasource": SOURCE}


def imported(flux: str) -> str:
    """The query behind the imports of the packages that it names."""
    named = (name for name in ("array", "date") if f"{name}." in flux)
    head = "".join(f'import "{name}"\n' for name in named)
    return f"{head}\n{flux}" if head else flux


class Target(builder.Builder[Query]):  # type: ignore[misc]
    """What the SDK's panels and rules take."""

    def __init__(self, ref_id: str, flux: str) -> None:
        self._query = Query(ref_id, flux)

    def build(self) -> Query:
        """The query."""
        return self._query


def kept(metric: str) -> tuple[Measurement, str]:
    """`sensors/cpu/temperature:cpu_temp` → its measurement and field."""
    topic, _, field = metric.partition(":")
    found = MEASUREMENTS[f"beeper/{topic}"]
    if field not in found.fields:
        raise KeyError(f"{metric}: the contract has no such field")
    return found, field


def select(metric: str, *conditions: str, bucket: str = RAW_BUCKET, span: str = RANGE) -> str:
    """Every value of one field in a range, by default the one that the reader chose."""
    found, field = kept(metric)
    wanted = [f'r._measurement == "{found.name}"', f'r._field == "{field}"', *conditions]
    return f'from(bucket: "{bucket}")\n  |> {span}\n  |> filter(fn: (r) => {" and ".join(wanted)})'


def trend(metric: str, legend: str, change: str = "") -> str:
    """Means of one field, under the legend's name."""
    found, field = kept(metric)
    steps = [select(metric, HERE), "toFloat()" if found.fields[field] == "bool" else ""]
    steps += [means(), change, column(legend)]
    return "\n  |> ".join(step for step in steps if step)


def each(metric: str, tag: str, change: str = "", function: str = "mean") -> str:
    """One line for each camera, relay or instance; the panel names them by that tag."""
    found, _ = kept(metric)
    if tag not in found.tags:
        raise KeyError(f"{metric} has no tag {tag}")
    steps = [select(metric, HERE), change, means(function), f'group(columns: ["{tag}"])']
    steps.append(f'keep(columns: ["_time", "_value", "{tag}"])')
    return "\n  |> ".join(step for step in steps if step)


def newest(metric: str) -> str:
    """The last value of one field, of each series, unless it is old."""
    return f"{select(metric, HERE, span=PRESENT)}\n  |> last()\n  |> {column('Value')}"


def newest_each(metric: str, tag: str) -> str:
    """The last value for each camera, relay or instance, unless it is old."""
    kept(metric)
    steps = (select(metric, HERE, span=PRESENT), "last()", f'group(columns: ["{tag}"])')
    return "\n  |> ".join((*steps, f'keep(columns: ["_time", "_value", "{tag}"])'))


def long_run(metric: str, statistic: str, legend: str) -> str:
    """One of the statistics of the long bucket."""
    text = select(metric, HERE, f'r.statistic == "{statistic}"', bucket=LONG_BUCKET)
    return f"{text}\n  |> {means(statistic)}\n  |> {column(legend)}"


def column(legend: str) -> str:
    """What the legend shows: the name of the column, no tags."""
    return f'keep(columns: ["_time", "_value"])\n  |> rename(columns: {{_value: "{legend}"}})'
