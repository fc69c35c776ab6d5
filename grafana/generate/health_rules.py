"""The alert rules that no limit says: what is silent, stuck, throttled, lost, or not stored."""

from bus.points import RAW_BUCKET
from flux import RANGE, kept, select
from rule import VALUE, WHERE, Rule

DAY = 86_400
SILENT = ("sensors/bme680/all", "sensors/cpu/temperature", "system/stats", "audio/level")
"""Topics below `beeper/` that must not fall silent once they have spoken. A camera's metadata stops
with its encoder; the camera's own status is judged instead."""
CAMERA = "camera/{camera}/status"
THROTTLED = ("under_voltage", "frequency_capped", "throttled_now", "soft_temp_limit")


def health_rules() -> tuple[Rule, ...]:
    """All of them."""
    return (storage_rule(), silent_rule(), throttled_rule(), *camera_rules(), lost_rule())


def storage_rule() -> Rule:
    """The one rule that speaks when InfluxDB or Telegraf does not work."""
    return Rule(
        "storage",
        "Readings are not stored",
        "critical",
        stored(),
        ("gt", [120]),
        "{{ if .Labels.station }}Nothing from {{ .Labels.station }} has been stored for "
        f"{VALUE} s: is the station off, or Telegraf?"
        "{{ else }}Grafana gets no readings: is InfluxDB down, or Telegraf?{{ end }}",
        ("operation", 42),
        seconds=DAY,
        no_data="Alerting",
        error="Alerting",
    )


def silent_rule() -> Rule:
    """A sensor, or a camera's service, that has stopped."""
    return Rule(
        "silent",
        "No data",
        "critical",
        silent(),
        ("gt", [60]),
        f"{{{{ .Labels.source }}}} {WHERE} has sent nothing for {VALUE} s",
        ("station", 307),
        seconds=DAY,
    )


def throttled_rule() -> Rule:
    """The firmware's word."""
    return Rule(
        "throttled",
        "Processor throttled",
        "warning",
        throttled(),
        ("gt", [0]),
        f"The firmware {WHERE} reports {{{{ .Labels.flag }}}}: look at power and cooling",
        ("station", 405),
        keep="5m",
    )


def camera_rules() -> tuple[Rule, Rule]:
    """No picture, or an old one."""
    return (
        Rule(
            "camera-down",
            "Camera down",
            "critical",
            camera_down(),
            ("gt", [0]),
            f"Camera {{{{ .Labels.camera }}}} {WHERE} delivers no picture",
            ("operation", 11),
        ),
        Rule(
            "picture-frozen",
            "Picture frozen",
            "critical",
            frozen(),
            ("gt", [5]),
            f"The newest picture of camera {{{{ .Labels.camera }}}} {WHERE} is {VALUE} s old",
            ("operation", 15),
        ),
    )


def lost_rule() -> Rule:
    """A service that died or hangs."""
    return Rule(
        "service-lost",
        "Service lost",
        "critical",
        lost(),
        ("gt", [0]),
        f"Service {{{{ .Labels.instance }}}} {WHERE} has died or does not answer",
        ("operation", 41),
        seconds=DAY,
    )


NEWEST = "\n  |> ".join(
    (
        select("service/{instance}/status:state"),
        'keep(columns: ["_time", "station"])',
        'group(columns: ["station"])',
        'max(column: "_time")',
    )
)
"""When each station's newest service status was stored. A silence is measured against it, so that
a station that is off, or a Telegraf that is, counts once (`storage`) and not once a source."""


def stored() -> str:
    """s since each station was heard at all."""
    now = "float(v: int(v: v.timeRangeStop) - int(v: r._time)) / 1000000000.0"
    return "\n  |> ".join((NEWEST, f"map(fn: (r) => ({{r with _value: {now}}}))"))


