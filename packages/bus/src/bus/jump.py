"""Times and distances in time in words, for logs and statuses."""

from datetime import UTC, datetime

UNITS = (("year", 365.25 * 86_400), ("day", 86_400.0), ("h", 3600.0), ("min", 60.0), ("s", 1.0))


def distance(seconds: float) -> str:
    """Such as "+3 years", "+40 days", "−1 h", "+90 s": one unit, two of the larger at least."""
    sign, size = "−" if seconds < 0 else "+", abs(seconds)
    name, unit = next((u for u in UNITS if size >= 0.99 * u[1]), UNITS[-1])
    text = f"{size / unit:.1f}".removesuffix(".0")
    plural = "s" if name in ("year", "day") and text != "1" else ""
    return f"{sign}{text} {name}{plural}"


def day(unix: float) -> str:
    """A Unix time (s) such as "2026-11-30 16:45 UTC"."""
    try:
        return datetime.fromtimestamp(unix, UTC).strftime("%Y-%m-%d %H:%M UTC")
    except (ValueError, OverflowError, OSError):
        return f"Unix time {unix:.0f}"
