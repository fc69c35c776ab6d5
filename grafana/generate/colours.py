"""Thresholds and what values are called: limits and classes come from the contract."""

from bus.limits import LIMITS
from bus.messages.sensors import IAQ_CLASSES
from grafana_foundation_sdk.builders.dashboard import ThresholdsConfig
from grafana_foundation_sdk.models import dashboard as d

GOOD, WARNING, BAD = "green", "orange", "red"
IAQ_COLOURS = ("dark-green", "green", "yellow", "orange", "red", "purple")

LIGHT_ON = 50
"""Lux from which the lights are on."""
LUX = (
    (None, "#000000"),  # black
    (10, "#2e1065"),  # deep purple
    (50, "#7e22ce"),  # purple
    (100, "#f97316"),  # orange
    (300, "#eab308"),  # yellow
    (500, "#fde047"),  # bright yellow
    (1000, "#fef9c3"),  # light yellow
    (10_000, "#ffffff"),  # white
)
COLOUR_TEMPERATURE = (
    *((None, "#fb923c"), (2700, "#fdba74"), (3500, "#fef3c7")),
    *((5000, "#e0f2fe"), (6500, "#7dd3fc")),
)
GAIN = ((None, "green"), (2, "semi-dark-green"), (4, "yellow"), (8, "orange"), (12, "red"))
EXPOSURE = (
    (None, "blue"),
    (5000, "green"),
    (15_000, "yellow"),
    (25_000, "orange"),
    (35_000, "red"),
)

STATES = {
    "streaming": (GOOD, "streaming"),
    "starting": (WARNING, "starting"),
    "stopped": ("blue", "stopped"),
    "backoff": (BAD, "backoff"),
    "online": (GOOD, "online"),
    "offline": ("blue", "offline"),
    "lost": (BAD, "lost"),
}

Steps = tuple[tuple[float | None, str], ...]


def limit_steps(metric: str) -> Steps:
    """The bands of `bus.limits`: bad, warning, good, warning, bad, those that there are."""
    (limit,) = (one for one in LIMITS if one.field == metric)
    lower = [(None, BAD)] if limit.bad_below is not None else []
    below: list[tuple[float | None, str]] = list(lower)
    if limit.warn_below is not None:
        below.append((limit.bad_below, WARNING))
    below.append((limit.warn_below, GOOD))
    above = [(limit.warn_above, WARNING), (limit.bad_above, BAD)]
    return (*below, *((value, colour) for value, colour in above if value is not None))


def thresholds(steps: Steps) -> ThresholdsConfig:
    """As the SDK takes them."""
    return (
        ThresholdsConfig()
        .mode(d.ThresholdsMode.ABSOLUTE)
        .steps([d.Threshold(value=value, color=colour) for value, colour in steps])
    )


def iaq_names() -> list[d.ValueMapping]:
    """The contract's classes of the air quality index."""
    found: list[d.ValueMapping] = []
    lower = 0.0
    for index, ((upper, name), colour) in enumerate(zip(IAQ_CLASSES, IAQ_COLOURS, strict=True)):
        result = d.ValueMappingResult(text=name, color=colour, index=index)
        options = d.DashboardRangeMapOptions(from_val=lower, to=float(upper), result=result)
        found.append(d.RangeMap(options))
        lower = upper + 0.001
    return found


def state_names() -> list[d.ValueMapping]:
    """What a camera, a relay or a service says of itself, in colour."""
    results = {
        state: d.ValueMappingResult(text=text, color=colour, index=index)
        for index, (state, (colour, text)) in enumerate(STATES.items())
    }
    return [d.ValueMap(results)]


def on_and_off() -> list[d.ValueMapping]:
    """1 and 0 as words."""
    results = {
        "0": d.ValueMappingResult(text="OFF", color="#334155", index=0),
        "1": d.ValueMappingResult(text="ON", color="#fde047", index=1),
    }
    return [d.ValueMap(results)]
