"""Whether it works: cameras, relays, viewers, services, the broker."""

import colours as k
from broker import broker
from flux import HERE, RANGE, each, kept, means, trend
from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.models.dashboard import DynamicConfigValue
from panels import counted, dashboard, grid, lines, named, row, shared, states

CAMERA = "camera/{camera}/status"
RELAY = "relay/{relay}/status"
SERVICE = "service/{instance}/status"


def operation() -> build.Dashboard:
    """The whole dashboard."""
    board = dashboard("operation", "Beeper Keeper: cameras, services, broker", "6h", "10s")
    for part in (cameras, people, services, mosquitto):
        board = part(board)
    return board


def cameras(board: build.Dashboard) -> build.Dashboard:
    """What each camera and each relay delivers."""
    said = each(f"{CAMERA}:state", "camera", function="last")
    board = row(board, 10, "CAMERAS").with_panel(
        states(11, "Cameras", said, "camera", k.state_names())
    )
    shown = (
        (12, "Frames a second", each(f"{CAMERA}:fps", "camera"), "fps"),
        (13, "Bitrate (kbit/s)", each(f"{CAMERA}:bitrate_kbps", "camera"), "Kbits"),
        (14, "Encoder restarts", each(f"{CAMERA}:restarts", "camera", function="last"), ""),
        (15, "Latency: age of the newest frame when it was told", frame_age(), "s"),
        (16, "Fragments dropped", each(f"{CAMERA}:dropped", "camera", function="last"), ""),
    )
    for number, title, flux, unit in shown:
        panel = named(lines(number, title, [flux], unit or "short"), "camera").min(0)
        board = board.with_panel(panel if unit else counted(panel))
    sent = each(f"{RELAY}:bytes_sent", "relay", "derivative(unit: 1s, nonNegative: true)")
    pushed = named(lines(17, "Relays (bytes a second)", [sent], "Bps"), "relay")
    said = or_nothing(each(f"{RELAY}:state", "relay", function="last"), "relay", "no relay")
    return board.with_panel(pushed).with_panel(states(18, "Relays", said, "relay", k.state_names()))


def people(board: build.Dashboard) -> build.Dashboard:
    """Who watches; nobody by name."""
    watching = [
        trend("viewers:count", "People"),
        trend("webrtc/status:sessions", "Over WebRTC"),
    ]
    moves = [trend("stepper/status:moving", "Motor moving (share of the time)")]
    return (
        row(board, 30, "PEOPLE")
        .with_panel(counted(lines(31, "Viewers", watching, "short")))
        .with_panel(shared(lines(32, "Motor", moves, "percentunit")))
    )


def services(board: build.Dashboard) -> build.Dashboard:
    """The life of each service."""
    said = each(f"{SERVICE}:state", "instance", function="last")
    missed = each(f"{SERVICE}:problems", "instance", function="max")
    invalid = each(f"{SERVICE}:invalid_messages", "instance", function="last")
    return (
        row(board, 40, "SERVICES")
        .with_panel(states(41, "Services", said, "instance", k.state_names()))
        .with_panel(roll_call_table())
        .with_panel(counted(named(lines(43, "Problems told", [missed], "short"), "instance")))
        .with_panel(
            counted(named(lines(44, "Messages not understood", [invalid], "short"), "instance"))
        )
    )


def mosquitto(board: build.Dashboard) -> build.Dashboard:
    """The broker by its own word ($SYS)."""
    board = row(board, 50, "BROKER")
    shown = (
        (51, "Clients", {"clients/connected": "connected", "clients/disconnected": "away"}, ""),
        (52, "Messages a minute", load("messages"), ""),
        (53, "Bytes a minute", load("bytes"), "bytes"),
        (54, "Messages dropped a minute", {"load/publish/dropped/1min": "dropped"}, ""),
        (55, "Memory", {"heap/current": "heap"}, "bytes"),
        (56, "Messages held", HELD, ""),
    )
    for number, title, names, unit in shown:
        panel = named(lines(number, title, [broker(names)], unit or "short"), "name")
        board = board.with_panel(panel.min(0) if unit else counted(panel))
    return board


HELD = {"store/messages/count": "all", "retained messages/count": "retained"}


def load(what: str) -> dict[str, str]:
    """Mosquitto's moving averages of a minute."""
    return {f"load/{what}/received/1min": "received", f"load/{what}/sent/1min": "sent"}


def frame_age() -> str:
    """s between the newest frame and the status that tells of it, while frames should come."""
    found, _ = kept(f"{CAMERA}:last_frame_at")
    return "\n  |> ".join(
        (
            'from(bucket: "sensors")',
            RANGE,
            f'filter(fn: (r) => r._measurement == "{found.name}" and {HERE}'
            ' and (r._field == "last_frame_at" or r._field == "state"))',
            'pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value")',
            'filter(fn: (r) => r.state == "streaming" and exists r.last_frame_at)',
            "map(fn: (r) => ({r with _value: float(v: int(v: r._time)) / 1000000000.0"
            " - r.last_frame_at}))",
            'group(columns: ["camera"])',
            means("max"),
            'keep(columns: ["_time", "_value", "camera"])',
        )
    )


def or_nothing(flux: str, tag: str, words: str) -> str:
    """The series, or one line that says in words that there are none.

    A state timeline without any series shows "Data does not have a time field".
    """
    return (
        f"said = {flux}\n\n"
        'found = said |> group() |> count(column: "_time") |> findColumn('
        'fn: (key) => true, column: "_time")\n\n'
        f'none = array.from(rows: [{{_time: v.timeRangeStart, _value: "{words}", {tag}: "–"}}])\n'
        f'  |> group(columns: ["{tag}"])\n'
        "  |> filter(fn: (r) => length(arr: found) == 0)\n\n"
        "union(tables: [said, none])"
    )


def roll_call_table() -> object:
    """Each service as it last spoke, under words and in its colour."""
    titles = {
        "instance": "Service",
        "_time": "Last heard",
        "state": "State",
        "version": "Version",
        "problems": "Problems",
        "invalid_messages": "Messages not understood",
    }
    panel = grid(42, "Services now", roll_call())
    for column, title in titles.items():
        changes = [DynamicConfigValue(id_val="displayName", value=title)]
        if column == "_time":
            changes.append(DynamicConfigValue(id_val="unit", value="dateTimeFromNow"))
        if column == "state":
            cell = {"type": "color-background", "mode": "basic"}
            changes.append(DynamicConfigValue(id_val="mappings", value=k.state_names()))
            changes.append(DynamicConfigValue(id_val="custom.cellOptions", value=cell))
        panel = panel.override_by_name(column, changes)
    return panel


def roll_call() -> str:
    """One line for each instance, as it last spoke."""
    found, _ = kept(f"{SERVICE}:state")
    fields = ("state", "version", "problems", "invalid_messages")
    wanted = " or ".join(f'r._field == "{field}"' for field in fields)
    columns = ", ".join(f'"{name}"' for name in ("instance", "_time", *fields))
    return "\n  |> ".join(
        (
            'from(bucket: "sensors")',
            RANGE,
            f'filter(fn: (r) => r._measurement == "{found.name}" and {HERE} and ({wanted}))',
            "last()",
            'pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value")',
            "group()",
            f"keep(columns: [{columns}])",
            'sort(columns: ["instance"])',
        )
    )
