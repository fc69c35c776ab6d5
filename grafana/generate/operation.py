"""Whether it works: cameras, relays, viewers, services, the broker."""

import colours as k
from flux import HERE, RANGE, broker, each, kept, means, trend
from grafana_foundation_sdk.builders import dashboard as build
from panels import dashboard, grid, lines, named, row, states

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
        (14, "Encoder restarts", each(f"{CAMERA}:restarts", "camera", function="last"), "short"),
        (15, "Latency: age of the newest frame when it was told", frame_age(), "s"),
        (16, "Fragments dropped", each(f"{CAMERA}:dropped", "camera", function="last"), "short"),
    )
    for number, title, flux, unit in shown:
        board = board.with_panel(named(lines(number, title, [flux], unit), "camera"))
    sent = each(f"{RELAY}:bytes_sent", "relay", "derivative(unit: 1s, nonNegative: true)")
    pushed = named(lines(17, "Relays (bytes a second)", [sent], "Bps"), "relay")
    said = each(f"{RELAY}:state", "relay", function="last")
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
        .with_panel(lines(31, "Viewers", watching, "short"))
        .with_panel(lines(32, "Motor", moves, "percentunit"))
    )


def services(board: build.Dashboard) -> build.Dashboard:
    """The life of each service."""
    said = each(f"{SERVICE}:state", "instance", function="last")
    missed = each(f"{SERVICE}:problems", "instance", function="max")
    invalid = each(f"{SERVICE}:invalid_messages", "instance", function="last")
    return (
        row(board, 40, "SERVICES")
        .with_panel(states(41, "Services", said, "instance", k.state_names()))
        .with_panel(grid(42, "Services now", roll_call()))
        .with_panel(named(lines(43, "Problems told", [missed], "short"), "instance"))
        .with_panel(named(lines(44, "Messages not understood", [invalid], "short"), "instance"))
    )


def mosquitto(board: build.Dashboard) -> build.Dashboard:
    """The broker by its own word ($SYS)."""
    board = row(board, 50, "BROKER")
    messages = ("load/messages/received/1min", "load/messages/sent/1min")
    traffic = ("load/bytes/received/1min", "load/bytes/sent/1min")
    shown = (
        (51, "Clients", ("clients/connected", "clients/disconnected"), "short"),
        (52, "Messages a minute", messages, "short"),
        (53, "Bytes a minute", traffic, "bytes"),
        (54, "Messages dropped a minute", ("load/publish/dropped/1min",), "short"),
        (55, "Memory", ("heap/current",), "bytes"),
        (56, "Messages held", ("store/messages/count", "retained messages/count"), "short"),
    )
    for number, title, names, unit in shown:
        board = board.with_panel(named(lines(number, title, [broker(*names)], unit), "name"))
    return board


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