def behind(latest: str, *columns: str) -> str:
    """The series of `latest` beside the newest status of their station: `_time` of each as
    `_time_source` and `_time_newest`."""
    kept_columns = ", ".join(f'"{name}"' for name in ("_time", "station", *columns))
    return (
        f"newest = {NEWEST}\n\nsource = {latest}\n"
        f"  |> keep(columns: [{kept_columns}])\n"
        '  |> group(columns: ["station"])\n\n'
        'join(tables: {newest: newest, source: source}, on: ["station"])'
    )


AGE = "float(v: int(v: r._time_newest) - int(v: r._time_source)) / 1000000000.0"


def silent() -> str:
    """s by which each source is behind its station.

    Grafana takes `_measurement` for the frame's name and not for a label: it is renamed.
    """
    topics = (*SILENT, CAMERA)
    wanted = " or ".join(
        f'r._measurement == "{kept(f"{topic}:simulated")[0].name}"' for topic in topics
    )
    latest = "\n  |> ".join(
        (
            f'from(bucket: "{RAW_BUCKET}")',
            RANGE,
            f'filter(fn: (r) => r._field == "simulated" and ({wanted}))',
            "last()",
            'rename(columns: {_measurement: "source"})',
        )
    )
    return "\n  |> ".join(
        (
            behind(latest, "source", "camera"),
            f"map(fn: (r) => ({{r with _time: r._time_newest, _value: {AGE}}}))",
            'group(columns: ["source", "station", "camera"])',
            'keep(columns: ["_time", "_value", "source", "station", "camera"])',
        )
    )


def throttled() -> str:
    """1 for each bit that was set within the window; `_field` is no label in Grafana either."""
    found, _ = kept(f"sensors/cpu/temperature:{THROTTLED[0]}")
    names = (kept(f"sensors/cpu/temperature:{name}")[1] for name in THROTTLED)
    wanted = " or ".join(f'r._field == "{name}"' for name in names)
    return "\n  |> ".join(
        (
            f'from(bucket: "{RAW_BUCKET}")',
            RANGE,
            f'filter(fn: (r) => r._measurement == "{found.name}" and ({wanted}))',
            "toFloat()",
            "aggregateWindow(every: 1m, fn: max, createEmpty: false)",
            'rename(columns: {_field: "flag"})',
            'group(columns: ["station", "flag"])',
            'keep(columns: ["_time", "_value", "station", "flag"])',
        )
    )


def camera_down() -> str:
    """1 for a camera that should deliver and does not; one that nobody watches has `stopped`."""
    wrong = 'if r._value == "backoff" or r._value == "starting" then 1.0 else 0.0'
    return "\n  |> ".join(
        (
            select(f"{CAMERA}:state"),
            "last()",
            f"map(fn: (r) => ({{r with _value: {wrong}}}))",
            'keep(columns: ["_time", "_value", "station", "camera"])',
        )
    )


def frozen() -> str:
    """s between the newest frame and the status that tells of it, while the camera streams."""
    found, _ = kept(f"{CAMERA}:last_frame_at")
    return "\n  |> ".join(
        (
            f'from(bucket: "{RAW_BUCKET}")',
            RANGE,
            f'filter(fn: (r) => r._measurement == "{found.name}"'
            ' and (r._field == "last_frame_at" or r._field == "state"))',
            "last()",
            'pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value")',
            'filter(fn: (r) => r.state == "streaming" and exists r.last_frame_at)',
            "map(fn: (r) => ({r with _value: float(v: int(v: r._time)) / 1000000000.0"
            " - r.last_frame_at}))",
            'keep(columns: ["_time", "_value", "station", "camera"])',
        )
    )


def lost() -> str:
    """1 for an instance whose last will has spoken, or that is online and silent for a minute."""
    wrong = f'if r._value == "lost" or (r._value == "online" and {AGE} > 60.0) then 1.0 else 0.0'
    latest = "\n  |> ".join((select("service/{instance}/status:state"), "last()"))
    return "\n  |> ".join(
        (
            behind(latest, "instance", "_value"),
            f"map(fn: (r) => ({{r with _time: r._time_newest, _value: {wrong}}}))",
            'group(columns: ["station", "instance"])',
            'keep(columns: ["_time", "_value", "station", "instance"])',
        )
    )
